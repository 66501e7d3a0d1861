"""What one look at a file tells of a program that still writes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_uploader.errors import SourceVanished
from tui_uploader.intake.observation import look_at

SIZE = 300_000


def whole(path: Path) -> None:
    path.write_bytes(b"\7" * SIZE)


def allocated_first(path: Path) -> None:
    """A third of the bytes, and zeros that take their place on the disk."""
    path.write_bytes(b"\7" * (SIZE // 3) + bytes(SIZE - SIZE // 3))


def lengthened_first(path: Path) -> None:
    path.write_bytes(b"\7" * (SIZE // 3))
    os.truncate(path, SIZE)


def black(path: Path) -> None:
    path.write_bytes(b"II*\0" + b"\7" * 200 + bytes(SIZE))


def black_at_the_end(path: Path) -> None:
    path.write_bytes(b"\7" * SIZE + bytes(5000))


@pytest.mark.parametrize(
    ("write", "gap"),
    [(whole, False), (allocated_first, True), (lengthened_first, True), (black, False), (black_at_the_end, False)],
)
def test_a_large_gap_at_the_end_is_seen(tmp_path: Path, write: Callable[[Path], None], gap: bool) -> None:
    path = tmp_path / "A.TIF"
    write(path)
    assert look_at(str(path)).has_gap is gap


def test_a_gap_of_a_large_file_is_seen_in_what_is_read_of_its_end(tmp_path: Path) -> None:
    path = tmp_path / "A.TIF"
    path.write_bytes(b"\7" * 4_000_000 + bytes(8_000_000))
    assert look_at(str(path)).has_gap


def test_any_byte_that_a_copy_brings_near_the_samples_makes_another_look(tmp_path: Path) -> None:
    path = tmp_path / "A.TIF"
    allocated_first(path)
    before, times = look_at(str(path)), path.stat()
    with path.open("r+b") as file:
        file.seek(SIZE - 1)
        file.write(b"x")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = look_at(str(path))
    assert (after.size, after.mtime_ns) == (before.size, before.mtime_ns) and after.samples != before.samples


def test_holes_are_seen_where_the_file_system_has_them(tmp_path: Path) -> None:
    path = tmp_path / "A.LAS"
    whole(path)
    assert not look_at(str(path)).holes
    lengthened_first(path)
    if path.stat().st_blocks * 512 >= SIZE:
        pytest.skip("this file system has no holes")
    assert look_at(str(path)).holes


def test_a_program_that_has_the_file_open_for_writing_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "A.JPG"
    whole(path)
    if os.major(path.stat().st_dev) == 0:
        pytest.skip("no block device below, so nobody asks for leases")
    with path.open("r+b"):
        assert look_at(str(path)).written
    assert not look_at(str(path)).written
    with path.open("rb"):
        assert not look_at(str(path)).written


def test_a_file_that_is_gone_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(SourceVanished):
        look_at(str(tmp_path / "A.JPG"))
    (tmp_path / "B.JPG").touch()
    look = look_at(str(tmp_path / "B.JPG"))
    assert (look.size, look.has_gap, look.holes) == (0, False, False)
