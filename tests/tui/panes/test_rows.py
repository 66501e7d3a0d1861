"""What the panes say, as tables."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.tui.values import engine_status, file_item, project, upload_status
from tui_uploader.model import (
    Account,
    Counts,
    FileItem,
    FileStatus,
    Notice,
    Processing,
    ProcessingState,
    Project,
    ProjectKind,
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
    project_rows,
    state_words,
)
from tui_uploader.tui.panes.upload_rows import (
    count_spans,
    detail_lines,
    hold_up_note,
    processing_note,
    rate_span,
    summary_spans,
)


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
    ("upload", "shown"),
    [
        (upload_status(counts=Counts(uploading=1), rate=4.03e6), "4.03 MB/s"),
        (upload_status(counts=Counts(waiting=1)), "waiting"),
        (upload_status(counts=Counts(failed=1)), "failed"),
        (upload_status(state=UploadState.PAUSED), "paused"),
        (upload_status(state=UploadState.COMPLETE), "complete"),
        (upload_status(state=UploadState.CANCELLED), "cancelled"),
    ],
)
def test_an_upload_shows_its_rate_or_its_state(upload: UploadStatus, shown: str) -> None:
    assert rate_span(upload).text == shown


def test_counts_begin_with_problems() -> None:
    counts = Counts(uploaded=717, uploading=8, waiting=466, duplicate=2, failed=1)
    assert said(count_spans(upload_status(counts=counts), ASCII)) == "x1 !2 +717 ^8 .466 "
    assert said(count_spans(upload_status(), ASCII)) == ""


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
            "1 failed file blocks processing: r retries, x removes, s starts anyway",
        ),
        (
            upload_status(counts=Counts(uploaded=9, failed=12, waiting=3)),
            project(),
            "12 failed files block processing: r retries, x removes, s starts anyway",
        ),
        (
            upload_status(counts=Counts(uploaded=9, failed=2), auto_process=False),
            None,
            "2 failed files: r retries, x removes, s starts anyway",
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
def test_a_blocked_upload_says_how_to_unblock_it(
    upload: UploadStatus, where: Project | None, shown: str | None
) -> None:
    assert hold_up_note(upload, where) == shown


@pytest.mark.parametrize(
    ("upload", "where", "shown"),
    [
        (upload_status(), None, "processing starts automatically after the upload; a: only with s"),
        (upload_status(auto_process=False), None, "s starts processing; a: automatically after the upload"),
        (upload_status(), project(kind=ProjectKind.RESULTS), "results are not processed"),
        (
            upload_status(state=UploadState.PREPARING, counts=MANY),
            project(kind=ProjectKind.RESULTS),
            "scanning folders, 10 files so far; results are not processed",
        ),
        (upload_status(state=UploadState.PAUSED), None, "paused; p resumes"),
        (upload_status(state=UploadState.CANCELLED), None, "cancelled; p resumes, d dismisses"),
        (upload_status(processing=Processing(ProcessingState.DONE)), None, "Processing: done."),
        (
            upload_status(processing=Processing(ProcessingState.WAITING, None, 240.0, 3600.0)),
            None,
            "Processing: waiting; estimated waiting time 4 min 00 s, processing time 1 h 00 min.",
        ),
        (
            upload_status(processing=Processing(ProcessingState.FAILED, reason="No overlap.")),
            None,
            "Processing: failed. No overlap.",
        ),
    ],
)
def test_how_processing_stands_or_will_start(upload: UploadStatus, where: Project | None, shown: str) -> None:
    assert processing_note(upload, where) == shown


def test_a_notice_comes_first_and_never_hides_the_numbers() -> None:
    upload = upload_status(notice=Notice("NotSignedIn", "Not\nsigned in. " * 9, True), volume=Volume(10, 5, 5, 5))
    first, second, last = detail_lines(upload, None, 40)
    assert said(first).startswith("! Not\\x0asigned in.") and first[0].style == "error"
    assert all(cell_len(said(line)) <= 40 for line in (first, second))
    assert said(last) == "sent 5, stored 5, registered 5 of 10 B"


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
