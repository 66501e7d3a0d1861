"""Check that an image is complete and of the kind that its name says, and read the facts of the photo.

An unusable file is better refused before the upload, in the field with the drone at hand, than hours later. Only
headers and ends of most files are read: well under a millisecond for a file in the page cache. A JPEG with data after
its pixels is read completely, at some 3 GB/s. Results are checked by `results.check`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO

from msgspec.structs import replace

from tui_uploader.errors import SourceDamaged, SourceRefused
from tui_uploader.file_kinds import extension_of
from tui_uploader.intake.formats import jpeg, tiff
from tui_uploader.intake.formats.exif import exif_facts
from tui_uploader.intake.formats.jpeg import BadJpeg, Block, JpegHeader, JpegReader
from tui_uploader.intake.formats.tiff import Directory, NotTiff, TiffReader
from tui_uploader.intake.formats.tiff_pixels import has_all_pixels
from tui_uploader.intake.source import open_source
from tui_uploader.model.files import PhotoFacts
from tui_uploader.text import printable

_JPEG, _TIFF, _PNG, _POINTS = "a JPEG", "a TIFF", "a PNG", "a LAS point cloud"
_SIGNATURES = {
    jpeg.START: _JPEG,
    b"II*\0": _TIFF,
    b"MM\0*": _TIFF,
    b"II+\0": _TIFF,
    b"MM\0+": _TIFF,
    b"\x89PNG\r\n\x1a\n": _PNG,
    b"LASF": _POINTS,
}
"""Kinds of files by their first bytes."""
_EXPECTED = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".png": _PNG,
    ".las": _POINTS,
    ".laz": _POINTS,
}

_PNG_SIZE_AT = 16
"""Offset of width and height in a PNG: PNG 1.2, 4.1.1, the header chunk comes first."""
_BUFFER = 1 << 15
_LONGEST_XMP = 1 << 20
_COPY_AGAIN = "copy it again from the card"


def inspect_image(path: str, descriptor: int | None = None) -> PhotoFacts:
    """Check an image and read its facts. Blocking: for a thread.

    With `descriptor`, that open file is read, its position is moved, and errors name `path`.

    Raises SourceRefused with advice for the user; SourceVanished, SourceUnreadable.
    """
    with _opened(path, descriptor) as (file, size):
        kind = _identified(path, file)
        return _jpeg_facts(path, file, size) if kind == _JPEG else _tiff_facts(path, file, size)


def photo_facts(path: str, descriptor: int | None = None) -> PhotoFacts:
    """Read the facts of an image without checking its pixels, so an incomplete image has facts too.

    Blocking: for a thread. `descriptor` is used as in `inspect_image`.

    Raises SourceRefused for a file without an image; SourceVanished, SourceUnreadable.
    """
    with _opened(path, descriptor) as (file, size):
        kind = _identified(path, file)
        try:
            if kind == _JPEG:
                return _facts_in_header(file, JpegReader(file, size).header(), size)
            if kind == _TIFF:
                reader = TiffReader(file, 0, size)
                return _facts_in_directory(reader, reader.first_directory())
            if kind == _PNG:
                file.seek(_PNG_SIZE_AT)
                width, height = struct.unpack(">II", file.read(8))
                return PhotoFacts(width=width, height=height)
        except (BadJpeg, NotTiff, IndexError, struct.error) as error:
            raise _refused(path, "is damaged or cut off: it states nothing about its image") from error
        raise _refused(path, f"is {kind}, not an image")


@contextmanager
def _opened(path: str, descriptor: int | None) -> Iterator[tuple[BinaryIO, int]]:
    """The file at its beginning, and its size in bytes. A given `descriptor` stays open."""
    with open_source(path, descriptor) as (opened, found), open(opened, "rb", _BUFFER, closefd=False) as file:
        if found.st_size == 0:
            raise _damaged(path, "is empty")
        file.seek(0)
        yield file, found.st_size


def _identified(path: str, file: BinaryIO) -> str:
    """The kind of the file. Raises SourceRefused unless its extension says the same."""
    head = file.read(_BUFFER)
    expected = _EXPECTED.get(extension_of(path))
    if expected is None:
        raise _refused(path, "has an extension that is not uploaded; give it the right one")
    found = next((kind for signature, kind in _SIGNATURES.items() if head.startswith(signature)), None)
    if found is None and not any(head):
        raise _damaged(path, "begins with nothing but zeros")
    if found == expected:
        return found
    if found is None:
        raise _refused(path, f"is not {expected}, although its name says so; {_COPY_AGAIN}, or leave it out")
    raise _refused(path, f"is named like {expected} but is {found}; give it the right extension, or leave it out")


def _jpeg_facts(path: str, file: BinaryIO, size: int) -> PhotoFacts:
    reader = JpegReader(file, size)
    try:
        header = reader.header()
        reader.check_pixels()
    except BadJpeg as error:
        raise _damaged(path, _ended_early(error.share) if error.share else str(error)) from error
    return _facts_in_header(file, header, size)


def _facts_in_header(file: BinaryIO, header: JpegHeader, size: int) -> PhotoFacts:
    facts = exif_facts(_structures(file, header.exif, size), (_content(file, block) for block in header.xmp))
    return replace(facts, width=header.width, height=header.height)


def _structures(file: BinaryIO, blocks: Iterable[Block], size: int) -> Iterator[tuple[TiffReader, Directory]]:
    """The EXIF blocks that can be read; a photo is complete without any."""
    for block in blocks:
        try:
            reader = TiffReader(file, block.at, min(block.size, size - block.at))
            yield reader, reader.first_directory()
        except NotTiff:
            continue


def _content(file: BinaryIO, block: Block) -> bytes:
    file.seek(block.at)
    return file.read(max(0, block.size))


def _tiff_facts(path: str, file: BinaryIO, size: int) -> PhotoFacts:
    reader, main = _tiff_directory(path, file, size)
    if _has_further_layers(reader, main):
        raise _refused(path, "contains several pages or a pyramid; export it as a TIFF with a single layer")
    return _facts_in_directory(reader, main)


def _facts_in_directory(reader: TiffReader, main: Directory) -> PhotoFacts:
    """Raises NotTiff, IndexError when it has no size."""
    width, height = (reader.whole_numbers(main, tag, most=1)[0] for tag in (tiff.WIDTH, tiff.HEIGHT))
    facts = exif_facts([(reader, main)], _xmp_packets(reader, main))
    return replace(facts, width=width, height=height)


def _xmp_packets(reader: TiffReader, main: Directory) -> Iterator[bytes]:
    try:
        yield reader.block(main, tiff.XMP, _LONGEST_XMP)
    except NotTiff:
        return


def _has_further_layers(reader: TiffReader, main: Directory) -> bool:
    try:
        below = reader.whole_numbers(main, tiff.SUB_DIRECTORIES, most=1)
    except NotTiff:
        below = ()
    offsets = (*below, main.following)
    return any(offset != reader.first and reader.has_directory(offset) for offset in offsets if offset)


def _tiff_directory(path: str, file: BinaryIO, size: int) -> tuple[TiffReader, Directory]:
    try:
        reader = TiffReader(file, 0, size)
        main = reader.first_directory()
        if not has_all_pixels(reader, main, size):
            raise _damaged(path, "is cut off: some of its pixels are missing")
    except NotTiff as error:
        raise _damaged(path, "is damaged or cut off") from error
    return reader, main


def _ended_early(share: float) -> str:
    """`share`: of the picture that is there, from 0 to 1."""
    return f"is damaged: the file ends after {min(99, int(share * 100))} % of the picture"


def _damaged(path: str, what: str) -> SourceDamaged:
    return SourceDamaged(f"{printable(PurePath(path).name)} {what}. {_COPY_AGAIN.capitalize()}.")


def _refused(path: str, what: str) -> SourceRefused:
    return SourceRefused(f"{printable(PurePath(path).name)} {what}.")
