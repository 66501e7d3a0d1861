"""Parse positions and heights in the notations of cameras, drones and scripts. Impossible values are None.

Source: EXIF 2.32, 4.6.6 (numbers and their hemisphere letter); XMP part 2, 2.4.1 (`52,30.98N`); DJI's XMP
namespace `drone-dji`, in which older drones misspell the longitude.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_TEXT = 64


@dataclass(frozen=True, slots=True)
class Axis:
    """Latitude or longitude."""

    most: float
    """Degrees."""
    letters: str
    """Of the positive and of the negative hemisphere."""


_METRES = re.compile(r"[+-]?\d{1,6}(?:\.\d{0,20})?")
_BELIEVABLE_HEIGHT = 20_000.0
"""Metres above or below the take-off point."""
LATITUDE, LONGITUDE = Axis(90, "NS"), Axis(180, "EW")
Coordinates = tuple[float, float] | tuple[None, None]

_NUMBER = r"\d{1,3}(?:\.\d{0,20})?"
# The surrogate is a degree sign of Latin-1 in what was read as UTF-8.
_BETWEEN = r"(?:\s*(?:deg|d|°|º|\udcb0|,|:|;|'|′|min|m)\s*|\s+)"
_TEXT = re.compile(
    rf"(?P<before>[NSEW])?\s*(?P<sign>[+-])?(?P<degrees>{_NUMBER})"
    rf"(?:{_BETWEEN}(?P<minutes>{_NUMBER}))?(?:{_BETWEEN}(?P<seconds>{_NUMBER}))?"
    r"\s*(?:deg|°|º|\udcb0|'{1,2}|′|″|\")?\s*(?P<after>[NSEW])?",
    re.IGNORECASE,
)

_SPELLINGS = (
    (rb"GPSLatitude", rb"GPSLongitude"),
    (rb"GpsLatitude", rb"GpsLong(?:i|ti)tude"),
)
"""Local names of the XMP properties of EXIF and of DJI."""


def from_numbers(parts: Sequence[float | None], letter: str, axis: Axis) -> float | None:
    """From degrees, or degrees and minutes, or those and seconds; `letter` may be empty.

    Some cameras put everything into the degrees and write no number (None, 0/0) for the rest.
    """
    if not 1 <= len(parts) <= 3 or parts[0] is None or not math.isfinite(parts[0]):
        return None
    whole = parts[0]
    rest = [part if part is not None and math.isfinite(part) else 0.0 for part in parts[1:]]
    half = letter.upper() if letter and letter.upper() in axis.letters else ""
    if min(rest, default=0.0) < 0 or (half and whole < 0):
        return None  # a sign besides the letter may mean the same half or the other one
    degrees = abs(whole) + sum(part / 60.0**power for power, part in enumerate(rest, 1))
    if degrees > axis.most:
        return None
    return -degrees if half == axis.letters[1] or whole < 0 else degrees


def from_text(text: str, letter: str, axis: Axis) -> float | None:
    """From `52.5163`, `52 deg 30' 58" N`, `N 52 30 58.7` or `52,30.98N`.

    A letter in the text counts before `letter`, which may be empty.
    """
    found = _TEXT.fullmatch(text[: LONGEST_TEXT + 1].strip())
    if not found:
        return None
    said = (found["before"] or found["after"] or "").upper()
    if said and said not in axis.letters:
        return None
    degrees, *rest = (None if found[name] is None else float(found[name]) for name in ("degrees", "minutes", "seconds"))
    if degrees is None or any(part is not None and part >= 60 for part in rest):
        return None
    signed = -degrees if found["sign"] == "-" else degrees
    return from_numbers([signed, *(part for part in rest if part is not None)], said or letter, axis)


def position(latitude: float | None, longitude: float | None) -> Coordinates:
    """Both or neither. Receivers write two zeros when they have no fix."""
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    return latitude, longitude


def xmp_position(packet: bytes) -> Coordinates:
    """Position in an XMP packet. The packet is searched, not parsed, so no entity is ever expanded."""
    for latitude_name, longitude_name in _SPELLINGS:
        found = position(_property(packet, latitude_name, LATITUDE), _property(packet, longitude_name, LONGITUDE))
        if found != (None, None):
            return found
    return None, None


def xmp_height(packet: bytes) -> float | None:
    """Metres above the take-off point, as DJI states them: `drone-dji:RelativeAltitude="+79.90"`."""
    found = _METRES.fullmatch(_text_of(packet, rb"RelativeAltitude").strip())
    metres = float(found[0]) if found else None
    return metres if metres is not None and abs(metres) <= _BELIEVABLE_HEIGHT else None


def _property(packet: bytes, name: bytes, axis: Axis) -> float | None:
    text = _text_of(packet, name)
    return from_text(text, "", axis) if text else None


def _text_of(packet: bytes, name: bytes) -> str:
    """The value of an attribute or element with any prefix; empty if there is none."""
    attribute = re.search(rb":" + name + rb"\s{0,9}=\s{0,9}[\"']([^\"'<>&]{1,64})[\"']", packet)
    element = attribute or re.search(rb":" + name + rb"(?:\s[^<>]{0,200})?>([^<>&]{1,64})</", packet)
    return element[1].decode("utf-8", "replace") if element else ""
