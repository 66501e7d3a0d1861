"""Rows of the uploads pane: which ones, in which order, and what their cells say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.tui.values import HOSTILE, text_of, upload_status
from tui_uploader.model.files import Hold
from tui_uploader.model.projects import Processing, ProcessingState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange, Notice, UploadStatus
from tui_uploader.tui.lines.columns import header, layout, line
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE, bar
from tui_uploader.tui.panes.upload_rows import (
    FoldedUploads,
    cells,
    columns,
    count_spans,
    ordered,
    rows_of,
    sent_of,
    title_words,
)
from tui_uploader.wording.upload_states import state_words
from tui_uploader.wording.uploads import percent_sent

NOW = datetime(2026, 11, 29, 14, 22).timestamp()
AT = datetime(2026, 11, 29, 14, 2).timestamp()


def upload(number: int = 1, **fields: Any) -> UploadStatus:
    return replace(upload_status(number), **fields)


QUARRY = upload(
    1,
    project_name="Quarry May 2026",
    counts=Counts(uploaded=211, uploading=9, waiting=236, duplicate=5, failed=5),
    bytes=ByteCounts(119_000_000, 56_200_000, 55_900_000, 55_000_000),
    rate=130_000.0,
    eta=EtaRange(360, 600),
    moving=4,
)
BRIDGE = upload(2, project_name="Bridge", counts=Counts(waiting=3), hold=Hold.QUEUED, behind="Quarry May 2026")
DONE = upload(
    3,
    state=UploadState.COMPLETE,
    counts=Counts(uploaded=12),
    bytes=ByteCounts(*(3_100_000,) * 4),
    ended_at=AT,
    processing=Processing(ProcessingState.PROCESSING, None, 0.0, 1800.0, AT),
)
BROKEN = upload(4, project_name="Broken", counts=Counts(uploaded=3, failed=5), hold=Hold.FAILED)


def drawn(*uploads: UploadStatus, width: int) -> list[str]:
    found = ordered(uploads, NOW)
    shown = layout(columns(found, width, NOW, UNICODE), width)
    rows = [line(shown, cells(row, shown, found, NOW, UNICODE), UNICODE) for row in found.uploads]
    return [text_of(each) for each in (header(shown, "", False, UNICODE), *rows)]


def test_headings_and_rows() -> None:
    assert drawn(QUARRY, BRIDGE, width=78) == [
        "  Project            Sent             %      Rate  Done    Files              ",
        "⇡ Bridge             ⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀   0 % queued behind Qua⋯ ∙3                 ",
        "⇡ Quarry May 2026    ⣿⣿⣿⣿⣿⣀⣀⣀⣀⣀⣀⣀  47 %  130 KB/s  ~14:30  ✗5 =5 ✓211 ⇡4 ∙241 ",
    ]
    wide = [each.split() for each in drawn(QUARRY, width=118)]
    assert wide[0] == ["Project", "Sent", "%", "Of", "Rate", "Done", "Files"]
    assert " ".join(wide[1]).endswith("47 % 56.2 of 119 MB 130 KB/s ~14:30 (8 min) ✗5 =5 ✓211 ⇡4 ∙241")


@pytest.mark.parametrize("width", [58, 78, 118, 198])
def test_lines_fit_and_facts_are_never_cut(width: int) -> None:
    uploads = [replace(QUARRY, upload=number, project_name=name) for number, name in enumerate(HOSTILE, 10)]
    found = drawn(*uploads, BRIDGE, DONE, BROKEN, width=width)
    assert all(cell_len(each) == width for each in found)
    assert not any(ord(character) < 32 for each in found for character in each)
    quarries = [each for each in found if "130 KB/s" in each]
    assert len(quarries) == len(HOSTILE)
    assert all("47 %" in each and "✗5 =5 ✓211 ⇡4 ∙241" in each and "~14:30" in each for each in quarries)
    if width >= 118:
        assert all("56.2 of 119 MB" in each and "~14:30 (8 min)" in each for each in quarries)
        assert "queued behind Quarry" in "\n".join(found)
    assert "Project" in found[0] and "Rate" in found[0] and "Files" in found[0]
    assert ("Sent" in found[0]) is (width > 58)


def test_cells_that_are_empty_everywhere_are_left_to_the_names() -> None:
    name = "A project with quite a long name that is 48 cells"
    idle = [upload(number, project_name=name, state=UploadState.PAUSED) for number in (1, 2)]
    found = drawn(*idle, width=78)
    assert "Rate" not in found[0] and "paused" in found[1]
    narrow = drawn(*idle, QUARRY, width=78)
    assert len(found[1].partition("⣀")[0]) > len(narrow[2].partition("⣀")[0])


def test_per_cent_and_bar_say_the_same() -> None:
    """Two large files half sent, of which nothing is stored yet."""
    half = upload(bytes=ByteCounts(8_000_000, 4_000_000, 0, 0))
    assert percent_sent(half) == 50
    spans = bar(half.bytes, 20, UNICODE)
    assert sum(len(span.text) for span in spans if span.style != "ahead") == 10
    assert sent_of(half) == "4.00 of 8.00 MB"
    assert sent_of(DONE) == "3.10 MB"


def test_only_files_that_a_stream_carries_count_as_moving() -> None:
    stored = upload(counts=Counts(uploaded=717, uploading=11, waiting=460, duplicate=2, failed=1), moving=4)
    assert text_of(count_spans(stored, ASCII)) == "x1 =2 +717 ^4 .467 "
    assert text_of(count_spans(replace(stored, moving=0), ASCII)) == "x1 =2 +717 .471 "
    assert text_of(count_spans(upload(), ASCII)) == ""


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"rate": 4.0e6}, ""),
        ({}, "starting"),
        ({"hold": Hold.OFFLINE, "rate": 4.0e6}, "offline"),
        ({"hold": Hold.SIGNED_OUT}, "signed out"),
        ({"hold": Hold.BUDGET}, "budget"),
        ({"hold": Hold.LIMIT}, "limit"),
        ({"hold": Hold.CHECKING}, "checking"),
        ({"hold": Hold.QUEUED}, "starting"),
        ({"hold": Hold.QUEUED, "behind": "Flight check"}, "queued behind Flight check"),
        ({"hold": Hold.PAUSED, "state": UploadState.PAUSED}, "paused"),
        ({"state": UploadState.PAUSED}, "paused"),
        ({"counts": Counts(failed=5)}, "5 failed"),
        ({"state": UploadState.CANCELLED, "ended_at": AT}, "cancelled 14:02"),
        ({"state": UploadState.COMPLETE, "ended_at": AT}, "uploaded 14:02"),
        ({"state": UploadState.COMPLETE}, "uploaded"),
        ({"state": UploadState.COMPLETE, "processing": DONE.processing}, "processing, ~14:32"),
        ({"state": UploadState.COMPLETE, "processing": Processing(ProcessingState.SUBMITTED)}, "processing"),
        (
            {"state": UploadState.COMPLETE, "processing": Processing(ProcessingState.DONE, ended_at=AT)},
            "processed 14:02",
        ),
        ({"state": UploadState.COMPLETE, "processing": Processing(ProcessingState.FAILED)}, "processing failed"),
    ],
)
def test_what_an_upload_does_or_why_it_does_nothing(fields: dict[str, Any], shown: str) -> None:
    assert state_words(upload(**({"counts": Counts(waiting=1)} | fields)), NOW) == shown


def test_what_needs_the_user_comes_first_and_what_ended_last() -> None:
    refused = upload(7, notice=Notice("SignInRefused", "Refused.", needs_person=True))
    earlier = replace(DONE, upload=9, ended_at=AT - 60)
    found = ordered([QUARRY, BRIDGE, DONE, BROKEN, refused, earlier], NOW)
    assert [each.upload for each in found.uploads] == [7, 4, 2, 1, 3, 9]
    assert title_words(found) == ": 2 need you, 2 active, 2 finished"
    assert title_words(ordered([QUARRY, BROKEN], NOW)) == ": 1 needs you, 1 active, 0 finished"


def test_uploads_that_ended_are_folded_where_not_all_fit() -> None:
    ended = [replace(DONE, upload=number, ended_at=AT - number) for number in range(10, 15)]
    found = ordered([QUARRY, *ended], NOW)
    assert rows_of(found, 6, None, unfolded=False) == found.uploads
    assert rows_of(found, 3, None, unfolded=True) == found.uploads
    assert rows_of(found, 3, None, unfolded=False) == (QUARRY, FoldedUploads(5))
    assert rows_of(found, 3, 12, unfolded=False) == (QUARRY, ended[2], FoldedUploads(4))
    assert rows_of(ordered([QUARRY, ended[0]], NOW), 1, None, unfolded=False) == (QUARRY, ended[0])
    shown = layout(columns(found, 78, NOW, UNICODE), 78)
    assert "✓ 5 finished" in text_of(line(shown, cells(FoldedUploads(5), shown, found, NOW, UNICODE), UNICODE))


def test_uploads_of_one_name_are_told_apart() -> None:
    one = upload(1, added_at=AT)
    other = upload(2, added_at=AT + 900)
    assert ordered([one, other, QUARRY], NOW).apart == {1: "14:02", 2: "14:17"}
    assert ordered([one, replace(other, added_at=AT)], NOW).apart == {1: "#1", 2: "#2"}
    assert ordered([one, QUARRY], NOW).apart == {}
    found = drawn(replace(one, project_name="x" * 99), replace(other, project_name="x" * 99), width=58)
    assert "14:17" in found[1] and "14:02" in found[2]
