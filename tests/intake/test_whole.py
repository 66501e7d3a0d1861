"""A photo is complete if its own pixels are, and unusual but valid images are accepted: each case was seen in files of
cameras and programs."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.intake.mutations import segments
from tests.intake.pictures import LONG, LONG8, SHORT, Tag, jpeg, picture, tiff_structure
from tui_uploader.errors import SourceRefused
from tui_uploader.intake.inspect import inspect_image

PHOTO, PREVIEW = jpeg(picture(400, 300)), jpeg(picture(64, 48))
PROGRESSIVE = jpeg(picture(400, 300), progressive=True)
RESTARTS = jpeg(picture(400, 300), restart_marker_blocks=7)


def inspected(path: Path, content: bytes) -> tuple[int | None, int | None]:
    path.write_bytes(content)
    facts = inspect_image(str(path))
    return facts.width, facts.height


def refusal(path: Path, content: bytes) -> str:
    with pytest.raises(SourceRefused) as caught:
        inspected(path, content)
    return str(caught.value)


# ------------------------------------------------------------------------------------------- half photos, previews


@pytest.mark.parametrize("photo", [PHOTO, PROGRESSIVE, RESTARTS], ids=["baseline", "progressive", "restarts"])
@pytest.mark.parametrize("between", [b"", b"\0" * 3000, b"\xff"], ids=["", "zeros", "fill"])
@pytest.mark.parametrize("eighths", range(2, 8))
def test_half_a_photo_before_a_complete_preview_is_cut_off(
    tmp_path: Path, photo: bytes, between: bytes, eighths: int
) -> None:
    half = photo[: len(photo) * eighths // 8]
    assert "is cut off: another image begins before" in refusal(tmp_path / "a.jpg", half + between + PREVIEW)
    assert inspected(tmp_path / "a.jpg", photo + between + PREVIEW) == (400, 300)


STRETCH = b"\x55" * 700_000
"""Random pixels, for images as large as those of cameras."""


def large_photo(index: Callable[[int], bytes] = lambda size: b"") -> bytes:
    """With a segment for several images whose content is `index(size)`."""
    whole = PHOTO[:-2] + STRETCH + PHOTO[-2:]
    body = index(0)
    segment = struct.pack(">HH", 0xFFE2, 2 + len(body)) + index(len(whole) + 4 + len(body)) if body else b""
    return whole[:2] + segment + whole[2:]


def index_of_two(order: str, off: int = 0) -> Callable[[int], bytes]:
    def index(size: int) -> bytes:
        first, second = (struct.pack(order + "IIIHH", 0x30000, number, 0, 0, 0) for number in (size + off, 700_000))
        tags = {0xB001: Tag(LONG, (2,)), 0xB002: Tag(7, first + second, count=32)}
        return b"MPF\0" + tiff_structure(tags, order=order)

    return index


@pytest.mark.parametrize(
    "photo",
    [
        large_photo(),
        large_photo(index_of_two("<")),
        large_photo(index_of_two(">")),
        large_photo(index_of_two("<", off=7)),
        large_photo(lambda size: b"MPF\0II"),
    ],
    ids=["silent", "little", "big", "wrong index", "broken index"],
)
def test_half_a_large_photo_before_a_preview_is_cut_off(tmp_path: Path, photo: bytes) -> None:
    """A preview that the header announces may be of any size; any other is found within the last 512 KiB."""
    preview = PREVIEW[:-2] + STRETCH + PREVIEW[-2:] if b"MPF" in photo else PREVIEW
    assert inspected(tmp_path / "a.jpg", photo + preview) == (400, 300)
    assert inspected(tmp_path / "a.jpg", photo) == (400, 300)
    assert "another image begins" in refusal(tmp_path / "a.jpg", photo[: len(photo) // 2] + preview)
    assert "another image begins" in refusal(tmp_path / "a.jpg", photo[:-2] + preview)


@pytest.mark.parametrize("photo", [PHOTO, PROGRESSIVE], ids=["baseline", "progressive"])
def test_a_video_after_the_photo_does_no_harm(tmp_path: Path, photo: bytes) -> None:
    film = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\0" + b"\xff\xd8\xff\xd9" * 9
    assert inspected(tmp_path / "a.jpg", photo + film) == (400, 300)
    assert "cut off" in refusal(tmp_path / "a.jpg", photo[: len(photo) // 2] + film)


def test_a_marker_across_two_reads_is_found(tmp_path: Path) -> None:
    scan_at = segments(PHOTO)[-1][0]
    for length in range((1 << 18) - 3, (1 << 18) + 3):
        stretched = PHOTO[:scan_at] + b"\xff\xda\0\x0c\x03\x01\0\x02\x11\x03\x11\0\x3f\0" + b"\x55" * length
        assert inspected(tmp_path / "a.jpg", stretched + b"\xff\xd9" + b"\x55" * 99) == (400, 300)
        assert "cut off" in refusal(tmp_path / "a.jpg", stretched + PREVIEW + b"\x55" * 99)


def test_a_scan_without_its_coding_tables_is_damaged(tmp_path: Path) -> None:
    """Of a progressive photo, between its pixels."""
    table_at, table_end = next(
        (begin, end) for begin, end in segments(PROGRESSIVE)[10:] if PROGRESSIVE[begin + 1] == 0xC4
    )
    broken = PROGRESSIVE[: table_at + 5] + b"\xff" * 16 + PROGRESSIVE[table_at + 21 :]
    assert table_end - table_at > 21
    assert "is damaged: its pixels break off" in refusal(tmp_path / "a.jpg", broken)


def test_unknown_data_is_skipped_while_restart_markers_are_to_come(tmp_path: Path) -> None:
    """A decoder skips it up to the next restart marker, and fails at it after the last one."""
    first = RESTARTS.index(b"\xff\xd0")
    early, late = RESTARTS[:first] + b"\xff\x37" + RESTARTS[first:], RESTARTS[:-2] + b"\xff\x37" + RESTARTS[-2:]
    Image.open(io.BytesIO(early)).load()
    assert inspected(tmp_path / "a.jpg", early) == (400, 300)
    with pytest.raises(OSError, match="broken data stream"):
        Image.open(io.BytesIO(late)).load()
    assert "is damaged" in refusal(tmp_path / "a.jpg", late)


@pytest.mark.parametrize("tail", [b"\0" * 7, b"\xff" * 7, b"\0\xff\0"], ids=["zeros", "fill", "stuffed"])
def test_padding_before_the_end_marker_does_no_harm(tmp_path: Path, tail: bytes) -> None:
    assert inspected(tmp_path / "a.jpg", PHOTO[:-2] + tail + b"\xff\xd9") == (400, 300)


# ----------------------------------------------------------------------------------------------- odd headers, sound


def _behind_first_segment(stray: bytes) -> bytes:
    end = segments(PHOTO)[0][1]
    return PHOTO[:end] + stray + PHOTO[end:]


@pytest.mark.parametrize(
    "odd",
    [
        _behind_first_segment(bytes(2)),
        _behind_first_segment(b"\xe1\0\x20Exif\0\0" + bytes(24)),
        _behind_first_segment(b"\xff\xe1\0\x0chttp://ns." + b"  "),
        _behind_first_segment(b"\xff\xff\xff"),
        _behind_first_segment(b"\xff\0" * 9),
        _behind_first_segment(b"\xff\xfe\0\0"),
        _behind_first_segment(bytes(300_000)),
    ],
    ids=["zeros", "lost FF", "longer than its length", "fill", "stuffed", "no length", "much padding"],
)
def test_stray_bytes_between_segments_are_skipped(tmp_path: Path, odd: bytes) -> None:
    Image.open(io.BytesIO(odd)).load()
    assert inspected(tmp_path / "a.jpg", odd) == (400, 300)


GREY = {256: Tag(SHORT, (40,)), 257: Tag(SHORT, (24,)), 262: Tag(SHORT, (1,))}


def grey_tiff(**changed: Tag | None) -> bytes:
    """Of 40 x 24 pixels of one byte; `t279=None` omits a tag."""
    tags = {**GREY, 258: Tag(SHORT, (8,)), 259: Tag(SHORT, (1,)), 277: Tag(SHORT, (1,)), 278: Tag(SHORT, (24,))}
    tags |= {273: Tag(LONG, (200,)), 279: Tag(LONG, (960,))}
    for name, tag in changed.items():
        tags.pop(int(name[1:]), None)
        if tag:
            tags[int(name[1:])] = tag
    return tiff_structure(tags).ljust(200, b"\0") + bytes(range(240)) * 4


@pytest.mark.parametrize(
    "changed",
    [
        {"t279": None},
        {"t278": None},
        {"t277": None},
        {"t259": None},
        {"t262": None},
        {"t279": None, "t278": None, "t277": None, "t259": None},
        {"t279": Tag(LONG, (0,))},
        {"t279": Tag(LONG, (961,))},
        {"t279": Tag(LONG, (1 << 31,))},
        {"t279": Tag(SHORT, (960,))},
        {"t279": Tag(LONG8, (), count=1, offset=960)},
        {"t278": Tag(LONG, ((1 << 32) - 1,))},
        {"t256": Tag(LONG, (40,))},
    ],
    ids=str,
)
def test_tags_that_may_be_missing_or_of_another_type(tmp_path: Path, changed: dict[str, Tag | None]) -> None:
    odd = grey_tiff(**changed)
    Image.open(io.BytesIO(odd)).load()
    assert inspected(tmp_path / "a.tif", odd) == (40, 24)
    assert "cut off" in refusal(tmp_path / "a.tif", odd[:-1])


def test_an_unsorted_directory_is_read(tmp_path: Path) -> None:
    sorted_one = grey_tiff()
    entries = [sorted_one[10 + 12 * index : 22 + 12 * index] for index in range(9)]
    odd = sorted_one[:10] + b"".join(reversed(entries)) + sorted_one[10 + 12 * 9 :]
    assert inspected(tmp_path / "a.tif", odd) == (40, 24)


def test_of_two_entries_for_a_tag_the_first_counts(tmp_path: Path) -> None:
    sorted_one = grey_tiff(t65000=Tag(SHORT, (0,)))
    at = 10 + 12 * 9
    odd = sorted_one[:at] + struct.pack("<HHII", 256, 3, 1, 65535) + sorted_one[at + 12 :]
    assert inspected(tmp_path / "a.tif", odd) == (40, 24)


@pytest.mark.parametrize("lost", [lambda raw: raw[:-480], lambda raw: raw[:250]], ids=["half", "nearly all"])
def test_missing_pixels_are_noticed_without_sizes(tmp_path: Path, lost: Callable[[bytes], bytes]) -> None:
    assert "some of its pixels are missing" in refusal(tmp_path / "a.tif", lost(grey_tiff(t279=None)))


# ------------------------------------------------------------------------------------- how much of a photo is there


def shares(path: Path, photo: bytes, zeros: int = 0) -> list[int]:
    """Per cent that are said to be there of a photo that is cut off after 1 to 7 eighths of its bytes."""
    stated = []
    for eighths in range(1, 8):
        half = photo[: len(photo) * eighths // 8] + bytes(zeros)
        found = re.search(
            r"is damaged: the file ends after (\d+) % of the picture\. Copy it again from the card\.",
            refusal(path, half),
        )
        stated.append(int(found[1]) if found else -1)
    return stated


@pytest.mark.parametrize("zeros", [0, 3000])
@pytest.mark.parametrize(
    "photo",
    [jpeg(picture(400, 300), restart_marker_rows=1), large_photo(index_of_two("<"))],
    ids=["by restart markers", "by an index of several images"],
)
def test_a_photo_that_is_cut_off_states_how_much_is_there(tmp_path: Path, photo: bytes, zeros: int) -> None:
    assert shares(tmp_path / "a.jpg", photo, zeros) == pytest.approx([12, 25, 37, 50, 62, 75, 87], abs=9)


@pytest.mark.parametrize("photo", [PHOTO, PROGRESSIVE, large_photo(lambda size: b"MPF\0II")])
def test_a_share_that_is_not_known_is_not_stated(tmp_path: Path, photo: bytes) -> None:
    assert set(shares(tmp_path / "a.jpg", photo)) == {-1}
