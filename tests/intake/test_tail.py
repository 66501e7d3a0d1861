"""Zeros at the end of a file are counted exactly, and no more of the file is read than that takes."""

from __future__ import annotations

import io

import pytest

from tui_uploader.intake.tail import FARTHEST_LOOK, ends_in_zeros


@pytest.mark.parametrize("zeros", [0, 1, 4095, 4096, 4097, 20_480, 20_481, 300_000, FARTHEST_LOOK - 1, FARTHEST_LOOK])
@pytest.mark.parametrize("before", [b"\1", b"\0\1", b"x" * 5000])
def test_zeros_at_the_end_are_counted(zeros: int, before: bytes) -> None:
    content = before + bytes(zeros)
    assert ends_in_zeros(io.BytesIO(content), len(content)) == zeros


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (7, 7), (FARTHEST_LOOK + 9, FARTHEST_LOOK)])
def test_a_file_of_nothing_but_zeros_is_counted_up_to_the_farthest_look(size: int, expected: int) -> None:
    assert ends_in_zeros(io.BytesIO(bytes(size)), size) == expected


def test_a_file_that_became_shorter_ends_the_count() -> None:
    assert ends_in_zeros(io.BytesIO(bytes(10_000)), 1_000_000) == 0


def test_four_kibibytes_are_enough_for_a_file_that_was_written_to_its_end() -> None:
    class Counted(io.BytesIO):
        read_bytes = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            self.read_bytes += len(found)
            return found

    file = Counted(b"\1" * 5_000_000)
    assert ends_in_zeros(file, 5_000_000) == 0
    assert file.read_bytes <= 4096
