"""Decode the picture in a file, as much of it as a screen shows: the whole reduced, or a part pixel by pixel.

Whatever is wrong with a file becomes a sentence. A JPEG is decoded at an eighth of its size where that is enough, and
nothing that would need more memory than a field machine can spare. Of a file that is cut off, the readable part is
shown.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tui_uploader.file_kinds import extension_of
from tui_uploader.text import printable
from tui_uploader.tui.pictures.parts import (
    Box,
    Part,
    Size,
    View,
    fitted,
    part_box,
    probe_boxes,
    stored_box,
    turned,
    upright_size,
)

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

MOST_PIXELS = 50_000_000
"""Most pixels to decode: 200 MB, since Pillow uses four bytes for each. The largest pictures of usual drones have 45
million; of larger JPEGs every second pixel is decoded."""

_HELD_BYTES, _MOST_HELD = 6, 250_000_000
"""Bytes that libjpeg keeps for each pixel of a JPEG in several scans, and the most of them."""

_FORMATS = ("JPEG", "PNG", "TIFF")
_JPEGS = ("JPEG", "MPO")
_ORIENTATION, _MOST_ORIENTATION = 274, 8
_SCALES = (1, 2, 4, 8)
"""Reductions at which libjpeg decodes."""
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
"""Pixels of measuring cameras: more than 8 bits, of which a picture may use any range."""
_UNTOUCHED: Mapping[str, tuple[int, ...]] = {"RGB": (255, 0, 254), "L": (253,)}
"""Colour of pixels before decoding: no camera writes a row of it, so that it shows where decoding ended."""
_SURVEY = 512
"""Pixels across and down that are enough to find the range of values of a picture."""
_COARSE = 4
"""Pixels across and down that become one where edges are looked for."""
_KINDS: Mapping[str, str] = {
    ".las": "a point cloud (LAS)",
    ".laz": "a point cloud (LAZ)",
    ".obj": "a mesh (OBJ)",
    ".mtl": "the list of materials of a mesh (MTL)",
    ".ply": "a mesh or a point cloud (PLY)",
    ".mp4": "a video (MP4)",
    ".mov": "a video (MOV)",
    ".srt": "a subtitle file (SRT)",
    ".zip": "an archive (ZIP)",
    ".pdf": "a document (PDF)",
}


class NoPicture(ValueError):
    """The file has no picture that can be shown; the sentence says why."""


Identity = tuple[int, ...]
"""Changes when the file is replaced or written to."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    """The pixels of a file, as they are stored: not turned upright."""

    pixels: Image.Image
    scale: int
    """Pixels of the file across, and down, for each of these."""
    full: Size
    orientation: int
    rows: int | None = None
    """Rows of the file that could be read; None: all."""
    cut_off: bool = False
    """The file ends too early, rather than being damaged."""
    levels: tuple[float, float] | None = None
    """The values to draw black and white; None: the pixels have 8 bits."""


class PictureReader:
    """Reads parts of pictures, and keeps the last one decoded: the next part of it costs no decoding."""

    def __init__(self) -> None:
        self._key: tuple[str, Identity] | None = None
        self._kept: _Decoded | None = None

    def part(self, path: str, view: View) -> Part:
        """Blocking: for a process of its own. Raises NoPicture."""
        with _refusals(path), _regular_file(path) as file:
            key = path, _identity(file)
            kept = self._kept if key == self._key else None
            if kept is None or kept.scale > _wanted_scale(upright_size(kept.full, kept.orientation), view):
                self._kept = kept = None  # two large pictures might not fit
                kept = self._kept = _decoded(path, file, view)
                self._key = key
            return _part(kept, view)


def read_picture(path: str, view: View) -> Part:
    """One part of one picture. Raises NoPicture."""
    return PictureReader().part(path, view)


def _identity(file: BinaryIO) -> Identity:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


# ----------------------------------------------------------------------------------------------------- refusals


@contextmanager
def _refusals(path: str) -> Iterator[None]:
    from PIL import UnidentifiedImageError

    try:
        yield
    except NoPicture:
        raise
    except UnidentifiedImageError as error:
        raise _no_picture(path, _no_image(path)) from error
    except MemoryError as error:
        raise _no_picture(path, "would take too much time or memory to be shown here") from error
    except Exception as error:  # broken bytes make decoders raise anything
        log.info("%s cannot be shown", printable(path), exc_info=True)
        raise _no_picture(path, "is damaged or cut off and cannot be shown") from error


def _no_image(path: str) -> str:
    kind = _KINDS.get(extension_of(path))
    if kind is not None:
        return f"is {kind}; only images can be shown"
    try:
        empty = not Path(path).stat().st_size
    except OSError:
        empty = False
    return "is empty: it has no bytes" if empty else "is not an image that can be shown here"


@contextmanager
def _regular_file(path: str) -> Iterator[BinaryIO]:
    """Open a regular file: a pipe, for one, may never end. Raises NoPicture."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _no_picture(path, "is not there any more; its card may have been taken out") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _no_picture(path, f"cannot be read ({reason})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_picture(path, "is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _no_picture(path: str, why: str) -> NoPicture:
    return NoPicture(f"{printable(Path(path).name)} {why}.")


# ----------------------------------------------------------------------------------------------------- decoding


def _decoded(path: str, file: BinaryIO, view: View) -> _Decoded:
    """Raises NoPicture for too many pixels, and whatever decoders raise."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # this limit ignores reduced decoding; ours is below
    image = Image.open(file, formats=_FORMATS)
    stated = image.getexif().get(_ORIENTATION)
    orientation = stated if isinstance(stated, int) and 1 <= stated <= _MOST_ORIENTATION else 1
    full, scale = image.size, 1
    if image.format in _JPEGS and not image.info.get("progressive"):  # those are kept whole anyway
        scale = _reduced(image, _wanted_scale(upright_size(full, orientation), view))
    if image.width * image.height > MOST_PIXELS:
        raise _no_picture(path, f"is too large to be shown here: {full[0]:,} x {full[1]:,} pixels")
    rows, cut_off = _load(image, full)
    if rows is not None:
        rows, orientation = min(full[1], rows * scale), 1  # the line at which it ends is a line of the screen
    deep = image.mode in _DEEP_MODES
    plain = image if deep or image.mode in ("RGB", "L") else image.convert("RGB")
    return _Decoded(plain, scale, full, orientation, rows, cut_off, _levels(plain) if deep else None)


def _wanted_scale(full: Size, view: View) -> int:
    """The largest reduction of the upright picture that still gives a pixel for each dot."""
    if view.zoom:
        enough = float(view.zoom)
    else:
        shown = fitted(full, view.most)
        enough = max(full) / max(shown)
    return next((scale for scale in reversed(_SCALES) if scale <= enough), 1)


def _reduced(image: Image.Image, wanted: int) -> int:
    """Let libjpeg decode at a reduction of at least `wanted`; more, if there would be too many pixels."""
    width, height = image.size
    for scale in (scale for scale in _SCALES if scale >= wanted):
        if scale == _SCALES[-1] or width * height <= MOST_PIXELS * scale * scale:
            break
    if scale > 1:
        image.draft(image.mode, (width // scale, height // scale))
    return max(1, round(width / image.width))


def _load(image: Image.Image, full: Size) -> tuple[int | None, bool]:
    """Decode. The rows that could be read if not all of them, and whether the file ends there.

    `full`: the size before it is reduced. Raises what decoders raise.
    """
    from PIL import Image

    jpeg = image.format in _JPEGS
    untouched = _UNTOUCHED.get(image.mode) if jpeg else None
    if untouched is not None:
        image.im = Image.new(image.mode, image.size, untouched).im
    try:
        image.load()
    except OSError as error:
        rows = _readable_rows(image, untouched) if untouched is not None else 0
        if rows == image.height:
            return None, False  # libjpeg invented the rest, and it cannot be told where
        if rows:
            image.paste(0 if image.mode == "L" else (0, 0, 0), (0, rows, image.width, image.height))
            return rows, "truncated" in str(error)
        if jpeg and full[0] * full[1] * _HELD_BYTES > _MOST_HELD:
            raise MemoryError from error  # libjpeg reports exhausted memory like this
        raise
    return None, False


def _readable_rows(image: Image.Image, untouched: tuple[int, ...]) -> int:
    """The number of rows, from the top, that a decoder wrote before it gave up."""
    image.tile = []  # type: ignore[attr-defined]  # of image files: nothing is left to be decoded
    colour = untouched if len(untouched) > 1 else untouched[0]
    least, most = 0, image.height
    while least < most:
        row = (least + most) // 2
        if image.crop((0, row, image.width, row + 1)).getcolors(1) == [(image.width, colour)]:
            most = row
        else:
            least = row + 1
    return least


def _levels(image: Image.Image) -> tuple[float, float]:
    """The darkest and the brightest value."""
    from PIL.Image import Resampling

    low, high = _as_numbers(image.resize(fitted(image.size, (_SURVEY, _SURVEY)), Resampling.NEAREST)).getextrema()
    return float(low), float(high)  # type: ignore[arg-type]  # one band: two numbers


def _as_numbers(image: Image.Image) -> Image.Image:
    return image.convert("F") if image.mode in ("I", "F") else image.convert("I").convert("F")


# -------------------------------------------------------------------------------------------------------- parts


def _part(decoded: _Decoded, view: View) -> Part:
    full = upright_size(decoded.full, decoded.orientation)
    zoom = max(view.zoom, decoded.scale) if view.zoom else 0
    centre = view.centre
    if zoom and centre is None:
        centre = _most_detailed(decoded, full, view.most, zoom)
    box = part_box(full, view.most, zoom, centre)
    wanted = fitted(full, view.most) if not zoom else _dots(box, zoom)
    image = _region(decoded, box, wanted)
    return Part(image.size, image.tobytes(), full, box, zoom, decoded.rows, decoded.cut_off)


def _dots(box: Box, zoom: int) -> Size:
    return max(1, round((box[2] - box[0]) / zoom)), max(1, round((box[3] - box[1]) / zoom))


def _region(decoded: _Decoded, box: Box, size: Size) -> Image.Image:
    """The pixels in `box` of the upright picture, as `size` pixels: RGB, upright (EXIF 2.32, 4.6.4)."""
    from PIL.Image import Resampling, Transpose

    orientation, pixels = decoded.orientation, decoded.pixels
    left, top, right, bottom = (edge / decoded.scale for edge in stored_box(box, decoded.full, orientation))
    within = (
        min(left, pixels.width - 1),
        min(top, pixels.height - 1),
        min(right, pixels.width),
        min(bottom, pixels.height),
    )
    stored = size[::-1] if turned(orientation) else size
    resampling = Resampling.NEAREST if decoded.levels else Resampling.BOX
    part = pixels.resize(stored, resampling, box=within)
    if decoded.levels:
        low, high = decoded.levels
        scale = 255 / (high - low) if high > low else 0.0
        part = _as_numbers(part).point(lambda value: value * scale - low * scale).convert("L")
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    upright = part.transpose(turns[orientation]) if orientation in turns else part
    return upright.convert("RGB")


def _most_detailed(decoded: _Decoded, full: Size, most: Size, zoom: int) -> tuple[float, float]:
    """The middle of the part with the most edges, as shares of width and height: blur is seen at edges.

    Edges are measured at a quarter of the size, at which they outlast blur, and noise does not.
    """
    from PIL import ImageFilter, ImageStat

    best, found = (0.5, 0.5), -1.0
    for box in probe_boxes(full, (most[0] * zoom, most[1] * zoom), decoded.rows):
        small = _dots(box, _COARSE * max(zoom, decoded.scale))
        edges = _region(decoded, box, small).convert("L").filter(ImageFilter.FIND_EDGES)
        detail = ImageStat.Stat(edges).mean[0]
        if detail > found:
            best, found = ((box[0] + box[2]) / 2 / full[0], (box[1] + box[3]) / 2 / full[1]), detail
    return best
