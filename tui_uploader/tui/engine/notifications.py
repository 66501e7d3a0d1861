"""What happened between two states of the engine that the user should be told. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tui_uploader.model import Counts, EngineStatus, Processing, ProcessingState, UploadState, UploadStatus
from tui_uploader.text import byte_count, counted, duration, printable

_RUNNING = (ProcessingState.SUBMITTED, ProcessingState.WAITING, ProcessingState.PROCESSING)
_LONGEST_NAME = 60
_MOST_NAMES = 2


class Submission(msgspec.Struct, frozen=True):
    """A project that was handed to the service for processing."""

    name: str
    processing: Processing


class News(msgspec.Struct, frozen=True):
    """All of it, so that it can be told at once."""

    submitted: tuple[Submission, ...] = ()
    told: tuple[str, ...] = ()
    """Sentences about what went well."""
    troubles: tuple[str, ...] = ()
    """Sentences about what waits for a person."""
    seconds: float = 0.0
    """How long the longest of what is told in `told` took: what was quick, nobody turned away from."""


def news(before: EngineStatus | None, after: EngineStatus) -> News:
    """Without a state before, only what waits for a person is news. A new upload may have ended before it was seen."""
    known = {upload.upload: upload for upload in before.uploads} if before else {}
    pairs = [(known.get(upload.upload) or (_begun(upload) if before else None), upload) for upload in after.uploads]
    # What the service processed took its time, whatever the upload took.
    told = [(sentence, new) for old, new in pairs if old is not None and (sentence := _success(old, new))]
    return News(
        submitted=_submitted(pairs),
        told=_unique(sentence for sentence, _ in told),
        troubles=(*_notices(pairs), *_unique(_trouble(old, new) for old, new in pairs)),
        seconds=max((math.inf if new.processing.state.ended else new.seconds for _, new in told), default=0.0),
    )


def without_notices(status: EngineStatus) -> EngineStatus:
    """As a state before, so that what waits for a person in it is still news."""
    return replace(status, uploads=tuple(replace(upload, notice=None) for upload in status.uploads))


def _begun(upload: UploadStatus) -> UploadStatus:
    """As it was when it was made."""
    return replace(upload, state=UploadState.PREPARING, counts=Counts(), processing=Processing(), notice=None)


def _submitted(pairs: Sequence[tuple[UploadStatus | None, UploadStatus]]) -> tuple[Submission, ...]:
    """Several uploads of one project make one submission."""
    found = {
        (new.project or new.upload): Submission(new.project_name, new.processing)
        for old, new in pairs
        if old is not None and new.processing.state in _RUNNING and old.processing.state not in _RUNNING
    }
    return tuple(found.values())


def _success(old: UploadStatus, new: UploadStatus) -> str | None:
    name = printable(new.project_name, _LONGEST_NAME)
    if new.processing.state is not old.processing.state:
        if new.processing.state is ProcessingState.DONE:
            return f"{name} is processed."
        if new.processing.state in _RUNNING:
            return None  # the submission is told on its own
    if new.state is UploadState.COMPLETE and old.state is not UploadState.COMPLETE:
        if not new.counts.uploaded:
            return _nothing_uploaded(old, new, name)
        arrived = f"{counted(new.counts.uploaded, 'file')}, {byte_count(new.bytes.registered)}"
        unprocessed = f" It is not processed: {new.processing.reason}" if new.processing.reason else ""
        return f"{name} is uploaded: {arrived}.{unprocessed}"
    return None


def _nothing_uploaded(old: UploadStatus, new: UploadStatus, name: str) -> str | None:
    """Who took out the last files has been told so."""
    if new.counts.duplicate:
        copies = counted(new.counts.duplicate, "file")
        return f"{name}: nothing had to be sent, the project has the content of {copies} already."
    if old.counts.total or old.state is not UploadState.PREPARING:
        return None
    skipped = f"; {counted(new.skipped, 'path')} skipped" if new.skipped else ""
    return f"{name}: there was no file to upload{skipped}."


def _notices(pairs: Sequence[tuple[UploadStatus | None, UploadStatus]]) -> tuple[str, ...]:
    """What holds up several projects is told once."""
    names: dict[str, list[str]] = {}
    for old, new in pairs:
        notice = new.notice
        if notice is not None and notice.needs_person and (old is None or old.notice != notice):
            names.setdefault(notice.message, []).append(printable(new.project_name, _LONGEST_NAME))
    return tuple(f"{_listed(told)}: {message.rstrip('.')}." for message, told in names.items())


def _listed(names: Sequence[str]) -> str:
    different = list(dict.fromkeys(names))
    others = len(different) - _MOST_NAMES
    return ", ".join(different) if others <= 0 else f"{', '.join(different[:_MOST_NAMES])} and {others} more"


def _trouble(old: UploadStatus | None, new: UploadStatus) -> str | None:
    name = printable(new.project_name, _LONGEST_NAME)
    if old is None:
        return None
    if new.processing.state is ProcessingState.FAILED and old.processing.state is not ProcessingState.FAILED:
        return f"Processing of {name} failed. {new.processing.reason or ''}".rstrip()
    if new.settled and not old.settled and new.counts.failed:
        held_up = " Until then processing does not start." if new.auto_process else ""
        return f"{name}: {counted(new.counts.failed, 'file')} failed; r tries again, x removes.{held_up}"
    return None


def _unique(sentences: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence))


def estimate_words(processing: Processing) -> tuple[str, ...]:
    """How long it takes, as far as the service says."""
    waiting, working = processing.waiting_seconds, processing.processing_seconds
    lines = []
    if waiting is not None:
        lines.append(f"Estimated waiting time: {duration(waiting)}")
    if working is not None:
        lines.append(f"Estimated processing time: {duration(working)}")
    return tuple(lines) or ("The service gave no estimate of the time.",)
