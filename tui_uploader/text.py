"""Text for people: text from outside made printable, and numbers with their units.

File names, project names and server replies may hold escape codes, line breaks, right-to-left overrides or bytes that
are not UTF-8. `printable` escapes them visibly; no such text reaches a terminal without it.
"""

from __future__ import annotations

import re
import unicodedata

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# The zero-width joiner inside emoji is kept.
_KEPT_INVISIBLE = frozenset({"\u200d"})

_ORNAMENT = str.maketrans({"·": "|", "–": "-", "…": "...", "█": "#", "░": "-", "→": "->"})

_NUMBER = re.compile("[0-9]+")
_BYTE_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def printable(text: str, limit: int | None = None) -> str:
    """`text` without characters that control a terminal.

    Control, format and unassigned characters, line breaks and surrogate escapes become `\\x1b`, `\\u202e`, `\\xff`
    and the like. With `limit`, the result has at most that many characters, the last one an ellipsis.
    """
    plain = text.isascii() and text.isprintable()
    shown = text if plain else "".join(_escaped(character) for character in text)
    if limit is not None and len(shown) > limit:
        return shown[: max(0, limit - 1)] + "…"
    return shown


def without_ornament(text: str) -> str:
    """`text` with the typographic characters of our own sentences replaced by ASCII."""
    return text.translate(_ORNAMENT)


def _escaped(character: str) -> str:
    if character in _KEPT_INVISIBLE or unicodedata.category(character) not in _INVISIBLE_CATEGORIES:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as surrogateescape represents it
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def whole_number(text: str, most: int) -> int | None:
    """The number in `text` if it is written in ASCII digits only and is at most `most`; None otherwise."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if number <= most else None


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 file`, `1,711 files`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def byte_count(number: float) -> str:
    """Three significant digits in decimal units: `4.03 MB`, `812 B`."""
    size = float(max(0.0, number))
    for unit in _BYTE_UNITS:
        if size < 999.5 or unit == _BYTE_UNITS[-1]:
            break
        size /= 1000
    if unit == "B":
        return f"{size:.0f} B"
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return f"{size:.{digits}f} {unit}"


def exact_bytes(number: int) -> str:
    """All digits, so that the value can be typed in again: `500 KB`, `524.288 KB`."""
    power = 0
    while number >= 1000 ** (power + 1) and power < len(_BYTE_UNITS) - 1:
        power += 1
    whole, rest = divmod(number, 1000**power)
    digits = f"{rest:0{3 * power}}".rstrip("0") if rest else ""
    return f"{whole}{'.' if digits else ''}{digits} {_BYTE_UNITS[power]}"


def duration(seconds: float) -> str:
    """The two largest units: `42 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`."""
    whole = round(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def natural_key(name: str) -> str:
    """Sort key that orders numbers in names by value (to 20 digits); the name itself decides between `a01` and `a1`."""
    padded = _NUMBER.sub(lambda digits: digits[0].rjust(20, "0"), name.lower())
    return f"{padded}\0{name}"
