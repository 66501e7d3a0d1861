"""Pure decisions about the link, as tables, and the stream plan against simulated links."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.cloud.contract import MAX_PARTS, MIN_PART, TcpInfo
from tui_uploader.engine.scheduling.concurrency import (
    FEWEST_STREAMS,
    FIRST_STREAMS,
    MIB,
    MOST_STREAMS,
    MOST_STREAMS_AGAINST_LOSS,
    LinkQuality,
    Slack,
    StreamPlan,
    Window,
    link_quality,
    may_read_ahead,
    next_plan,
    part_size,
    slack_after,
    slack_seconds,
    window_seconds,
)


@pytest.mark.parametrize(
    ("file_size", "goodput", "streams", "expected"),
    [
        (4 * MIB, None, 4, 16 * MIB),
        (4 * MIB, 10.0, 2, MIN_PART),
        (100 * MIB, 2 * MIB, 2, 30 * MIB),
        (100 * MIB, 6 * MIB, 64, MIN_PART),
        (100 * MIB, 1e9, 4, 512 * MIB),
        (400 * 1024 * MIB, 1e5, 2, 41 * MIB),
    ],
)
def test_part_size_follows_the_link(file_size: int, goodput: float | None, streams: int, expected: int) -> None:
    assert part_size(file_size, goodput, streams) == expected


@given(st.integers(1, 5 * 1024**4), st.one_of(st.none(), st.floats(0, 1e10)), st.integers(FEWEST_STREAMS, MOST_STREAMS))
def test_no_file_has_too_many_or_too_small_parts(file_size: int, goodput: float | None, streams: int) -> None:
    length = part_size(file_size, goodput, streams)
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


QUEUED = LinkQuality(round_trip=0.2, loss=0.0, full=True)
LOSSY = LinkQuality(round_trip=0.08, loss=0.01, full=False)
CLEAR = LinkQuality(round_trip=0.08, loss=0.0, full=False)


def connection(
    round_trip: float = 0.08, least: float = 0.08, segments: int = 1000, repeated: int = 0, loss_based: bool = True
) -> TcpInfo:
    return TcpInfo(10, 0.0, round_trip, least, segments, repeated, loss_based)


@pytest.mark.parametrize(
    ("connections", "expected"),
    [
        ([], None),
        ([connection(segments=0)], None),
        ([connection(round_trip=0.0)], None),
        ([connection()], CLEAR),
        ([connection(repeated=10)], LOSSY),
        ([connection(repeated=10, loss_based=False)], CLEAR),
        ([connection(repeated=10), connection(repeated=500, loss_based=False)], LOSSY),
        ([connection(round_trip=0.119)], LinkQuality(0.119, 0.0, full=False)),
        ([connection(round_trip=0.2)], QUEUED),
        # Opened while there was a queue, and never seen the way without it.
        ([connection(0.2, least=0.19), connection(0.2, least=0.08)], QUEUED),
        ([connection(0.08), connection(0.09), connection(0.9)], LinkQuality(0.09, 0.0, full=False)),
        ([connection(0.3, least=0.3, segments=600, repeated=30)], LinkQuality(0.3, 0.05, full=False)),
    ],
)
def test_link_quality_from_connections(connections: list[TcpInfo], expected: LinkQuality | None) -> None:
    assert link_quality(connections) == expected


def run(link: Callable[[int], Window], windows: int = 60) -> StreamPlan:
    """Return the plan after many windows on a link."""
    plan = StreamPlan()
    for _ in range(windows):
        plan = next_plan(plan, link(plan.streams))
    return plan


def unknown(per_stream: float, capacity: float) -> Callable[[int], Window]:
    """A link on which each stream adds its rate up to the capacity (bytes a second); its quality is unknown."""
    return lambda streams: Window(rate=min(streams * per_stream, capacity), all_in_use=True)


def lossy(per_stream: float, capacity: float) -> Callable[[int], Window]:
    """The same with random losses until packets queue."""

    def seen(streams: int) -> Window:
        full = streams * per_stream >= capacity
        return Window(min(streams * per_stream, capacity), True, quality=LinkQuality(0.2 if full else 0.08, 0.01, full))

    return seen


def full_of_losses(share: float, most: float) -> Callable[[int], Window]:
    """Random losses without a queue; each stream gets its share of `most`."""
    return lambda streams: Window(min(streams * share, 1.0) * most, True, quality=LinkQuality(0.3, 0.03, full=False))


def policed(streams: int) -> Window:
    """A policed link without a queue: the more streams, the more packets are dropped."""
    return Window(
        rate=1e6,
        all_in_use=True,
        quality=LinkQuality(0.05, min(0.5, 0.01 * (streams / FIRST_STREAMS) ** 2), full=False),
    )


@pytest.mark.parametrize(
    ("link", "fewest", "most"),
    [
        (unknown(per_stream=1e5, capacity=6e6), MOST_STREAMS, MOST_STREAMS),
        (unknown(per_stream=5e6, capacity=6e6), 2, 12),
        (lossy(per_stream=1e5, capacity=6e6), MOST_STREAMS, MOST_STREAMS),
        (lossy(per_stream=3e4, capacity=4e6), 134, MOST_STREAMS_AGAINST_LOSS),
        (lossy(per_stream=3e4, capacity=9e6), MOST_STREAMS_AGAINST_LOSS, MOST_STREAMS_AGAINST_LOSS),
        (full_of_losses(share=1 / 70, most=2e6), MOST_STREAMS, 128),
        (lossy(per_stream=1e6, capacity=6e6), 6, 8),
        (policed, 4, 16),
    ],
    ids=[
        "unknown and lossy",
        "unknown and filled by two",
        "lossy",
        "lossy and long",
        "lossy, long and never filled",
        "more than 64 bring nothing",
        "little loss",
        "policed",
    ],
)
def test_a_link_gets_as_many_streams_as_add_goodput(link: Callable[[int], Window], fewest: int, most: int) -> None:
    assert fewest <= run(link).streams <= most


def test_a_lossy_link_gets_its_streams_within_seconds() -> None:
    assert run(lossy(per_stream=1e5, capacity=6.5e6), windows=4).streams == MOST_STREAMS
    assert run(lossy(per_stream=3e4, capacity=6.5e6), windows=4).streams == MOST_STREAMS_AGAINST_LOSS


@pytest.mark.parametrize(
    ("plan", "seen", "streams"),
    [
        (StreamPlan(4), Window(6e6, True, quality=QUEUED), 4),
        (StreamPlan(9), Window(6e6, True, quality=QUEUED), 9),
        (StreamPlan(9), Window(200e3, True, quality=QUEUED), 9),
        (StreamPlan(4), Window(250e3, True, quality=QUEUED), 2),
        (StreamPlan(4), Window(340e3, True, quality=QUEUED), 3),
        (StreamPlan(4), Window(1e3, True, quality=QUEUED), FEWEST_STREAMS),
        (StreamPlan(2), Window(340e3, True, quality=QUEUED), 3),
        (StreamPlan(2), Window(6e6, True, quality=QUEUED), FIRST_STREAMS),
        (StreamPlan(8, 1e6, before=4), Window(1.05e6, True, quality=CLEAR), 4),
        (StreamPlan(8, 1e6, before=4), Window(1.05e6, True), 4),
        (StreamPlan(8, 1e6, before=4, loss=0.01), Window(1.05e6, True, quality=LOSSY), 16),
        (StreamPlan(8, 1e6, before=4, loss=0.004), Window(1.05e6, True, quality=LOSSY), 4),
        (StreamPlan(8, 1e6, before=4, loss=0.004), Window(1.9e6, True, quality=LOSSY), 16),
        # A few streams that carry next to nothing are not enough by far.
        (StreamPlan(4), Window(1.2e5, True, quality=LOSSY), 16),
        (StreamPlan(16, 1.2e5, before=4, loss=0.01), Window(4.8e5, True, quality=LOSSY), 64),
        (StreamPlan(20, 1.2e5, before=4, loss=0.01), Window(4.8e5, True, quality=LOSSY), 40),
        # Beyond 64, only what brings a tenth more, and nothing where no packets get lost.
        (StreamPlan(64, 1e6, before=32, loss=0.01), Window(1.9e6, True, quality=LOSSY), 128),
        (StreamPlan(128, 1.9e6, before=64, loss=0.01), Window(3.7e6, True, quality=LOSSY), MOST_STREAMS_AGAINST_LOSS),
        (StreamPlan(128, 1.9e6, before=64, loss=0.01), Window(2.0e6, True, quality=LOSSY), 64),
        (StreamPlan(64, 1e6, before=43), Window(1.9e6, True, quality=CLEAR), MOST_STREAMS),
        (StreamPlan(64, 1e6, before=43), Window(1.9e6, True), MOST_STREAMS),
        (StreamPlan(8, 1e6, 10), Window(1e6, True), 10),
        (StreamPlan(8, 1e6, 5), Window(1e6, True), 8),
        # The number has been found: that the link carries more now is no merit of it.
        (StreamPlan(8, 1e6, 5), Window(2e6, True, quality=CLEAR), 8),
    ],
)
def test_one_decision(plan: StreamPlan, seen: Window, streams: int) -> None:
    assert next_plan(plan, seen).streams == streams


def test_streams_that_added_only_losses_are_not_retried_at_once() -> None:
    plan = next_plan(StreamPlan(8, 1e6, before=4, loss=0.004), Window(1e6, True, quality=LOSSY))
    assert next_plan(plan, Window(1e6, True, quality=LOSSY)).streams == 4


def test_the_number_of_streams_stays_when_no_file_waits() -> None:
    assert next_plan(StreamPlan(), Window(rate=1e6, all_in_use=False)) == StreamPlan()


@pytest.mark.parametrize(
    ("held", "quality", "seconds"),
    [
        (0, None, 1.0),
        (1, None, 3.0),
        (0, CLEAR, 1.0),
        (0, LinkQuality(0.3, 0.0, False), 3.0),
        (1, LinkQuality(0.6, 0.0, True), 6.0),
    ],
)
def test_windows_are_short_during_growth_but_last_some_round_trips(
    held: int, quality: LinkQuality | None, seconds: float
) -> None:
    assert window_seconds(StreamPlan(windows_held=held), quality) == pytest.approx(seconds)


def test_refusals_halve_the_streams_down_to_the_fewest() -> None:
    plan = StreamPlan(streams=40, best_rate=1e6)
    seen = []
    for _ in range(6):
        plan = next_plan(plan, Window(rate=1e6, all_in_use=True, refusals=1))
        seen.append(plan.streams)
    assert seen == [20, 10, 5, 2, 2, 2]


@given(
    st.lists(
        st.builds(
            Window,
            rate=st.floats(0, 1e9),
            all_in_use=st.booleans(),
            refusals=st.integers(0, 3),
            quality=st.none() | st.builds(LinkQuality, st.floats(0.001, 2), st.floats(0, 1), st.booleans()),
        ),
        max_size=50,
    )
)
def test_streams_never_leave_their_bounds(windows: list[Window]) -> None:
    plan = StreamPlan(FIRST_STREAMS)
    for seen in windows:
        plan = next_plan(plan, seen)
        assert FEWEST_STREAMS <= plan.streams <= MOST_STREAMS_AGAINST_LOSS


@pytest.mark.parametrize(
    ("most", "seen", "found"),
    [
        (0.0, Window(1e6, True, quality=CLEAR), False),
        (2e6, Window(1e6, True, quality=CLEAR), True),
        (2e6, Window(1e6, False, quality=CLEAR), True),
        (2e6, Window(1.8e6, True, quality=CLEAR), False),
        (2e6, Window(1e6, True, quality=QUEUED), False),
        (2e6, Window(1e6, True), False),
    ],
    ids=["first look", "less than before", "at the end of an upload", "as much", "full", "nothing known"],
)
def test_capacity_that_was_used_before_is_slack(most: float, seen: Window, found: bool) -> None:
    assert slack_after(Slack(most), seen).found is found


def test_a_link_that_became_slower_for_good_soon_counts_as_full() -> None:
    slack = Slack(2e6)
    found = 0
    for _ in range(30):
        slack = slack_after(slack, Window(1e6, True, quality=CLEAR))
        found += slack.found
    assert 1 <= found <= 8 and not slack.found


@pytest.mark.parametrize(("quality", "seconds"), [(None, 1.0), (CLEAR, 1.0), (LinkQuality(0.3, 0.0, False), 1.8)])
def test_slack_is_measured_over_some_round_trips(quality: LinkQuality | None, seconds: float) -> None:
    assert slack_seconds(quality) == pytest.approx(seconds)
