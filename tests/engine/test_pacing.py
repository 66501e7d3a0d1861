"""Pure decisions about the link, as tables, and the stream plan against simulated links."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.cloud.contract import MAX_PARTS, MIN_PART
from tui_uploader.engine.pacing import (
    FEWEST_STREAMS,
    FIRST_STREAMS,
    MIB,
    MOST_STREAMS,
    StreamPlan,
    Window,
    may_read_ahead,
    next_plan,
    part_size,
    window_seconds,
)


@pytest.mark.parametrize(
    ("file_size", "goodput", "expected"),
    [
        (4 * MIB, None, 16 * MIB),
        (4 * MIB, 10.0, MIN_PART),
        (100 * MIB, MIB, 30 * MIB),
        (100 * MIB, 1e9, 512 * MIB),
        (400 * 1024 * MIB, 1e5, 41 * MIB),
    ],
)
def test_part_size_follows_the_link(file_size: int, goodput: float | None, expected: int) -> None:
    assert part_size(file_size, goodput) == expected


@given(st.integers(1, 5 * 1024**4), st.one_of(st.none(), st.floats(0, 1e10)))
def test_no_file_has_too_many_or_too_small_parts(file_size: int, goodput: float | None) -> None:
    length = part_size(file_size, goodput)
    assert length >= MIN_PART
    assert -(-file_size // length) <= MAX_PARTS


@pytest.mark.parametrize(
    ("ready_bytes", "goodput", "expected"),
    [
        (0, None, True),
        (10**12, None, True),
        (10**12, 1e6, True),
        (100 * MIB, 1e8, True),
        (600 * MIB, 1e8, False),
    ],
)
def test_reading_ahead_is_bounded_on_fast_links_only(ready_bytes: int, goodput: float | None, expected: bool) -> None:
    assert may_read_ahead(ready_bytes, goodput) is expected


def run(per_stream: float, capacity: float, windows: int = 60) -> StreamPlan:
    """A link on which every stream brings `per_stream` until `capacity` is reached (bytes a second)."""
    plan = StreamPlan()
    for _ in range(windows):
        plan = next_plan(plan, Window(rate=min(plan.streams * per_stream, capacity), all_in_use=True))
    return plan


def test_lossy_link_gets_as_many_streams_as_pay() -> None:
    assert run(per_stream=1e5, capacity=6e6).streams == MOST_STREAMS


def test_link_that_two_streams_fill_keeps_few() -> None:
    assert run(per_stream=5e6, capacity=6e6).streams <= 12


def test_streams_stay_where_nothing_waits_for_one() -> None:
    assert next_plan(StreamPlan(), Window(rate=1e6, all_in_use=False)) == StreamPlan()


def test_looks_are_short_while_they_bring_more_and_long_afterwards() -> None:
    assert window_seconds(StreamPlan()) < window_seconds(StreamPlan(windows_held=1))


def test_refusals_halve_the_streams_down_to_the_fewest() -> None:
    plan = StreamPlan(streams=40, best_rate=1e6)
    seen = []
    for _ in range(6):
        plan = next_plan(plan, Window(rate=1e6, all_in_use=True, refusals=1))
        seen.append(plan.streams)
    assert seen == [20, 10, 5, 2, 2, 2]


@given(
    st.lists(
        st.builds(Window, rate=st.floats(0, 1e9), all_in_use=st.booleans(), refusals=st.integers(0, 3)), max_size=50
    )
)
def test_streams_never_leave_their_bounds(windows: list[Window]) -> None:
    plan = StreamPlan(FIRST_STREAMS)
    for seen in windows:
        plan = next_plan(plan, seen)
        assert FEWEST_STREAMS <= plan.streams <= MOST_STREAMS
