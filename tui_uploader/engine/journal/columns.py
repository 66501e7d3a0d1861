"""Whole numbers of any size in columns of SQLite.

SQLite holds whole numbers of 64 bits with a sign. File systems give larger ones: inode numbers fill 64 bits without a
sign, and the nanoseconds of a time after April 2262 need more. Such a number is kept as 16 bytes instead, so that every
number comes back as it was, and two columns are equal exactly when their numbers are.
"""

from __future__ import annotations

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_WIDE = 16


def to_column(number: int) -> int | bytes:
    """`number` (less than 127 bits) as SQLite can hold it."""
    return number if _SMALLEST <= number <= _LARGEST else number.to_bytes(_WIDE, "big", signed=True)


def from_column(value: int | bytes) -> int:
    """The number that `to_column` made `value` of."""
    return int.from_bytes(value, "big", signed=True) if isinstance(value, bytes) else value
