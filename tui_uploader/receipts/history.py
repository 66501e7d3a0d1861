"""The ASC MHL history of a folder: lists of checksums, one for each generation, and the chain that names them.

`FOLDER/ascmhl/0001_NAME_2026-05-11_101500Z.mhl`, `FOLDER/ascmhl/ascmhl_chain.xml`. A new generation is added, and
nothing else is changed: the list is complete before the chain names it, and the chain is replaced in one step. A
history whose chain does not match its lists is left alone. Everything here is blocking, and everything read is hostile:
links are not followed, names do not lead out of the folder, and a document type is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

from tui_uploader.errors import ReceiptInvalid
from tui_uploader.file_kinds import HISTORY_CHAIN, HISTORY_ENDING, HISTORY_FOLDER
from tui_uploader.receipts.mhl_format import IGNORED, TOOL, c4
from tui_uploader.receipts.xml_reading import read_elements
from tui_uploader.text import printable

_LARGEST_CHAIN = 16 * 1024 * 1024
_CHAIN_BEGINS = b'<?xml version="1.0" encoding="UTF-8"?>\n<ascmhldirectory xmlns="urn:ASC:MHL:DIRECTORY:v2.0">\n'
_CHAIN_ENDS = b"</ascmhldirectory>"
_LIST_NAME = re.compile(r"(\d{4,9})(?:_.+)?\.mhl", re.DOTALL)
_TEMPORARY_FOLDER, _TEMPORARY_LIST, _TEMPORARY_CHAIN = ".ascmhl-new", "new-generation.part", "new-chain.part"
_READ_ONLY = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_PIECE = 1024 * 1024


@dataclass
class Earlier:
    """What the generations so far say."""

    chain: bytes = b""
    generation: int = 0
    """The last one; 0: there is no history."""
    checksums: dict[str, str] = field(default_factory=dict)
    """The first xxh128 of each file, by relative path."""
    of_other_kinds: set[str] = field(default_factory=set)
    """Files of which the history has other checksums only."""
    told: dict[str, str] = field(default_factory=dict)
    """The last xxh128 of each file that this program wrote."""
    ignored: tuple[str, ...] = IGNORED
    left_over: tuple[str, ...] = ()
    """Lists of this program that no chain names: it was interrupted."""

    def action_of(self, path: str, checksum: str) -> str | None:
        """See `mhl_format.ActionOf`."""
        if self.told.get(path) == checksum:
            return None
        if (first := self.checksums.get(path)) is not None:
            return "verified" if first == checksum else "failed"
        return "" if path in self.of_other_kinds else "original"


class HistoryUpdate:
    """A new generation in the history of `base`, or the first one of a new history. `end` or `abandon` it."""

    def __init__(self, base: str) -> None:
        """Raises OSError, ReceiptInvalid if the history there cannot be continued."""
        self.base = base
        self._base: int | None = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._folder: int | None = None
        self._list: BinaryIO | None = None
        self._fresh = False
        try:
            self._fresh = not _exists(HISTORY_FOLDER, self._base)
            if self._fresh:
                self._make_folder()
            name = _TEMPORARY_FOLDER if self._fresh else HISTORY_FOLDER
            self._folder = os.open(name, _READ_ONLY | os.O_DIRECTORY, dir_fd=self._base)
            self.earlier = Earlier() if self._fresh else _read(self._folder, base)
            for left_over in (_TEMPORARY_LIST, _TEMPORARY_CHAIN):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(left_over, dir_fd=self._folder)
            self._list = os.fdopen(os.open(_TEMPORARY_LIST, _NEW, 0o644, dir_fd=self._folder), "wb")
        except BaseException:
            self.abandon()
            raise

    def write(self, data: bytes) -> None:
        """Write the next piece of the list. Raises OSError."""
        assert self._list is not None
        self._list.write(data)

    def _make_folder(self) -> None:
        try:
            os.mkdir(_TEMPORARY_FOLDER, 0o755, dir_fd=self._base)
        except FileExistsError:  # of an interrupted attempt
            left = os.open(_TEMPORARY_FOLDER, _READ_ONLY | os.O_DIRECTORY, dir_fd=self._base)
            try:
                for name in _names(left):
                    os.unlink(name, dir_fd=left)
            finally:
                os.close(left)

    def end(self, checksum: str, moment: str) -> None:
        """Add the list that was written, with this C4. `moment`: like `2026-05-11_101500Z`. Raises OSError."""
        assert self._folder is not None and self._base is not None and self._list is not None
        _close_kept(self._list)
        for left_over in self.earlier.left_over:
            os.unlink(left_over, dir_fd=self._folder)
        number = self.earlier.generation + 1
        name = list_name(number, self.base, moment)
        self._write_chain(number, name, checksum)
        os.rename(_TEMPORARY_LIST, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        os.rename(_TEMPORARY_CHAIN, HISTORY_CHAIN, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        _flush(self._folder)
        if self._fresh:
            os.rename(_TEMPORARY_FOLDER, HISTORY_FOLDER, src_dir_fd=self._base, dst_dir_fd=self._base)
            _flush(self._base)
        self._close()

    def _write_chain(self, number: int, name: str, checksum: str) -> None:
        assert self._folder is not None
        before, ending, after = (self.earlier.chain or _CHAIN_BEGINS + _CHAIN_ENDS + b"\n").rpartition(_CHAIN_ENDS)
        entry = (
            f'  <hashlist sequencenr="{number}">\n    <path>{escape(name)}</path>\n    <c4>{checksum}</c4>\n'
            "  </hashlist>\n"
        )
        text = before + entry.encode() + ending + after
        if [found for *_, found in _entries(text)][-1:] != [checksum]:
            raise ReceiptInvalid(f"{HISTORY_CHAIN} on the card does not end as expected.")
        chain = os.fdopen(os.open(_TEMPORARY_CHAIN, _NEW, 0o644, dir_fd=self._folder), "wb")
        with chain:
            chain.write(text)
            _close_kept(chain)

    def abandon(self) -> None:
        """Leave the history as it was."""
        if self._list is not None:
            with contextlib.suppress(OSError):
                self._list.close()
        if self._folder is not None:
            for name in (_TEMPORARY_LIST, _TEMPORARY_CHAIN):
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=self._folder)
        if self._fresh and self._base is not None:  # None would mean the current folder
            with contextlib.suppress(OSError):
                os.rmdir(_TEMPORARY_FOLDER, dir_fd=self._base)
        self._close()

    def _close(self) -> None:
        descriptors, self._folder, self._base = (self._folder, self._base), None, None
        for descriptor in descriptors:
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    os.close(descriptor)


def list_name(number: int, base: str, moment: str) -> str:
    """`0002_DCIM_2026-05-11_101500Z.mhl`: generation, name of the folder, time."""
    folder = re.sub(r"[^\w.-]", "_", base.rstrip("/").rpartition("/")[2], flags=re.ASCII)[:60] or "root"
    return f"{number:04}_{folder}_{moment}{HISTORY_ENDING}"


def _close_kept(file: BinaryIO) -> None:
    """Close a file whose bytes are then on the disk. Raises OSError."""
    with file:
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: int) -> None:
    with contextlib.suppress(OSError):  # FAT and network file systems do not all flush folders
        os.fsync(folder)


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def _exists(name: str, folder: int) -> bool:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(found.st_mode):
        raise ReceiptInvalid(f"{name} on the card is not a folder.")
    return True


# ----------------------------------------------------------------------------------------------- what is there


def _read(folder: int, base: str) -> Earlier:
    """Read and verify a history. Raises ReceiptInvalid, OSError."""
    shown = printable(f"{base.rstrip('/')}/{HISTORY_FOLDER}")
    try:
        with os.fdopen(os.open(HISTORY_CHAIN, _READ_ONLY, dir_fd=folder), "rb") as file:
            chain = file.read(_LARGEST_CHAIN + 1)
    except FileNotFoundError:
        raise ReceiptInvalid(f"{shown} has no {HISTORY_CHAIN}, so its history cannot be continued.") from None
    earlier = Earlier(chain=chain)
    named: set[str] = set()
    try:
        for number, name, checksum in _entries(chain):
            with os.fdopen(os.open(name, _READ_ONLY, dir_fd=folder), "rb") as file:
                if _c4_of(file) != checksum:
                    raise ReceiptInvalid(f"{printable(name)} in {shown} was changed since it was written.")
                file.seek(0)
                _read_list(file, earlier)
            named.add(name)
            earlier.generation = max(earlier.generation, number)
    except FileNotFoundError as error:
        raise ReceiptInvalid(f"{shown} lacks a list that its chain names.") from error
    except (ValueError, ExpatError) as error:
        raise ReceiptInvalid(f"The history in {shown} is damaged: {printable(str(error), 200)}.") from error
    others = [
        name
        for name in _names(folder)
        if name.endswith(HISTORY_ENDING) and not name.startswith("._") and name not in named
    ]
    if any(not _is_ours(name, folder) for name in others):
        raise ReceiptInvalid(f"{shown} has a list that its chain does not name.")
    earlier.left_over = tuple(others)
    return earlier


def _entries(chain: bytes) -> list[tuple[int, str, str]]:
    """Generation, name and C4 of each list. Raises ValueError, ExpatError."""
    if len(chain) > _LARGEST_CHAIN or chain.count(_CHAIN_ENDS) != 1:
        raise ValueError(f"{HISTORY_CHAIN} is too large, or does not end as expected")
    found, values = list[tuple[int, str, str]](), dict[str, str]()

    def note(tag: str, text: str, attributes: Mapping[str, str]) -> None:
        values[tag] = text
        if tag == "hashlist":
            name, checksum = values.get("path", ""), values.get("c4", "")
            if not _LIST_NAME.fullmatch(name) or "/" in name or not checksum:
                raise ValueError(f"{HISTORY_CHAIN} names a list as no tool does")
            found.append((int(attributes.get("sequencenr", "")), name, checksum))
            values.clear()

    read_elements(io.BytesIO(chain), note)
    return found


def _read_list(file: BinaryIO, earlier: Earlier) -> None:
    """Raises ValueError, ExpatError."""
    ours, patterns, values = False, list[str](), dict[str, str]()

    def note(tag: str, text: str, _: Mapping[str, str]) -> None:
        nonlocal ours
        values[tag] = text
        if tag == "tool":
            ours = text == TOOL
        elif tag == "pattern":
            patterns.append(text)
        elif tag == "hash":
            _note(earlier, values.get("path", ""), values.get("xxh128"), ours=ours)
        if tag in ("hash", "directoryhash", "processinfo"):
            values.clear()

    read_elements(file, note)
    earlier.ignored = (*patterns, *(each for each in IGNORED if each not in patterns))


def _note(earlier: Earlier, path: str, checksum: str | None, *, ours: bool) -> None:
    if checksum is None:
        earlier.of_other_kinds.add(path)
        return
    earlier.checksums.setdefault(path, checksum)
    if ours:
        earlier.told[path] = checksum


def _is_ours(name: str, folder: int) -> bool:
    with os.fdopen(os.open(name, _READ_ONLY, dir_fd=folder), "rb") as file:
        return f">{TOOL}</tool>".encode() in file.read(4096)


def _c4_of(file: BinaryIO) -> str:
    digest = hashlib.sha512()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return c4(digest.digest())


# ------------------------------------------------------------------------------------------------- one list


def chained_checksum(chain: Path, name: str) -> str | None:
    """The C4 that a chain has of the list of this name; None if there is no such chain, or it does not name it."""
    with contextlib.suppress(OSError, ValueError, ExpatError), chain.open("rb") as file:
        return {listed: checksum for _, listed, checksum in _entries(file.read(_LARGEST_CHAIN + 1))}.get(name)
    return None


def checksum_of_file(path: Path) -> str:
    """Raises OSError."""
    with path.open("rb") as file:
        return _c4_of(file)
