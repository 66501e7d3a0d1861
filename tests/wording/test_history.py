"""Past events in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.projects import Processing, ProcessingState
from tui_uploader.wording.history import account_words, away_summary, event_sentence, retry_outcome, timed_sentence

NOW = datetime(2026, 11, 28, 15, 0).timestamp()
ME = "anna@acme@https://cloud.pix4d.com/x"


def clock(hour: int, minute: int, day: int = 28) -> float:
    return datetime(2026, 11, day, hour, minute).timestamp()


def event(kind: EventKind, files: int = 0, **changes: Any) -> PastEvent:
    made = PastEvent(0, clock(14, 22), kind, upload=3, project="Quarry", account=ME, files=files)
    return replace(made, **changes)


SUBMITTED = Processing(ProcessingState.SUBMITTED, submitted_at=clock(14, 50), processing_seconds=3000.0)


@pytest.mark.parametrize(
    ("past", "sentence"),
    [
        (event(EventKind.ENGINE_STARTED, project=""), "The engine started."),
        (
            event(EventKind.ENGINE_STARTED, project="", detail="interrupted"),
            "The engine started again. It had been interrupted; uploads continue where they were.",
        ),
        (event(EventKind.ENGINE_STOPPED, project=""), "The engine stopped."),
        (
            event(EventKind.ADDED, 300, bytes=1_200_000_000, detail="/media/card\n/media/b\x1b[2J"),
            "Quarry: 300 files (1.20 GB) added from /media/card and 1 more path.",
        ),
        (event(EventKind.ADDED, 1, detail="/a/\x1b[2Jb"), "Quarry: 1 file added from /a/\\x1b[2Jb."),
        (event(EventKind.UPLOADED, 1711, bytes=7_020_000_000), "Quarry: 1,711 files uploaded (7.02 GB)."),
        (
            event(EventKind.FAILED, 5, error="SourceDamaged", detail="a.jpg is cut off."),
            "Quarry: 5 files failed, all damaged: copy them from the card again.",
        ),
        (
            event(EventKind.FAILED, 2, error="SourceVanished"),
            "Quarry: 2 files failed, both no longer there: put the card or disk back in, then retry.",
        ),
        (
            event(EventKind.FAILED, 1, error="SourceDamaged", detail="a.jpg is cut off"),
            "Quarry: 1 file failed: a.jpg is cut off.",
        ),
        (
            event(EventKind.FAILED, 7, error="CloudRefused", detail="b.jpg was refused."),
            "Quarry: 7 files failed: for example b.jpg was refused.",
        ),
        (event(EventKind.FAILED, 7), "Quarry: 7 files failed."),
        (event(EventKind.COMPLETE, 456, bytes=1_880_000), "Quarry is complete: 456 files (1.88 MB) in the project."),
        (event(EventKind.PAUSED, 466), "Quarry paused, 466 files left."),
        (
            event(EventKind.PAUSED, 466, detail="4,456 images are too many."),
            "Quarry paused: 4,456 images are too many.",
        ),
        (event(EventKind.RESUMED, 1), "Quarry resumed, 1 file left."),
        (event(EventKind.CANCELLED, 2, bytes=2000), "Quarry cancelled; 2 files (2.00 KB) not uploaded."),
        (event(EventKind.DISMISSED), "Quarry removed from the list; the project stays."),
        (event(EventKind.REMOVED, 5), "Quarry: 5 files removed from the queue."),
        (event(EventKind.RESTORED, 5), "Quarry: 5 files put back into the queue."),
        (event(EventKind.RETRIED, 5), "Quarry: 5 files retried."),
        (event(EventKind.OFFLINE, detail="x refused the connection."), "Offline: x refused the connection."),
        (
            event(EventKind.OFFLINE, until=clock(14, 31), detail="x refused the connection."),
            "Offline until 14:31: x refused the connection.",
        ),
        (event(EventKind.SIGNED_IN), "Signed in as anna@acme on cloud.pix4d.com."),
        (event(EventKind.SIGNED_OUT), "Signed out: anna@acme on cloud.pix4d.com."),
        (event(EventKind.SIGN_IN_FAILED, detail="The secret is wrong."), "Sign-in failed: The secret is wrong."),
        (event(EventKind.PROJECT_CREATED), "Project Quarry created."),
        (
            event(EventKind.PROCESSING_REQUESTED, 456, processing=SUBMITTED),
            "Quarry submitted for processing with 456 images, ready about 15:40.",
        ),
        (event(EventKind.PROCESSING_REQUESTED), "Quarry submitted for processing."),
        (event(EventKind.PROCESSING_STOPPED), "Automatic processing of Quarry stopped by the user."),
        (event(EventKind.PROCESSING_DONE), "Quarry is processed."),
        (event(EventKind.PROCESSING_FAILED, detail="too few\nimages"), "Processing of Quarry failed: too few images."),
        (event(EventKind.LIMIT_CHANGED, detail="limit 500 KB/s"), "Bandwidth set: limit 500 KB/s."),
        (
            event(EventKind.SENDING_STOPPED, until=clock(14, 40), detail="paused by the limit; `b` or `x` ends it"),
            "Sending stopped until 14:40 (paused by the limit).",
        ),
        (event(EventKind.PROBLEM, detail="The disk is full"), "Quarry: The disk is full."),
        (event(EventKind.PROBLEM, project="", detail="The disk is full."), "The disk is full."),
    ],
)
def test_each_event_is_one_plain_sentence(past: PastEvent, sentence: str) -> None:
    assert event_sentence(past, NOW) == sentence


def test_every_kind_has_a_sentence_that_nothing_from_outside_breaks() -> None:
    for kind in EventKind:
        hostile = event(
            kind, 3, project="a\x1b[31m\n\u202eb" * 50, detail="c\x07\r\nd" * 500, error="\x1b", account="\x1b"
        )
        sentence = event_sentence(hostile, NOW)
        assert sentence.isprintable(), kind
        assert 0 < len(event_sentence(event(kind), NOW)) < 200, kind


def test_events_of_other_days_name_the_day() -> None:
    assert timed_sentence(event(EventKind.PROCESSING_DONE), NOW) == "14:22 Quarry is processed."
    assert timed_sentence(event(EventKind.PROCESSING_DONE, at=clock(9, 5, day=27)), NOW).startswith("Fri 09:05 ")


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([], None),
        ([event(EventKind.FAILED, 5)], None),
        ([event(EventKind.FAILED, 5), event(EventKind.RETRIED, 5)], None),
        (
            [event(EventKind.RETRIED, 5), event(EventKind.FAILED, 5, error="SourceDamaged")],
            "Quarry: 5 files failed again, all damaged: copy them from the card again.",
        ),
        (
            [event(EventKind.RETRIED, 5), event(EventKind.UPLOADED, 3), event(EventKind.FAILED, 2)],
            "Quarry: 2 files failed again. 3 files uploaded.",
        ),
        (
            [event(EventKind.RETRIED, 5), event(EventKind.FAILED, 5), event(EventKind.RETRIED, 5)],
            None,
        ),
        ([event(EventKind.RETRIED, 5), event(EventKind.FAILED, 5, upload=4)], None),
    ],
)
def test_how_a_retry_ended(events: list[PastEvent], outcome: str | None) -> None:
    assert retry_outcome(events, 3) == outcome


LEFT = clock(13, 5)


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([], None),
        ([event(EventKind.ENGINE_STARTED), event(EventKind.PROJECT_CREATED), event(EventKind.RESTORED, 1)], None),
        (
            [
                event(EventKind.UPLOADED, 1700),
                event(EventKind.OFFLINE, until=clock(14, 31)),
                event(EventKind.UPLOADED, 11, project="North", upload=4),
                event(EventKind.FAILED, 2),
                event(EventKind.COMPLETE, 1711),
                event(EventKind.PROCESSING_REQUESTED, 1711),
            ],
            (
                "Since 13:05, when you left: 1,711 uploaded, 2 failed, offline 14:22–14:31, "
                "Quarry submitted for processing."
            ),
        ),
        (
            [event(EventKind.FAILED, 5), event(EventKind.RETRIED, 5), event(EventKind.FAILED, 3)],
            "Since 13:05, when you left: 3 failed.",
        ),
        (
            [event(EventKind.FAILED, 5), event(EventKind.RETRIED, 5), event(EventKind.UPLOADED, 5)],
            "Since 13:05, when you left: 5 uploaded.",
        ),
        (
            [event(EventKind.OFFLINE, at=clock(12, 0), until=clock(13, 30)), event(EventKind.OFFLINE)],
            "Since 13:05, when you left: offline 13:05–13:30, offline since 14:22.",
        ),
        (
            [event(EventKind.OFFLINE, until=clock(14, 27))] * 4,
            "Since 13:05, when you left: offline 4 times, 20 min 00 s in all.",
        ),
        (
            [event(EventKind.PAUSED), event(EventKind.RESUMED), event(EventKind.SENDING_STOPPED)],
            "Since 13:05, when you left: sending stopped since 14:22.",
        ),
        (
            [event(EventKind.PROCESSING_DONE, project=f"P{number}") for number in range(5)],
            "Since 13:05, when you left: P4 processed, P3 processed, P2 processed, news of 2 more projects.",
        ),
        (
            [
                event(EventKind.ENGINE_STARTED, detail="interrupted"),
                event(EventKind.SIGN_IN_FAILED),
                event(EventKind.PROBLEM),
                event(EventKind.PROBLEM),
            ],
            "Since 13:05, when you left: the engine was interrupted, sign-in failed, 2 problems.",
        ),
    ],
)
def test_a_user_who_was_away_reads_one_line(events: list[PastEvent], line: str | None) -> None:
    assert away_summary(events, LEFT, NOW) == line


def test_an_account_without_the_usual_form_is_shown_as_it_is() -> None:
    assert account_words("anna") == "anna"
