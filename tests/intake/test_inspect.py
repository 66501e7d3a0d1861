"""Images and results are judged by their content: good ones are accepted, bad ones are refused with advice."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.intake.pictures import (
    ASCII,
    LONG,
    LONG8,
    SHORT,
    Tag,
    directory_offsets,
    flight_exif,
    jpeg,
    picture,
    tiff,
    tiff_structure,
)
from tui_uploader.errors import SourceRefused, SourceUnreadable, SourceVanished
from tui_uploader.intake.inspect import inspect_image
from tui_uploader.model.files import PhotoFacts


def inspected(path: Path, content: bytes) -> PhotoFacts:
    path.write_bytes(content)
    return inspect_image(str(path))


def refusal(path: Path, content: bytes) -> str:
    with pytest.raises(SourceRefused) as caught:
        inspected(path, content)
    assert str(caught.value).startswith(path.name)
    return str(caught.value)


# --------------------------------------------------------------------------------------------- images that pass


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_the_size_of_a_jpeg(tmp_path: Path, mode: str, progressive: bool) -> None:
    facts = inspected(tmp_path / "a.jpg", jpeg(picture(70, 50, mode), progressive=progressive))
    assert (facts.width, facts.height) == (70, 50)
    assert facts == PhotoFacts(width=70, height=50)


@pytest.mark.parametrize("mode", ["RGB", "L", "I;16", "F", "1"])
@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}], ids=["raw", "lzw", "big"])
def test_the_size_of_a_tiff_with_any_pixel_format(tmp_path: Path, mode: str, options: dict[str, object]) -> None:
    image = picture(70, 50, "L").convert(mode) if mode != "I;16" else Image.new("I;16", (70, 50), 4000)
    facts = inspected(tmp_path / "a.tif", tiff(image, **options))
    assert (facts.width, facts.height) == (70, 50)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_five_bands_in_tiles_are_accepted(tmp_path: Path, order: str, big: bool) -> None:
    """Multispectral cameras write them, and image libraries do not open them."""
    tags = {
        256: Tag(SHORT, (100,)),
        257: Tag(LONG, (80,)),
        258: Tag(SHORT, (16,) * 5),
        277: Tag(SHORT, (5,)),
        259: Tag(SHORT, (8,)),
        322: Tag(SHORT, (48,)),
        323: Tag(SHORT, (80,)),
        324: Tag(LONG8 if big else LONG, (8, 16, 24)),
        325: Tag(LONG, (8, 8, 8)),
    }
    facts = inspected(tmp_path / "bands.tif", tiff_structure(tags, order=order, big=big))
    assert (facts.width, facts.height) == (100, 80)


def test_an_image_larger_than_memory_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "huge.tif"
    tags = {256: Tag(LONG, (400_000,)), 257: Tag(LONG, (400_000,)), 273: Tag(LONG, (8,)), 279: Tag(LONG, (4,))}
    tags[259] = Tag(SHORT, (5,))
    assert inspected(path, tiff_structure(tags)).width == 400_000
    huge = jpeg()
    frame = huge.index(b"\xff\xc0") + 5
    facts = inspected(tmp_path / "huge.jpg", huge[:frame] + struct.pack(">HH", 65500, 65500) + huge[frame + 4 :])
    assert (facts.width, facts.height) == (65500, 65500)


# ------------------------------------------------------------------------------------------- whole or cut off

THUMBNAIL = jpeg(picture(16, 12))


def with_thumbnail() -> bytes:
    return jpeg(picture(256, 192), exif=b"Exif\0\0" + flight_exif() + THUMBNAIL)


@pytest.mark.parametrize("sixteenths", range(16))
def test_a_jpeg_cut_off_anywhere_is_refused(tmp_path: Path, sixteenths: int) -> None:
    """Also if the thumbnail before the pixels has an end marker of its own."""
    whole = with_thumbnail()
    cut = whole[: max(3, len(whole) * sixteenths // 16)]
    assert "cut off" in refusal(tmp_path / "a.jpg", cut)
    assert inspected(tmp_path / "a.jpg", whole).width == 256


@pytest.mark.parametrize("padding", [1, 4096, 300_000])
def test_zeros_in_place_of_the_end_are_not_an_end(tmp_path: Path, padding: int) -> None:
    whole = with_thumbnail()
    assert "cut off" in refusal(tmp_path / "a.jpg", whole[:-500] + bytes(padding))


@pytest.mark.parametrize("appended", [b"\0" * 5, b"\0" * 200_000, b"trailer", os.urandom(1 << 20), THUMBNAIL[:-50]])
def test_data_after_the_end_does_no_harm(tmp_path: Path, appended: bytes) -> None:
    assert inspected(tmp_path / "a.jpg", with_thumbnail() + appended).width == 256


def test_an_end_marker_across_two_reads_is_found(tmp_path: Path) -> None:
    whole = with_thumbnail()
    pixels_at = whole.rindex(b"\xff\xda") + 2
    filler = b"\x55" * ((1 << 20) - (len(whole) - pixels_at) + 1)
    stretched = whole[:-2] + filler + b"\xff\xd9" + b"\x55" * 100_000
    assert stretched.index(b"\xff\xd9", pixels_at) - pixels_at == (1 << 20) - 1
    assert inspected(tmp_path / "a.jpg", stretched).width == 256


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"big_tiff": True}], ids=["raw", "lzw", "big"])
@pytest.mark.parametrize("sixteenths", [*range(1, 16)])
def test_a_tiff_cut_off_anywhere_is_refused(tmp_path: Path, options: dict[str, object], sixteenths: int) -> None:
    whole = tiff(picture(200, 150), **options)
    assert "cut off" in refusal(tmp_path / "a.tif", whole[: max(4, len(whole) * sixteenths // 16)])


@pytest.mark.parametrize("compression", [1, 8])
def test_a_sparse_tiff_is_complete(tmp_path: Path, compression: int) -> None:
    tags = {256: Tag(SHORT, (32,)), 257: Tag(SHORT, (16,)), 258: Tag(SHORT, (1,)), 259: Tag(SHORT, (compression,))}
    tags |= {322: Tag(SHORT, (16,)), 323: Tag(SHORT, (16,)), 324: Tag(LONG, (0, 8)), 325: Tag(LONG, (0, 32))}
    assert inspected(tmp_path / "a.tif", tiff_structure(tags)).width == 32


# ------------------------------------------------------------------------------------- what the service refuses


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a.jpg", b"") == "a.jpg is empty. Copy it again from the card."


def test_a_file_of_zeros_is_refused(tmp_path: Path) -> None:
    assert "nothing but zeros" in refusal(tmp_path / "a.tif", bytes(50_000))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.tif", jpeg(), "named like a TIFF but is a JPEG; give it the right extension"),
        ("a.JPG", tiff(), "named like a JPEG but is a TIFF; give it the right extension"),
        ("a.jpg", b"\x89PNG\r\n\x1a\n" + bytes(20), "named like a JPEG but is a PNG"),
        ("a.jpg", b"a note of the pilot", "is not a JPEG, although its name says so"),
        ("a.tiff", b"II*", "is not a TIFF, although its name says so"),
        ("a.jpg", b"\xff\xd8", "is not a JPEG, although its name says so"),
        ("a.jpg", b"\xff\xd8\xff", "cut off before its pixels begin"),
        ("a.jpg", b"\xff\xd8\xff\xda\0\2" + b"\xff\xd9", "damaged or cut off before its pixels begin"),
        ("a.jpg", b"\xff\xd8\xff\xe0\0\0" + b"\xff\xd9", "damaged or cut off before its pixels begin"),
        ("a.jpg", b"\xff\xd8\xff\x01nonsense\xff\xd9", "damaged or cut off before its pixels begin"),
    ],
)
def test_a_file_of_another_kind_than_its_name_is_refused(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    assert reason in refusal(tmp_path / name, content)


def test_several_pages_are_refused(tmp_path: Path) -> None:
    pages = tiff(picture(), save_all=True, append_images=[picture()])
    assert "several pages" in refusal(tmp_path / "a.tif", pages)


def test_a_pyramid_below_the_image_is_refused(tmp_path: Path) -> None:
    tags = {256: Tag(SHORT, (9,)), 257: Tag(SHORT, (9,)), 273: Tag(LONG, (8,)), 279: Tag(LONG, (4,))}
    _, below_at, _ = directory_offsets({**tags, 330: tags[273]}, tags)
    pyramid = tiff_structure({**tags, 330: Tag(LONG, (below_at,))}, tags)
    assert "pyramid" in refusal(tmp_path / "a.tif", pyramid)


@pytest.mark.parametrize("offset", [3, 7, 1 << 31])
def test_an_offset_without_a_directory_is_not_a_further_page(tmp_path: Path, offset: int) -> None:
    """Some writers leave arbitrary memory there."""
    tags = {256: Tag(SHORT, (9,)), 257: Tag(SHORT, (9,)), 273: Tag(LONG, (8,)), 279: Tag(LONG, (18,))}
    assert inspected(tmp_path / "a.tif", tiff_structure(tags, following=offset)).width == 9


HALVES = {259: Tag(SHORT, (5,)), 278: Tag(SHORT, (5,))}
"""Tags of an image of nine rows in two compressed strips."""


@pytest.mark.parametrize(
    "tags",
    [
        {256: Tag(SHORT, (9,)), 257: Tag(SHORT, (9,))},
        {256: Tag(SHORT, (9,)), 257: Tag(SHORT, (9,)), 273: Tag(LONG, (8, 8)), 279: Tag(LONG, (4,)), **HALVES},
        {257: Tag(SHORT, (9,)), 273: Tag(LONG, (8,)), 279: Tag(LONG, (4,))},
        {256: Tag(SHORT, (0,)), 257: Tag(SHORT, (9,)), 273: Tag(LONG, (8,)), 279: Tag(LONG, (4,))},
        {256: Tag(SHORT, (9,)), 257: Tag(ASCII, b"9\0"), 273: Tag(LONG, (8,)), 279: Tag(LONG, (4,))},
        {256: Tag(SHORT, (9,)), 257: Tag(SHORT, (9,)), 273: Tag(LONG, (), 1 << 31, 8), 279: Tag(LONG, (), 1 << 31, 8)},
    ],
    ids=["no pixels", "a strip without size", "no width", "width 0", "height is text", "countless strips"],
)
def test_a_tiff_that_describes_no_image_is_refused(tmp_path: Path, tags: dict[int, Tag]) -> None:
    assert "cut off" in refusal(tmp_path / "a.tif", tiff_structure(tags))


SMALL_FILES = {"a.jpg": with_thumbnail(), "a.tif": tiff(), "b.tif": tiff(big_tiff=True)}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(SMALL_FILES)), st.integers(0, 1200), st.binary(min_size=1, max_size=20))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(
    tmp_path_factory: pytest.TempPathFactory, name: str, at: int, damage: bytes
) -> None:
    whole = SMALL_FILES[name]
    try:
        facts = inspected(tmp_path_factory.getbasetemp() / name, whole[:at] + damage + whole[at + len(damage) :])
    except SourceRefused as refused:
        assert str(refused).isprintable()
    else:
        assert facts.width != 0


def test_an_open_file_is_checked_from_its_beginning_and_stays_open(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(picture(70, 50)))
    with (tmp_path / "a.jpg").open("rb", buffering=0) as file:
        file.seek(0, os.SEEK_END)
        (tmp_path / "a.jpg").unlink()
        assert inspect_image("a.jpg", file.fileno()) == PhotoFacts(width=70, height=50)
        assert os.fstat(file.fileno()).st_size > 0


def test_read_errors_are_not_refusals(tmp_path: Path) -> None:
    with pytest.raises(SourceVanished):
        inspect_image(str(tmp_path / "nowhere.jpg"))
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(SourceUnreadable):
        inspect_image(str(tmp_path / "pipe.jpg"))
    with pytest.raises(SourceUnreadable):
        inspect_image(str(tmp_path))


def test_a_hostile_name_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\x1b[2J\n\xff.jpg")
    path.touch()
    with pytest.raises(SourceRefused) as caught:
        inspect_image(str(path))
    assert str(caught.value).startswith(r"\x1b[2J\x0a\xff.jpg is empty")
