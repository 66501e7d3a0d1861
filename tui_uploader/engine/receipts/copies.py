"""Copies of a receipt where the user wants them: in a folder, or on the card with a list of checksums (ASC MHL).

Blocking: for threads of the card. A copy is not part of the upload: where it cannot be written, the user is told why.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

from tui_uploader.errors import ReceiptInvalid, UploaderError, UsageError
from tui_uploader.file_kinds import HISTORY_FOLDER
from tui_uploader.model.receipts import ReceiptHead, ReceiptRow
from tui_uploader.receipts.checking import check
from tui_uploader.receipts.history import HistoryUpdate
from tui_uploader.receipts.mhl_format import LatestOfPath, MhlWriter
from tui_uploader.text import printable

_MOST_NAMES = 100
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PROTECTED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN})


def failure_sentence(place: str, error: OSError | UploaderError) -> str:
    """Why nothing was written to `place`."""
    if isinstance(error, UploaderError):
        return str(error)
    shown = printable(place)
    if error.errno in _FULL:
        return f"{shown} is full."
    if error.errno in _PROTECTED:
        return f"{shown} is write-protected, or this user may not write there."
    if error.errno in _GONE:
        return f"{shown} is not there: the card or disk was taken out, or the folder was removed."
    return f"{shown}: {error.strerror or error}."


def copy_receipt(receipt: Path, head: ReceiptHead, folder: str) -> str:
    """Copy a receipt to an existing folder, in one step. Returns the path of the copy.

    An earlier copy of the same upload is replaced; any other file of that name stays. Raises OSError, ReceiptInvalid.
    """
    target = _free_name(Path(folder), receipt.name, head)
    part = target.with_name(f".{target.name}.part")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()  # of an interrupted attempt
    try:
        with (
            receipt.open("rb") as original,
            os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644), "wb") as copy,
        ):
            shutil.copyfileobj(original, copy)
            copy.flush()
            os.fsync(copy.fileno())
        part.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return os.fspath(target)


def _free_name(folder: Path, name: str, head: ReceiptHead) -> Path:
    stem, _, ending = name.rpartition(".")
    for number in range(1, _MOST_NAMES):
        path = folder / (name if number == 1 else f"{stem}-{number}.{ending}")
        if not os.path.lexists(path):
            return path
        with contextlib.suppress(UsageError):
            there = None if path.is_symlink() else check(path).head
            if there is not None and there.same_upload(head):
                return path
    raise ReceiptInvalid(f"{printable(os.fspath(folder))} has other files with the name of the receipt.")


class ChecksumLists:
    """New generations of the ASC MHL histories of one uploaded folder. `end` or `abandon` it.

    A file is told in the history of the nearest folder above it that has one already; where none has, a history of the
    uploaded folder is begun.
    """

    def __init__(self, root: str, head: ReceiptHead, host: str) -> None:
        self._root = root.rstrip("/") or "/"
        self._head = head
        self._host = host
        self._guard = threading.Lock()
        """A call that was cancelled may still run in its thread while the next one begins in another."""
        self._over = False
        self._latest = LatestOfPath()
        self._bases: dict[str, str] = {}
        """Folders with a history, by the folders whose files they tell."""
        self._updates: dict[str, tuple[HistoryUpdate, MhlWriter]] = {}

    def add(self, rows: Sequence[ReceiptRow]) -> None:
        """Raises OSError, ReceiptInvalid if the card does not hold these files, or XML cannot name them."""
        below = self._root.rstrip("/") + "/"
        with self._guard:
            self._add(self._latest.passing([row for row in rows if row.path.startswith(below)]))

    def _add(self, rows: Sequence[ReceiptRow]) -> None:
        if self._over:
            return
        by_base: dict[str, list[ReceiptRow]] = {}
        for row in rows:
            self._check_there(row)
            folder = row.path.rpartition("/")[0] or "/"
            base = self._bases.get(folder)
            if base is None:
                base = self._bases[folder] = self._base_of(folder)
            by_base.setdefault(base, []).append(row)
        for base, its_rows in by_base.items():
            if base not in self._updates:
                self._begin(base)
            update, writer = self._updates[base]
            update.write(writer.rows(its_rows))

    def _check_there(self, row: ReceiptRow) -> None:
        try:
            found = Path(row.path).stat()
        except OSError as error:
            if error.errno not in _GONE:
                raise
            found = None
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_size != row.size:
            raise ReceiptInvalid(
                f"{printable(self._root)} does not hold the files that were uploaded: {printable(row.path)} is missing"
                " or has another size. The card was taken out, or another one is there. No list was written to it."
            )

    def _base_of(self, folder: str) -> str:
        device = Path(folder).stat().st_dev
        above = folder
        while Path(above).stat().st_dev == device:
            if Path(above, HISTORY_FOLDER).is_dir():
                return above
            if above == "/":
                break
            above = above.rpartition("/")[0] or "/"
        return self._root

    def _begin(self, base: str) -> None:
        update = HistoryUpdate(base)
        earlier = update.earlier
        writer = MhlWriter(base, self._host, earlier.action_of, earlier.ignored)
        self._updates[base] = (update, writer)
        update.write(writer.head(self._head))

    def end(self, moment: str) -> None:
        """`moment`: like `2026-05-11_101500Z`. Raises as `add`."""
        with self._guard:
            self._add(self._latest.end())
            for base in sorted(self._updates, reverse=True):
                update, writer = self._updates[base]
                update.write(writer.end())
                if writer.files:
                    update.end(writer.c4, moment)
                else:
                    update.abandon()
                del self._updates[base]

    def abandon(self) -> None:
        """Leave all histories that were not continued yet as they were."""
        with self._guard:
            self._over = True
            for update, _ in self._updates.values():
                update.abandon()
            self._updates.clear()
