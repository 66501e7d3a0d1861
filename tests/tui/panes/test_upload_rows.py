"""Rows of the uploads pane, and the lines around them."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.tui.values import engine_status, project, text_of, upload_status
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, Notice, UploadStatus
from tui_uploader.tui.lines.glyphs import ASCII
from tui_uploader.tui.panes.upload_rows import (
    count_spans,
    detail_lines,
    hold_up_note,
    processing_note,
    rate_span,
    summary_spans,
)

ACTIVE = upload_status(counts=Counts(uploaded=3, waiting=7), volume=ByteCounts(total=100, stored=30))
MANY = Counts(uploaded=3, uploading=2, waiting=5)
FEW = Counts(uploaded=3, uploading=1)
TOO_FEW = Processing(reason="4 images: processing needs at least 6.")


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
    assert text_of(count_spans(upload_status(counts=counts), ASCII)) == "x1 =2 +717 ^8 .466 "
    assert text_of(count_spans(upload_status(), ASCII)) == ""


@pytest.mark.parametrize(
    ("upload", "where", "shown"),
    [
        (upload_status(counts=MANY), None, None),
        (
            upload_status(counts=Counts(uploaded=9, failed=1)),
            None,
            "1 failed file blocks processing: r retries, x removes, P processes without them",
        ),
        (
            upload_status(counts=Counts(uploaded=9, failed=12, waiting=3)),
            project(),
            "12 failed files block processing: r retries, x removes, P processes without them",
        ),
        (
            upload_status(counts=Counts(uploaded=9, failed=2), auto_process=False),
            None,
            "2 failed files: r retries, x removes, P processes without them",
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
        (upload_status(), None, "processing starts automatically after the upload; a: only with P"),
        (upload_status(auto_process=False), None, "P starts processing; a: automatically after the upload"),
        (upload_status(), project(kind=ProjectKind.RESULTS), "results are not processed"),
        (
            upload_status(state=UploadState.PREPARING, counts=MANY),
            project(kind=ProjectKind.RESULTS),
            "scanning folders, 10 files so far; results are not processed",
        ),
        (upload_status(state=UploadState.PAUSED), None, "paused; p resumes"),
        (upload_status(state=UploadState.CANCELLED), None, "cancelled; p resumes, d dismisses"),
        (upload_status(processing=Processing(ProcessingState.DONE)), None, "Processed."),
        (
            upload_status(processing=Processing(ProcessingState.WAITING, None, 240.0, 3600.0)),
            None,
            "Waiting for processing, estimated waiting time 4 min 00 s, processing time 1 h 00 min.",
        ),
        (
            upload_status(processing=Processing(ProcessingState.FAILED, reason="No overlap.")),
            None,
            "Processing failed. No overlap.",
        ),
    ],
)
def test_the_state_of_processing_or_how_it_will_start(upload: UploadStatus, where: Project | None, shown: str) -> None:
    assert processing_note(upload, where) == shown


def test_a_notice_comes_first_and_never_hides_the_numbers() -> None:
    upload = upload_status(notice=Notice("NotSignedIn", "Not\nsigned in. " * 9, True), volume=ByteCounts(10, 5, 5, 5))
    first, second, last = detail_lines(upload, None, 40)
    assert text_of(first).startswith("! Not\\x0asigned in.") and first[0].style == "error"
    assert all(cell_len(text_of(line)) <= 40 for line in (first, second))
    assert text_of(last) == "Sent 5, stored 5, in the project 5 of 10 B"


def test_the_summary_counts_uploads() -> None:
    status = engine_status(ACTIVE, upload_status(2, state=UploadState.COMPLETE), streams=8, rate=4.03e6)
    assert text_of(summary_spans(status)) == "  1 active  1 recent"
    assert text_of(summary_spans(engine_status())) == "  0 active  0 recent"
