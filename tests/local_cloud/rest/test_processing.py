"""Processing goes by the clock."""

from __future__ import annotations

import pytest

from tui_uploader.local_cloud.rest.processing import Phase, Start, phase


@pytest.mark.parametrize(
    ("registered", "start", "now", "expected"),
    [
        (0, None, 0, Phase.CREATED),
        (3, None, 0, Phase.UPLOADED),
        (3, Start(1000, 60), 1000, Phase.WAITING),
        (3, Start(1000, 60), 1011.9, Phase.WAITING),
        (3, Start(1000, 60), 1012, Phase.PROCESSING),
        (3, Start(1000, 60), 1059.9, Phase.PROCESSING),
        (3, Start(1000, 60), 1060, Phase.DONE),
        (3, Start(1000, 60), 10**9, Phase.DONE),
        (3, Start(1000, 0), 1000, Phase.DONE),
        (3, Start(1000, 60), 900, Phase.WAITING),
    ],
)
def test_phases(registered: int, start: Start | None, now: float, expected: Phase) -> None:
    assert phase(registered, start, now) is expected


def test_waiting_and_processing_make_up_the_whole() -> None:
    start = Start(0, 60)
    assert start.waiting_seconds + start.processing_seconds == 60
    assert start.waiting_seconds == pytest.approx(12)
