"""Where and when an image was taken, as far as its EXIF says so believably.

EXIF is written by anything from a drone to a broken script. A fact that is missing or makes no sense is None; nothing
here raises.

Source: EXIF 2.32, sections 4.6.5 (date) and 4.6.6 (GPS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tui_uploader.intake import tiff
from tui_uploader.intake.tiff import Directory, NotTiff, TiffReader

_NOWHERE = Directory(entries={}, following=0)


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What a file tells of the photo in it; None for what it does not tell, or not believably."""

    width: int | None = None
    """Pixels."""
    height: int | None = None
    taken_at: str | None = None
    """Local time of the camera, ISO 8601 without a zone."""
    latitude: float | None = None
    """Degrees, north is positive."""
    longitude: float | None = None
    """Degrees, east is positive."""


def exif_facts(reader: TiffReader, main: Directory) -> PhotoFacts:
    """What EXIF tells of the image that `main` describes: all but its width and height."""
    shot, gps = _below(reader, main, tiff.EXIF_DIRECTORY), _below(reader, main, tiff.GPS_DIRECTORY)
    latitude, longitude = _position(reader, gps)
    return PhotoFacts(
        taken_at=_iso_time(_text(reader, shot, tiff.DATE_TIME_ORIGINAL) or _text(reader, main, tiff.DATE_TIME)),
        latitude=latitude,
        longitude=longitude,
    )


def by_cameras_clock(taken_at: str) -> float:
    """`PhotoFacts.taken_at` as seconds since the epoch, as if the camera's clock were UTC: good for an order only."""
    return datetime.fromisoformat(taken_at).replace(tzinfo=UTC).timestamp()


def _below(reader: TiffReader, main: Directory, pointer: int) -> Directory:
    offsets = _numbers(reader, main, pointer)
    try:
        return reader.directory(offsets[0]) if offsets else _NOWHERE
    except NotTiff:
        return _NOWHERE


def _numbers(reader: TiffReader, directory: Directory, tag: int) -> tuple[int, ...]:
    try:
        return reader.numbers(directory, tag)
    except NotTiff:
        return ()


def _text(reader: TiffReader, directory: Directory, tag: int) -> str:
    try:
        return reader.text(directory, tag)
    except NotTiff:
        return ""


def _iso_time(said: str) -> str | None:
    try:
        return datetime.strptime(said, "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return None


def _position(reader: TiffReader, gps: Directory) -> tuple[float, float] | tuple[None, None]:
    latitude = _degrees(_numbers(reader, gps, tiff.GPS_LATITUDE), most=90)
    longitude = _degrees(_numbers(reader, gps, tiff.GPS_LONGITUDE), most=180)
    if latitude is None or longitude is None or latitude == longitude == 0:  # zeros: a receiver that saw no satellite
        return None, None
    south = _text(reader, gps, tiff.GPS_LATITUDE_REF)[:1] in ("S", "s")
    west = _text(reader, gps, tiff.GPS_LONGITUDE_REF)[:1] in ("W", "w")
    return -latitude if south else latitude, -longitude if west else longitude


def _degrees(parts: Sequence[int], most: float) -> float | None:
    """From degrees, minutes and seconds, each a rational."""
    if len(parts) != 6:
        return None
    whole, minutes, seconds = (_ratio(parts[index : index + 2]) for index in (0, 2, 4))
    if whole is None:
        return None
    # Some cameras put everything into the degrees and write 0/0 for the rest.
    degrees = whole + (minutes or 0) / 60 + (seconds or 0) / 3600
    return degrees if 0 <= degrees <= most else None


def _ratio(pair: Sequence[int]) -> float | None:
    return pair[0] / pair[1] if len(pair) == 2 and pair[1] else None
