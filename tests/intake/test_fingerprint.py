"""One read gives the identity and the CRC32; a file that changed or was replaced is noticed."""

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
def test_hashes_are_those_of_the_whole_content(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    found = fingerprint(written(tmp_path / "photo.jpg", content).path)
    assert found.identity == xxhash.xxh3_128_hexdigest(content)
    assert len(found.identity) == 32
    assert found.crc32 == zlib.crc32(content)
    assert found.size == size


@pytest.mark.parametrize("part_size", [1, 7, 4096, MIB, 3 * MIB])
def test_parts_have_checksums_of_their_own_bytes(tmp_path: Path, part_size: int) -> None:
    content = os.urandom(3000 if part_size < 4096 else 3 * MIB)
    found = fingerprint(written(tmp_path / "photo.jpg", content).path, part_size=part_size)
    parts = [content[start : start + part_size] for start in range(0, len(content), part_size)]
    assert found.parts == tuple(zlib.crc32(part) for part in parts)
    assert found.crc32 == zlib.crc32(content)


def test_an_open_file_is_read_from_its_beginning_whatever_became_of_its_path(tmp_path: Path) -> None:
    written(tmp_path / "photo.jpg", b"content")
    with (tmp_path / "photo.jpg").open("rb", buffering=0) as file:
        file.read(3)
        (tmp_path / "photo.jpg").unlink()
        assert fingerprint("photo.jpg", file.fileno()).crc32 == zlib.crc32(b"content")
        assert not file.closed


def test_threads_do_not_mix_their_bytes(tmp_path: Path) -> None:
    contents = [os.urandom(2 * MIB + number) for number in range(12)]
    candidates = [written(tmp_path / f"{number}.jpg", content) for number, content in enumerate(contents)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda candidate: fingerprint(candidate.path), candidates))
    assert [each.crc32 for each in found] == [zlib.crc32(content) for content in contents]


@pytest.mark.parametrize(
    "meddle",
    [
        lambda path: os.truncate(path, 4 * MIB),
        lambda path: os.truncate(path, MIB),
        lambda path: os.utime(path, ns=(0, 0)),
    ],
    ids=["grows", "shrinks", "touched"],
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
        fingerprint(candidate.path)


def test_a_missing_file_has_vanished(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"content")
    (tmp_path / "photo.jpg").unlink()
    with pytest.raises(SourceVanished, match=r"photo\.jpg is missing"):
        fingerprint(candidate.path)


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"content")
    (tmp_path / "photo.jpg").unlink()
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(SourceUnreadable, match="named pipe"):
        fingerprint(candidate.path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    candidate = written(tmp_path / "photo.jpg", b"content")
    (tmp_path / "photo.jpg").chmod(0)
    with pytest.raises(SourceUnreadable, match="give your user the right"):
        fingerprint(candidate.path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").symlink_to("photo.jpg")
    with pytest.raises(SourceUnreadable, match="leads over a link"):
        fingerprint(str(tmp_path / "photo.jpg"))


def test_no_control_character_of_a_name_gets_into_the_message(tmp_path: Path) -> None:
    name = os.fsdecode(b"\x1b[31m\n\xff.jpg")
    candidate = written(tmp_path / name, b"content")
    (tmp_path / name).unlink()
    with pytest.raises(SourceVanished) as caught:
        fingerprint(candidate.path)
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
def test_joined_checksums_of_parts_are_the_checksum_of_the_whole(parts: list[bytes]) -> None:
    assert crc32_joined((zlib.crc32(part), len(part)) for part in parts) == zlib.crc32(b"".join(parts))
