"""What a GeoTIFF tells: bands, values, coordinate system, position and layers, and whether the file has all of it.

Sources: OGC GeoTIFF Standard 1.1 (19-008r4); the GDAL GeoTIFF driver for its metadata, its value for missing data, and
the layout of overviews and masks; TIFF revision 6.0 and its supplement for SubIFDs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import BinaryIO

from tui_uploader.intake.formats import tiff
from tui_uploader.intake.formats.tiff import Directory, NotTiff, TiffReader
from tui_uploader.intake.formats.tiff_pixels import ends_with_zeros, has_all_pixels
from tui_uploader.intake.results.facts import Damaged, NotUsable, ResultFacts
from tui_uploader.intake.results.geokeys import MOST_KEYS, crs_of_keys
from tui_uploader.intake.results.raster_type import UNSIGNED, Raster, hints_of, type_of_raster
from tui_uploader.model.results import CoordinateSystem, Finding, ResultFinding, ResultType

LARGEST_TO_TILE = 6_000_000_000
"""Bytes of an orthomosaic, from which tiling on PIX4Dcloud is reported to fail (about 6 to 8 GB)."""

_SUBFILE_TYPE, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _LEAST, _MOST = 254, 338, 339, 340, 341
_PIXEL_SCALE, _TIEPOINTS, _TRANSFORMATION = 33550, 33922, 34264
_KEYS, _KEY_TEXTS, _GDAL_METADATA = 34735, 34737, 42112
_OF_MAPS = (_PIXEL_SCALE, _TIEPOINTS, _TRANSFORMATION, _KEYS, 34736, _KEY_TEXTS, _GDAL_METADATA)
_REDUCED, _MASK = 1, 4
"""Bits of NewSubfileType."""
_ENDS_WITH_ZEROS = "is damaged: zeros are in the place of its last pixels, as a copy that was interrupted leaves them"
_MOST_LAYERS = 64
_LONGEST_TEXT = 1 << 16
_STATISTIC = re.compile(r'<Item\s+name="STATISTICS_(MINIMUM|MAXIMUM)"[^<>]*>([^<]{1,40})<')


def raster_facts(file: BinaryIO, size: int, name: str) -> ResultFacts:
    """Read the tags of a TIFF of `size` bytes and of this name. Raises NotUsable, OSError."""
    try:
        reader = TiffReader(file, 0, size)
        main = reader.first_directory()
        if not has_all_pixels(reader, main, size):
            raise Damaged("is cut off: some of its pixels are missing")
        if ends_with_zeros(reader, main):
            raise Damaged(_ENDS_WITH_ZEROS)
    except NotTiff as error:
        raise Damaged("is damaged or cut off") from error
    if _is_photo(main):
        raise NotUsable("is a photo of a camera, not a result; upload photos as images, or leave it out")
    if not all(reader.has_values(main, tag) for tag in _OF_MAPS):
        raise Damaged("is cut off: its coordinate system or metadata are missing")
    raster = _raster(reader, main)
    type, choices = type_of_raster(raster, name)
    return ResultFacts(
        choices,
        type,
        crs=_crs(reader, main),
        placed=_is_placed(main),
        findings=tuple(_findings(reader, main, size, type, name)),
    )


def _findings(
    reader: TiffReader, main: Directory, size: int, type: ResultType | None, name: str
) -> Iterator[ResultFinding]:
    """Raises Damaged."""
    yield from _findings_about_layers(reader, main, size)
    if size > LARGEST_TO_TILE and type in (ResultType.ORTHOMOSAIC, None):
        yield ResultFinding(Finding.TOO_LARGE_TO_TILE, detail=str(size))
    hints = hints_of(name)
    if type is not None and hints and type not in hints:
        yield ResultFinding(Finding.NAME_DIFFERS, detail=hints[0])


def _raster(reader: TiffReader, main: Directory) -> Raster:
    samples = _first(reader, main, tiff.SAMPLES_PER_PIXEL, 1)
    extra = reader.count(main, _EXTRA_SAMPLES)
    bands = samples - 1 if extra and samples in (2, 4) else samples
    return Raster(
        bands=max(1, bands),
        bits=_first(reader, main, tiff.BITS_PER_SAMPLE, 1),
        format=_first(reader, main, _SAMPLE_FORMAT, UNSIGNED),
        photometric=_first(reader, main, tiff.PHOTOMETRIC, 1),
        range=_range(reader, main),
    )


def _first(reader: TiffReader, main: Directory, tag: int, default: int) -> int:
    try:
        return next(iter(reader.whole_numbers(main, tag, most=1)), default)
    except NotTiff:
        return default


def _text(reader: TiffReader, main: Directory, tag: int) -> str:
    try:
        return reader.text(main, tag, _LONGEST_TEXT)
    except NotTiff:
        return ""


def _range(reader: TiffReader, main: Directory) -> tuple[float, float] | None:
    """The lowest and the highest value, as the file states them."""
    stated = {word: _number(value) for word, value in _STATISTIC.findall(_text(reader, main, _GDAL_METADATA))}
    least, most = stated.get("MINIMUM"), stated.get("MAXIMUM")
    if least is None or most is None:
        least, most = (_one_real(reader, main, tag) for tag in (_LEAST, _MOST))
    if least is None or most is None or least >= most:
        return None
    return least, most


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _one_real(reader: TiffReader, main: Directory, tag: int) -> float | None:
    try:
        found = reader.real_numbers(main, tag, most=4)
    except NotTiff:
        return None
    return found[0] if found and found[0] is not None and math.isfinite(found[0]) else None


def _crs(reader: TiffReader, main: Directory) -> CoordinateSystem | None:
    try:
        keys = reader.whole_numbers(main, _KEYS, most=4 * (MOST_KEYS + 1))
    except NotTiff:
        return None
    return crs_of_keys(keys, _text(reader, main, _KEY_TEXTS))


def _is_photo(main: Directory) -> bool:
    """Whether it has what cameras write and nothing of what maps have: multispectral cameras write TIFF."""
    return {tiff.MAKE, tiff.EXIF_DIRECTORY} <= main.entries.keys() and not set(_OF_MAPS) & main.entries.keys()


def _is_placed(main: Directory) -> bool:
    return _TRANSFORMATION in main.entries or {_PIXEL_SCALE, _TIEPOINTS} <= main.entries.keys()


def _findings_about_layers(reader: TiffReader, main: Directory, size: int) -> Iterator[ResultFinding]:
    """Whether there are pictures besides the main one, its overviews and masks, and all of them are in the file.

    Raises Damaged if pixels of one are not: overviews are often written last.
    """
    width, several, unreadable = _first(reader, main, tiff.WIDTH, 0), False, False
    for layer in _further_directories(reader, main, size):
        if layer is None:
            unreadable = True
            continue
        try:
            whole = has_all_pixels(reader, layer, size)
            zeros = whole and ends_with_zeros(reader, layer)
        except NotTiff:
            continue  # decoders ignore what describes no picture
        if not whole:
            raise Damaged("is cut off: some pixels of an overview or a further layer are missing")
        if zeros:
            raise Damaged(_ENDS_WITH_ZEROS)
        kind = _first(reader, layer, _SUBFILE_TYPE, 0)
        several = several or (not kind & (_REDUCED | _MASK) and _first(reader, layer, tiff.WIDTH, 0) >= width)
    if several:
        yield ResultFinding(Finding.SEVERAL_LAYERS)
    if unreadable:
        yield ResultFinding(Finding.MAY_BE_CUT_OFF, detail="an overview or a further layer that it names is missing")


def _further_directories(reader: TiffReader, main: Directory, size: int) -> Iterator[Directory | None]:
    """Those that follow and those below, each once; None for one that cannot be read.

    Raises Damaged if one is beyond the end.
    """
    seen = {reader.first}
    pending = [*_below(reader, main), main.following]
    while pending and len(seen) <= _MOST_LAYERS:
        offset = pending.pop()
        if offset == 0 or offset in seen:
            continue
        seen.add(offset)
        if offset >= size:
            raise Damaged("is cut off: an overview or a further layer that it names is beyond its end")
        try:
            layer = reader.directory(offset)
        except NotTiff:
            yield None
            continue
        yield layer
        pending.append(layer.following)


def _below(reader: TiffReader, main: Directory) -> tuple[int, ...]:
    try:
        return reader.whole_numbers(main, tiff.SUB_DIRECTORIES, most=_MOST_LAYERS)
    except NotTiff:
        return ()
