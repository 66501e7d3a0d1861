"""Signs that a program is still writing a file."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_uploader.errors import SourceVanished
from tui_uploader.intake.observation import MAX_ZERO_TAIL, observe, trailing_zeros

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
    ("write", "expected"),
    [(whole, False), (allocated_first, True), (lengthened_first, True), (black, False), (black_at_the_end, False)],
)
def test_a_large_zero_tail_is_found(tmp_path: Path, write: Callable[[Path], None], expected: bool) -> None:
    path = tmp_path / "A.TIF"
    write(path)
    assert observe(str(path)).has_zero_tail is expected


def test_a_zero_tail_of_a_large_file_is_found_in_the_part_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "A.TIF"
    path.write_bytes(b"\7" * 4_000_000 + bytes(8_000_000))
    assert observe(str(path)).has_zero_tail


def test_a_byte_written_to_a_sampled_block_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "A.TIF"
    allocated_first(path)
    before, times = observe(str(path)), path.stat()
    with path.open("r+b") as file:
        file.seek(SIZE - 1)
        file.write(b"x")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = observe(str(path))
    assert (after.size, after.mtime_ns) == (before.size, before.mtime_ns) and after.samples != before.samples


def test_holes_are_found_where_the_file_system_has_them(tmp_path: Path) -> None:
    path = tmp_path / "A.LAS"
    whole(path)
    assert not observe(str(path)).holes
    lengthened_first(path)
    if path.stat().st_blocks * 512 >= SIZE:
        pytest.skip("this file system has no holes")
    assert observe(str(path)).holes


def test_a_program_that_has_the_file_open_for_writing_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "A.JPG"
    whole(path)
    if os.major(path.stat().st_dev) == 0:
        pytest.skip("no block device below, so no lease is asked for")
    with path.open("r+b"):
        assert observe(str(path)).open_for_writing
    assert not observe(str(path)).open_for_writing
    with path.open("rb"):
        assert not observe(str(path)).open_for_writing


def test_a_missing_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(SourceVanished):
        observe(str(tmp_path / "A.JPG"))
    (tmp_path / "B.JPG").touch()
    empty = observe(str(tmp_path / "B.JPG"))
    assert (empty.size, empty.has_zero_tail, empty.holes) == (0, False, False)


@pytest.mark.parametrize("zeros", [0, 1, 4095, 4096, 4097, 20_480, 20_481, 300_000, MAX_ZERO_TAIL - 1, MAX_ZERO_TAIL])
@pytest.mark.parametrize("before", [b"\1", b"\0\1", b"x" * 5000])
def test_trailing_zeros_are_counted(zeros: int, before: bytes) -> None:
    content = before + bytes(zeros)
    assert trailing_zeros(io.BytesIO(content), len(content)) == zeros


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (7, 7), (MAX_ZERO_TAIL + 9, MAX_ZERO_TAIL)])
def test_a_file_of_nothing_but_zeros_is_counted_up_to_the_limit(size: int, expected: int) -> None:
    assert trailing_zeros(io.BytesIO(bytes(size)), size) == expected


def test_a_file_that_became_shorter_ends_the_count() -> None:
    assert trailing_zeros(io.BytesIO(bytes(10_000)), 1_000_000) == 0


def test_four_kibibytes_of_a_complete_file_are_read() -> None:
    class Counted(io.BytesIO):
        read_bytes = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.read_bytes += len(found)
            return found

    file = Counted(b"\1" * 5_000_000)
    assert trailing_zeros(file, 5_000_000) == 0
    assert file.read_bytes <= 4096
