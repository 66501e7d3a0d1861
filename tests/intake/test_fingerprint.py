"""One read gives the identity and the CRC32; a file that is not the one that was found is never taken for it."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.errors import SourceChanged, SourceUnreadable, SourceVanished
from tui_uploader.intake.fingerprint import crc32_joined, crc32_of, fingerprint
from tui_uploader.intake.scan import Candidate, candidate_of

MIB = 1 << 20


def written(path: Path, content: bytes) -> Candidate:
    path.write_bytes(content)
    return candidate_of(str(path))


@pytest.mark.parametrize("size", [0, 1, 4096, MIB - 1, MIB, MIB + 1, 3 * MIB + 17])
def test_the_sums_are_those_of_the_whole_content(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    found = fingerprint(written(tmp_path / "photo.jpg", content))
    assert found.identity == xxhash.xxh3_128_hexdigest(content)
    assert len(found.identity) == 32
    assert found.crc32 == zlib.crc32(content)
    assert found.size == size


def test_threads_do_not_mix_their_bytes(tmp_path: Path) -> None:
    contents = [os.urandom(2 * MIB + number) for number in range(12)]
    candidates = [written(tmp_path / f"{number}.jpg", content) for number, content in enumerate(contents)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(fingerprint, candidates))
    assert [each.crc32 for each in found] == [zlib.crc32(content) for content in contents]


def test_another_file_in_its_place_is_noticed(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"before")
    written(tmp_path / "other.jpg", b"after!")
    os.utime(tmp_path / "other.jpg", ns=(candidate.mtime_ns, candidate.mtime_ns))
    (tmp_path / "other.jpg").replace(tmp_path / "photo.jpg")
    with pytest.raises(SourceChanged, match=r"photo\.jpg changed"):
        fingerprint(candidate)


def test_a_file_that_grew_is_noticed(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"before")
    with (tmp_path / "photo.jpg").open("ab") as file:
        file.write(b" and more")
    with pytest.raises(SourceChanged):
        fingerprint(candidate)


def test_a_file_that_was_touched_is_noticed(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"before")
    os.utime(tmp_path / "photo.jpg", ns=(0, candidate.mtime_ns + 1))
    with pytest.raises(SourceChanged):
        fingerprint(candidate)


def replace_it(path: Path) -> None:
    (path.parent / "new").write_bytes(path.read_bytes())
    (path.parent / "new").replace(path)


@pytest.mark.parametrize(
    "meddle",
    [
        lambda path: os.truncate(path, 4 * MIB),
        lambda path: os.truncate(path, MIB),
        lambda path: os.utime(path, ns=(0, 0)),
        replace_it,
    ],
    ids=["grows", "shrinks", "touched", "replaced"],
)
def test_a_change_during_the_read_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Path], object]
) -> None:
    path = tmp_path / "photo.jpg"
    candidate = written(path, os.urandom(3 * MIB))
    real_readv, reads = os.readv, 0

    def meddling_readv(descriptor: int, buffers: Sequence[memoryview]) -> int:
        nonlocal reads
        reads += 1
        if reads == 2:
            meddle(path)
        return real_readv(descriptor, buffers)

    monkeypatch.setattr(os, "readv", meddling_readv)
    with pytest.raises(SourceChanged):
        fingerprint(candidate)


def test_a_file_that_is_gone_is_called_vanished(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"content")
    (tmp_path / "photo.jpg").unlink()
    with pytest.raises(SourceVanished, match=r"photo\.jpg is not there any more"):
        fingerprint(candidate)


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"content")
    (tmp_path / "photo.jpg").unlink()
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(SourceUnreadable, match="named pipe"):
        fingerprint(candidate)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_called_unreadable(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"content")
    (tmp_path / "photo.jpg").chmod(0)
    with pytest.raises(SourceUnreadable, match="give your user the right"):
        fingerprint(candidate)


def test_a_circle_of_links_is_called_unreadable(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").symlink_to("photo.jpg")
    with pytest.raises(SourceUnreadable, match="circle"):
        fingerprint(Candidate(str(tmp_path / "photo.jpg"), 7, 0, 0))


def test_no_control_character_of_a_name_gets_into_the_message(tmp_path: Path) -> None:
    name = os.fsdecode(b"\x1b[31m\n\xff.jpg")
    candidate = written(tmp_path / name, b"content")
    (tmp_path / name).unlink()
    with pytest.raises(SourceVanished) as caught:
        fingerprint(candidate)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("offset", "length"), [(0, 0), (0, 10), (5, MIB), (MIB - 3, 2 * MIB), (0, 3 * MIB + 5)])
def test_the_crc_of_a_part_is_that_of_exactly_its_bytes(tmp_path: Path, offset: int, length: int) -> None:
    content = os.urandom(3 * MIB + 5)
    (tmp_path / "big.tif").write_bytes(content)
    with (tmp_path / "big.tif").open("rb") as file:
        file.seek(7)
        assert crc32_of(file, offset, length) == zlib.crc32(content[offset : offset + length])
        assert file.tell() == 7


def test_a_part_beyond_the_end_is_a_changed_file(tmp_path: Path) -> None:
    (tmp_path / "big.tif").write_bytes(b"short")
    with (tmp_path / "big.tif").open("rb") as file, pytest.raises(SourceChanged, match="shorter"):
        crc32_of(file, 0, 6)


@given(st.lists(st.binary(max_size=3000), max_size=8))
def test_joined_sums_of_parts_are_the_sum_of_the_whole(parts: list[bytes]) -> None:
    assert crc32_joined((zlib.crc32(part), len(part)) for part in parts) == zlib.crc32(b"".join(parts))
