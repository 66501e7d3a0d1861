from __future__ import annotations

import pytest

from tests.values import COMPLETE, UPLOAD, upload
from tui_uploader.cli.waiting import SUBMISSION_PATIENCE, Ending, ending, next_silence
from tui_uploader.model.projects import Processing, ProcessingState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts, Notice, UploadStatus


def complete(**changes: object) -> UploadStatus:
    return upload(state=UploadState.COMPLETE, counts=COMPLETE.counts, bytes=COMPLETE.bytes, **changes)


def needing(kind: str) -> Notice:
    return Notice(kind, "Something needs you.", needs_person=True)


PASSING = Notice("LinkDown", "The link is down.", needs_person=False)
SUBMITTED = Processing(ProcessingState.SUBMITTED)


@pytest.mark.parametrize(
    ("status", "settled_for", "expected"),
    [
        pytest.param(UPLOAD, 0, None, id="files are moving"),
        pytest.param(upload(state=UploadState.PAUSED), 0, None, id="it may be resumed"),
        pytest.param(upload(state=UploadState.PREPARING, counts=Counts()), 0, None, id="folders are being walked"),
        pytest.param(upload(counts=Counts(duplicate=6)), 0, None, id="about to be complete"),
        pytest.param(complete(auto_process=False), 0, Ending(0), id="done"),
        pytest.param(complete(), 0, None, id="about to submit processing"),
        pytest.param(complete(notice=PASSING), 0, None, id="about to submit when the link is back"),
        pytest.param(complete(), SUBMISSION_PATIENCE, Ending(0), id="processing is late, the files are there"),
        pytest.param(complete(processing=SUBMITTED), 0, Ending(0), id="submitted"),
        pytest.param(complete(processing=Processing(reason="Too few.")), 0, Ending(0), id="will not be submitted"),
        pytest.param(complete(notice=needing("TooFewImages")), 0, Ending(0), id="too few to process"),
        pytest.param(complete(notice=needing("CloudRefused")), 0, Ending(5), id="processing was refused"),
        pytest.param(upload(counts=Counts(uploaded=9, failed=1)), 0, Ending(1), id="one failed"),
        pytest.param(upload(state=UploadState.CANCELLED), 0, Ending(1), id="cancelled"),
        pytest.param(upload(notice=needing("SignInRefused")), 0, Ending(3), id="wrong secret"),
        pytest.param(upload(notice=needing("TrustFailed")), 0, Ending(4), id="TLS is intercepted"),
        pytest.param(upload(notice=needing("CloudRefused")), 0, Ending(5), id="refused"),
        pytest.param(upload(notice=needing("JournalUnwritable")), 0, Ending(6), id="disk full"),
        pytest.param(upload(notice=needing("UnforeseenFailure")), 0, Ending(6), id="a worker fails again and again"),
        pytest.param(complete(notice=needing("UnforeseenFailure")), 0, Ending(6), id="so does starting to process"),
        pytest.param(upload(notice=needing("SourceVanished")), 0, Ending(1), id="all but a missing card is uploaded"),
        pytest.param(upload(notice=needing("NothingToUpload")), 0, Ending(2), id="empty folder, found out late"),
        pytest.param(upload(notice=PASSING), 0, None, id="the link comes back"),
    ],
)
def test_when_waiting_ends_and_how(status: UploadStatus, settled_for: float, expected: Ending | None) -> None:
    assert ending(status, settled_for) == expected


def test_pauses_between_progress_lines_grow() -> None:
    silences = [silence := 0.0]
    for _ in range(9):
        silence = next_silence(silence)
        silences.append(silence)
    assert silences == [0, 5, 10, 20, 40, 80, 160, 300, 300, 300]
