"""The list of uploads in a tiny terminal."""

from __future__ import annotations

from tests.tui.values import engine_status, upload_status
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts
from tui_uploader.tui.panes.plain_status import plain_lines


def test_a_line_for_each_upload() -> None:
    status = engine_status(
        upload_status(1, state=UploadState.PAUSED, name="a\x1b"),
        upload_status(2, counts=Counts(waiting=1, failed=2), volume=ByteCounts(total=10, stored=4)),
    )
    assert plain_lines(status, "") == ["40 %, 2 failed North field", "paused a\\x1b"]
    assert plain_lines(None, "no engine") == ["no engine"]
    assert plain_lines(None, "") == ["No uploads."]
