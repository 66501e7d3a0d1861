"""Conversion between Python values and the journal's columns: whole numbers of any size, enums, files on a disk.

SQLite holds whole numbers of 64 bits with a sign. File systems give larger ones: inode numbers fill 64 bits without a
sign, and the nanoseconds of a time after April 2262 need more. Such a number is stored as 16 bytes instead, so that
every number is read back unchanged, and two columns are equal exactly when their numbers are.
"""

from __future__ import annotations

import os
import sqlite3
from enum import Enum
from typing import TypeVar

from tui_uploader.intake.scan import Candidate

E = TypeVar("E", bound=Enum)

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_WIDE = 16


def to_column(number: int) -> int | bytes:
    """Return `number` (less than 127 bits) as a value that SQLite can hold."""
    return number if _SMALLEST <= number <= _LARGEST else number.to_bytes(_WIDE, "big", signed=True)


def from_column(value: int | bytes) -> int:
    """Return the number that `to_column` converted to `value`."""
    return int.from_bytes(value, "big", signed=True) if isinstance(value, bytes) else value


class ForeignValue(Exception):
    """A row holds a value that no version of this program writes."""


def word(kind: type[E], value: object) -> E:
    """Return the enum member that a column names. Raises ForeignValue."""
    try:
        return kind(value)
    except ValueError as error:
        raise ForeignValue(str(error)) from error


def columns_of(candidate: Candidate) -> dict[str, int | bytes | str | None]:
    """Return the facts that distinguish two states of a file, by the column names that `files` and `known` share."""
    return {
        "size": to_column(candidate.size),
        "mtime_ns": to_column(candidate.mtime_ns),
        "inode": to_column(candidate.inode),
        "ctime_ns": None if candidate.ctime_ns is None else to_column(candidate.ctime_ns),
        "mount": candidate.mount,
    }


def file_columns_of(candidate: Candidate) -> dict[str, int | bytes | str | None]:
    """Return the columns of `files` for a candidate, without its path."""
    return {**columns_of(candidate), "real": os.fsencode(candidate.real) if candidate.real else None}


def candidate_in(row: sqlite3.Row) -> Candidate:
    """Return the file that a row of `files` or `known` describes."""
    return Candidate(
        path=os.fsdecode(row["path"]),
        size=from_column(row["size"]),
        mtime_ns=from_column(row["mtime_ns"]),
        inode=from_column(row["inode"]),
        ctime_ns=None if row["ctime_ns"] is None else from_column(row["ctime_ns"]),
        mount=row["mount"],
    )
