"""Why a single file does not move, as one word and as a few for the user: pure. `holds` has the same for uploads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tui_uploader.engine.journal.records import FileRecord, UploadRecord
from tui_uploader.engine.status.holds import account_hold
from tui_uploader.engine.status.notices import AccountState
from tui_uploader.model.files import Hold
from tui_uploader.model.states import FileStage, UploadState


@dataclass(frozen=True, slots=True)
class FileSituation:
    """What is known about one file besides the journal, its upload and its account."""

    moving: bool = False
    """A stream carries it."""
    silent: bool = False
    """Its memory card or disk does not respond."""
    fault: bool = False
    """A part of the engine that its upload needs does not work."""
    storage: str | None = None
    """Why the storage refuses the files of its project for now."""
    obstacle: str | None = None
    """Why the service does not register the stored files of its project."""
    pause: tuple[float, str] | None = None
    """Seconds until it is checked or tried again, and why."""
    read: float | None = None
    """The share of it that its check has read, if it is a large file that is being read."""


class FileHold(NamedTuple):
    hold: Hold | None
    """None: it moves, or has ended."""
    reason: str | None
    """A few words, without what differs from one second to the next in many rows."""


_WORDS: Mapping[Hold, str] = {
    Hold.CHECKING: "waiting to be checked",
    Hold.QUEUED: "next",
    Hold.PAUSED: "paused",
    Hold.CANCELLED: "cancelled",
    Hold.OFFLINE: "offline",
    Hold.SIGNED_OUT: "signed out",
    Hold.LIMIT: "no sending at this time",
    Hold.BUDGET: "data budget used up",
    Hold.MEDIUM: "its memory card or disk does not respond",
    Hold.STORAGE: "the storage refuses it for now",
    Hold.FAULT: "a part of the engine does not work",
}


def file_hold(row: FileRecord, upload: UploadRecord, account: AccountState, situation: FileSituation) -> FileHold:
    if row.stage is FileStage.STORED:
        return FileHold(Hold.REGISTERING, _stored(account, situation.obstacle))
    if row.stage not in (FileStage.FOUND, FileStage.READY, FileStage.SENDING):
        return FileHold(None, row.reason)
    hold = _hold(row, upload, account, situation)
    if situation.pause is not None and hold in (Hold.CHECKING, Hold.RETRY):
        seconds, why = situation.pause
        again = f"checked again in {seconds:.0f} s" if hold is Hold.CHECKING else f"retry in {seconds:.0f} s"
        return FileHold(hold, f"{why}; {again}" if hold is Hold.CHECKING else f"{again}: {why}")
    if hold is Hold.CHECKING and situation.read is not None:
        return FileHold(hold, f"being checked: {situation.read:.0%} read")
    return FileHold(hold, None if hold is None else _WORDS[hold])


def _hold(row: FileRecord, upload: UploadRecord, account: AccountState, situation: FileSituation) -> Hold | None:
    found = row.stage is FileStage.FOUND
    of_account = account_hold(account)
    if situation.moving and of_account is not Hold.OFFLINE:
        return None
    reasons = (
        (upload.state is UploadState.PAUSED, Hold.PAUSED),
        (upload.state is UploadState.CANCELLED, Hold.CANCELLED),
        (situation.fault, Hold.FAULT),
        (situation.silent, Hold.MEDIUM),
        (found and situation.pause is not None, Hold.CHECKING),
        (of_account is not None, of_account),
        (account.closed is not None, account.closed_by),
        (found, Hold.CHECKING),
        (situation.storage is not None, Hold.STORAGE),
        (situation.pause is not None, Hold.RETRY),
    )
    return next((hold for holds, hold in reasons if holds), Hold.QUEUED)


def _stored(account: AccountState, obstacle: str | None) -> str:
    if obstacle is not None:
        return f"Stored, not in the project yet: {obstacle}"
    if account_hold(account) is Hold.OFFLINE:
        return "Stored; added to the project when online"
    return "Stored, adding to the project"
