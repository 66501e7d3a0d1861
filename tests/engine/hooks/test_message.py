"""What hooks are told about each event of the history."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tui_uploader.engine.hooks.message import IMAGES_ONLY, hook_event, message_of, sample_of
from tui_uploader.engine.journal.tables.history import LONGEST_DETAIL
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.hooks import HookEvent
from tui_uploader.model.projects import Processing, ProcessingState
from tui_uploader.wording.history import event_sentence

NOON = 1_796_040_000.0  # 2026-11-30 12:00:00 UTC
TOLD = {
    EventKind.COMPLETE: HookEvent.COMPLETE,
    EventKind.FAILED: HookEvent.FAILED,
    EventKind.PROBLEM: HookEvent.NEEDS_YOU,
    EventKind.SIGN_IN_FAILED: HookEvent.NEEDS_YOU,
    EventKind.PROCESSING_DONE: HookEvent.PROCESSING_DONE,
    EventKind.PROCESSING_FAILED: HookEvent.PROCESSING_FAILED,
    EventKind.CARD_SAFE: HookEvent.CARD_SAFE,
    EventKind.CARD_NOT_SAFE: HookEvent.CARD_NOT_SAFE,
}


@pytest.mark.parametrize("kind", EventKind)
def test_what_hooks_are_told(kind: EventKind) -> None:
    assert hook_event(PastEvent(1, NOON, kind)) is TOLD.get(kind)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (PastEvent(1, NOON, EventKind.PAUSED, detail="The project would get more than 4,000 images."), "needs_you"),
        (PastEvent(1, NOON, EventKind.PAUSED), None),
        (PastEvent(1, NOON, EventKind.CARD_SAFE, error=IMAGES_ONLY), "card_images_safe"),
        (PastEvent(1, NOON, EventKind.CARD_SAFE, error="a word of a later version"), "card_not_safe"),
    ],
)
def test_a_card_is_told_safe_only_if_everything_on_it_is(event: PastEvent, told: str | None) -> None:
    assert hook_event(event) == told


def body_of(event: PastEvent) -> Any:
    return json.loads(message_of(event, NOON).body)


def test_the_json_of_a_safe_card() -> None:
    event = PastEvent(
        123, NOON, EventKind.CARD_SAFE, 3, "Quarry", "id@https://cloud.example", 412, 5_000, detail="/media/a\n/media/b"
    )
    assert body_of(event) == {
        "version": 1,
        "event": "card_safe",
        "test": False,
        "id": 123,
        "at": "2026-11-30T12:00:00Z",
        "message": event_sentence(event, NOON),
        "upload": 3,
        "project": "Quarry",
        "account": "id@https://cloud.example",
        "files": 412,
        "bytes": 5_000,
        "paths": ["/media/a", "/media/b"],
        "error": "",
        "processing": None,
    }


def test_failed_files_have_the_kind_of_their_error_and_processing_its_state() -> None:
    failed = PastEvent(
        1, NOON, EventKind.FAILED, 3, "Quarry", files=5, error="SourceDamaged", detail="DJI_1 is cut off"
    )
    assert (body_of(failed)["error"], body_of(failed)["paths"]) == ("SourceDamaged", [])
    done = PastEvent(2, NOON, EventKind.PROCESSING_DONE, processing=Processing(ProcessingState.DONE))
    assert body_of(done)["processing"]["state"] == "done"


@pytest.mark.parametrize("detail", ["/media/" + "a" * (LONGEST_DETAIL - 7), "/media/card\nDCIM", "/media/a\\nb", ""])
def test_part_of_a_path_is_never_told_as_a_path(detail: str) -> None:
    assert body_of(PastEvent(1, NOON, EventKind.CARD_SAFE, detail=detail))["paths"] == []


@pytest.mark.parametrize("event", HookEvent)
def test_a_sample_names_nothing_that_a_program_could_act_on(event: HookEvent) -> None:
    message = sample_of(event, NOON)
    told = json.loads(message.body)
    assert (told["event"], told["test"]) == (event, True)
    assert not any((told["id"], told["upload"], told["project"], told["paths"], told["files"]))
    assert "nothing happened" in message.sentence


def test_text_from_outside_is_made_printable_for_the_title_and_stays_ascii_in_the_json() -> None:
    message = message_of(PastEvent(1, NOON, EventKind.COMPLETE, project="Qu\x1b[31mä\udcffrry"), NOON)
    assert message.title.isprintable()
    assert message.sentence.isprintable()
    assert message.body.isascii()
    assert "\n" not in message.body
