"""What the panes say, as tables."""

from __future__ import annotations

from datetime import datetime

import pytest
from rich.cells import cell_len

from tests.tui.values import engine_status, file_item, project, upload_status
from tui_uploader.model import (
    Account,
    Counts,
    EtaRange,
    FileItem,
    FileStatus,
    Link,
    LinkState,
    Notice,
    Processing,
    ProcessingState,
    Project,
    ProjectKind,
    Proof,
    SortKey,
    UploadState,
    UploadStatus,
    Volume,
)
from tui_uploader.tui.lines.glyphs import ASCII, Span
from tui_uploader.tui.messages import Attachment
from tui_uploader.tui.panes.empty_state import empty_lines
from tui_uploader.tui.panes.file_filter import FileFilter, parse_filter
from tui_uploader.tui.panes.file_rows import (
    FileRate,
    clicked_sort,
    count_words,
    file_rates,
    next_sort,
    next_status,
    state_spans,
)
from tui_uploader.tui.panes.plain_status import plain_lines
from tui_uploader.tui.panes.project_rows import (
    ProjectRow,
    files_words,
    matching,
    processing_words,
    project_rows,
    state_words,
)
from tui_uploader.tui.panes.upload_rows import (
    count_spans,
    detail_lines,
    eta_words,
    hold_up_note,
    link_spans,
    percent_stored,
    processing_note,
    rate_span,
    summary_spans,
    truths,
    without_stale_rate,
)
from tui_uploader.tui.screens.details import file_lines


def said(spans: object) -> str:
    assert isinstance(spans, (list, tuple))
    return "".join(span.text for span in spans if isinstance(span, Span))


@pytest.mark.parametrize(
    ("item", "rate", "shown"),
    [
        (file_item(status=FileStatus.UPLOADING, sent=2_000_000), 1e6, "----....  50 % 1.00 MB/s"),
        (file_item(status=FileStatus.UPLOADING), 0.0, "........   0 %"),
        (file_item(status=FileStatus.UPLOADING, reason="stored; being registered"), 0, "stored; being registered"),
        (file_item(status=FileStatus.UPLOADED, object="DJI_0001.JPG"), 0, "uploaded"),
        (file_item(status=FileStatus.UPLOADED, object="DJI_0001-1f3a9c.JPG"), 0, "uploaded as DJI_0001-1f3a9c.JPG"),
        (file_item(reason="link down, next try 14:20:01"), 0, "link down, next try 14:20:01"),
        (file_item(), 0, "waiting"),
        (file_item(status=FileStatus.DUPLICATE, duplicate_of="/card/DJI_0001.JPG"), 0, "uploaded before"),
        (
            file_item(status=FileStatus.DUPLICATE, duplicate_of="/x/a.JPG", reason="same content as a.JPG"),
            0,
            "same content as a.JPG",
        ),
        (file_item(status=FileStatus.FAILED, reason="DJI_0001.JPG is cut off: gone."), 0, "cut off: gone."),
        (file_item(status=FileStatus.FAILED, reason="no\x1b[2J"), 0, "no\\x1b[2J"),
    ],
)
def test_a_file_says_how_it_stands(item: FileItem, rate: float, shown: str) -> None:
    assert said(state_spans(item, rate, ASCII)) == shown


def test_the_rate_of_a_file_is_what_it_moved_since_it_was_seen() -> None:
    moving = [file_item(1, status=FileStatus.UPLOADING, sent=1_000_000), file_item(2)]
    first = file_rates({}, moving, 10.0)
    assert first == {1: FileRate(1_000_000, 10.0, 0.0)}
    later = [file_item(1, status=FileStatus.UPLOADING, sent=3_000_000)]
    assert file_rates(first, later, 12.0) == {1: FileRate(3_000_000, 12.0, 1_000_000.0)}
    assert file_rates(first, later, 10.0) == first
    started_over = [file_item(1, status=FileStatus.UPLOADING, sent=10)]
    assert file_rates(first, started_over, 12.0) == {1: FileRate(10, 12.0, 0.0)}


def test_every_status_and_every_order_comes_round() -> None:
    status: FileStatus | None = None
    seen = set()
    for _ in range(len(FileStatus) + 1):
        status = next_status(status)
        seen.add(status)
    assert status is None and seen == {None, *FileStatus}
    order: tuple[SortKey, bool] = ("added", False)
    orders = []
    for _ in range(7):
        order = next_sort(*order)
        orders.append(order)
    assert order == ("added", False) and len(set(orders)) == 7


def test_a_click_on_a_title_sorts_and_the_next_turns_it_round() -> None:
    assert clicked_sort("size", "added", False) == ("size", False)
    assert clicked_sort("size", "size", False) == ("size", True)
    assert clicked_sort("size", "size", True) == ("size", False)


def test_the_count_tells_of_how_many() -> None:
    assert count_words(37, Counts(uploaded=12_480), True) == "37 of 12,480"
    assert count_words(12_480, Counts(uploaded=12_480), False) == "12,480"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", FileFilter()),
        ("dji_01", FileFilter(text="dji_01")),
        ("!dji 01", FileFilter(text="!dji 01")),
        (":failed", FileFilter(FileStatus.FAILED)),
        (":FAILED", FileFilter(FileStatus.FAILED)),
        (":f", FileFilter(FileStatus.FAILED)),
        (":u", FileFilter(FileStatus.UPLOADING)),
        (":uploaded", FileFilter(FileStatus.UPLOADED)),
        (":", FileFilter()),
        ("!:uploaded", FileFilter(except_status=FileStatus.UPLOADED)),
        (":waiting 0042", FileFilter(FileStatus.WAITING, text="0042")),
        ("!dji :dup", FileFilter(FileStatus.DUPLICATE, text="!dji")),
        (":waiting !:dup x", FileFilter(FileStatus.WAITING, FileStatus.DUPLICATE, "x")),
        (":failed :waiting", FileFilter(FileStatus.WAITING)),
        (":nothing", FileFilter(text=":nothing")),
        ("a:failed", FileFilter(text="a:failed")),
        (" a ", FileFilter(text=" a ")),
    ],
)
def test_a_filter_of_files_takes_names_and_statuses(typed: str, meant: FileFilter) -> None:
    assert parse_filter(typed) == meant


ACTIVE = upload_status(counts=Counts(uploaded=3, waiting=7), volume=Volume(total=100, stored=30))


@pytest.mark.parametrize(
    ("row", "files", "state"),
    [
        (ProjectRow(project(uploads=(1,)), (ACTIVE,)), "3/10", "30 %"),
        (ProjectRow(project(uploads=(1,), images=1711)), "1,711", ""),
        (ProjectRow(project(uploads=(1,)), (upload_status(state=UploadState.PAUSED),)), "", "paused"),
        (ProjectRow(project(uploads=(1,)), (upload_status(counts=Counts(failed=2)),)), "0/2", "2 failed"),
        (
            ProjectRow(project(uploads=(1,)), (upload_status(state=UploadState.COMPLETE, counts=Counts(uploaded=4)),)),
            "4",
            "uploaded",
        ),
        (ProjectRow(project(uploads=(1,)), (upload_status(state=UploadState.COMPLETE),)), "", "empty"),
        (ProjectRow(project(processing=Processing(word="CREATED"))), "", "created"),
        (ProjectRow(project(processing=Processing(ProcessingState.DONE, "PROCESSED"))), "", "done"),
    ],
)
def test_a_project_says_how_it_stands(row: ProjectRow, files: str, state: str) -> None:
    assert (files_words(row), state_words(row)) == (files, state)


@pytest.mark.parametrize(
    ("processing", "shown"),
    [
        (Processing(ProcessingState.PROCESSING, "PROCESSING"), "processing"),
        (Processing(ProcessingState.PROCESSING, "CALIBRATING"), "CALIBRATING"),
        (Processing(ProcessingState.WAITING, "Waiting for credits"), "Waiting for credits"),
        (Processing(ProcessingState.SUBMITTED, "CREATED"), "submitted"),
        (Processing(ProcessingState.FAILED, "ERROR"), "failed"),
        (Processing(ProcessingState.PROCESSING, "\x1b[31m"), "\\x1b[31m"),
    ],
)
def test_the_services_own_word_is_shown_where_it_tells_more(processing: Processing, shown: str) -> None:
    assert processing_words(processing) == shown


def test_projects_of_this_machine_come_first_and_the_newest_on_top() -> None:
    projects = [project("old", id="1", uploads=(1,)), project("new", id="2", uploads=(4,)), project("other", id="3")]
    rows = project_rows(projects, engine_status(upload_status(1, project="1"), upload_status(4, project="2")))
    assert [row.project.name for row in rows] == ["new", "old", "other"]
    assert [row.upload for row in rows] == [4, 1, None]


def test_an_upload_stands_for_a_project_that_is_not_listed_yet() -> None:
    (row,) = project_rows([], engine_status(upload_status(1), upload_status(2)))
    assert row.project.name == "North field" and row.upload == 2


def test_a_row_stays_the_same_when_its_project_gets_its_id() -> None:
    before, after = project(id=None, uploads=(3,)), project(id="77", uploads=(3, 5))
    assert ProjectRow(before).key == ProjectRow(after).key


@pytest.mark.parametrize(("text", "names"), [("", "ab"), ("A", "a"), ("!a", "b"), ("!", "ab"), ("z", "")])
def test_a_filter_takes_part_of_the_name_or_its_opposite(text: str, names: str) -> None:
    rows = [ProjectRow(project("a", id="1")), ProjectRow(project("b", id="2"))]
    assert "".join(row.project.name for row in matching(rows, text)) == names


@pytest.mark.parametrize(
    ("upload", "stored", "rate", "eta"),
    [
        (upload_status(counts=Counts(uploading=1), rate=4.03e6, eta=EtaRange(720, 900)), 0, "4.03 MB/s", "12-15 min"),
        (upload_status(counts=Counts(uploading=1), rate=4.03e6, eta=EtaRange(9, 360)), 0, "4.03 MB/s", "< 6 min"),
        (upload_status(counts=Counts(uploading=1), rate=4.03e6), 0, "4.03 MB/s", ""),
        (upload_status(counts=Counts(waiting=1)), 0, "waiting", ""),
        (upload_status(counts=Counts(failed=1)), 0, "failed", ""),
        (upload_status(state=UploadState.PAUSED, eta=EtaRange(1, 2)), 0, "paused", ""),
        (upload_status(counts=Counts(uploading=1), eta=EtaRange(1, 2)), 0, "waiting", ""),
        (upload_status(state=UploadState.COMPLETE), 100, "complete", ""),
        (upload_status(state=UploadState.CANCELLED, volume=Volume(total=10, stored=5)), 50, "cancelled", ""),
    ],
)
def test_an_upload_says_how_fast_it_is(upload: UploadStatus, stored: int, rate: str, eta: str) -> None:
    assert (percent_stored(upload), rate_span(upload).text, eta_words(upload)) == (stored, rate, eta)


def test_a_rate_is_shown_only_while_something_moves() -> None:
    moving = upload_status(counts=Counts(uploading=1), rate=5.0, eta=EtaRange(1, 2))
    assert without_stale_rate(moving, 3) is moving
    still = without_stale_rate(moving, 0)
    assert (rate_span(still).text, eta_words(still)) == ("waiting", "")


def test_counts_begin_with_what_needs_somebody() -> None:
    counts = Counts(uploaded=717, uploading=8, waiting=466, duplicate=2, failed=1)
    assert said(count_spans(upload_status(counts=counts), ASCII)) == "x1 !2 +717 ^8 .466 "
    assert said(count_spans(upload_status(), ASCII)) == ""


@pytest.mark.parametrize(
    ("volume", "skipped", "shown"),
    [
        (Volume(4_000_000, 3_000_000, 2_000_000, 1_000_000), 0, "sent 3.00, stored 2.00, registered 1.00 of 4.00 MB"),
        (Volume(4_000_000, 30_000, 0, 0), 2, "sent 30.0 KB, stored 0 B, registered 0 B of 4.00 MB; 2 paths skipped"),
        (Volume(), 0, "sent 0, stored 0, registered 0 of 0 B"),
    ],
)
def test_the_three_truths_fit_into_a_line(volume: Volume, skipped: int, shown: str) -> None:
    assert truths(upload_status(volume=volume, skipped=skipped)) == shown
    assert len(shown) < 80


MANY = Counts(uploaded=3, uploading=2, waiting=5)
FEW = Counts(uploaded=3, uploading=1)
TOO_FEW = Processing(reason="4 images: processing needs at least 6.")


@pytest.mark.parametrize(
    ("upload", "where", "shown"),
    [
        (upload_status(counts=MANY), None, None),
        (
            upload_status(counts=Counts(uploaded=9, failed=1)),
            None,
            "1 failed file holds up processing: r retries, x removes, s starts without",
        ),
        (
            upload_status(counts=Counts(uploaded=9, failed=12, waiting=3)),
            project(),
            "12 failed files hold up processing: r retries, x removes, s starts without",
        ),
        (
            upload_status(counts=Counts(uploaded=9, failed=2), auto_process=False),
            None,
            "2 failed files: r retries, x removes, s starts without",
        ),
        (upload_status(counts=FEW), None, "4 images: processing needs at least 6; u adds more"),
        (upload_status(counts=FEW), project(images=40), None),
        (upload_status(counts=FEW), project(kind=ProjectKind.RESULTS), None),
        (upload_status(counts=FEW, auto_process=False), None, None),
        (upload_status(counts=FEW, state=UploadState.PREPARING), None, None),
        (upload_status(counts=FEW, state=UploadState.PAUSED), None, None),
        (
            upload_status(counts=FEW, state=UploadState.COMPLETE, processing=TOO_FEW),
            None,
            "not processed: 4 images: processing needs at least 6.",
        ),
        (upload_status(counts=FEW, processing=Processing(ProcessingState.DONE)), None, None),
    ],
)
def test_what_holds_up_processing_is_told(upload: UploadStatus, where: Project | None, shown: str | None) -> None:
    assert hold_up_note(upload, where) == shown


@pytest.mark.parametrize(
    ("upload", "where", "shown"),
    [
        (upload_status(), None, "processing starts by itself when all is uploaded; a: only with s"),
        (upload_status(auto_process=False), None, "processing starts with s; a: by itself when all is uploaded"),
        (upload_status(), project(kind=ProjectKind.RESULTS), "results are not processed"),
        (
            upload_status(state=UploadState.PREPARING, counts=MANY),
            project(kind=ProjectKind.RESULTS),
            "looking through the folders, 10 files so far; results are not processed",
        ),
        (upload_status(state=UploadState.PAUSED), None, "paused: p goes on with it"),
        (upload_status(state=UploadState.CANCELLED), None, "cancelled: p goes on with it, d takes it off the list"),
        (upload_status(processing=Processing(ProcessingState.DONE)), None, "processing: done"),
        (
            upload_status(processing=Processing(ProcessingState.WAITING, None, 240.0, 3600.0)),
            None,
            "processing: waiting, estimated 4 min 00 s of waiting and 1 h 00 min of work",
        ),
        (
            upload_status(processing=Processing(ProcessingState.FAILED, reason="No overlap.")),
            None,
            "processing failed: No overlap.",
        ),
    ],
)
def test_what_becomes_of_the_images(upload: UploadStatus, where: Project | None, shown: str) -> None:
    assert processing_note(upload, where) == shown


def test_a_notice_comes_before_all_else_and_never_takes_the_place_of_the_numbers() -> None:
    upload = upload_status(notice=Notice("NotSignedIn", "Nobody is\nsigned in. " * 9, True), volume=Volume(10, 5, 5, 5))
    first, second, last = detail_lines(upload, None, 40)
    assert said(first).startswith("! Nobody is\\x0asigned in.") and first[0].style == "error"
    assert all(cell_len(said(line)) <= 40 for line in (first, second))
    assert said(last) == "sent 5, stored 5, registered 5 of 10 B"


def at(clock: str) -> float:
    return datetime.strptime(f"2026-05-12 {clock}", "%Y-%m-%d %H:%M:%S").timestamp()


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (Link(), ""),
        (Link(LinkState.UP, since=1.0), "link up"),
        (Link(LinkState.DOWN, at("14:02:10"), at("14:05:20")), "link down since 14:02, next try 0:20"),
        (Link(LinkState.DOWN, at("14:02:10"), at("14:04:59")), "link down since 14:02, trying now"),
        (Link(LinkState.DOWN), "link down"),
    ],
)
def test_a_dead_link_tells_since_when_and_until_when(link: Link, shown: str) -> None:
    assert said(link_spans(link, at("14:05:00"))) == shown


def test_the_summary_counts_what_moves() -> None:
    status = engine_status(ACTIVE, upload_status(2, state=UploadState.COMPLETE), streams=8, rate=4.03e6)
    assert said(summary_spans(status)) == "  1 active  1 recent  8 streams  4.03 MB/s"
    assert said(summary_spans(engine_status())) == "  0 active  0 recent"


def test_a_tiny_terminal_gets_a_list() -> None:
    status = engine_status(
        upload_status(1, state=UploadState.PAUSED, name="a\x1b"),
        upload_status(2, counts=Counts(waiting=1, failed=2), volume=Volume(total=10, stored=4)),
    )
    assert plain_lines(status, "") == ["40 %, 2 failed North field", "paused a\\x1b"]
    assert plain_lines(None, "no engine") == ["no engine"]
    assert plain_lines(None, "") == ["No uploads."]


ME = (Account("a", "b", "c", "file"),)


@pytest.mark.parametrize(
    ("attachment", "accounts", "row", "wanted"),
    [
        (Attachment.ATTACHING, None, None, "Connecting to the engine"),
        (Attachment.GONE, ME, None, "E starts it"),
        (Attachment.OTHER_VERSION, ME, None, "is running and its uploads continue"),
        (Attachment.OTHER_VERSION, ME, None, "E restarts the engine"),
        (Attachment.ATTACHED, (), None, "tui-uploader login"),
        (Attachment.ATTACHED, ME, None, "u uploads files"),
        (Attachment.ATTACHED, None, None, "u uploads files"),
        (Attachment.ATTACHED, ME, ProjectRow(project()), "No uploads to North field from this machine."),
    ],
)
def test_an_empty_screen_says_what_to_do(
    attachment: Attachment, accounts: tuple[Account, ...] | None, row: ProjectRow | None, wanted: str
) -> None:
    assert wanted in "\n".join(empty_lines(attachment, accounts, row, None))


@pytest.mark.parametrize(
    ("state", "wanted"), [(UploadState.PREPARING, "No files found yet."), (UploadState.COMPLETE, "has no files")]
)
def test_an_upload_without_files_says_whether_any_are_to_come(state: UploadState, wanted: str) -> None:
    assert wanted in "\n".join(empty_lines(Attachment.ATTACHED, ME, ProjectRow(project()), upload_status(state=state)))


@pytest.mark.parametrize(
    ("verified", "told"),
    [
        (None, None),
        (Proof.CRC32, "by checksum (crc32)"),
        (Proof.MD5, "by checksum (md5)"),
        (Proof.NONE, "Stored, but the storage confirmed no checksum."),
    ],
)
def test_details_tell_how_a_file_was_verified(verified: Proof | None, told: str | None) -> None:
    assert dict(file_lines(file_item(status=FileStatus.UPLOADED, verified=verified))).get("Verified") == told
