"""Decode the picture in a file, small enough for a screen.

Whatever is wrong with a file becomes a sentence. Only as much is decoded as a screen can show (a JPEG is decoded at an
eighth of its size where that is enough), and nothing that would need more memory than a field machine can spare.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tui_uploader.text import printable

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

MOST_PIXELS = 40_000_000
"""Most pixels to decode: 160 MB for a moment, since Pillow uses four bytes for each."""

_HELD_BYTES, _MOST_HELD = 6, 250_000_000
"""Bytes that libjpeg keeps for each pixel of a JPEG in several scans, and the most of them."""

_FORMATS = ("JPEG", "PNG", "TIFF")
_ORIENTATION = 274
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})
"""Pixels of measuring cameras: more than 8 bits, of which a picture may use any range."""


class NoPicture(ValueError):
    """The file has no picture that can be shown; the sentence says why."""


def read_picture(path: str, most: tuple[int, int]) -> Image.Image:
    """The picture in the file, reduced to `most` pixels across and down: RGB, upright. Blocking: for a thread.

    Raises NoPicture.
    """
    with _opened(path) as image:
        orientation = image.getexif().get(_ORIENTATION)
        return _upright(_reduced(image, path, most), orientation)


@contextmanager
def _opened(path: str) -> Iterator[Image.Image]:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # this limit ignores reduced decoding; ours is in `_reduced`
    try:
        with _regular_file(path) as file, Image.open(file, formats=_FORMATS) as image:
            yield image
    except NoPicture:
        raise
    except UnidentifiedImageError as error:
        raise _no_picture(path, "is not a picture that can be shown here") from error
    except MemoryError as error:
        raise _no_picture(path, "would take too much time or memory to be shown here") from error
    except Exception as error:  # broken bytes make decoders raise anything
        log.info("%s cannot be shown", printable(path), exc_info=True)
        raise _no_picture(path, "is damaged or cut off and cannot be shown") from error


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


def _reduced(image: Image.Image, path: str, most: tuple[int, int]) -> Image.Image:
    """Decode at a reduced size. Raises NoPicture for too many pixels, and whatever decoders raise."""
    from PIL.Image import Resampling

    across, down = image.size
    if image.format in ("JPEG", "MPO") and not image.info.get("progressive"):  # those are kept whole anyway
        image.draft(image.mode, most)
    if image.width * image.height > MOST_PIXELS:
        raise _no_picture(path, f"is too large to be shown here: {across:,} x {down:,} pixels")
    try:
        image.load()
    except OSError as error:
        if image.format in ("JPEG", "MPO") and across * down * _HELD_BYTES > _MOST_HELD:
            raise MemoryError from error  # libjpeg reports exhausted memory like this
        raise
    if image.mode in _DEEP_MODES:
        return _stretched(image, most)
    plain = image if image.mode in ("RGB", "L") else image.convert("RGB")
    plain.thumbnail(most, Resampling.BOX)
    return plain.convert("RGB")


def _stretched(image: Image.Image, most: tuple[int, int]) -> Image.Image:
    """Stretch the range: the darkest value becomes black, the brightest white."""
    from PIL.Image import Resampling

    shrink = max(1.0, image.width / most[0], image.height / most[1])
    size = (max(1, round(image.width / shrink)), max(1, round(image.height / shrink)))
    small = image.resize(size, Resampling.NEAREST)
    values = small.convert("F") if small.mode in ("I", "F") else small.convert("I").convert("F")
    low, high = (float(bound) for bound in values.getextrema())  # type: ignore[arg-type]  # one band: two numbers
    scale = 255 / (high - low) if high > low else 0.0
    return values.point(lambda value: value * scale - low * scale).convert("L").convert("RGB")


def _upright(pixels: Image.Image, orientation: object) -> Image.Image:
    """Turn the picture as the camera was held (EXIF 2.32, 4.6.4)."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(orientation) if isinstance(orientation, int) else None
    return pixels if turn is None else pixels.transpose(turn)


def _no_picture(path: str, why: str) -> NoPicture:
    return NoPicture(f"{printable(Path(path).name)} {why}.")
