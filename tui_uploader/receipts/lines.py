"""What JSON and CSV receipts share: a checksum over all bytes before it, and the judgement of rows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable

from msgspec.structs import replace

from tui_uploader.model.receipts import ReceiptRow, ReceiptTotals

FORMAT = "tui-uploader receipt"

_IDENTITY, _CRC32 = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{8}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_LARGEST_SIZE = 2**63 - 1


class Digest:
    """The SHA-256 of what was written so far."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def passing(self, text: str) -> bytes:
        """Encode `text` and count it."""
        data = text.encode("utf-8", "surrogateescape")
        self._digest.update(data)
        return data

    def hex(self) -> str:
        return self._digest.hexdigest()


def counted(totals: ReceiptTotals, rows: Iterable[ReceiptRow]) -> ReceiptTotals:
    """`totals` and these rows."""
    files, size, duplicates = totals.files, totals.bytes, totals.duplicates
    for row in rows:
        if row.duplicate_of is None:
            files, size = files + 1, size + row.size
        else:
            duplicates += 1
    return replace(totals, files=files, bytes=size, duplicates=duplicates)


def fault_in(row: ReceiptRow, before: bytes) -> str | None:
    """What this program would not write; None: nothing. `before`: the path of the row before, as bytes."""
    try:
        path = os.fsencode(row.path)
        strange = next(
            filter(None, (path_fault(each) for each in (row.path, row.duplicate_of) if each is not None)), None
        )
    except UnicodeEncodeError:
        return "a path is not valid"
    if strange is not None:
        return strange
    if path < before:
        return "the paths are not in order"
    if not 0 <= row.size <= _LARGEST_SIZE:
        return "a size is impossible"
    if not all(
        value is None or form.fullmatch(value)
        for form, value in (
            (_IDENTITY, row.xxh128),
            (_CRC32, row.crc32),
            (_TIME, row.stored_at),
            (_TIME, row.registered_at),
            (_TIME, row.replaced_at),
        )
    ):
        return "a checksum or a time is not written as one"
    return None


def path_fault(path: str) -> str | None:
    """What is wrong with a path of a receipt: every one is absolute, and leads straight to its file."""
    if not path.startswith("/") or "\0" in path:
        return "a path is not absolute"
    if not {"..", "."}.isdisjoint(path.split("/")):
        return "a path climbs out of its folder (`..`)"
    return None
