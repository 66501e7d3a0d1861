"""Pictures from files of every kind: small, upright, and a sentence for whatever is wrong with one."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from tests.intake.pictures import LONG, SHORT, Tag, flight_exif, jpeg, picture, tiff_structure
from tests.tui.pictures.photo_files import exif_of, halved, write
from tui_uploader.tui.pictures import decode
from tui_uploader.tui.pictures.decode import NoPicture, PictureReader
from tui_uploader.tui.pictures.decode import read_picture as read_part
from tui_uploader.tui.pictures.parts import Part, View

MOST = (200, 100)


def image_of(part: Part) -> Image.Image:
    return Image.frombytes("RGB", part.size, part.pixels)


def read_picture(path: str, most: tuple[int, int]) -> Image.Image:
    """The whole picture."""
    return image_of(read_part(path, View(most)))


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
    assert refusal(result) == "points.las is a point cloud (LAS); only images can be shown."
    (tmp_path / "notes.txt").write_bytes(b"words")
    assert refusal(tmp_path / "notes.txt") == "notes.txt is not an image that can be shown here."
    hostile = tmp_path / "\x1b[31m\nred.JPG"
    hostile.write_bytes(b"")
    assert refusal(hostile) == r"\x1b[31m\nred.JPG is empty: it has no bytes.".replace(r"\n", r"\x0a")
    assert "cannot be read" in refusal(tmp_path / ("n" * 300))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_picture_that_is_cut_off_is_reported(tmp_path: Path, form: str, part: float) -> None:
    path = tmp_path / "a.bin"
    options = {"progressive": True} if form == "JPEG" else {}
    picture(400, 300).save(path, form, **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    assert "is damaged or cut off" in refusal(path) or "is not an image" in refusal(path)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("view", [View((200, 100)), View((60, 40), 4), View((60, 40), 1)])
def test_the_readable_part_of_a_photo_that_is_cut_off_is_shown(tmp_path: Path, mode: str, view: View) -> None:
    path = tmp_path / "a.JPG"
    whole = picture(800, 600).convert(mode)
    whole.save(path, "JPEG", quality=90, exif=exif_of(None, orientation=6).tobytes())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    part = read_part(str(path), view)
    assert part.cut_off is True
    assert part.full == (800, 600), "it is not turned: the line at which it ends is across"
    assert part.rows in range(100, 500)
    below = read_part(str(path), View((60, 40), 1, (0.5, 1.0)))
    assert not any(below.pixels), "the part that is missing is black"
    assert max(read_part(str(path), View((60, 40), 1, (0.0, 0.0))).pixels) > 20


def test_a_photo_with_broken_data_within_is_shown_as_it_can_be_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.JPG"
    picture(800, 600).save(path, "JPEG", quality=90)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + b"\xff\xc4\x00\x03\x00" + content[middle + 5 :])
    part = read_part(str(path), View((200, 100)))
    assert (part.size, part.rows, part.cut_off) == ((133, 100), None, False)


# ------------------------------------------------------------------------------------------- parts of a picture


def chart(width: int = 3000, height: int = 2000) -> Image.Image:
    """Every pixel tells where it is."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height), Image.Resampling.BILINEAR)
    down = Image.linear_gradient("L").resize((width, height), Image.Resampling.BILINEAR)
    return Image.merge("RGB", (across, down, Image.new("L", (width, height), 128)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("zoom", [4, 1])
def test_a_part_is_cut_from_the_upright_picture(tmp_path: Path, orientation: int, zoom: int) -> None:
    path = write(tmp_path / "a.JPG", chart(), exif_of(None, orientation=orientation))
    whole = read_picture(str(path), (3000, 3000))
    assert whole.size == ((2000, 3000) if orientation > 4 else (3000, 2000))
    part = read_part(str(path), View((120, 66), zoom, (0.3, 0.8)))
    assert part.size == (120, 66) and part.zoom == zoom and part.full == whole.size
    left, top, right, bottom = part.box
    assert (right - left, bottom - top) == (120 * zoom, 66 * zoom)
    assert (left + right) / 2 == pytest.approx(0.3 * whole.width, abs=zoom)
    expected, seen = whole.crop(part.box).resize(part.size).getpixel((60, 33)), image_of(part).getpixel((60, 33))
    assert isinstance(expected, tuple) and isinstance(seen, tuple)
    assert seen == pytest.approx(expected, abs=4)


def test_a_part_stays_within_the_picture_and_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.JPG", halved(300, 200)))
    assert read_part(path, View((100, 80), 1, (5.0, -3.0))).box == (200, 0, 300, 80)
    small = read_part(path, View((1000, 700), 1, (0.5, 0.5)))
    assert small.box == (0, 0, 300, 200) and small.size == (300, 200)


@pytest.mark.parametrize("blur", [0, 8])
def test_a_picture_opens_where_edges_are_also_when_it_is_blurred(tmp_path: Path, blur: int) -> None:
    image = Image.new("RGB", (2000, 1500), (20, 20, 20))
    for x in range(1250, 1550, 30):
        image.paste((230, 230, 230), (x, 400, x + 15, 700))
    image = image.filter(ImageFilter.GaussianBlur(blur)) if blur else image
    part = read_part(str(write(tmp_path / "a.JPG", image)), View((100, 60), 1))
    assert 1200 <= (part.box[0] + part.box[2]) / 2 <= 1600 and 370 <= (part.box[1] + part.box[3]) / 2 <= 730


def test_the_next_part_of_a_picture_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    real = decode._decoded

    def counted(path: str, file: BinaryIO, view: View) -> object:
        opened.append(view)
        return real(path, file, view)

    monkeypatch.setattr(decode, "_decoded", counted)
    path = str(write(tmp_path / "a.JPG", chart()))
    reader = PictureReader()
    reader.part(path, View((120, 60)))
    reader.part(path, View((120, 60), 4, (0.5, 0.5)))
    assert len(opened) == 2, "a picture that was reduced does not serve for more"
    reader.part(path, View((120, 60), 1, (0.5, 0.5)))
    for x in range(5):
        reader.part(path, View((120, 60), 1, (x / 5, 0.5)))
    reader.part(path, View((120, 60), 4, (0.2, 0.2)))
    reader.part(path, View((100, 50)))
    assert len(opened) == 3
    write(tmp_path / "a.JPG", halved(300, 200))
    assert reader.part(path, View((100, 50))).full == (300, 200), "another file of the same name"


def test_of_a_picture_that_is_too_large_every_second_pixel_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "MOST_PIXELS", 2_000_000)
    part = read_part(str(write(tmp_path / "a.JPG", chart())), View((120, 60), 1, (0.5, 0.5)))
    assert part.zoom == 2 and part.size == (120, 60) and part.box[2] - part.box[0] == 240


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
