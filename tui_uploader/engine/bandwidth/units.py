"""Parse rates and amounts of data: pure. Units are decimal, as in data plans; KiB and MiB work too."""

from __future__ import annotations

import re

from tui_uploader.errors import UsageError
from tui_uploader.text import printable

SLOWEST = 1000
"""Bytes a second. At lower rates servers close the connection before a file arrives."""
_FASTEST = 10**12
_LARGEST = 10**18

NO_LIMIT = frozenset({"off", "none", "unlimited"})
_PAUSE = frozenset({"0", "pause", "paused", "stop"})

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([kmgt]?)(i?)(bits?|bytes?|b)?(/s|ps)?", re.IGNORECASE)
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_rate(text: str) -> int | None:
    """Bytes a second: `500k`, `500 KB/s`, `1.5MB/s`, `8Mbit/s`; 0 for `pause`, None for `off`. Raises UsageError."""
    word = text.strip()
    if word.lower() in NO_LIMIT:
        return None
    if word.lower() in _PAUSE:
        return 0
    bits, unit, number = _parsed(word)
    if number is None or not unit:
        raise UsageError(
            f"'{printable(word, 60)}' is not a rate. Write 500k or 500KB/s, 1.5MB/s, 8Mbit/s, off for no limit,"
            " or pause to send nothing."
        )
    if bits is None:
        stem = word[: -len(unit)].upper()
        raise UsageError(
            f"'{printable(word, 60)}' may mean bits or bytes. Write {stem}B/s for bytes, {stem}bit/s for bits a second."
        )
    rate = int(number / 8 if bits else number)
    if not SLOWEST <= rate <= _FASTEST:
        raise UsageError(
            f"Rate {printable(word, 60)} must be between 1 KB/s and 1 TB/s. Use `pause` to stop sending,"
            " `off` for no limit."
        )
    return rate


def parse_size(text: str) -> int | None:
    """Bytes: `20GB`, `500M`, `1.5 TB`; None for `off`. Raises UsageError."""
    word = text.strip()
    if word.lower() in NO_LIMIT:
        return None
    match = _QUANTITY.fullmatch(word)
    if match is None or not (match[2] or match[4]) or match[5] or (match[4] or "").lower().startswith("bit"):
        raise UsageError(
            f"'{printable(word, 60)}' is not an amount of data. Write 20GB, 500M, 1.5TB, or off for no budget."
        )
    size = int(_scaled(match))
    if not 0 < size <= _LARGEST:
        raise UsageError(f"Budget {printable(word, 60)} must be between 1 byte and 1,000,000 TB.")
    return size


def _parsed(word: str) -> tuple[bool | None, str, float | None]:
    """Whether it counts bits (None: ambiguous), the unit as written, and the number."""
    match = _QUANTITY.fullmatch(word)
    if match is None:
        return None, "", None
    _, prefix, _, unit, ending = match.groups()
    if not unit:
        return False, prefix, _scaled(match) if prefix else None
    if unit == "b" and (ending or "").lower() != "ps":
        return None, unit + (ending or ""), _scaled(match)
    return unit == "b" or unit.lower().startswith("bit"), unit + (ending or ""), _scaled(match)


def _scaled(match: re.Match[str]) -> float:
    base = 1024 if match[3] else 1000
    return float(match[1]) * float(base) ** _POWER[match[2].lower()]
