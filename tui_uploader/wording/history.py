"""Past events in words: one sentence for each, one line for a user who was away, and how a retry ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from tui_uploader.errors import SourceChanged, SourceDamaged, SourceUnreadable, SourceVanished
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.text import byte_count, counted, duration, printable
from tui_uploader.wording.clock import time_of_day
from tui_uploader.wording.processing import ready_at

_LONGEST_NAME, _LONGEST_DETAIL = 80, 400
_MOST_NAMED = 3
"""Projects and outages that a line names one by one."""

_SHARED_REASONS: Mapping[str, tuple[str, str]] = {
    SourceDamaged.__name__: ("damaged", "copy them from the card again"),
    SourceVanished.__name__: ("no longer there", "put the card or disk back in, then retry"),
    SourceUnreadable.__name__: ("unreadable", "check the card or disk, then retry"),
    SourceChanged.__name__: ("modified again and again", "wait until no program writes them, then retry"),
}
"""By kind of error: what the files are, and what helps."""


def timed_sentence(event: PastEvent, now: float) -> str:
    """`14:22 Offline until 14:31: cloud.pix4d.com refused the connection.`"""
    return f"{time_of_day(event.at, now)} {event_sentence(event, now)}"


def event_sentence(event: PastEvent, now: float) -> str:
    """One sentence without line breaks. Text from outside is made printable."""
    return _SENTENCES[event.kind](event, now)


# ---------------------------------------------------------------------------------------------------- sentences


def _name(event: PastEvent) -> str:
    return printable(event.project, _LONGEST_NAME) or "An upload"


def _detail(event: PastEvent) -> str:
    """The detail as a sentence."""
    text = printable(" ".join(event.detail.split()), _LONGEST_DETAIL)
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def _volume(event: PastEvent) -> str:
    return f" ({byte_count(event.bytes)})" if event.bytes else ""


def _files(event: PastEvent) -> str:
    return counted(event.files, "file")


def _engine_started(event: PastEvent, _: float) -> str:
    if event.detail == "interrupted":
        return "The engine started again. It had been interrupted; uploads continue where they were."
    return "The engine started."


def _added(event: PastEvent, _: float) -> str:
    return f"{_name(event)}: {_files(event)}{_volume(event)} added{f' from {_paths(event)}' if event.detail else ''}."


def _failed(event: PastEvent, _: float) -> str:
    return f"{_name(event)}: {failure_words(event)}"


def failure_words(event: PastEvent, *, again: bool = False) -> str:
    """`5 files failed, all damaged: copy them from the card again.` `again`: a retry did not help."""
    failed = f"{_files(event)} failed{' again' if again else ''}"
    shared = _SHARED_REASONS.get(event.error)
    if event.files == 1 or shared is None:
        detail = _detail(event)
        example = "" if event.files == 1 else "for example "
        return f"{failed}: {example}{detail}" if detail else f"{failed}."
    what, remedy = shared
    return f"{failed}, {'both' if event.files == 2 else 'all'} {what}: {remedy}."


def _complete(event: PastEvent, _: float) -> str:
    return f"{_name(event)} is complete: {_files(event)}{_volume(event)} in the project."


def _paused(event: PastEvent, _: float) -> str:
    detail = _detail(event)
    return f"{_name(event)} paused: {detail}" if detail else f"{_name(event)} paused, {_files(event)} left."


def _cancelled(event: PastEvent, _: float) -> str:
    return f"{_name(event)} cancelled; {_files(event)}{_volume(event)} not uploaded."


def _offline(event: PastEvent, now: float) -> str:
    until = f" until {time_of_day(event.until, now)}" if event.until is not None else ""
    detail = _detail(event)
    return f"Offline{until}: {detail}" if detail else f"Offline{until}."


def _sending_stopped(event: PastEvent, now: float) -> str:
    until = f" until {time_of_day(event.until, now)}" if event.until is not None else ""
    reason = printable(event.detail.partition("; `")[0], _LONGEST_DETAIL)
    return f"Sending stopped{until}{f' ({reason})' if reason else ''}."


def account_words(account: str) -> str:
    """`anna on cloud.pix4d.com`, without the rest of the address."""
    client, _, address = account.rpartition("@")
    host = address.partition("://")[2].partition("/")[0] or address
    return f"{printable(client, 40)} on {printable(host, 60)}" if client else printable(account, 80)


def _requested(event: PastEvent, now: float) -> str:
    images = f" with {counted(event.files, 'image')}" if event.files else ""
    ready = ready_at(event.processing, now) if event.processing is not None else None
    return f"{_name(event)} submitted for processing{images}{f', ready about {ready}' if ready else ''}."


def _processing_failed(event: PastEvent, _: float) -> str:
    detail = _detail(event)
    return f"Processing of {_name(event)} failed: {detail}" if detail else f"Processing of {_name(event)} failed."


def _paths(event: PastEvent) -> str:
    """The first path of the detail, and how many more."""
    paths = [printable(path, _LONGEST_DETAIL) for path in event.detail.split("\n") if path]
    more = f" and {counted(len(paths) - 1, 'more path')}" if len(paths) > 1 else ""
    return f"{paths[0]}{more}" if paths else "A path"


def _card_safe(event: PastEvent, _: float) -> str:
    what = f"the images in {_paths(event)} are" if event.error == "images" else f"everything in {_paths(event)} is"
    rest = "; other files on it are not" if event.error == "images" else ": it may be wiped"
    return f"Verified: {what} in the cloud ({_files(event)}){rest}."


def _card_not_safe(event: PastEvent, _: float) -> str:
    why = f": {_files(event)} not proven to be in the cloud" if event.files else ""
    return f"Do not wipe {_paths(event)}{why}."


def _result_replaced(event: PastEvent, _: float) -> str:
    old, new, *_rest = [*event.detail.split("\n"), ""]
    return f"{_name(event)}: {printable(new, _LONGEST_NAME)} took the place of {printable(old, _LONGEST_NAME)}."


def _problem(event: PastEvent, _: float) -> str:
    return f"{_name(event)}: {_detail(event)}" if event.project else _detail(event)


_SENTENCES: Mapping[EventKind, Callable[[PastEvent, float], str]] = {
    EventKind.ENGINE_STARTED: _engine_started,
    EventKind.ENGINE_STOPPED: lambda event, _: "The engine stopped.",
    EventKind.ADDED: _added,
    EventKind.UPLOADED: lambda event, _: f"{_name(event)}: {_files(event)} uploaded{_volume(event)}.",
    EventKind.FAILED: _failed,
    EventKind.COMPLETE: _complete,
    EventKind.PAUSED: _paused,
    EventKind.RESUMED: lambda event, _: f"{_name(event)} resumed, {_files(event)} left.",
    EventKind.CANCELLED: _cancelled,
    EventKind.DISMISSED: lambda event, _: f"{_name(event)} removed from the list; the project stays.",
    EventKind.REMOVED: lambda event, _: f"{_name(event)}: {_files(event)} removed from the queue.",
    EventKind.RESTORED: lambda event, _: f"{_name(event)}: {_files(event)} put back into the queue.",
    EventKind.RETRIED: lambda event, _: f"{_name(event)}: {_files(event)} retried.",
    EventKind.OFFLINE: _offline,
    EventKind.SIGNED_IN: lambda event, _: f"Signed in as {account_words(event.account)}.",
    EventKind.SIGNED_OUT: lambda event, _: f"Signed out: {account_words(event.account)}.",
    EventKind.SIGN_IN_FAILED: lambda event, _: f"Sign-in failed: {_detail(event)}",
    EventKind.PROJECT_CREATED: lambda event, _: f"Project {_name(event)} created.",
    EventKind.PROCESSING_REQUESTED: _requested,
    EventKind.PROCESSING_STOPPED: lambda event, _: f"Automatic processing of {_name(event)} stopped by the user.",
    EventKind.PROCESSING_DONE: lambda event, _: f"{_name(event)} is processed.",
    EventKind.PROCESSING_FAILED: _processing_failed,
    EventKind.LIMIT_CHANGED: lambda event, _: f"Bandwidth set: {_detail(event)}",
    EventKind.SENDING_STOPPED: _sending_stopped,
    EventKind.CARD_SAFE: _card_safe,
    EventKind.CARD_NOT_SAFE: _card_not_safe,
    EventKind.RECEIPT_WRITTEN: lambda event, _: f"{_name(event)}: receipt written to {_detail(event)}",
    EventKind.RECEIPT_FAILED: lambda event, _: f"{_name(event)}: the receipt could not be written: {_detail(event)}",
    EventKind.RESULT_REPLACED: _result_replaced,
    EventKind.WATCH_ADDED: lambda event, _: f"New images in {_paths(event)} are uploaded automatically.",
    EventKind.WATCH_REMOVED: lambda event, _: f"{_paths(event)} is no longer watched.",
    EventKind.CARD_FOUND: lambda event, _: f"{_name(event)}: a card was found at {_paths(event)}.",
    EventKind.HOOK_FAILED: lambda event, _: f"A hook failed: {_detail(event)}",
    EventKind.PROBLEM: _problem,
}


# ----------------------------------------------------------------------------------------------- how a retry ended


def retry_outcome(events: Sequence[PastEvent], upload: int) -> str | None:
    """How the last retry in the upload ended: `Quarry: 5 files failed again, all damaged: …`; None: not yet.

    `events`: oldest first. Files that were uploaded since count as well as those that failed.
    """
    of_upload = [event for event in events if event.upload == upload]
    retried = max((at for at, event in enumerate(of_upload) if event.kind is EventKind.RETRIED), default=None)
    if retried is None:
        return None
    later = of_upload[retried + 1 :]
    words = [failure_words(event, again=True) for event in later if event.kind is EventKind.FAILED]
    uploaded = sum(event.files for event in later if event.kind is EventKind.UPLOADED)
    if uploaded:
        words.append(f"{counted(uploaded, 'file')} uploaded.")
    return f"{_name(of_upload[retried])}: {' '.join(words)}" if words else None


# ------------------------------------------------------------------------------------------- while the user was away


def away_summary(events: Sequence[PastEvent], since: float, now: float) -> str | None:
    """`Since 13:05, when you left: 1,711 uploaded, 2 failed, offline 14:22–14:31, Quarry submitted for processing.`

    `events`: oldest first, as the engine gives them for `since`. None when nothing happened that needs telling.
    """
    parts = [*_file_parts(events), *_lasting_parts(events, since, now), *_project_parts(events)]
    if any(event.kind is EventKind.ENGINE_STARTED and event.detail == "interrupted" for event in events):
        parts.append("the engine was interrupted")
    if any(event.kind is EventKind.SIGN_IN_FAILED for event in events):
        parts.append("sign-in failed")
    problems = sum(event.kind is EventKind.PROBLEM for event in events)
    if problems:
        parts.append(counted(problems, "problem"))
    return f"Since {time_of_day(since, now)}, when you left: {', '.join(parts)}." if parts else None


def _file_parts(events: Sequence[PastEvent]) -> list[str]:
    uploaded, failed = 0, Counter[int | None]()
    for event in events:
        if event.kind is EventKind.UPLOADED:
            uploaded += event.files
        elif event.kind is EventKind.FAILED:
            failed[event.upload] += event.files
        elif event.kind is EventKind.RETRIED:  # those that fail again are counted then
            failed[event.upload] = max(0, failed[event.upload] - event.files)
    numbers = ((uploaded, "uploaded"), (sum(failed.values()), "failed"))
    return [f"{number:,} {word}" for number, word in numbers if number]


def _lasting_parts(events: Sequence[PastEvent], since: float, now: float) -> list[str]:
    """Outages, and times when nothing was allowed to be sent."""
    parts: list[str] = []
    for kind, word in ((EventKind.OFFLINE, "offline"), (EventKind.SENDING_STOPPED, "sending stopped")):
        spans = [(max(since, event.at), event.until) for event in events if event.kind is kind]
        if len(spans) > _MOST_NAMED:
            lasted = sum((now if end is None else end) - begin for begin, end in spans)
            parts.append(f"{word} {len(spans)} times, {duration(lasted)} in all")
            spans = spans[-1:] if spans[-1][1] is None else []
        for begin, end in spans:
            if end is None:
                parts.append(f"{word} since {time_of_day(begin, now)}")
            else:
                parts.append(f"{word} {time_of_day(begin, now)}–{time_of_day(end, now)}")
    return parts


_PROJECT_WORDS: Mapping[EventKind, str] = {
    EventKind.COMPLETE: "{} complete",
    EventKind.PAUSED: "{} paused",
    EventKind.CANCELLED: "{} cancelled",
    EventKind.PROCESSING_REQUESTED: "{} submitted for processing",
    EventKind.PROCESSING_DONE: "{} processed",
    EventKind.PROCESSING_FAILED: "processing of {} failed",
}


def _project_parts(events: Sequence[PastEvent]) -> list[str]:
    """The last thing that happened to each project, the newest first."""
    last: dict[tuple[str, str], PastEvent] = {}
    for event in events:
        project = (event.account, event.project)
        if event.kind in _PROJECT_WORDS:
            last.pop(project, None)
            last[project] = event
        elif event.kind is EventKind.RESUMED:
            last.pop(project, None)
    named = list(reversed(last.values()))
    parts = [_PROJECT_WORDS[event.kind].replace("{}", _name(event)) for event in named[:_MOST_NAMED]]
    more = len(named) - _MOST_NAMED
    return [*parts, f"news of {counted(more, 'more project')}"] if more > 0 else parts
