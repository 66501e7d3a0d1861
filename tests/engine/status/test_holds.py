"""Why an upload does not move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import UPLOAD, summary
from tui_uploader.engine.journal.records import UploadRecord
from tui_uploader.engine.status.holds import FREE, Held, held
from tui_uploader.engine.status.notices import AccountState, Hindrances
from tui_uploader.errors import JournalUnwritable, SignInRefused, StorageRefused, TrustFailed
from tui_uploader.model.engine import Link, LinkState
from tui_uploader.model.files import Hold
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import Notice

OPEN = AccountState("id@cloud", signed_in=True, link=Link(LinkState.UP))
DOWN = replace(OPEN, link=Link(LinkState.DOWN, since=0.0))
PAUSE = Notice("SendingPaused", "paused by the limit", needs_person=False)
NOTHING = Hindrances()
REFUSED = Notice("CredentialsExpired", "The storage refuses.", needs_person=False)

READY, SENDING, FOUND = {FileStage.READY: 2}, {FileStage.SENDING: 2, FileStage.READY: 2}, {FileStage.FOUND: 2}
STORED, FAILED, DONE = {FileStage.STORED: 2}, {FileStage.FAILED: 1, FileStage.REGISTERED: 2}, {FileStage.REGISTERED: 2}


def hold(
    files: dict[FileStage, int],
    account: AccountState = OPEN,
    hindrances: Hindrances = NOTHING,
    upload: UploadRecord = UPLOAD,
    moving: int = 0,
) -> Hold | None:
    found = replace(summary((upload.state, files)), uploads={upload.id: upload})
    return held(found, upload, account, hindrances, {upload.id: moving}).hold


def in_state(state: UploadState) -> UploadRecord:
    return replace(UPLOAD, state=state)


@pytest.mark.parametrize(
    ("files", "account", "hindrances", "expected"),
    [
        (READY, OPEN, NOTHING, Hold.QUEUED),
        (SENDING, OPEN, NOTHING, Hold.QUEUED),
        (FOUND, OPEN, NOTHING, Hold.CHECKING),
        (FOUND | STORED, OPEN, NOTHING, Hold.REGISTERING),
        (STORED, OPEN, NOTHING, Hold.REGISTERING),
        (FAILED, OPEN, NOTHING, Hold.FAILED),
        (FAILED | READY, OPEN, NOTHING, Hold.QUEUED),
        (DONE, OPEN, NOTHING, None),
        (DONE, DOWN, NOTHING, None),
        (READY, DOWN, NOTHING, Hold.OFFLINE),
        (STORED, DOWN, NOTHING, Hold.OFFLINE),
        (FAILED, DOWN, NOTHING, Hold.FAILED),
        (READY, replace(DOWN, problem=TrustFailed("Another certificate.")), NOTHING, Hold.OFFLINE),
        (READY, replace(OPEN, signed_in=False), NOTHING, Hold.SIGNED_OUT),
        (READY, replace(DOWN, problem=SignInRefused("Wrong secret.")), NOTHING, Hold.SIGNED_OUT),
        (READY, replace(OPEN, problem=StorageRefused("No access.")), NOTHING, Hold.STORAGE),
        (READY, replace(OPEN, closed=PAUSE), NOTHING, Hold.LIMIT),
        (READY, replace(OPEN, closed=PAUSE, closed_by=Hold.BUDGET), NOTHING, Hold.BUDGET),
        (FOUND, replace(OPEN, closed=PAUSE), NOTHING, Hold.CHECKING),
        (STORED, replace(OPEN, closed=PAUSE), NOTHING, Hold.REGISTERING),
        (READY, replace(DOWN, closed=PAUSE), NOTHING, Hold.OFFLINE),
        (READY, OPEN, Hindrances(storage=REFUSED), Hold.STORAGE),
        (READY, OPEN, Hindrances(postponed=2), Hold.RETRY),
        (READY, OPEN, Hindrances(postponed=1), Hold.QUEUED),
        (READY, OPEN, Hindrances(silent_disk="/media/card"), Hold.MEDIUM),
        (FOUND, OPEN, Hindrances(silent_disk="/media/card"), Hold.MEDIUM),
        (READY, OPEN, Hindrances(fault=JournalUnwritable("The disk is full.")), Hold.FAULT),
    ],
)
def test_an_upload_without_movement_names_its_reason(
    files: dict[FileStage, int], account: AccountState, hindrances: Hindrances, expected: Hold | None
) -> None:
    assert hold(files, account, hindrances) is expected


@pytest.mark.parametrize(
    ("state", "files", "expected"),
    [
        (UploadState.PAUSED, READY, Hold.PAUSED),
        (UploadState.CANCELLED, READY, Hold.CANCELLED),
        (UploadState.CANCELLED, DONE, None),
        (UploadState.COMPLETE, DONE, None),
        (UploadState.PREPARING, FOUND, Hold.CHECKING),
    ],
)
def test_the_state_of_the_upload_comes_first(
    state: UploadState, files: dict[FileStage, int], expected: Hold | None
) -> None:
    assert hold(files, DOWN if state is not UploadState.PREPARING else OPEN, upload=in_state(state)) is expected


def test_an_upload_with_a_file_in_a_stream_moves_whatever_waits_beside_it() -> None:
    everything = Hindrances(JournalUnwritable("Full."), storage=REFUSED, postponed=9, silent_disk="/media/card")
    assert hold(SENDING, replace(OPEN, closed=PAUSE), everything, moving=1) is None
    assert hold(SENDING, replace(OPEN, problem=SignInRefused("Wrong secret.")), moving=1) is None
    assert hold(SENDING, moving=1, upload=in_state(UploadState.PAUSED)) is Hold.PAUSED
    assert hold(SENDING, DOWN, moving=1) is Hold.OFFLINE, "its streams wait for their deadlines"


@pytest.mark.parametrize(
    ("error", "files", "expected"),
    [
        ("SourceVanished", {}, Hold.MEDIUM),
        ("SourceUnreadable", {}, Hold.MEDIUM),
        ("UnforeseenFailure", {}, Hold.FAULT),
        ("SourceVanished", FOUND, Hold.CHECKING),
        ("SourceVanished", READY, Hold.QUEUED),
    ],
)
def test_a_card_that_cannot_be_walked(error: str, files: dict[FileStage, int], expected: Hold) -> None:
    upload = replace(UPLOAD, unscanned=1, failed_walks=1, walk_error=error, walk_reason="Away.")
    assert hold(files, upload=upload) is expected
    assert hold({}, upload=replace(upload, unscanned=2)) is Hold.CHECKING


def test_a_queued_upload_names_the_one_that_most_streams_carry() -> None:
    found = summary(*[(UploadState.ACTIVE, SENDING)] * 4)
    assert held(found, found.uploads[1], OPEN, NOTHING, {}) == Held(Hold.QUEUED, None)
    assert held(found, found.uploads[1], OPEN, NOTHING, {3: 2, 2: 1}) == Held(Hold.QUEUED, 3)
    assert held(found, found.uploads[1], OPEN, NOTHING, {3: 2, 2: 2, 4: 0}) == Held(Hold.QUEUED, 2)
    assert held(found, found.uploads[2], OPEN, NOTHING, {3: 2, 2: 2}) == FREE
