"""Check one file of a result by its content: a main file, such as a GeoTIFF, or a companion, such as a texture.

Any file could have such a name, by a link or by mistake: a private key, a list of passwords. So a companion is checked
for what its name says, too, before it may be uploaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO

from tui_uploader.file_kinds import extension_of
from tui_uploader.intake.formats import jpeg
from tui_uploader.intake.formats.jpeg import BadJpeg, JpegReader
from tui_uploader.intake.formats.tiff import NotTiff, TiffReader
from tui_uploader.intake.formats.tiff_pixels import has_all_pixels
from tui_uploader.intake.results import glb, point_cloud
from tui_uploader.intake.results.facts import Damaged, NotUsable, ResultFacts, refusal
from tui_uploader.intake.results.geotiff import raster_facts
from tui_uploader.intake.results.glb import glb_facts
from tui_uploader.intake.results.mesh import mesh_facts, texture_names
from tui_uploader.intake.results.point_cloud import point_cloud_facts
from tui_uploader.intake.results.wkt import LONGEST_WKT, crs_of_wkt
from tui_uploader.intake.source import open_source
from tui_uploader.model.results import CoordinateSystem

_BUFFER = 1 << 15
_LONGEST_SMALL_TEXT = 1 << 12
_LONGEST_METADATA = 1 << 20
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NUMBERS = re.compile(rb"[-+.\deE\s,;]+")
_SRS = re.compile(r"<SRS[^>]*>([^<]+)</SRS>")

_KINDS: Mapping[str, tuple[bytes, ...]] = {
    "a TIFF": _TIFF_STARTS,
    "a LAS point cloud": (point_cloud.START,),
    "a GLB": (glb.START,),
    "a JPEG": (jpeg.START,),
    "a PNG": (_PNG_START,),
}


def check_main(path: str, descriptor: int | None = None, *, real: str = "") -> ResultFacts:
    """Check the main file of a result, and read what it tells. Blocking: for a thread.

    With `descriptor`, that open file is read, its position is moved, and errors name `path`; `real` as in
    `open_source`.

    Raises SourceRefused with advice for the user; SourceVanished, SourceUnreadable.
    """
    with _opened(path, descriptor, real) as (file, size, head):
        match extension_of(path):
            case ".tif" | ".tiff":
                _expect("a TIFF", head)
                return raster_facts(file, size, PurePath(path).name)
            case ".las" | ".laz":
                _expect("a LAS point cloud", head)
                return point_cloud_facts(file, size)
            case ".obj":
                _expect_text("a mesh (OBJ)", head)
                return mesh_facts(file, size)
            case ".glb":
                _expect("a GLB", head)
                return glb_facts(file, size)
            case ".gltf":
                raise NotUsable("is a glTF in several files; export it as one .glb")
        raise NotUsable("has an extension that is no result's; give it the right one, or leave it out")


def check_companion(path: str, descriptor: int | None = None, *, real: str = "", whole: bool = True) -> None:
    """Check a file that belongs to a result. Blocking: for a thread. Arguments and errors as in `check_main`.

    `whole`: a JPEG is checked to the end of its pixels, for which one with data after them is read completely.
    """
    with _opened(path, descriptor, real) as (file, size, head):
        check = next((check for ending, check in _COMPANIONS.items() if path.lower().endswith(ending)), None)
        if check is None:
            raise NotUsable("has an extension that is not uploaded")
        check(file, size, head)
        if whole and extension_of(path) in (".jpg", ".jpeg"):
            _check_whole_jpeg(file, size)


def textures_of(path: str, *, real: str = "") -> tuple[str, ...]:
    """The textures that a list of materials names. Blocking: for a thread. Errors as in `check_main`."""
    with _opened(path, None, real) as (file, _, _):
        return texture_names(file)


def crs_beside(path: str, *, real: str = "") -> CoordinateSystem | None:
    """The coordinate system in a .prj or .aux.xml file. Blocking: for a thread. Errors as in `check_main`."""
    with _opened(path, None, real) as (file, _, _):
        file.seek(0)
        if path.lower().endswith(".prj"):
            return crs_of_wkt(_decoded(file.read(LONGEST_WKT)))
        found = _SRS.search(_decoded(file.read(_LONGEST_METADATA)))
        return crs_of_wkt(found[1].replace("&quot;", '"')) if found else None


@contextmanager
def _opened(path: str, descriptor: int | None, real: str) -> Iterator[tuple[BinaryIO, int, bytes]]:
    """The file, its size in bytes, and how it begins. A NotUsable in the block becomes the error for the user."""
    with (
        open_source(path, descriptor, real=real) as (opened, found),
        open(opened, "rb", _BUFFER, closefd=False) as file,
    ):
        try:
            if found.st_size == 0:
                raise Damaged("is empty")
            file.seek(0)
            head = file.read(min(found.st_size, _BUFFER))
            if not any(head):
                raise Damaged("begins with nothing but zeros")
            yield file, found.st_size, head
        except NotUsable as error:
            raise refusal(path, error) from error


def _expect(kind: str, head: bytes) -> None:
    """Raises NotUsable."""
    if head.startswith(_KINDS[kind]):
        return
    found = next((other for other, starts in _KINDS.items() if head.startswith(starts)), None)
    if found is None:
        raise NotUsable(f"is not {kind}, although its name says so; copy it again, or leave it out")
    raise NotUsable(f"is named like {kind} but is {found}; give it the right extension, or leave it out")


def _expect_text(kind: str, head: bytes) -> None:
    """Raises NotUsable."""
    if found := next((other for other, starts in _KINDS.items() if head.startswith(starts)), None):
        raise NotUsable(f"is named like {kind} but is {found}; give it the right extension, or leave it out")


def _check_whole_jpeg(file: BinaryIO, size: int) -> None:
    """Raises Damaged."""
    reader = JpegReader(file, size)
    try:
        reader.header()
        reader.check_pixels()
    except BadJpeg as error:
        raise Damaged("is cut off: its pixels end early" if error.share else str(error)) from error


def _check_picture(kind: str, file: BinaryIO, size: int, head: bytes) -> None:
    _expect(kind, head)
    if kind == "a PNG":
        file.seek(max(0, size - _BUFFER))
        if _PNG_END not in file.read(_BUFFER):
            raise Damaged("is cut off")
    if kind == "a TIFF":
        try:
            reader = TiffReader(file, 0, size)
            if not has_all_pixels(reader, reader.first_directory(), size):
                raise Damaged("is cut off: some of its pixels are missing")
        except NotTiff as error:
            raise Damaged("is damaged or cut off") from error


def _check_materials(file: BinaryIO, size: int, head: bytes) -> None:
    _expect_text("a list of materials (MTL)", head)
    texture_names(file)


def _check_projection(file: BinaryIO, size: int, head: bytes) -> None:
    if size > LONGEST_WKT or crs_of_wkt(_decoded(head)) is None:
        raise NotUsable("states no coordinate system, although its name says so")


def _check_numbers(file: BinaryIO, size: int, head: bytes) -> None:
    if size > _LONGEST_SMALL_TEXT or not _NUMBERS.fullmatch(head):
        raise NotUsable("does not contain the numbers that its name promises")


def _check_metadata(file: BinaryIO, size: int, head: bytes) -> None:
    if size > _LONGEST_METADATA or "<PAMDataset" not in _decoded(head):
        raise NotUsable("does not contain the metadata of GDAL that its name promises")


def _picture(kind: str) -> Callable[[BinaryIO, int, bytes], None]:
    return lambda file, size, head: _check_picture(kind, file, size, head)


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8-sig", "replace")


_COMPANIONS: Mapping[str, Callable[[BinaryIO, int, bytes], None]] = {
    ".mtl": _check_materials,
    **dict.fromkeys((".jpg", ".jpeg"), _picture("a JPEG")),
    ".png": _picture("a PNG"),
    **dict.fromkeys((".tif", ".tiff", ".ovr"), _picture("a TIFF")),
    ".prj": _check_projection,
    **dict.fromkeys((".tfw", ".tifw", ".tiffw", ".wld", "offset.xyz"), _check_numbers),
    ".aux.xml": _check_metadata,
}
