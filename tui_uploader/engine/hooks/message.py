"""What hooks are told: pure functions from events of the history.

The JSON that a command reads from stdin, and that a webhook gets as its body, is one object:

| field | value |
|--|--|
| `version` | 1; fields may be added, and none changes its meaning |
| `event` | a `HookEvent`, such as `card_safe` |
| `test` | true for samples of `tui-uploader hooks test` |
| `id` | number of the event: after a crash a hook may be told the same event twice |
| `at` | when it happened, UTC: `2026-11-30T10:00:00Z` |
| `message` | the sentence of `tui-uploader history` |
| `upload` | number of the upload, or null |
| `project`, `account` | names; empty if the event is about none |
| `files`, `bytes` | how many, as far as the event counts them |
| `paths` | of the card events: what was verified; absolute paths; empty if they are long or odd |
| `error` | of `failed`: the kind of error that all of the files have; else empty |
| `processing` | of the processing events: its state, reason and times; else null |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tui_uploader import codec
from tui_uploader.engine.journal.tables.history import LONGEST_DETAIL
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.hooks import HookEvent
from tui_uploader.text import printable
from tui_uploader.wording.history import event_sentence

IMAGES_ONLY = "images"
"""`PastEvent.error` of a card of which only the images are safe."""

_EVENTS: Mapping[EventKind, HookEvent] = {
    EventKind.COMPLETE: HookEvent.COMPLETE,
    EventKind.FAILED: HookEvent.FAILED,
    EventKind.PROBLEM: HookEvent.NEEDS_YOU,
    EventKind.SIGN_IN_FAILED: HookEvent.NEEDS_YOU,
    EventKind.PROCESSING_DONE: HookEvent.PROCESSING_DONE,
    EventKind.PROCESSING_FAILED: HookEvent.PROCESSING_FAILED,
    EventKind.CARD_SAFE: HookEvent.CARD_SAFE,
    EventKind.CARD_NOT_SAFE: HookEvent.CARD_NOT_SAFE,
}
_OF_CARDS = (EventKind.CARD_SAFE, EventKind.CARD_NOT_SAFE)
_TITLES: Mapping[HookEvent, str] = {
    HookEvent.COMPLETE: "Upload complete",
    HookEvent.FAILED: "Files failed",
    HookEvent.NEEDS_YOU: "Action required",
    HookEvent.PROCESSING_DONE: "Processing done",
    HookEvent.PROCESSING_FAILED: "Processing failed",
    HookEvent.CARD_SAFE: "The card may be wiped",
    HookEvent.CARD_IMAGES_SAFE: "The images of the card are safe",
    HookEvent.CARD_NOT_SAFE: "Do not wipe the card",
}
_SAMPLE = "This is a test of `tui-uploader hooks test`: nothing happened."


@dataclass(frozen=True, slots=True)
class Message:
    """One event as it is told."""

    event: HookEvent
    id: int
    title: str
    sentence: str
    body: str
    """One line of ASCII JSON."""


def hook_event(event: PastEvent) -> HookEvent | None:
    """What hooks are told about the event; None: nothing."""
    if event.kind is EventKind.PAUSED:  # by the user without a detail, by the engine with its reason
        return HookEvent.NEEDS_YOU if event.detail else None
    if event.kind is EventKind.CARD_SAFE and event.error:
        return HookEvent.CARD_IMAGES_SAFE if event.error == IMAGES_ONLY else HookEvent.CARD_NOT_SAFE
    return _EVENTS.get(event.kind)


def message_of(event: PastEvent, now: float) -> Message:
    """`event`: one that hooks are told."""
    told = hook_event(event)
    assert told is not None
    return _message(told, event, event_sentence(event, now), test=False)


def sample_of(event: HookEvent, now: float) -> Message:
    """A message that says that nothing happened; it names no path, upload or project."""
    return _message(event, PastEvent(0, now, EventKind.PROBLEM), _SAMPLE, test=True)


def _message(told: HookEvent, event: PastEvent, sentence: str, *, test: bool) -> Message:
    fields: dict[str, Any] = {
        "version": 1,
        "event": told,
        "test": test,
        "id": event.id,
        "at": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "message": sentence,
        "upload": event.upload,
        "project": event.project,
        "account": event.account,
        "files": event.files,
        "bytes": event.bytes,
        "paths": _paths(event),
        "error": event.error if told is HookEvent.FAILED else "",
        "processing": event.processing,
    }
    title = f"{_TITLES[told]}: {printable(event.project, 80)}" if event.project else _TITLES[told]
    return Message(told, event.id, title, sentence, codec.to_json(fields))


def _paths(event: PastEvent) -> list[str]:
    """Never part of a path, or one whose odd bytes are written with backslashes: these could name another folder."""
    if event.kind not in _OF_CARDS or len(event.detail) >= LONGEST_DETAIL or "\\" in event.detail:
        return []
    paths = [path for path in event.detail.split("\n") if path]
    return paths if all(path.startswith("/") for path in paths) else []
