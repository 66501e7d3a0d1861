"""What a picture tells of itself, for the lines under it. A fact that is missing or makes no sense is left out.

Source: EXIF 2.32, sections 4.6.5 (date, camera) and 4.6.6 (GPS).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_uploader.gps import LATITUDE, LONGITUDE, Axis, from_numbers, from_text, position, xmp_position
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
        position=position_words(gps, image.info.get("xmp")),
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


def position_words(gps: Mapping[int, object], xmp: object = None) -> str:
    """`46.602100 S 6.551400 W, 612 m`. What the XMP packet says counts where EXIF says nothing."""
    latitude, longitude = position(
        _degrees(gps.get(_LATITUDE), gps.get(_LATITUDE_REF), LATITUDE),
        _degrees(gps.get(_LONGITUDE), gps.get(_LONGITUDE_REF), LONGITUDE),
    )
    if latitude is None and isinstance(xmp, bytes):
        latitude, longitude = xmp_position(xmp)
    if latitude is None or longitude is None:
        return ""
    place = f"{abs(latitude):.6f} {'S' if latitude < 0 else 'N'} {abs(longitude):.6f} {'W' if longitude < 0 else 'E'}"
    metres = _number(gps.get(_ALTITUDE))
    if metres is None:
        return place
    signed = -metres if gps.get(_ALTITUDE_REF) in (1, b"\1") else metres
    return f"{place}, {signed:.0f} m" if _LOWEST <= signed <= _HIGHEST else place


def _degrees(said: object, letter: object, axis: Axis) -> float | None:
    half = _text(letter)[:1]
    if isinstance(said, (str, bytes)):
        return from_text(_text(said), half, axis)
    parts = said if isinstance(said, tuple) else (said,)
    return from_numbers([_number(part) for part in parts], half, axis)


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
