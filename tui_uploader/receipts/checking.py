"""Tell whether a receipt is as it was written. Blocking, with little memory: the file may be hostile, and gigabytes.

The file is read once: its digest is that of the same bytes whose rows are judged. The checksum detects every accidental
change and every edit of the rows. It is no signature: anyone can write another receipt with a checksum of its own.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from tui_uploader.errors import NoSuchPath, UsageError
from tui_uploader.file_kinds import HISTORY_CHAIN
from tui_uploader.model.receipts import (
    VERSION,
    CheckedReceipt,
    ReceiptFormat,
    ReceiptHead,
    ReceiptRow,
    ReceiptTotals,
    ReceiptVerdict,
)
from tui_uploader.receipts import csv_format, json_format
from tui_uploader.receipts.lines import counted, fault_in
from tui_uploader.receipts.mhl_format import looks_like_mhl
from tui_uploader.text import byte_count, printable

LONGEST_LINE = 128 * 1024
"""Bytes. Two paths of 4,096 bytes, each written as six characters, and the other values."""
LARGEST = 2 * 1024**3
"""Bytes: a receipt of some million files."""

_NO_RECEIPT = "This is no receipt of tui-uploader."
_CUT_OFF = "Its end is missing or was changed."
_CHANGED = "Its content does not match its checksum: it was changed after it was written."


def check(path: Path) -> CheckedReceipt:
    """Judge the file at `path`. Raises NoSuchPath, UsageError if it cannot be read."""
    shown = printable(os.fspath(path))
    try:
        # A named pipe is opened at once, and told apart below.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise NoSuchPath(f"There is no file {shown}.") from None
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, "it is not a file")
            if found.st_size > LARGEST:
                return _unknown(f"It has {byte_count(found.st_size)}; no receipt is that large.")
            return _judged(file, path)
    except OSError as error:
        raise UsageError(f"{shown} cannot be read: {error.strerror}.") from error


def _unknown(reason: str, form: ReceiptFormat | None = None) -> CheckedReceipt:
    return CheckedReceipt(ReceiptVerdict.UNKNOWN, reason, form)


def _judged(file: BinaryIO, path: Path) -> CheckedReceipt:
    first = file.readline(LONGEST_LINE)
    if looks_like_mhl(first + file.read(1000)):
        return _judged_mhl(path)
    file.seek(-min(os.fstat(file.fileno()).st_size, 200), os.SEEK_END)
    end = file.read()
    file.seek(0)
    for form, first_line, last_line, judge in _FORMATS:
        begun = first_line.fullmatch(first)
        ended = re.compile(rb".*\n" + last_line.pattern, re.DOTALL).fullmatch(end)
        if begun or ended:
            return _judged_lines(file, form, begun, bytes(ended[1]).decode() if ended else None, judge(last_line))
    return _unknown(_NO_RECEIPT)


def _judged_lines(
    file: BinaryIO, form: ReceiptFormat, begun: re.Match[bytes] | None, checksum: str | None, judge: _Judge
) -> CheckedReceipt:
    """`checksum`: of the last line; None: that is not one."""
    if checksum is None:
        return CheckedReceipt(ReceiptVerdict.EDITED, _CUT_OFF, form)
    version = int(begun[1]) if begun else None
    judge.read(file, wanted=version == VERSION)
    if judge.digest != checksum:
        return CheckedReceipt(ReceiptVerdict.EDITED, _CHANGED, form)
    if version is None:
        return _unknown(_NO_RECEIPT)
    if version != VERSION:
        return _unknown(f"It has version {version} of the format; this program knows version {VERSION}.", form)
    if judge.fault is not None:
        return CheckedReceipt(ReceiptVerdict.EDITED, f"No version of this program writes it so: {judge.fault}.", form)
    return CheckedReceipt(ReceiptVerdict.VALID, "", form, judge.head, judge.totals)


@dataclass
class _Judge:
    """Reads a receipt once, line by line."""

    last_line: re.Pattern[bytes]
    digest: str = ""
    """SHA-256 of everything before the checksum."""
    fault: str | None = None
    """What this program would not write; the first that was found."""
    head: ReceiptHead | None = None
    totals: ReceiptTotals | None = None
    _counted: ReceiptTotals = field(default_factory=ReceiptTotals)
    _before: bytes = b""

    def read(self, file: BinaryIO, *, wanted: bool) -> None:
        """`wanted`: whether the rows are to be judged."""
        digest = hashlib.sha256()
        lines = self._lines(file, digest.update)
        if wanted:
            try:
                self._judge(line.decode("utf-8", "surrogateescape") for line in lines)
            except (ValueError, RecursionError, csv.Error, StopIteration) as error:
                self._fail(
                    f"it is not well formed ({printable(str(error), 100)})" if str(error) else "a line is missing"
                )
        for _ in lines:
            pass
        self.digest = digest.hexdigest()

    def _lines(self, file: BinaryIO, passed: Callable[[bytes], object]) -> Iterator[bytes]:
        """All lines but the last. A line that is too long comes in pieces, and is a fault."""
        held = file.readline(LONGEST_LINE)
        while following := file.readline(LONGEST_LINE):
            if not held.endswith(b"\n"):
                self._fail("a line is too long")
            passed(held)
            yield held
            held = following

    def _judge(self, lines: Iterator[str]) -> None:
        raise NotImplementedError

    def _fail(self, fault: str) -> None:
        if self.fault is None:
            self.fault = fault

    def _count(self, row: ReceiptRow) -> None:
        fault = fault_in(row, self._before)
        if fault is not None:
            raise ValueError(fault)
        self._counted = counted(self._counted, (row,))
        self._before = os.fsencode(row.path)

    def _end(self, text: str) -> None:
        """Judge the totals."""
        self.totals = msgspec.convert(json.loads(text), ReceiptTotals)
        expected = msgspec.structs.replace(self._counted, not_delivered=self.totals.not_delivered)
        if self.totals != expected or self.totals.not_delivered < 0:
            raise ValueError("the totals are not those of its files")


class _JsonJudge(_Judge):
    def _judge(self, lines: Iterator[str]) -> None:
        next(lines)
        text = next(lines).removeprefix(json_format.HEAD).removesuffix(",\n")
        self.head = msgspec.convert(json.loads(text), ReceiptHead)
        _check_same(json_format.canonical(self.head), text)
        _check_same(next(lines), json_format.FILES)
        line = next(lines)
        while line.startswith("{"):
            text = line.removesuffix("\n").removesuffix(",")
            following = next(lines)
            _check_same(line, f"{text},\n" if following.startswith("{") else f"{text}\n")
            row = msgspec.convert(json.loads(text), ReceiptRow)
            _check_same(json_format.canonical(row), text)
            self._count(row)
            line = following
        _check_same(line, "],\n")
        text = next(lines).removeprefix('"totals":').removesuffix(",\n")
        self._end(text)
        _check_same(json_format.canonical(self.totals), text)
        if next(lines, None) is not None:
            raise ValueError("there is text after the totals")


class _CsvJudge(_Judge):
    def _judge(self, lines: Iterator[str]) -> None:
        next(lines)
        remarks = [next(lines) for _ in ReceiptHead.__struct_fields__]
        self.head = msgspec.convert(dict(map(csv_format.remark_in, remarks)), ReceiptHead)
        _check_same("".join(remarks) + next(lines), csv_format.head_text(self.head))
        table = _AllButLast(lines)
        for cells in csv.reader(table, strict=True):
            row = csv_format.row_of(cells)
            _check_same(csv_format.rows_text([row]), table.taken())
            self._count(row)
        text = table.last.removeprefix(csv_format.TOTALS).removesuffix("\n")
        self._end(text)
        _check_same(f"{csv_format.TOTALS}{json_format.canonical(self.totals)}\n", table.last)


class _AllButLast:
    """Lines but the last one, which is in `last` at the end."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._taken: list[str] = []
        self.last = next(lines)

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._taken.append(self.last)
            given, self.last = self.last, line
            yield given

    def taken(self) -> str:
        """The lines since the last call."""
        text = "".join(self._taken)
        self._taken.clear()
        return text


def _check_same(text: str, expected: str) -> None:
    if text != expected:
        raise ValueError("a line is written differently")


_FORMATS: tuple[tuple[ReceiptFormat, re.Pattern[bytes], re.Pattern[bytes], type[_Judge]], ...] = (
    (ReceiptFormat.JSON, json_format.FIRST_LINE, json_format.LAST_LINE, _JsonJudge),
    (ReceiptFormat.CSV, csv_format.FIRST_LINE, csv_format.LAST_LINE, _CsvJudge),
)


def _judged_mhl(path: Path) -> CheckedReceipt:
    """A list of ASC MHL contains no checksum of itself: the chain beside it does."""
    from tui_uploader.receipts.history import chained_checksum, checksum_of_file  # XML is rarely needed

    listed = chained_checksum(path.parent / HISTORY_CHAIN, path.name)
    if listed is None:
        return _unknown(
            "It is a list of ASC MHL, which has no checksum of itself, and no ascmhl_chain.xml beside it names it."
            " `ascmhl-debug verify` compares files with it.",
            ReceiptFormat.MHL,
        )
    if checksum_of_file(path) != listed:
        return CheckedReceipt(
            ReceiptVerdict.EDITED, "It does not match its checksum in ascmhl_chain.xml.", ReceiptFormat.MHL
        )
    return CheckedReceipt(ReceiptVerdict.VALID, "", ReceiptFormat.MHL)
