"""The words that both front ends use, as tables."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.values import UPLOAD, file, upload
from tui_uploader.model.engine import Bandwidth, BudgetPeriod, Link, LinkState
from tui_uploader.model.files import FileItem, Proof
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange, UploadStatus
from tui_uploader.wording.amounts import byte_rate, duration_range, percent
from tui_uploader.wording.bandwidth import budget_setting, budget_used, limit_label, limit_setting, schedule_setting
from tui_uploader.wording.commands import cancel_stakes, removed, retried, unfinished
from tui_uploader.wording.files import ASCII_GLYPHS, GLYPHS, in_short, original, other_name, reason, verification
from tui_uploader.wording.link import next_try, offline_since
from tui_uploader.wording.notices import explained
from tui_uploader.wording.uploads import (
    counts,
    outcome,
    percent_sent,
    rate,
    time_left,
    truths,
    uploaded,
    without_stale_rate,
)

MOVING = upload(rate=4.03e6, eta=EtaRange(720, 900))


# -------------------------------------------------------------------------------------------------- amounts


def test_a_rate_is_a_size_a_second() -> None:
    assert byte_rate(4_030_000) == "4.03 MB/s"


@pytest.mark.parametrize(("part", "total", "shown"), [(999, 1000, 99), (1000, 1000, 100), (0, 0, 0), (3, 2, 100)])
def test_100_percent_means_that_nothing_is_missing(part: int, total: int, shown: int) -> None:
    assert percent(part, total) == shown


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (10, 20, "10–20 s"),
        (12.1, 12.3, "12 s"),
        (0, 0, "0 s"),
        (60, 90, "60–90 s"),
        (60, 91, "1–2 min"),
        (720, 900, "12–15 min"),
        (890, 900, "15 min"),
        (9, 360, "< 6 min"),
        (3600, 5400, "60–90 min"),
        (3600, 7200, "1.0–2.0 h"),
        (60, 7200, "< 2.0 h"),
    ],
)
def test_an_estimate_has_two_ends_in_one_unit(low: float, high: float, expected: str) -> None:
    assert duration_range(low, high) == expected


# ---------------------------------------------------------------------------------------------------- files


def test_every_status_has_a_glyph_of_its_own() -> None:
    for glyphs in (GLYPHS, ASCII_GLYPHS):
        assert set(glyphs) == set(FileStatus) and len(set(glyphs.values())) == len(FileStatus)
    assert "".join(ASCII_GLYPHS.values()).isascii()


@pytest.mark.parametrize(("name", "shown"), [(None, None), ("DJI_0001.JPG", None), ("a\x1b.JPG", "a\\x1b.JPG")])
def test_only_another_name_in_the_project_is_named(name: str | None, shown: str | None) -> None:
    assert other_name(file(1, object=name)) == shown


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (file(1), None),
        (file(1, FileStatus.WAITING, reason="link down, next try 14:20:01"), "link down, next try 14:20:01"),
        (file(1, FileStatus.FAILED, reason="DJI_0001.JPG is cut off: gone."), "cut off: gone."),
        (
            file(1, FileStatus.FAILED, damaged=True, reason="DJI_0001.JPG is damaged: the file ends. Copy it again."),
            "Damaged: the file ends. Copy it again.",
        ),
        (file(1, FileStatus.FAILED, reason="DJI_0001.JPG: no permission"), "no permission"),
        (file(1, FileStatus.FAILED, reason="no\x1b[2J"), "no\\x1b[2J"),
        (
            file(1, FileStatus.DUPLICATE, duplicate_of="/x/a.JPG", reason="same content as a.JPG"),
            "copy of a.JPG",
        ),
        (file(1, FileStatus.DUPLICATE, duplicate_of="/card/DJI_0001.JPG", reason="same content"), "uploaded before"),
    ],
)
def test_a_reason_does_not_repeat_the_name_of_its_file(item: FileItem, shown: str | None) -> None:
    assert reason(item) == shown


def test_a_duplicate_names_the_file_with_the_same_content() -> None:
    assert original(file(1)) is None
    assert original(file(1, FileStatus.DUPLICATE, duplicate_of="/x/\x1b.JPG")) == "/x/\\x1b.JPG"


@pytest.mark.parametrize(
    ("proof", "shown"),
    [
        (None, None),
        (Proof.CRC32, "by checksum (crc32)"),
        (Proof.MD5, "by checksum (md5)"),
        (Proof.NONE, "Stored, but the storage confirmed no checksum."),
    ],
)
def test_how_a_file_was_verified(proof: Proof | None, shown: str | None) -> None:
    assert verification(file(1, verified=proof)) == shown


# -------------------------------------------------------------------------------------------------- uploads


@pytest.mark.parametrize(
    ("volume", "state", "shown"),
    [
        (ByteCounts(total=1000, sent=999), UploadState.ACTIVE, 99),
        (ByteCounts(total=1000, sent=1000), UploadState.ACTIVE, 100),
        (ByteCounts(total=0), UploadState.ACTIVE, 0),
        (ByteCounts(total=0), UploadState.COMPLETE, 100),
        (ByteCounts(total=10, sent=4, stored=0), UploadState.ACTIVE, 40),
    ],
)
def test_the_percentage_is_of_the_sent_bytes_as_in_the_bar(volume: ByteCounts, state: UploadState, shown: int) -> None:
    assert percent_sent(upload(bytes=volume, state=state)) == shown


@pytest.mark.parametrize(
    ("status", "speed", "left"),
    [
        (MOVING, "4.03 MB/s", "12–15 min"),
        (upload(rate=4.03e6), "4.03 MB/s", None),
        (upload(eta=EtaRange(1, 2)), None, "1–2 s"),
        (upload(rate=5.0, eta=EtaRange(1, 2), state=UploadState.PAUSED), None, None),
        (upload(rate=5.0, eta=EtaRange(1, 2), counts=Counts(failed=1)), None, None),
        (without_stale_rate(MOVING, 0), None, None),
        (without_stale_rate(MOVING, 3), "4.03 MB/s", "12–15 min"),
    ],
)
def test_rate_is_shown_only_while_something_moves_and_time_left_of_what_waits_for_it_too(
    status: UploadStatus, speed: str | None, left: str | None
) -> None:
    assert (rate(status), time_left(status)) == (speed, left)


def test_counts_leave_out_zeros() -> None:
    number = Counts(uploaded=1234, uploading=8, waiting=466, duplicate=1, failed=1)
    many = upload(counts=number, skipped=2, moving=4, registering=3)
    assert counts(many) == "1,234 uploaded, 4 uploading, 3 stored, 467 waiting, 1 duplicate, 1 failed, 2 skipped"
    assert counts(upload(counts=Counts(duplicate=2))) == "2 duplicates"
    assert counts(upload(counts=Counts())) == "no files yet"


@pytest.mark.parametrize(
    ("volume", "shown"),
    [
        (
            ByteCounts(4_000_000, 3_000_000, 2_000_000, 1_000_000),
            "Sent 3.00, stored 2.00, in the project 1.00 of 4.00 MB",
        ),
        (ByteCounts(4_000_000, 30_000, 0, 0), "Sent 30.0 KB, stored 0 B, in the project 0 B of 4.00 MB"),
        (ByteCounts(), "Sent 0, stored 0, in the project 0 of 0 B"),
    ],
)
def test_sent_stored_and_registered_are_never_mixed(volume: ByteCounts, shown: str) -> None:
    assert truths(volume) == shown


@pytest.mark.parametrize("streams", [0, 1, 4])
def test_only_files_that_streams_carry_are_called_uploading(streams: int) -> None:
    chosen = upload(counts=Counts(uploading=11, waiting=30), moving=streams)
    shown = counts(chosen)
    assert shown == (f"{streams} uploading, {41 - streams} waiting" if streams else "41 waiting")


@pytest.mark.parametrize(
    ("number", "skipped", "kind", "shown"),
    [
        (
            Counts(uploaded=456, failed=5),
            2,
            ProjectKind.IMAGES,
            "456 of 461 images in the project, 5 failed; 2 files skipped",
        ),
        (Counts(uploaded=12), 0, ProjectKind.IMAGES, "12 images in the project"),
        (Counts(uploaded=1), 1, ProjectKind.RESULTS, "1 file in the project; 1 file skipped"),
        (Counts(uploaded=3, duplicate=2), 0, ProjectKind.IMAGES, "3 images in the project, 2 duplicates"),
        (Counts(uploaded=3, waiting=6), 0, ProjectKind.IMAGES, "3 of 9 images in the project, 6 not uploaded"),
        (Counts(), 0, ProjectKind.IMAGES, "0 images in the project"),
    ],
)
def test_what_an_upload_came_to(number: Counts, skipped: int, kind: ProjectKind, shown: str) -> None:
    assert outcome(upload(counts=number, skipped=skipped, kind=kind)) == shown


def test_uploaded_counts_registered_bytes() -> None:
    assert uploaded(UPLOAD) == "4 files uploaded (400 B)"


def test_cancelling_names_the_files_and_bytes_at_stake() -> None:
    status = upload(counts=Counts(uploaded=4, uploading=1, waiting=2, duplicate=9, failed=3))
    assert unfinished(status) == 6
    assert cancel_stakes(status) == "6 files (600 B) will not be uploaded."


def test_answers_count_files() -> None:
    assert (retried(2), retried(0)) == ("Retrying 2 files.", "No failed files.")
    assert removed(1) == "1 file removed from the queue"


# ----------------------------------------------------------------------------------------------- processing


# ------------------------------------------------------------------------------- bandwidth, link and notices


@pytest.mark.parametrize(
    ("bandwidth", "settings", "used", "mark"),
    [
        (Bandwidth(), ("off", "off", "off"), "", ""),
        (
            Bandwidth(2_000_000, "Sun pause", 20_000_000_000, BudgetPeriod.WEEK, 3_420_000_000, 500_000),
            ("2 MB/s", "Sun pause", "20 GB"),
            "3.42 GB of 20 GB per week used, 16.6 GB left",
            "limit 500 KB/s",
        ),
        (
            Bandwidth(0, None, 500, BudgetPeriod.TOTAL, 600, 0, used_up=True),
            ("pause", "off", "500 B"),
            "600 B of 500 B in total used, 0 B left",
            "budget used up",
        ),
        (Bandwidth(0, rate=0), ("pause", "off", "off"), "", "sending paused"),
    ],
)
def test_bandwidth_settings_are_shown_as_they_are_typed(
    bandwidth: Bandwidth, settings: tuple[str, str, str], used: str, mark: str
) -> None:
    assert (limit_setting(bandwidth), schedule_setting(bandwidth), budget_setting(bandwidth)) == settings
    assert (budget_used(bandwidth), limit_label(bandwidth)) == (used, mark)


def at(clock: str) -> float:
    return datetime.strptime(f"2026-05-{clock}", "%Y-%m-%d %H:%M:%S").timestamp()


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (Link(LinkState.DOWN), ("OFFLINE", "")),
        (Link(LinkState.DOWN, at("12 14:02:10"), at("12 14:05:20")), ("OFFLINE since 14:02", "next try in 20 s")),
        (Link(LinkState.DOWN, at("12 14:02:10"), at("12 14:04:59")), ("OFFLINE since 14:02", "trying now")),
        (Link(LinkState.DOWN, at("10 08:30:00")), ("OFFLINE since Sun 08:30", "")),
    ],
)
def test_a_dead_link_has_a_since_and_a_next_try(link: Link, shown: tuple[str, str]) -> None:
    now = at("12 14:05:00")
    assert (offline_since(link, now), next_try(link, now)) == shown


def test_a_dead_link_of_one_account_names_it() -> None:
    assert offline_since(Link(LinkState.DOWN, at("12 14:02:10")), at("12 14:05:00"), "anna") == (
        "OFFLINE for anna since 14:02"
    )


@pytest.mark.parametrize(("kind", "hinted"), [("TrustFailed", True), ("ProxyRefused", True), ("LinkDown", False)])
def test_errors_about_settings_say_how_the_engine_gets_new_ones(kind: str, hinted: bool) -> None:
    sentence = explained(kind, "It fails.\n")
    assert sentence.startswith("It fails.\\x0a")
    assert ("tui-uploader engine stop" in sentence) == hinted


@pytest.mark.parametrize(
    ("why", "short"),
    [
        (
            "damaged: the file ends after 48 % of the picture; copy it again from the card",
            "damaged: ends after 48 %",
        ),
        ("empty file", "empty file"),
        ("The image is cut off. Copy it again.", "The image is cut off"),
    ],
)
def test_a_reason_in_short_keeps_its_numbers(why: str, short: str) -> None:
    assert in_short(why) == short
