"""Notices for the user: the differences between two states of the engine that matter. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import Processing, ProcessingState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts, UploadStatus
from tui_uploader.model.verification import VerificationState, VerificationStatus
from tui_uploader.text import counted
from tui_uploader.tui.widgets.news_band import Submission
from tui_uploader.wording.notices import explained
from tui_uploader.wording.processing import holds_up
from tui_uploader.wording.uploads import failed, project_name, skipped, uploaded
from tui_uploader.wording.verification import is_answer, verdict_line

_LONGEST_NAME = 60
_MOST_NAMES = 2


class News(msgspec.Struct, frozen=True):
    """Everything that changed, to be shown in one notice."""

    submitted: tuple[Submission, ...] = ()
    successes: tuple[str, ...] = ()
    """Sentences about completed work."""
    problems: tuple[str, ...] = ()
    """Sentences about problems that need the user."""
    remarks: tuple[str, ...] = ()
    """Sentences about what went wrong and does not need the user at once."""
    seconds: float = 0.0
    """How long the longest completed work took; users do not look away from quick work."""


def news(before: EngineStatus | None, after: EngineStatus) -> News:
    """Without a state before, only problems are news. A new upload may have ended before it was first seen.

    An upload with an earlier number than those before is not new: its dismissal was undone.
    """
    found = _of_uploads(before, after)
    if not (after.watches or after.hook_failures):
        return found
    from tui_uploader.tui.engine import watch_news  # not needed for the first frame

    delivered = watch_news.delivered(before, after)
    return replace(
        found,
        successes=(*found.successes, *watch_news.found(before, after), *(sentence for sentence, _ in delivered)),
        seconds=max((found.seconds, *(seconds for _, seconds in delivered))),
        problems=(*found.problems, *watch_news.stopped(before, after)),
        remarks=tuple(watch_news.hooks_failed(before, after)),
    )


def _of_uploads(before: EngineStatus | None, after: EngineStatus) -> News:
    known = {upload.upload: upload for upload in before.uploads} if before else {}
    newest = max(known, default=0)
    pairs = [
        (known.get(upload.upload) or (_begun(upload, before) if before and upload.upload > newest else None), upload)
        for upload in after.uploads
    ]
    # Processing by the service counts as long, however quick the upload was.
    successes = [(sentence, new) for old, new in pairs if old is not None and (sentence := _success(old, new))]
    verified = _verified(before, after)
    safe = [each for each in verified if is_answer(each, images_only=True)]
    lasted = [math.inf if new.processing.state.ended else new.seconds for _, new in successes]
    return News(
        submitted=_submitted(pairs),
        successes=_unique((*(sentence for sentence, _ in successes), *map(verdict_line, safe))),
        problems=(
            *_notices(pairs),
            *_unique(_problem(old, new) for old, new in pairs),
            *(verdict_line(each) for each in verified if each not in safe),
        ),
        seconds=max((*lasted, *((each.ended_at or 0.0) - each.started_at for each in safe)), default=0.0),
    )


def _verified(before: EngineStatus | None, after: EngineStatus) -> list[VerificationStatus]:
    """Verifications that have ended since, with a verdict. One that began since may have ended before it was seen."""
    if before is None:
        return []
    known = {each.verification: each.state for each in before.verifications}
    newest = max(known, default=0)
    return [
        each
        for each in after.verifications
        if each.state is VerificationState.DONE
        and known.get(each.verification, VerificationState.RUNNING) is VerificationState.RUNNING
        and (each.verification in known or each.verification > newest)
    ]


def without_notices(status: EngineStatus) -> EngineStatus:
    """`status` as an earlier state for which its notices are still news."""
    return replace(status, uploads=tuple(replace(upload, notice=None) for upload in status.uploads))


def _begun(upload: UploadStatus, before: EngineStatus) -> UploadStatus:
    """`upload` as it was when it was created: its project may have been processed earlier."""
    processing = _processing_before(upload, before)
    return replace(upload, state=UploadState.PREPARING, counts=Counts(), processing=processing, notice=None)


def _processing_before(upload: UploadStatus, before: EngineStatus) -> Processing:
    project = (upload.account, upload.project)
    known = [other.processing for other in before.uploads if (other.account, other.project) == project]
    if known and upload.project is not None:
        return known[-1]
    requested = upload.processing.submitted_at
    return Processing() if requested is not None and requested >= upload.added_at else upload.processing


def _submitted(pairs: Sequence[tuple[UploadStatus | None, UploadStatus]]) -> tuple[Submission, ...]:
    """Several uploads of one project make one submission."""
    found = {
        (new.project or new.upload): Submission(new.project_name, new.processing)
        for old, new in pairs
        if old is not None and new.processing.state.running and not old.processing.state.running
    }
    return tuple(found.values())


def _success(old: UploadStatus, new: UploadStatus) -> str | None:
    name = project_name(new, _LONGEST_NAME)
    if new.processing.state is not old.processing.state:
        if new.processing.state is ProcessingState.DONE:
            return f"{name}: processing done."
        if new.processing.state.running:
            return None  # a submission has a notice of its own
    if new.state is UploadState.COMPLETE and old.state is not UploadState.COMPLETE:
        if not new.counts.uploaded:
            return _nothing_uploaded(old, new, name)
        unprocessed = f" Not processed: {new.processing.reason}" if new.processing.reason else ""
        return f"{name}: upload complete, {uploaded(new)}.{unprocessed}"
    return None


def _nothing_uploaded(old: UploadStatus, new: UploadStatus, name: str) -> str | None:
    """None where the user removed the last files: that command has answered."""
    if new.counts.duplicate:
        copies = counted(new.counts.duplicate, "file")
        return f"{name}: nothing to send; the project already has the content of {copies}."
    if old.counts.total or old.state is not UploadState.PREPARING:
        return None
    left_out = f"; {skipped(new.skipped)}" if new.skipped else ""
    return f"{name}: no files to upload{left_out}."


def _notices(pairs: Sequence[tuple[UploadStatus | None, UploadStatus]]) -> tuple[str, ...]:
    """A notice that several projects share becomes one sentence."""
    names: dict[str, list[str]] = {}
    for old, new in pairs:
        notice = new.notice
        if notice is not None and notice.needs_person and (old is None or old.notice != notice):
            names.setdefault(explained(notice.kind, notice.message), []).append(project_name(new, _LONGEST_NAME))
    return tuple(f"{_listed(concerned)}: {message.rstrip('.')}." for message, concerned in names.items())


def _listed(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    others = len(different) - _MOST_NAMES
    return ", ".join(different) if others <= 0 else f"{', '.join(different[:_MOST_NAMES])} and {others} more"


def _problem(old: UploadStatus | None, new: UploadStatus) -> str | None:
    name = project_name(new, _LONGEST_NAME)
    if old is None:
        return None
    if new.processing.state is ProcessingState.FAILED and old.processing.state is not ProcessingState.FAILED:
        return f"Processing of {name} failed. {new.processing.reason or ''}".rstrip()
    if new.settled and not old.settled and new.counts.failed:
        blocked = " Processing does not start until then." if holds_up(new) else ""
        return f"{name}: {failed(new.counts.failed)}; r retries, x removes.{blocked}"
    return None


def _unique(sentences: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence))
