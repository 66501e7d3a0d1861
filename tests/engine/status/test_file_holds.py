"""Why a single file does not move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import FILE, UPLOAD
from tui_uploader.engine.journal.records import FileRecord, UploadRecord
from tui_uploader.engine.status.file_holds import FileHold, FileSituation, file_hold
from tui_uploader.engine.status.notices import AccountState
from tui_uploader.errors import SignInRefused
from tui_uploader.model.engine import Link, LinkState
from tui_uploader.model.files import Hold
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import Notice

OPEN = AccountState("id@cloud", signed_in=True, link=Link(LinkState.UP))
DOWN = replace(OPEN, link=Link(LinkState.DOWN, since=0.0, next_try=1e9, reason="x"))
REFUSED = replace(OPEN, problem=SignInRefused("The secret is wrong."))
CLOSED = replace(OPEN, closed=Notice("SendingPaused", "Nothing is sent now.", needs_person=False))
USED_UP = replace(CLOSED, closed_by=Hold.BUDGET)
PAUSED, CANCELLED = (replace(UPLOAD, state=state) for state in (UploadState.PAUSED, UploadState.CANCELLED))
FOUND, SENDING, STORED = (
    replace(FILE, stage=stage) for stage in (FileStage.FOUND, FileStage.SENDING, FileStage.STORED)
)
FREE = FileSituation()
MOVING, SILENT, FAULT = FileSituation(moving=True), FileSituation(silent=True), FileSituation(fault=True)
CHANGING = FileSituation(pause=(4.0, "it changes"))
UNREGISTERED = FileSituation(obstacle="Busy.")
REFUSING = FileSituation(storage="The storage is full.")
RETRY = FileSituation(pause=(12.4, "The cloud is busy."))


@pytest.mark.parametrize(
    ("row", "upload", "account", "situation", "expected"),
    [
        (FILE, UPLOAD, OPEN, FREE, (Hold.QUEUED, "next")),
        (FOUND, UPLOAD, OPEN, FREE, (Hold.CHECKING, "waiting to be checked")),
        (FILE, PAUSED, DOWN, FREE, (Hold.PAUSED, "paused")),
        (FOUND, CANCELLED, OPEN, FREE, (Hold.CANCELLED, "cancelled")),
        (FILE, UPLOAD, DOWN, FREE, (Hold.OFFLINE, "offline")),
        (FOUND, UPLOAD, DOWN, FREE, (Hold.OFFLINE, "offline")),
        (FILE, UPLOAD, REFUSED, FREE, (Hold.SIGNED_OUT, "signed out")),
        (FILE, UPLOAD, replace(OPEN, signed_in=False), FREE, (Hold.SIGNED_OUT, "signed out")),
        (FILE, UPLOAD, CLOSED, FREE, (Hold.LIMIT, "no sending at this time")),
        (FOUND, UPLOAD, USED_UP, FREE, (Hold.BUDGET, "data budget used up")),
        (FILE, UPLOAD, OPEN, SILENT, (Hold.MEDIUM, "its memory card or disk does not respond")),
        (FILE, UPLOAD, OPEN, FAULT, (Hold.FAULT, "a part of the engine does not work")),
        (FILE, UPLOAD, OPEN, REFUSING, (Hold.STORAGE, "the storage refuses it for now")),
        (FOUND, UPLOAD, OPEN, REFUSING, (Hold.CHECKING, "waiting to be checked")),
        (FILE, UPLOAD, OPEN, RETRY, (Hold.RETRY, "retry in 12 s: The cloud is busy.")),
        (FILE, UPLOAD, DOWN, RETRY, (Hold.OFFLINE, "offline")),
        (
            FOUND,
            UPLOAD,
            OPEN,
            replace(FREE, pause=(4.0, "it changes")),
            (Hold.CHECKING, "it changes; checked again in 4 s"),
        ),
        # Only what a stream carries moves; the others that were picked wait for a stream.
        (SENDING, UPLOAD, OPEN, MOVING, (None, None)),
        (SENDING, UPLOAD, CLOSED, MOVING, (None, None)),
        (SENDING, UPLOAD, DOWN, MOVING, (Hold.OFFLINE, "offline")),
        (SENDING, UPLOAD, OPEN, FREE, (Hold.QUEUED, "next")),
        (STORED, UPLOAD, OPEN, FREE, (Hold.REGISTERING, "Stored, adding to the project")),
        (
            STORED,
            UPLOAD,
            DOWN,
            FREE,
            (Hold.REGISTERING, "Stored; added to the project when online"),
        ),
        (
            STORED,
            UPLOAD,
            OPEN,
            replace(FREE, obstacle="Busy."),
            (Hold.REGISTERING, "Stored, not in the project yet: Busy."),
        ),
        (replace(FILE, stage=FileStage.FAILED, reason="Truncated."), UPLOAD, OPEN, FREE, (None, "Truncated.")),
        (replace(FILE, stage=FileStage.REGISTERED), UPLOAD, DOWN, FREE, (None, None)),
    ],
)
def test_every_file_that_does_not_move_names_its_reason(
    row: FileRecord,
    upload: UploadRecord,
    account: AccountState,
    situation: FileSituation,
    expected: tuple[Hold | None, str | None],
) -> None:
    assert file_hold(row, upload, account, situation) == FileHold(*expected)
