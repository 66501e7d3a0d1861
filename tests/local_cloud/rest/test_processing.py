"""Phases of processing by the clock."""

from __future__ import annotations

import pytest

from tui_uploader.local_cloud.rest.processing import Phase, phase, processing_seconds, waiting_seconds
from tui_uploader.local_cloud.storage.projects import ProcessingRun

MINUTE = ProcessingRun(1000, 60)


@pytest.mark.parametrize(
    ("registered", "run", "now", "expected"),
    [
        (0, None, 0, Phase.CREATED),
        (3, None, 0, Phase.UPLOADED),
        (3, MINUTE, 1000, Phase.WAITING),
        (3, MINUTE, 1011.9, Phase.WAITING),
        (3, MINUTE, 1012, Phase.PROCESSING),
        (3, MINUTE, 1059.9, Phase.PROCESSING),
        (3, MINUTE, 1060, Phase.DONE),
        (3, MINUTE, 10**9, Phase.DONE),
        (3, ProcessingRun(1000, 0), 1000, Phase.DONE),
        (3, MINUTE, 900, Phase.WAITING),
    ],
)
def test_phases(registered: int, run: ProcessingRun | None, now: float, expected: Phase) -> None:
    assert phase(registered, run, now) is expected


def test_waiting_and_processing_add_up_to_the_duration() -> None:
    assert waiting_seconds(MINUTE) + processing_seconds(MINUTE) == 60
    assert waiting_seconds(MINUTE) == pytest.approx(12)
