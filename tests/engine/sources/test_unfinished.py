"""When a file that may still be written is read: pure decisions, with the clocks as arguments."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import FILE
from tui_uploader.engine.sources.unfinished import (
    DeferredFile,
    GiveUp,
    HasZeroTail,
    ObserveAgain,
    ObservedFile,
    Readiness,
    ReadNow,
    SettleTimes,
    UnfinishedFiles,
    ZeroTailRule,
    after_change,
    after_observation,
    readiness,
)
from tui_uploader.intake.observation import Observation

WALL = 1_700_000_000.0
NOW_NS = round(WALL * 1e9)
YEAR = 365 * 86_400.0
TIMES = SettleTimes(young=60.0, recent=600.0, unchanged=2.0, refused=5.0, suspicious=30.0)


def observed(age: float = 0.0, *, size: int = 100_000, samples: int = 1, **signs: bool | int) -> Observation:
    """Of a file that was modified `age` seconds ago by the wall clock."""
    return replace(Observation(size, round((WALL - age) * 1e9), samples), **signs)  # type: ignore[arg-type]


def decided(
    seen: Observation,
    unchanged: float,
    rule: ZeroTailRule = ZeroTailRule.REFUSE,
) -> Readiness:
    """About a file that was first observed 100 s ago, and has not changed for `unchanged` seconds."""
    return readiness(ObservedFile(0.0, 100.0 - unchanged, seen), WALL, 100.0, TIMES, rule)


@pytest.mark.parametrize(
    ("seen", "unchanged", "what"),
    [
        pytest.param(observed(age=86_400), 0.0, ReadNow, id="of yesterday: at once"),
        pytest.param(observed(age=61), 0.0, ReadNow, id="of a minute ago: at once"),
        pytest.param(observed(age=1), 0.0, ObserveAgain, id="just changed"),
        pytest.param(observed(age=1), 2.0, ReadNow, id="just changed, the same after a pause"),
        pytest.param(observed(age=-3600), 0.0, ObserveAgain, id="an hour ahead"),
        pytest.param(observed(age=-3600), 2.0, ReadNow, id="an hour ahead, the same after a pause"),
        pytest.param(observed(age=-300 * YEAR), 2.0, ReadNow, id="of a far future, the same after a pause"),
        pytest.param(observed(age=1, open_for_writing=True), 99.0, ObserveAgain, id="open for writing"),
        pytest.param(observed(age=601, open_for_writing=True), 0.0, ReadNow, id="open, but not written for long"),
        pytest.param(observed(age=1, holes=True), 29.0, ObserveAgain, id="with holes"),
        pytest.param(observed(age=1, holes=True), 30.0, ReadNow, id="with holes that stay"),
        pytest.param(observed(age=1, trailing_zeros=70_000), 29.0, ObserveAgain, id="ends in zeros"),
        pytest.param(observed(age=1, trailing_zeros=70_000), 30.0, HasZeroTail, id="ends in zeros that stay"),
        pytest.param(observed(age=86_400, trailing_zeros=70_000), 0.0, HasZeroTail, id="ended in zeros yesterday"),
        pytest.param(
            observed(age=86_400, trailing_zeros=70_000, ctime_ns=NOW_NS),
            0.0,
            ObserveAgain,
            id="zeros, dated back",
        ),
        pytest.param(
            observed(age=86_400, open_for_writing=True, ctime_ns=NOW_NS),
            0.0,
            ObserveAgain,
            id="open, dated back",
        ),
        pytest.param(observed(age=86_400, ctime_ns=NOW_NS), 0.0, ReadNow, id="whole, dated back: at once"),
        pytest.param(observed(age=1, trailing_zeros=4_000), 2.0, ReadNow, id="ends in a few zeros"),
    ],
)
def test_when_a_file_is_read(seen: Observation, unchanged: float, what: type[Readiness]) -> None:
    assert isinstance(decided(seen, unchanged), what)


def test_a_zero_tail_is_accepted_where_that_is_usual_or_wanted() -> None:
    zero_tail = observed(age=1, trailing_zeros=70_000)
    assert isinstance(decided(zero_tail, 29.0, ZeroTailRule.WAIT), ObserveAgain)
    assert decided(zero_tail, 30.0, ZeroTailRule.WAIT) == ReadNow()
    assert decided(zero_tail, 2.0, ZeroTailRule.IGNORE) == ReadNow()


def test_pauses_grow_with_every_change_and_come_to_an_end() -> None:
    """A file that changes between all observations is observed less and less often, then given up."""
    now, file, pauses = 0.0, None, []
    while True:
        file = after_observation(file, observed(samples=round(now * 10)), now)
        decision = readiness(file, WALL, now, TIMES, ZeroTailRule.REFUSE)
        if not isinstance(decision, ObserveAgain):
            break
        pauses.append(decision.seconds)
        now += decision.seconds
    assert pauses == [2, 4, 8, 16] + [30] * 8
    assert decision == GiveUp("it is still being written")


def test_a_file_that_another_program_keeps_open_is_given_up_too() -> None:
    now, file, observations = 0.0, None, 0
    while True:
        file = after_observation(file, observed(age=-3600, open_for_writing=True), now)
        decision = readiness(file, WALL, now, TIMES, ZeroTailRule.REFUSE)
        if not isinstance(decision, ObserveAgain):
            break
        observations, now = observations + 1, now + decision.seconds
    assert isinstance(decision, GiveUp) and 600 <= now <= 630 and observations < 40


def test_a_change_between_observations_restarts_the_wait() -> None:
    first = after_observation(None, observed(age=1), 0.0)
    other = after_observation(first, observed(age=1, size=200_000), 2.0)
    assert (other.unchanged_since, other.changes) == (2.0, 1)
    assert isinstance(readiness(other, WALL, 2.0, TIMES, ZeroTailRule.REFUSE), ObserveAgain)
    after = after_observation(other, observed(age=1, size=200_000), 6.0)
    assert readiness(after, WALL, 6.0, TIMES, ZeroTailRule.REFUSE) == ReadNow()


def test_a_change_while_it_was_read_needs_two_more_observations() -> None:
    read = after_change(after_observation(None, observed(age=1), 0.0), 5.0)
    again = after_observation(read, observed(age=1), 7.0)
    assert isinstance(readiness(again, WALL, 7.0, TIMES, ZeroTailRule.REFUSE), ObserveAgain)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_deferred_file_has_a_time_and_a_reason() -> None:
    clock = Clock()
    unfinished = UnfinishedFiles(lambda: WALL, clock, TIMES)
    assert isinstance(unfinished.note_observation(FILE, observed(age=1), ZeroTailRule.REFUSE), ObserveAgain)
    assert unfinished.deferred == {FILE.id: DeferredFile(FILE.upload, FILE.path, 2.0, "it was modified a moment ago")}
    assert unfinished.deferred_in(FILE.upload) and not unfinished.deferred_in(99)
    clock.now = 2.0
    assert unfinished.deferred == {}
    assert unfinished.note_observation(FILE, observed(age=1), ZeroTailRule.REFUSE) == ReadNow()
    unfinished.note_read(FILE.id)
    assert not unfinished.needs_observation(FILE)


def test_only_a_recent_file_that_is_refused_gets_time_to_become_complete() -> None:
    clock = Clock()
    unfinished = UnfinishedFiles(lambda: WALL, clock, TIMES)
    young = replace(FILE, id=2, mtime_ns=observed(age=1).mtime_ns)
    assert not unfinished.defer_refused(FILE)
    assert unfinished.defer_refused(young)
    clock.now = 5.0
    assert not unfinished.defer_refused(young)


def test_giving_up_names_the_file_and_the_time_waited() -> None:
    clock = Clock()
    unfinished = UnfinishedFiles(lambda: WALL, clock, TIMES)
    row = replace(FILE, path="/card/A\x1b.JPG")
    found = [unfinished.note_change(row) for _ in range(TIMES.max_changes - 1)]
    clock.now = 90.0
    end = unfinished.note_change(row)
    assert found == [None] * (TIMES.max_changes - 1)
    assert end is not None and "keeps changing: after 1 min 30 s" in end.reason and "\x1b" not in end.reason
