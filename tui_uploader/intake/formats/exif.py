"""Where and when an image was taken, as far as its EXIF says so believably.

EXIF is written by anything from a drone to a broken script. A fact that is missing or makes no sense is None; nothing
here raises.

Source: EXIF 2.32, sections 4.6.5 (date) and 4.6.6 (GPS); XMP part 3, 1.1.3 and 1.1.4, for the packet beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from tui_uploader.gps import (
    LATITUDE,
    LONGEST_TEXT,
    LONGITUDE,
    Axis,
    Position,
    from_numbers,
    from_text,
    position,
    xmp_position,
)
from tui_uploader.intake.formats import tiff
from tui_uploader.intake.formats.tiff import Directory, NotTiff, TiffReader

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


def exif_facts(structures: Iterable[tuple[TiffReader, Directory]], xmp: Iterable[bytes]) -> PhotoFacts:
    """What the EXIF structures and the XMP packets of an image tell: all but its width and height.

    The first that tells a fact is believed; XMP is asked for what EXIF does not tell.
    """
    taken_at: str | None = None
    found: Position = (None, None)
    for reader, main in structures:
        shot, gps = _below(reader, main, tiff.EXIF_DIRECTORY), _below(reader, main, tiff.GPS_DIRECTORY)
        taken_at = taken_at or _iso_time(
            _text(reader, shot, tiff.DATE_TIME_ORIGINAL) or _text(reader, main, tiff.DATE_TIME)
        )
        found = found if found[0] is not None else _position(reader, gps)
    for packet in xmp:
        found = found if found[0] is not None else xmp_position(packet)
    return PhotoFacts(taken_at=taken_at, latitude=found[0], longitude=found[1])


def by_cameras_clock(taken_at: str) -> float:
    """`PhotoFacts.taken_at` as seconds since the epoch, as if the camera's clock were UTC: good for an order only."""
    return datetime.fromisoformat(taken_at).replace(tzinfo=UTC).timestamp()


def _below(reader: TiffReader, main: Directory, pointer: int) -> Directory:
    try:
        offsets = reader.whole_numbers(main, pointer, most=1)
        return reader.directory(offsets[0]) if offsets else _NOWHERE
    except NotTiff:
        return _NOWHERE


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


def _position(reader: TiffReader, gps: Directory) -> Position:
    return position(
        _degrees(reader, gps, tiff.GPS_LATITUDE, tiff.GPS_LATITUDE_REF, LATITUDE),
        _degrees(reader, gps, tiff.GPS_LONGITUDE, tiff.GPS_LONGITUDE_REF, LONGITUDE),
    )


def _degrees(reader: TiffReader, gps: Directory, tag: int, letter_tag: int, axis: Axis) -> float | None:
    letter = _text(reader, gps, letter_tag)[:1]
    try:
        if said := reader.text(gps, tag, most=LONGEST_TEXT):
            return from_text(said, letter, axis)
        return from_numbers(reader.real_numbers(gps, tag, most=3), letter, axis)
    except NotTiff:
        return None
