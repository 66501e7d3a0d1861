"""What a picture tells of itself, for the lines under it. A fact that is missing or makes no sense is left out.

Source: EXIF 2.32, sections 4.6.5 (date, camera) and 4.6.6 (GPS).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_uploader.text import printable

if TYPE_CHECKING:
    from PIL.Image import Image

_EXIF, _GPS = 0x8769, 0x8825
_MAKE, _MODEL, _DATE_TIME, _DATE_TIME_ORIGINAL = 271, 272, 306, 36867
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE, _ALTITUDE_REF, _ALTITUDE = 1, 2, 3, 4, 5, 6
_LONGEST = 64
_LOWEST, _HIGHEST = -1_000.0, 100_000.0
"""Metres above the sea between which somebody may have taken a picture."""


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """Texts are inert."""

    width: int
    """Pixels, as they are in the file."""
    height: int
    camera: str = ""
    taken_at: str = ""
    """By the camera's clock."""
    position: str = ""

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Label and text of each fact that there is."""
        size = f"{self.width:,} x {self.height:,}"
        every = (("Pixels", size), ("Camera", self.camera), ("Taken", self.taken_at), ("Position", self.position))
        return [(label, text) for label, text in every if text]


def photo_facts(image: Image) -> PhotoFacts:
    """Of an opened picture. Raises whatever the reader of its format raises for broken bytes."""
    exif = image.getexif()
    shot, gps = exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    return PhotoFacts(
        *image.size,
        camera=camera_words(exif.get(_MAKE), exif.get(_MODEL)),
        taken_at=time_words(shot.get(_DATE_TIME_ORIGINAL) or exif.get(_DATE_TIME)),
        position=position_words(gps),
    )


def camera_words(make: object, model: object) -> str:
    """`DJI FC6310S`."""
    maker, name = (_text(value) for value in (make, model))
    named = name if name.casefold().startswith(maker.casefold()) else f"{maker} {name}"
    return printable(named.strip(), _LONGEST)


def time_words(said: object) -> str:
    """`2026-05-12 09:41:07`."""
    day, _, clock = _text(said).partition(" ")
    digits = (*day.split(":"), *clock.split(":"))
    if len(digits) != 6 or not all(part.isascii() and part.isdigit() for part in digits) or not int(day[:4]):
        return ""
    return f"{day.replace(':', '-')} {clock}"[:_LONGEST]


def position_words(gps: Mapping[int, object]) -> str:
    """`46.602100 S 6.551400 W, 612 m`."""
    latitude, longitude = _degrees(gps.get(_LATITUDE), 90), _degrees(gps.get(_LONGITUDE), 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return ""
    south = _text(gps.get(_LATITUDE_REF))[:1] in ("S", "s")
    west = _text(gps.get(_LONGITUDE_REF))[:1] in ("W", "w")
    place = f"{latitude:.6f} {'S' if south else 'N'} {longitude:.6f} {'W' if west else 'E'}"
    metres = _number(gps.get(_ALTITUDE))
    if metres is None:
        return place
    signed = -metres if gps.get(_ALTITUDE_REF) in (1, b"\1") else metres
    return f"{place}, {signed:.0f} m" if _LOWEST <= signed <= _HIGHEST else place


def _degrees(parts: object, most: float) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    whole, minutes, seconds = (_number(part) for part in parts)
    if whole is None:
        return None
    degrees = whole + (minutes or 0.0) / 60 + (seconds or 0.0) / 3600
    return degrees if 0 <= degrees <= most else None


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever it is, it is tried
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(value.partition("\0")[0].split()) if isinstance(value, str) else ""
