"""What the app says before it does something."""

from __future__ import annotations

import pytest

from tests.tui.values import upload_status
from tui_uploader.model import Counts, UploadState
from tui_uploader.tui.engine.commands import left_out

FILES = "2 files from this machine are not uploaded yet and would be left out."
FOLDERS = "Not all folders are scanned yet: images found later would be left out."


@pytest.mark.parametrize(
    ("state", "counts", "said"),
    [
        (UploadState.COMPLETE, Counts(uploaded=6), []),
        (UploadState.ACTIVE, Counts(uploaded=6, waiting=1, failed=1), [FILES]),
        (UploadState.PREPARING, Counts(uploaded=6), [FOLDERS]),
        (UploadState.PREPARING, Counts(uploaded=6, uploading=2), [FILES, FOLDERS]),
    ],
)
def test_processing_does_without_what_is_not_uploaded_or_not_found_yet(
    state: UploadState, counts: Counts, said: list[str]
) -> None:
    assert left_out([upload_status(), upload_status(2, state=state, counts=counts)]) == said
