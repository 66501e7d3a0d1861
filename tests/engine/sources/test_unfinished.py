"""When a file that may still be written is read: decisions, with the clocks on a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import FILE
from tui_uploader.engine.sources.unfinished import (
    Decision,
    GapRule,
    GiveUp,
    HasGap,
    LookAgain,
    Patience,
    ReadNow,
    Rest,
    Watch,
    Watches,
    changed,
    decide,
    watched,
)
from tui_uploader.intake.observation import Look

WALL = 1_700_000_000.0
YEAR = 365 * 86_400.0
PATIENCE = Patience(young=60.0, recent=600.0, rest=2.0, refused_rest=5.0, doubtful_rest=30.0)


def look(age: float = 0.0, *, size: int = 100_000, samples: int = 1, **signs: bool | int) -> Look:
    """Of a file that was changed `age` seconds ago by the wall clock."""
    return replace(Look(size, round((WALL - age) * 1e9), samples), **signs)  # type: ignore[arg-type]


def decided(seen: Look, unchanged: float, gaps: GapRule = GapRule.FAILS, changes: int = 0) -> Decision:
    """About a file that was first looked at 100 s ago, and has been as it is for `unchanged` seconds."""
    return decide(Watch(0.0, 100.0 - unchanged, seen, changes), WALL, 100.0, PATIENCE, gaps)


@pytest.mark.parametrize(
    ("seen", "unchanged", "what"),
    [
        pytest.param(look(age=86_400), 0.0, ReadNow, id="of yesterday: at once"),
        pytest.param(look(age=61), 0.0, ReadNow, id="of a minute ago: at once"),
        pytest.param(look(age=1), 0.0, LookAgain, id="just changed"),
        pytest.param(look(age=1), 2.0, ReadNow, id="just changed, the same after a rest"),
        pytest.param(look(age=-3600), 0.0, LookAgain, id="an hour ahead"),
        pytest.param(look(age=-3600), 2.0, ReadNow, id="an hour ahead, the same after a rest"),
        pytest.param(look(age=-300 * YEAR), 2.0, ReadNow, id="of a far future, the same after a rest"),
        pytest.param(look(age=1, written=True), 99.0, LookAgain, id="open for writing, however long unchanged"),
        pytest.param(look(age=601, written=True), 0.0, ReadNow, id="open for writing, but not written for long"),
        pytest.param(look(age=1, holes=True), 29.0, LookAgain, id="with holes"),
        pytest.param(look(age=1, holes=True), 30.0, ReadNow, id="with holes that stay"),
        pytest.param(look(age=1, zeros=70_000), 29.0, LookAgain, id="ends in zeros"),
        pytest.param(look(age=1, zeros=70_000), 30.0, HasGap, id="ends in zeros that stay"),
        pytest.param(look(age=86_400, zeros=70_000), 0.0, HasGap, id="ended in zeros yesterday already"),
        pytest.param(
            look(age=86_400, zeros=70_000, ctime_ns=round(WALL * 1e9)), 0.0, LookAgain, id="zeros, dated back"
        ),
        pytest.param(look(age=86_400, written=True, ctime_ns=round(WALL * 1e9)), 0.0, LookAgain, id="open, dated back"),
        pytest.param(look(age=86_400, ctime_ns=round(WALL * 1e9)), 0.0, ReadNow, id="whole, dated back: at once"),
        pytest.param(look(age=1, zeros=4_000), 2.0, ReadNow, id="ends in a few zeros"),
    ],
)
def test_when_a_file_is_read(seen: Look, unchanged: float, what: type[Decision]) -> None:
    assert isinstance(decided(seen, unchanged), what)


def test_a_gap_is_taken_where_that_is_usual_or_wanted() -> None:
    gap = look(age=1, zeros=70_000)
    assert isinstance(decided(gap, 29.0, GapRule.RESTS), LookAgain)
    assert decided(gap, 30.0, GapRule.RESTS) == ReadNow()
    assert decided(gap, 2.0, GapRule.COUNTS_NOT) == ReadNow()


def test_rests_grow_with_every_change_and_come_to_an_end() -> None:
    """A file that is changed at every look: the engine looks ever less often, and then says that it gives up."""
    now, watch, rests = 0.0, None, []
    while True:
        watch = watched(watch, look(samples=round(now * 10)), now)
        decision = decide(watch, WALL, now, PATIENCE, GapRule.FAILS)
        if not isinstance(decision, LookAgain):
            break
        rests.append(decision.seconds)
        now += decision.seconds
    assert rests == [2, 4, 8, 16] + [30] * 8
    assert decision == GiveUp("it is still being written")


def test_a_file_that_another_program_keeps_open_comes_to_an_end_too() -> None:
    now, watch, looks = 0.0, None, 0
    while True:
        watch = watched(watch, look(age=-3600, written=True), now)
        decision = decide(watch, WALL, now, PATIENCE, GapRule.FAILS)
        if not isinstance(decision, LookAgain):
            break
        looks, now = looks + 1, now + decision.seconds
    assert isinstance(decision, GiveUp) and 600 <= now <= 630 and looks < 40


def test_a_change_between_looks_begins_the_rest_anew() -> None:
    first = watched(None, look(age=1), 0.0)
    other = watched(first, look(age=1, size=200_000), 2.0)
    assert (other.since, other.changes) == (2.0, 1)
    assert isinstance(decide(other, WALL, 2.0, PATIENCE, GapRule.FAILS), LookAgain)
    after = watched(other, look(age=1, size=200_000), 6.0)
    assert decide(after, WALL, 6.0, PATIENCE, GapRule.FAILS) == ReadNow()


def test_a_change_while_it_was_read_needs_two_more_looks() -> None:
    read = changed(watched(None, look(age=1), 0.0), 5.0)
    again = watched(read, look(age=1), 7.0)
    assert isinstance(decide(again, WALL, 7.0, PATIENCE, GapRule.FAILS), LookAgain)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_rests_tells_until_when_and_why() -> None:
    clock = Clock()
    watches = Watches(lambda: WALL, clock, PATIENCE)
    assert isinstance(watches.seen(FILE, look(age=1), GapRule.FAILS), LookAgain)
    assert watches.resting == {FILE.id: Rest(FILE.upload, FILE.path, 2.0, "it was changed a moment ago")}
    assert watches.resting_of(FILE.upload) and not watches.resting_of(99)
    clock.now = 2.0
    assert watches.resting == {}
    assert watches.seen(FILE, look(age=1), GapRule.FAILS) == ReadNow()
    watches.settled(FILE.id)
    assert not watches.wants_look(FILE)


def test_a_recent_file_that_is_refused_gets_a_moment_to_become_whole_and_an_old_one_none() -> None:
    clock = Clock()
    watches = Watches(lambda: WALL, clock, PATIENCE)
    young = replace(FILE, id=2, mtime_ns=look(age=1).mtime_ns)
    assert not watches.may_get_better(FILE)
    assert watches.may_get_better(young)
    clock.now = 5.0
    assert not watches.may_get_better(young)


def test_the_end_of_waiting_is_told_with_the_name_the_time_and_what_comes_next() -> None:
    clock = Clock()
    watches = Watches(lambda: WALL, clock, PATIENCE)
    row = replace(FILE, path="/card/A\x1b.JPG")
    found = [watches.changed(row) for _ in range(PATIENCE.most_changes - 1)]
    clock.now = 90.0
    end = watches.changed(row)
    assert found == [None] * (PATIENCE.most_changes - 1)
    assert end is not None and "keeps changing; after 1 min 30 s" in end.reason and "\x1b" not in end.reason
