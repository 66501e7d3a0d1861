"""The notice of an upload, and the reason of a waiting file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import PROJECT, UPLOAD, summary
from tui_uploader.engine.journal.records import UploadRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.scheduling.worker_failures import WorkerKey
from tui_uploader.engine.sources.unfinished import DeferredFile
from tui_uploader.engine.status.notices import AccountState, Hindrances, fault_of, notice_of
from tui_uploader.errors import JournalUnwritable, SignInRefused, UnforeseenFailure
from tui_uploader.model.engine import Link, LinkState
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import Notice

OPEN = AccountState("id@cloud", signed_in=True, link=Link(LinkState.UP))
DEAD = replace(OPEN, link=Link(LinkState.DOWN, since=0.0, next_try=None, reason="x"))
REFUSED = replace(OPEN, problem=SignInRefused("The secret is wrong."))


def message(
    upload: UploadRecord, account: AccountState, hindrances: Hindrances, files: dict[FileStage, int] | None = None
) -> str | None:
    notice = notice_of(with_files(upload, files or {}), upload, account, hindrances)
    return None if notice is None else notice.message


def with_files(upload: UploadRecord, files: dict[FileStage, int]) -> Summary:
    return replace(summary((upload.state, files)), uploads={upload.id: upload})


def test_notices_in_order_of_weight() -> None:
    noted = replace(UPLOAD, notice_kind="TooManyImages", notice="Too many.", state=UploadState.PAUSED)
    fault = JournalUnwritable("The disk is full.")
    assert [
        message(upload, account, Hindrances(fault=trouble))
        for upload, account, trouble in (
            (noted, REFUSED, fault),
            (noted, REFUSED, None),
            (noted, OPEN, None),
            (UPLOAD, OPEN, None),
            (replace(UPLOAD, state=UploadState.COMPLETE), REFUSED, None),
        )
    ] == ["The disk is full.", "The secret is wrong.", "Too many.", None, None]


def test_hindrances_are_shown_while_they_concern_files_of_the_upload() -> None:
    """One that passes without help is shown only where no other notice is."""
    storage = Notice("CredentialsExpired", "The storage refuses.", needs_person=True)
    registration = Notice("CloudBusy", "Not registered.", needs_person=False)
    deferred = DeferredFile(1, "/card/A.TIF", 9.0, "it changes")
    everything = Hindrances(None, storage, registration, (deferred,), "/media/card")
    assert message(UPLOAD, OPEN, everything) is None
    assert message(UPLOAD, OPEN, everything, {FileStage.READY: 1}) == "The storage refuses."
    assert message(UPLOAD, OPEN, replace(everything, storage=None), {FileStage.STORED: 1}) == "Not registered."
    assert message(UPLOAD, REFUSED, replace(everything, storage=None), {FileStage.STORED: 1}) == "The secret is wrong."
    lesser = replace(everything, storage=None, registration=None)
    assert "A.TIF may still be written" in (message(UPLOAD, OPEN, lesser, {FileStage.FOUND: 1}) or "")
    assert "/media/card does not respond" in (message(UPLOAD, OPEN, lesser, {FileStage.READY: 1}) or "")


@pytest.mark.parametrize(
    ("state", "unscanned", "failed", "moving", "needs_person"),
    [
        (UploadState.PREPARING, 1, 1, True, False),
        (UploadState.PREPARING, 1, 1, False, True),
        (UploadState.PREPARING, 2, 1, False, False),
        (UploadState.PAUSED, 2, 1, True, True),
        (UploadState.CANCELLED, 1, 1, False, None),
    ],
)
def test_a_missing_card_needs_a_person_once_there_is_nothing_else_to_do(
    state: UploadState, unscanned: int, failed: int, moving: bool, needs_person: bool | None
) -> None:
    upload = replace(
        UPLOAD, state=state, unscanned=unscanned, failed_walks=failed, walk_error="SourceVanished", walk_reason="Away."
    )
    files = {FileStage.READY: 1} if moving else {}
    notice = notice_of(with_files(upload, files), upload, OPEN, Hindrances())
    assert (notice and notice.needs_person) is needs_person
    assert notice is None or notice.message == "Away."
    both = replace(upload, state=UploadState.ACTIVE, unscanned=2, failed_walks=2)
    assert message(both, OPEN, Hindrances()) == "Away. The same is true of 1 other path of this upload."


@pytest.mark.parametrize(
    ("name", "state", "auto_process", "processing", "concerned"),
    [
        ("register", UploadState.ACTIVE, True, ProcessingState.NOT_STARTED, True),
        ("register", UploadState.COMPLETE, True, ProcessingState.NOT_STARTED, False),
        ("register", UploadState.CANCELLED, True, ProcessingState.NOT_STARTED, False),
        ("clean up", UploadState.ACTIVE, True, ProcessingState.NOT_STARTED, False),
        ("process", UploadState.ACTIVE, True, ProcessingState.NOT_STARTED, False),
        ("process", UploadState.COMPLETE, True, ProcessingState.NOT_STARTED, True),
        ("process", UploadState.COMPLETE, False, ProcessingState.NOT_STARTED, False),
        ("process", UploadState.COMPLETE, False, ProcessingState.PROCESSING, True),
        ("process", UploadState.COMPLETE, True, ProcessingState.DONE, False),
    ],
)
def test_the_failure_of_a_worker_is_shown_with_the_uploads_that_need_it(
    name: str, state: UploadState, auto_process: bool, processing: ProcessingState, concerned: bool
) -> None:
    fault = UnforeseenFailure("Again and again.")
    upload = replace(UPLOAD, state=state, auto_process=auto_process)
    project = replace(PROJECT, processing=processing)
    for of_project in (None, project.id):
        assert fault_of({WorkerKey(name, of_project): fault}, upload, project) is (fault if concerned else None)
    assert fault_of({WorkerKey(name, project.id + 1): fault}, upload, project) is None
