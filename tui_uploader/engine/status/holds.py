"""Why an upload does not move, as one word: pure. `notices` has the sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tui_uploader.engine.journal.records import UNFINISHED, UploadRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.status.notices import AccountState, Hindrances
from tui_uploader.errors import LinkError, SourceError, StorageRefused
from tui_uploader.model.engine import LinkState
from tui_uploader.model.files import Hold
from tui_uploader.model.states import FileStage, UploadState

_TO_SEND = (FileStage.READY, FileStage.SENDING)


class Held(NamedTuple):
    """Why nothing moves."""

    hold: Hold | None = None
    """None: something moves, or nothing is left to move."""
    behind: int | None = None
    """The upload that is sent first, if that is why this one waits."""


FREE = Held()


def held(
    summary: Summary,
    upload: UploadRecord,
    account: AccountState,
    hindrances: Hindrances,
    moving: Mapping[int, int],
) -> Held:
    """`moving`: the number of files that streams carry, by upload."""
    if upload.state is UploadState.PAUSED:
        return Held(Hold.PAUSED)
    if upload.state is UploadState.CANCELLED:
        return Held(Hold.CANCELLED if summary.files(upload.id, *UNFINISHED) else None)
    if not summary.busy(upload.id):
        only_failed = upload.state is not UploadState.COMPLETE and summary.files(upload.id, FileStage.FAILED)
        return Held(Hold.FAILED if only_failed else None)
    if moving.get(upload.id) and account.link.state is not LinkState.DOWN:
        return FREE
    if hindrances.fault is not None:
        return Held(Hold.FAULT)
    if (closed := account_hold(account)) is not None:
        return Held(closed)
    if summary.files(upload.id, *_TO_SEND):
        return _held_before_sending(summary, upload, account, hindrances, moving)
    if summary.files(upload.id, FileStage.STORED):
        return Held(Hold.REGISTERING)
    return Held(_hold_before_reading(summary, upload, hindrances))


def account_hold(account: AccountState) -> Hold | None:
    """Why no file of the account moves."""
    if not account.signed_in:
        return Hold.SIGNED_OUT
    if isinstance(account.problem, StorageRefused):
        return Hold.STORAGE
    if account.problem is not None and not isinstance(account.problem, LinkError):
        return Hold.SIGNED_OUT
    return Hold.OFFLINE if account.problem is not None or account.link.state is LinkState.DOWN else None


def _held_before_sending(
    summary: Summary,
    upload: UploadRecord,
    account: AccountState,
    hindrances: Hindrances,
    moving: Mapping[int, int],
) -> Held:
    if account.closed is not None:
        return Held(account.closed_by)
    if hindrances.storage is not None:
        return Held(Hold.STORAGE)
    ready, sending = (summary.files(upload.id, stage) for stage in _TO_SEND)
    if hindrances.silent_disk is not None and not sending:
        return Held(Hold.MEDIUM)
    if not sending and hindrances.postponed >= ready:
        return Held(Hold.RETRY)
    others = {other: files for other, files in moving.items() if files and other != upload.id}
    first = min(others, key=lambda other: (-others[other], other), default=None)
    return Held(Hold.QUEUED, first)


def _hold_before_reading(summary: Summary, upload: UploadRecord, hindrances: Hindrances) -> Hold:
    """Nothing is read yet: of the files that were found, or of the paths that were given."""
    if hindrances.silent_disk is not None:
        return Hold.MEDIUM
    only_failed_walks = upload.failed_walks == upload.unscanned > 0 and not summary.files(upload.id, FileStage.FOUND)
    if only_failed_walks:
        return Hold.MEDIUM if upload.walk_error in _SOURCE_ERRORS else Hold.FAULT
    return Hold.CHECKING


def _kinds(error: type[Exception]) -> frozenset[str]:
    return frozenset({error.__name__}.union(*(_kinds(each) for each in error.__subclasses__())))


_SOURCE_ERRORS = _kinds(SourceError)
"""Names of the errors that a memory card or disk causes."""
