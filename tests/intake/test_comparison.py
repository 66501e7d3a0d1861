"""Recognising files by metadata, samples and mounts."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.intake import mounts
from tui_uploader.intake.comparison import FileComparison, compare, is_on_other_card, same_mtime
from tui_uploader.intake.fingerprint import fingerprint
from tui_uploader.intake.mounts import UNKNOWN, mount_at
from tui_uploader.intake.samples import PIECE, pieces, read_samples
from tui_uploader.intake.scan import Candidate, candidate_of

SAME, LOOK, READ = FileComparison.SAME, FileComparison.LIKELY_SAME, FileComparison.CHANGED
SECOND, HOUR = 10**9, 3600 * 10**9
NOON = 1_700_000_000 * SECOND

DISK = Candidate("/card/a.jpg", size=100, mtime_ns=NOON, inode=7, ctime_ns=NOON + 5, mount="ext4, first mount")
FAT = replace(DISK, ctime_ns=None, mount="FAT, first mount")
OLD_KERNEL = replace(DISK, mount="")
NO_FACTS_BUT_TIME = replace(FAT, mount="")


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (DISK, {}, SAME),
        (DISK, {"mount": "ext4, second mount"}, LOOK),
        (DISK, {"ctime_ns": NOON + 6}, READ),
        (DISK, {"ctime_ns": NOON + 6, "mount": "ext4, second mount"}, READ),
        (DISK, {"inode": 8}, READ),
        (DISK, {"inode": 8, "mount": "ext4, second mount"}, READ),
        (DISK, {"mtime_ns": NOON + 1}, READ),
        (DISK, {"mtime_ns": NOON + HOUR}, READ),
        (DISK, {"size": 101}, READ),
        (DISK, {"ctime_ns": None, "mount": "FAT, first mount", "inode": 9}, LOOK),
        (OLD_KERNEL, {}, LOOK),
        (OLD_KERNEL, {"ctime_ns": NOON + 6}, READ),
        (FAT, {}, LOOK),
        (FAT, {"inode": 8}, LOOK),
        (FAT, {"inode": 8, "mount": "FAT, second mount"}, LOOK),
        (FAT, {"mtime_ns": NOON + HOUR, "mount": "FAT, second mount"}, LOOK),
        (FAT, {"mtime_ns": NOON - 26 * HOUR}, LOOK),
        (FAT, {"mtime_ns": NOON - 27 * HOUR}, READ),
        (FAT, {"mtime_ns": NOON + 5 * HOUR + HOUR * 3 // 4}, LOOK),
        (FAT, {"mtime_ns": NOON + 2 * SECOND}, LOOK),
        (FAT, {"mtime_ns": NOON + 3 * SECOND}, READ),
        (FAT, {"size": 99}, READ),
        (NO_FACTS_BUT_TIME, {}, LOOK),
    ],
)
def test_comparison_of_a_remembered_file_with_the_present_one(
    before: Candidate, now: dict[str, Any], expected: FileComparison
) -> None:
    found = replace(before, **now)
    assert compare(before, found) is expected
    assert compare(found, before) is expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (FAT, {"size": 101, "mount": "FAT, second mount"}, True),
        (FAT, {"mtime_ns": NOON + 27 * HOUR, "mount": "FAT, second mount"}, True),
        (FAT, {"mount": "FAT, second mount"}, False),
        (FAT, {"size": 101}, False),
        (DISK, {"size": 101, "mount": "ext4, after a restart"}, False),
        (DISK, {"size": 101, "inode": 8, "mount": "ext4, second mount"}, True),
        (OLD_KERNEL, {"size": 101}, False),
        (OLD_KERNEL, {"size": 101, "mount": "FAT"}, False),
    ],
)
def test_which_files_are_on_another_card(before: Candidate, now: dict[str, Any], expected: bool) -> None:
    assert is_on_other_card(before, replace(before, **now)) is expected


facts = st.builds(
    Candidate,
    st.just("/card/a.jpg"),
    size=st.integers(0, 2),
    mtime_ns=st.sampled_from([0, 1, SECOND, HOUR]),
    inode=st.integers(0, 1),
    ctime_ns=st.sampled_from([None, 0, 1]),
    mount=st.sampled_from(["", "one", "other"]),
)


@given(facts, facts)
def test_only_complete_and_equal_facts_are_certain(one: Candidate, other: Candidate) -> None:
    proven = one == other and one.ctime_ns is not None and one.mount != ""
    assert (compare(one, other) is SAME) is proven
    if one.size != other.size:
        assert compare(one, other) is READ


@given(st.integers(-104, 104), st.integers(-2 * SECOND, 2 * SECOND))
def test_times_shifted_by_quarters_of_an_hour_are_equal_within_two_seconds(quarters: int, beside: int) -> None:
    assert same_mtime(NOON, NOON + quarters * (HOUR // 4) + beside)


# -------------------------------------------------------------------------------------------------------- samples


@pytest.mark.parametrize(
    "size", [0, 1, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 1, 1 << 20, (4 << 20) - 1, 4 << 20, 5 << 20]
)
def test_reading_a_whole_file_gives_the_same_samples(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(os.urandom(size))
    with (tmp_path / "a").open("rb", buffering=0) as file:
        file.seek(size // 3)
        looked = read_samples(file.fileno(), size)
        assert file.tell() == size // 3
        assert {fingerprint("a", file.fileno(), part).samples for part in (None, 100_000, 1 << 20)} == {looked}
    assert sum(length for _, length in pieces(size)) <= 3 * PIECE


@pytest.mark.parametrize("at", [0, PIECE - 1, 5 << 19, (5 << 20) - PIECE, (5 << 20) - 1])
def test_other_bytes_in_a_sample_are_other_samples(tmp_path: Path, at: int) -> None:
    content = bytearray(os.urandom(5 << 20))
    (tmp_path / "a").write_bytes(content)
    before = fingerprint(str(tmp_path / "a")).samples
    content[at] ^= 1
    (tmp_path / "a").write_bytes(content)
    with (tmp_path / "a").open("rb", buffering=0) as file:
        assert read_samples(file.fileno(), len(content)) != before


def test_a_file_that_became_shorter_has_no_samples_of_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(5 << 20))
    before = fingerprint(str(tmp_path / "a")).samples
    os.truncate(tmp_path / "a", 1 << 20)
    with (tmp_path / "a").open("rb", buffering=0) as file:
        assert read_samples(file.fileno(), 5 << 20) != before


# --------------------------------------------------------------------------------------------------------- mounts


def test_files_of_one_mount_have_the_same_mount_identity(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a.jpg").touch()
    assert mount_at(str(tmp_path)) == mount_at(str(tmp_path / "inside" / "a.jpg"))
    assert mount_at("/proc").keeps_ctime is False
    if mount_at("/proc").identity:
        assert mount_at("/proc").identity != mount_at(str(tmp_path)).identity
    assert mount_at(str(tmp_path / "nowhere")) == UNKNOWN


def test_without_a_mount_identity_nothing_is_certain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on kernels before 6.8."""
    (tmp_path / "a.jpg").touch()
    monkeypatch.setattr(mounts, "_boot_id", lambda: "")
    found = candidate_of(str(tmp_path / "a.jpg"))
    assert found.mount == ""
    assert compare(found, candidate_of(str(tmp_path / "a.jpg"))) is LOOK


@pytest.mark.skipif(not mount_at("/tmp").keeps_ctime, reason="the file system under /tmp keeps no times of change")
def test_a_time_that_was_set_back_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"one")
    before = candidate_of(str(tmp_path / "a.jpg"))
    (tmp_path / "a.jpg").write_bytes(b"two")
    os.utime(tmp_path / "a.jpg", ns=(before.mtime_ns, before.mtime_ns))
    assert compare(before, candidate_of(str(tmp_path / "a.jpg"))) is READ
