"""The list of uploads in a tiny terminal."""

from __future__ import annotations

from tests.tui.values import engine_status, upload_status
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts
from tui_uploader.tui.panes.plain_status import plain_lines
from tui_uploader.wording.banner import Banner

OFFLINE = Banner("OFFLINE since 14:22", "next try in 8 s", "r: now", "cloud refused.", "1 upload waits.", True)


def test_a_line_for_each_upload_with_its_per_cent() -> None:
    status = engine_status(
        upload_status(1, state=UploadState.PAUSED, name="a\x1b", volume=ByteCounts(total=10, sent=3, stored=3)),
        upload_status(2, counts=Counts(waiting=1, failed=2), volume=ByteCounts(total=10, sent=4, stored=4)),
    )
    assert [line.text for line in plain_lines(status, None, 40)] == [
        "40 %, 2 failed North field",
        "30 %, paused a\\x1b",
    ]
    assert [line.text for line in plain_lines(None, None, 40)] == ["No uploads."]


def test_the_banner_comes_first_and_needs_no_new_lines_every_second() -> None:
    lines = plain_lines(engine_status(), OFFLINE, 20)
    assert [line.text for line in lines[:3]] == ["! OFFLINE since", "14:22 (r: now). 1", "upload waits."]
