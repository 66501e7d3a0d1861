"""Arbitrary files are at worst refused, and never kept in memory."""

from __future__ import annotations

import io
import os
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.intake.mutations import Mutant, mutants, refusal
from tests.intake.pictures import LONG, SHORT, Tag, jpeg, picture, tiff_structure
from tests.intake.test_whole import index_of_two, large_photo
from tui_uploader.errors import SourceRefused
from tui_uploader.intake.formats.jpeg import JpegReader
from tui_uploader.intake.inspect import inspect_image

BEGINNINGS = [b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0"]
SPLINTERS = st.sampled_from([b"\xff", b"\xff\xc0", b"\xff\xda", b"\xff\xe1", b"Exif\0\0II*\0", b"\0\x08", b"\xff\xd9"])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(BEGINNINGS), st.lists(SPLINTERS | st.binary(max_size=20), max_size=30))
def test_random_bytes(tmp_path_factory: pytest.TempPathFactory, beginning: bytes, splinters: list[bytes]) -> None:
    mutant = Mutant("jpeg" if beginning[0] == 0xFF else "tiff", "", beginning + b"".join(splinters))
    assert refusal(mutant, tmp_path_factory.getbasetemp() / f"fuzz{mutant.suffix}").isprintable()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 32))
def test_repeated_damage(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """The beginning of one mutant before the end of another."""
    several = list(mutants(8, seed))
    for one, other in zip(several, reversed(several), strict=True):
        half = one.content[: len(one.content) // 2] + other.content[len(other.content) // 2 :]
        path = tmp_path_factory.getbasetemp() / f"fuzz{one.suffix}"
        assert refusal(Mutant(one.source, "", half), path).isprintable()


MANY = 500_000
STRIPS = {256: Tag(SHORT, (1,)), 257: Tag(LONG, (MANY,)), 278: Tag(SHORT, (1,)), 259: Tag(SHORT, (5,))}
STRIPS |= {273: Tag(LONG, (), count=MANY, offset=1000), 279: Tag(LONG, (), count=MANY, offset=1000)}


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.jpg", b"\xff\xd8\xff" + b"\0" * 9),
        ("a.jpg", jpeg()[:-2]),
        ("a.jpg", jpeg(picture(), restart_marker_blocks=1)[:-2] + b"\xff\x02"),
        ("a.tif", tiff_structure(STRIPS)),
        ("a.jpg", b"\xff\xd8" + b"\xff\xd0\xff\x01" * 300_000),
        ("a.jpg", b"\xff\xd8" + b"\xff\xfe\0\2" * 300_000),
        ("a.jpg", jpeg()[:-2] + b"\xff\x01" * 300_000),
        ("a.jpg", jpeg(picture(), restart_marker_blocks=1)[:800] + b"\xff\x02" * 300_000),
    ],
    ids=[
        "no header",
        "no end",
        "reserved marker",
        "half a million strips",
        "restart markers",
        "comments",
        "markers behind pixels",
        "reserved markers in pixels",
    ],
)
def test_little_of_a_large_file_is_kept_in_memory(tmp_path: Path, name: str, head: bytes) -> None:
    (tmp_path / name).write_bytes(head)
    os.truncate(tmp_path / name, 40_000_000)
    tracemalloc.start()
    try:
        with suppress(SourceRefused):
            inspect_image(str(tmp_path / name))
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "photo",
    [large_photo(), large_photo() + bytes(4000), large_photo(index_of_two(">")) + b"\xff\xd8\xff" * 9],
    ids=["plain", "padded", "several images"],
)
def test_little_of_a_complete_photo_is_read(photo: bytes) -> None:
    class Counted(io.BytesIO):
        amount = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.amount += len(found)
            return found

    file = Counted(photo)
    reader = JpegReader(file, len(photo))
    assert reader.header().width == 400
    reader.check_pixels()
    assert file.amount < 600_000
