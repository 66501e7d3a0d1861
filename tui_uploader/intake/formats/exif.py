"""The one reader of EXIF: where, when and how an image was taken.

EXIF is written by anything from a drone to a broken script. A fact that is missing or impossible is None; nothing here
raises.

Source: EXIF 2.32, sections 4.6.5 (camera, date, exposure) and 4.6.6 (GPS); XMP part 3, 1.1.3 and 1.1.4, for the packet
beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec.structs import astuple

from tui_uploader.intake.formats import tiff
from tui_uploader.intake.formats.gps import (
    LATITUDE,
    LONGEST_TEXT,
    LONGITUDE,
    Axis,
    Coordinates,
    from_numbers,
    from_text,
    position,
    xmp_height,
    xmp_position,
)
from tui_uploader.intake.formats.tiff import Directory, NotTiff, TiffReader
from tui_uploader.model.files import PhotoFacts
from tui_uploader.text import printable

_EMPTY = Directory(entries={}, following=0)
_LONGEST_CAMERA = 64
_BELIEVABLE_ALTITUDE = (-1_000.0, 100_000.0)
"""Metres above sea level."""
_BELIEVABLE_EXPOSURE = (1e-7, 86_400.0)
"""Seconds."""
_BELIEVABLE_APERTURE = (0.1, 1_000.0)
_BELIEVABLE_ISO = (1.0, 1e8)
_BELIEVABLE_FOCAL_LENGTH = (0.1, 100_000.0)
"""Millimetres."""
_MOST_NUMBERS = 2
"""Some cameras write the ISO speed twice."""


def exif_facts(structures: Iterable[tuple[TiffReader, Directory]], xmp: Iterable[bytes]) -> PhotoFacts:
    """The facts in the EXIF structures and the XMP packets of an image: all but its width and height.

    The first that states a fact is believed. XMP counts only for a position that EXIF does not state, and for the
    height above the take-off point, for which EXIF has no tag.
    """
    facts = PhotoFacts()
    for reader, main in structures:
        facts = _completed(facts, _facts(reader, main))
    for packet in xmp:
        latitude, longitude = (None, None) if facts.latitude is not None else xmp_position(packet)
        found = PhotoFacts(latitude=latitude, longitude=longitude, above_takeoff=xmp_height(packet))
        facts = _completed(facts, found)
    return facts


def by_cameras_clock(taken_at: str) -> float:
    """`PhotoFacts.taken_at` as seconds since the epoch, as if the camera's clock were UTC: only for sorting."""
    return datetime.fromisoformat(taken_at).replace(tzinfo=UTC).timestamp()


def _completed(facts: PhotoFacts, further: PhotoFacts) -> PhotoFacts:
    pairs = zip(astuple(facts), astuple(further), strict=True)
    return PhotoFacts(*(further if known is None else known for known, further in pairs))


def _facts(reader: TiffReader, main: Directory) -> PhotoFacts:
    shot, gps = _below(reader, main, tiff.EXIF_DIRECTORY), _below(reader, main, tiff.GPS_DIRECTORY)
    latitude, longitude = _position(reader, gps)
    iso = _number(reader, shot, tiff.ISO_SPEED, _BELIEVABLE_ISO)
    return PhotoFacts(
        taken_at=_iso_time(_text(reader, shot, tiff.DATE_TIME_ORIGINAL) or _text(reader, main, tiff.DATE_TIME)),
        latitude=latitude,
        longitude=longitude,
        altitude=_altitude(reader, gps),
        camera=_camera(_text(reader, main, tiff.MAKE), _text(reader, main, tiff.MODEL)),
        exposure=_number(reader, shot, tiff.EXPOSURE_TIME, _BELIEVABLE_EXPOSURE),
        aperture=_number(reader, shot, tiff.F_NUMBER, _BELIEVABLE_APERTURE),
        iso=None if iso is None else round(iso),
        focal_length=_number(reader, shot, tiff.FOCAL_LENGTH, _BELIEVABLE_FOCAL_LENGTH),
    )


def _below(reader: TiffReader, main: Directory, pointer: int) -> Directory:
    try:
        offsets = reader.whole_numbers(main, pointer, most=1)
        return reader.directory(offsets[0]) if offsets else _EMPTY
    except NotTiff:
        return _EMPTY


def _text(reader: TiffReader, directory: Directory, tag: int) -> str:
    try:
        return reader.text(directory, tag)
    except NotTiff:
        return ""


def _number(reader: TiffReader, directory: Directory, tag: int, believable: tuple[float, float]) -> float | None:
    """The first number of a tag. Neither infinity nor NaN is believable."""
    try:
        found = reader.real_numbers(directory, tag, most=_MOST_NUMBERS)
    except NotTiff:
        return None
    number = found[0] if found else None
    return float(number) if number is not None and believable[0] <= number <= believable[1] else None


def _camera(maker: str, model: str) -> str | None:
    """`DJI FC6310S`; the maker only once where the model begins with it."""
    maker, model = (" ".join(text.split()) for text in (maker, model))
    named = model if model.casefold().startswith(maker.casefold()) else f"{maker} {model}".strip()
    return printable(named, _LONGEST_CAMERA) or None


def _iso_time(text: str) -> str | None:
    try:
        return datetime.strptime(text, "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return None


def _altitude(reader: TiffReader, gps: Directory) -> float | None:
    lowest, highest = _BELIEVABLE_ALTITUDE
    metres = _number(reader, gps, tiff.GPS_ALTITUDE, (lowest, highest))
    if metres is None:
        return None
    try:
        below_sea = reader.block(gps, tiff.GPS_ALTITUDE_REF, 1) == b"\1"
    except NotTiff:
        below_sea = False
    signed = -metres if below_sea else metres
    return signed if lowest <= signed <= highest else None


def _position(reader: TiffReader, gps: Directory) -> Coordinates:
    return position(
        _degrees(reader, gps, tiff.GPS_LATITUDE, tiff.GPS_LATITUDE_REF, LATITUDE),
        _degrees(reader, gps, tiff.GPS_LONGITUDE, tiff.GPS_LONGITUDE_REF, LONGITUDE),
    )


def _degrees(reader: TiffReader, gps: Directory, tag: int, letter_tag: int, axis: Axis) -> float | None:
    letter = _text(reader, gps, letter_tag)[:1]
    try:
        if text := reader.text(gps, tag, most=LONGEST_TEXT):
            return from_text(text, letter, axis)
        return from_numbers(reader.real_numbers(gps, tag, most=3), letter, axis)
    except NotTiff:
        return None
