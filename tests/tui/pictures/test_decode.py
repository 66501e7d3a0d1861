"""Pictures from files of every kind: small, upright, and a sentence for whatever is wrong with one."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.intake.pictures import LONG, SHORT, Tag, flight_exif, jpeg, picture, tiff_structure
from tests.tui.pictures.photo_files import exif_of, halved, write
from tui_uploader.tui.pictures.decode import NoPicture, read_picture

MOST = (200, 100)


def refusal(path: Path) -> str:
    with pytest.raises(NoPicture) as caught:
        read_picture(str(path), MOST)
    assert "\x1b" not in str(caught.value) and str(caught.value).endswith(".")
    return str(caught.value)


def test_a_large_photo_becomes_small(tmp_path: Path) -> None:
    picture = read_picture(str(write(tmp_path / "a.JPG", halved(4000, 3000), exif_of((46.5, 6.25)))), MOST)
    assert picture.size == (133, 100) and picture.mode == "RGB"


@pytest.mark.parametrize(
    ("orientation", "where"), [(1, "left"), (2, "right"), (3, "right"), (4, "left"), (6, "top"), (8, "bottom")]
)
def test_a_photo_is_shown_upright(tmp_path: Path, orientation: int, where: str) -> None:
    """The left half of the pixels in the file is red."""
    path = write(tmp_path / "a.JPG", halved(64, 48), exif_of(None, orientation=orientation))
    pixels = read_picture(str(path), MOST)
    width, height = pixels.size
    middle = {
        "left": (width // 4, height // 2),
        "right": (3 * width // 4, height // 2),
        "top": (width // 2, height // 4),
        "bottom": (width // 2, 3 * height // 4),
    }
    seen = pixels.getpixel(middle[where])
    assert isinstance(seen, tuple) and seen[0] > 200 > seen[2]


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "CMYK", "RGBA", "LA", "I;16", "F", "I"])
def test_every_kind_of_pixels_is_decoded(tmp_path: Path, mode: str) -> None:
    if mode in ("I;16", "I", "F"):  # a measuring camera uses a part of its range
        image = Image.new(mode, (300, 200), 1000)
        image.paste(3000, (0, 0, 150, 200))
    else:
        image = Image.new("L", (300, 200), 10).convert(mode)
        image.paste(halved(150, 200, ("white", "white")).convert(mode), (0, 0))
    path = tmp_path / "a.tif"
    image.save(path)
    pixels = read_picture(str(path), MOST)
    bright, dark = pixels.getpixel((20, 50)), pixels.getpixel((130, 50))
    assert isinstance(bright, tuple) and isinstance(dark, tuple) and bright[1] > 200 > 60 > dark[1]


def test_every_unusable_file_gets_a_reason(tmp_path: Path) -> None:
    assert "is not there any more" in refusal(tmp_path / "gone.JPG")
    (tmp_path / "folder.JPG").mkdir()
    assert "is not a regular file" in refusal(tmp_path / "folder.JPG")
    os.mkfifo(tmp_path / "pipe.JPG")
    assert "is not a regular file" in refusal(tmp_path / "pipe.JPG")
    result = tmp_path / "points.las"
    result.write_bytes(b"LASF" + bytes(400))
    assert refusal(result) == "points.las is not a picture that can be shown here."
    hostile = tmp_path / "\x1b[31m\nred.JPG"
    hostile.write_bytes(b"")
    assert refusal(hostile) == r"\x1b[31m\nred.JPG is not a picture that can be shown here.".replace(r"\n", r"\x0a")
    assert "cannot be read" in refusal(tmp_path / ("n" * 300))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_picture_that_is_cut_off_is_reported(tmp_path: Path, form: str, part: float) -> None:
    path = tmp_path / "a.bin"
    picture(400, 300).save(path, form)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    assert "is damaged or cut off" in refusal(path) or "is not a picture" in refusal(path)


def test_pictures_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tif"
    size = {256: Tag(LONG, (60_000,)), 257: Tag(LONG, (60_000,))}
    pixels = {258: Tag(SHORT, (8,)), 262: Tag(SHORT, (1,)), 273: Tag(LONG, (8,)), 279: Tag(LONG, (4,))}
    bomb.write_bytes(tiff_structure(size | pixels))
    assert refusal(bomb) == "bomb.tif is too large to be shown here: 60,000 x 60,000 pixels."
    whole = jpeg()
    frame = whole.index(b"\xff\xc0") + 5
    bomb.write_bytes(whole[:frame] + struct.pack(">HH", 65500, 65500) + whole[frame + 4 :])
    assert "too large" in refusal(bomb)
    progressive = jpeg(progressive=True)
    frame = progressive.index(b"\xff\xc2") + 5
    bomb.write_bytes(progressive[:frame] + struct.pack(">HH", 9000, 9000) + progressive[frame + 4 :])
    assert "too large" in refusal(bomb), "it would be held whole, however small it is shown"


GOOD = jpeg(picture(64, 48), exif=b"Exif\0\0" + flight_exif())


@settings(max_examples=150, deadline=None)
@given(damage=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=6)), max_size=10))
def test_damaged_bytes_give_a_picture_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, bytes]]
) -> None:
    content = bytearray(GOOD)
    for at, replacement in damage:
        content[at : at + len(replacement)] = replacement
    path = tmp_path_factory.getbasetemp() / "damaged.JPG"
    path.write_bytes(content)
    try:
        decoded = read_picture(str(path), MOST)
    except NoPicture as error:
        assert str(error).isprintable()
    else:
        assert decoded.width <= MOST[0] and decoded.height <= MOST[1]
