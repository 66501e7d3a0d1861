"""When a new file has come to rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui_uploader.engine.watches.rest import SeenFile, at_rest, seen
from tui_uploader.intake.scan import Candidate

FILE = Candidate("/card/a.jpg", 1000, 5, 7)


@pytest.mark.parametrize(
    ("before", "young", "now", "rests"),
    [
        (None, False, 0.0, True),  # an old file on a card
        (None, True, 0.0, False),
        (SeenFile(1000, 5, 10.0), True, 11.9, False),
        (SeenFile(1000, 5, 10.0), True, 12.0, True),
        (SeenFile(999, 5, 10.0), True, 90.0, False),  # it grew
        (SeenFile(1000, 4, 10.0), True, 90.0, False),
        (SeenFile(999, 4, 10.0), False, 90.0, False),  # a copy that was given its old date at the end
        (SeenFile(1000, 5, 10.0), False, 12.0, True),
    ],
)
def test_a_file_is_added_once_it_is_old_or_stays_as_it_is(
    before: SeenFile | None, young: bool, now: float, rests: bool
) -> None:
    assert at_rest(before, FILE, young=young, now=now, unchanged=2.0) is rests


def test_the_time_counts_from_the_last_change() -> None:
    first = seen(None, FILE, 10.0)
    assert seen(first, FILE, 11.0) == first
    assert seen(first, replace(FILE, size=1001), 11.0) == SeenFile(1001, 5, 11.0)
