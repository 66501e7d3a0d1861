"""The number of streams, and unused capacity of a link, under a rate limit and without one."""

from __future__ import annotations

import time

import pytest

from tui_uploader.cloud.throttle import Throttle
from tui_uploader.engine.bandwidth.governor import BandwidthGovernor
from tui_uploader.engine.bandwidth.measuring import SlackDetector, StreamPlanner
from tui_uploader.engine.bandwidth.policy import Preferences
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.scheduling.concurrency import FIRST_STREAMS, LinkQuality

LONG_LINK = LinkQuality(round_trip=0.25, loss=0.0, full=False)


def governor(journal: Journal, limit: int | None) -> BandwidthGovernor:
    return BandwidthGovernor(journal, Throttle(), time.time, Preferences(limit=limit), {})


@pytest.mark.parametrize(("limit", "grows"), [(4_000_000, False), (40_000_000, True), (None, True)])
async def test_a_rate_limit_that_is_reached_is_no_reason_for_more_streams(
    journal: Journal, limit: int | None, grows: bool
) -> None:
    """Every stream has something to send, and 4 MB/s get through: the bottleneck is the link, or the limit."""
    planner, tried = StreamPlanner(governor(journal, limit), FIRST_STREAMS, now=0.0), set()
    for second in range(0, 120, 4):
        planner.measure(second, 4_000_000 * second, True, None, lambda: 0)
        tried.add(planner.streams)
    assert (max(tried) > FIRST_STREAMS) is grows


async def test_refusals_of_the_cloud_halve_the_streams_under_a_rate_limit_too(journal: Journal) -> None:
    planner = StreamPlanner(governor(journal, 1_000_000), 16, now=0.0)
    planner.measure(10.0, 10_000_000, True, None, lambda: 3)
    assert planner.streams == 8


@pytest.mark.parametrize(("limit", "found"), [(1_000_000, False), (None, True)])
async def test_less_goodput_than_lately_is_slack_unless_a_rate_limit_is_the_cause(
    journal: Journal, limit: int | None, found: bool
) -> None:
    detector = SlackDetector(governor(journal, limit), now=0.0)
    seen = [detector.found(second, sent, True, LONG_LINK) for second, sent in ((2, 4_000_000), (4, 6_000_000))]
    assert seen == [False, found]


async def test_a_window_in_which_nothing_is_sent_does_not_count(journal: Journal) -> None:
    detector = SlackDetector(governor(journal, None), now=0.0)
    assert not detector.found(2, 4_000_000, True, LONG_LINK)
    detector.restart(60, 4_000_000)
    assert not detector.found(62, 8_000_000, True, LONG_LINK)
