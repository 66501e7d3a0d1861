"""The link watch over a made-up link; time is the event loop's own, in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.until import until
from tui_uploader.cloud.contract import TcpInfo
from tui_uploader.engine.accounts.link_monitor import LinkMonitor, is_stalled, was_suspended
from tui_uploader.errors import CloudFault, LinkDown, LinkStalled, UploaderError
from tui_uploader.model import LinkState


class MadeUpLink:
    def __init__(self, *answers: UploaderError | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.door = asyncio.Event()
        self.refusal: UploaderError | None = None
        self.trusted: list[bool] = []
        self.events: list[str] = []

    async def probe(self) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    async def wait_reachable(self) -> None:
        await self.door.wait()
        if self.refusal is not None:
            raise self.refusal

    @property
    def connections(self) -> MadeUpLink:
        return self

    def tcp_info(self) -> list[TcpInfo]:
        return []

    def remeasure_link(self) -> None: ...

    def stalled_reads(self, seconds: float) -> list[str]:
        return []

    def doubt_link(self) -> None:
        self.trusted.append(False)

    def trust_link(self, *, was_gone: bool) -> None:
        self.trusted.append(True)

    def has_been_asked(self, times: int) -> bool:
        return self.asked == times

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[LinkMonitor]:
        watch = LinkMonitor(
            self,
            lambda: self.events.append(watch.link.state),
            lambda: self.events.append("came up"),
            clock=lambda: 1000.0,
            random=lambda: 0.5,
        )
        try:
            yield watch
        finally:
            await watch.close()


async def test_a_single_broken_connection_is_no_dead_link() -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        watch.suspect(LinkDown("reset"))
        await until(lambda: watch.link.state is LinkState.UP)
    assert link.events == ["up"]


async def test_an_answer_that_nobody_likes_is_an_answer() -> None:
    link = MadeUpLink(CloudFault("502"))
    async with link.watch() as watch:
        watch.suspect(LinkDown("reset"))
        await until(lambda: watch.link.state is LinkState.UP)


async def test_a_dead_link_is_told_with_the_next_try_and_probed_until_it_is_up() -> None:
    link = MadeUpLink(LinkDown("no route"), LinkDown("no route"))
    async with link.watch() as watch:
        watch.suspect(LinkDown("no route"))
        watch.suspect(LinkDown("no route"))
        await until(lambda: watch.down)
        assert (watch.link.since, watch.link.next_try, watch.link.reason) == (1000.0, 1001.0, "no route")
        for probes in (2, 3):
            watch.try_now()
            await until(partial(link.has_been_asked, probes))
        await until(lambda: not watch.down)
    assert link.events == ["down", "down", "up", "came up"]


async def test_probing_ends_with_the_watch() -> None:
    link = MadeUpLink(*[LinkDown("no route")] * 100)
    async with link.watch() as watch:
        watch.suspect(LinkDown("no route"))
        await until(lambda: watch.down)
    assert link.asked == 1


@pytest.mark.parametrize(("failures", "state"), [(7, LinkState.UP), (8, LinkState.DOWN)])
async def test_a_store_out_of_reach_is_a_dead_link_though_the_service_answers(failures: int, state: LinkState) -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        for _ in range(failures):
            watch.suspect(LinkDown("the store does not answer"))
        await until(lambda: watch.link.state is not LinkState.UNKNOWN)
        assert (watch.link.state, link.asked) == (state, 1)


async def test_failures_between_which_something_gets_through_are_no_dead_link() -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        for probes in (1, 2, 3):
            for _ in range(7):
                watch.suspect(LinkDown("reset"))
            await until(partial(link.has_been_asked, probes))
            watch.seen_up()
        await until(lambda: watch.link.state is LinkState.UP)
    assert LinkState.DOWN not in link.events


async def test_a_store_out_of_reach_is_tried_again_after_longer_and_longer_waits() -> None:
    link = MadeUpLink()
    waits: list[float | None] = []

    async def fail_until_down(watch: LinkMonitor) -> None:
        for _ in range(8):
            watch.suspect(CloudFault("500"))
        await until(lambda: watch.down)
        waits.append(watch.link.next_try)
        watch.try_now()
        await until(lambda: not watch.down)

    async with link.watch() as watch:
        for _ in range(4):
            await fail_until_down(watch)
        watch.seen_up()
        await fail_until_down(watch)
    assert waits == [1001.0, 1001.0, 1002.0, 1004.0, 1001.0]
    assert link.events.count("came up") == 5


async def test_after_a_store_was_out_of_reach_a_single_failure_is_no_dead_link_again() -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        for _ in range(8):
            watch.suspect(LinkDown("reset"))
        await until(lambda: watch.down)
        watch.try_now()
        await until(lambda: not watch.down)
        watch.suspect(LinkDown("reset"))
        await until(partial(link.has_been_asked, 2))
        await asyncio.sleep(0)  # the probe draws its conclusion
        assert not watch.down


def connection(unacknowledged: int, silent: float) -> TcpInfo:
    return TcpInfo(unacknowledged, silent, 0.08, 0.08, 1000, 0, loss_based=True)


@pytest.mark.parametrize(
    ("connections", "still"),
    [
        ([], False),
        ([connection(10, 1.9)], False),
        ([connection(10, 2.1)], True),
        ([connection(0, 60.0)], False),  # it waits for the answer to what has arrived
        ([connection(10, 2.1), connection(10, 0.1)], False),
        ([connection(10, 2.1), connection(0, 0.1)], True),
    ],
)
def test_packets_that_nobody_acknowledges_stand_still(connections: list[TcpInfo], still: bool) -> None:
    assert is_stalled(connections) is still


@pytest.mark.parametrize(
    ("wall", "monotonic", "expected"),
    [(0.5, 0.5, False), (3600.5, 0.5, True), (-7200.0, 0.5, False), (4.0, 0.5, False), (5.6, 0.5, True)],
)
def test_a_wall_clock_that_jumps_ahead_tells_of_a_suspended_machine(
    wall: float, monotonic: float, expected: bool
) -> None:
    assert was_suspended(wall, monotonic) is expected


async def test_a_link_that_is_back_is_used_at_once_whatever_the_next_try_was() -> None:
    link = MadeUpLink(*[LinkDown("no route")] * 6)
    async with link.watch() as watch:
        watch.suspect(LinkDown("no route"))
        for probes in range(1, 6):
            await until(partial(link.has_been_asked, probes))
            watch.try_now()
        await until(lambda: watch.link.next_try is not None and watch.link.next_try > 1005.0)
        link.answers.clear()
        link.door.set()
        await until(lambda: not watch.down, 5.0)


async def test_a_host_that_refuses_is_left_alone_until_the_next_try() -> None:
    link = MadeUpLink(LinkDown("refused"), LinkDown("refused"))
    link.refusal = LinkDown("refused")
    link.door.set()
    async with link.watch() as watch:
        watch.suspect(LinkDown("refused"))
        await until(lambda: watch.down)
        for _ in range(20):
            await asyncio.sleep(0)
        assert link.asked == 1


async def test_a_door_that_opens_to_nothing_is_not_believed_again_at_once() -> None:
    link = MadeUpLink(*[LinkDown("the way behind the proxy is dead")] * 50)
    link.door.set()
    async with link.watch() as watch:
        watch.suspect(LinkDown("dead"))
        await until(partial(link.has_been_asked, 2))
        await asyncio.sleep(0.3)  # as many questions as it takes would be asked in this time, if nothing held them back
        assert link.asked == 2


async def test_what_is_under_way_is_doubted_with_the_link_and_trusted_with_it() -> None:
    link = MadeUpLink(LinkDown("no route"))
    link.door.set()
    async with link.watch() as watch:
        watch.doubt(LinkStalled("nothing arrives"))
        assert link.trusted == [False]
        await until(lambda: watch.link.state is LinkState.UP)
    assert link.trusted == [False, True]


async def test_doubts_alone_are_no_broken_transfers() -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        for probes in range(1, 12):
            watch.doubt(LinkStalled("nothing arrives"))
            await until(partial(link.has_been_asked, probes))
            await until(lambda: watch.link.state is LinkState.UP)
    assert LinkState.DOWN not in link.events


async def test_a_cloud_that_never_answers_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    link = MadeUpLink()
    monkeypatch.setattr(link, "probe", asyncio.Event().wait)
    monkeypatch.setattr("tui_uploader.engine.accounts.link_monitor._PATIENCE", 0.05)
    async with link.watch() as watch:
        watch.doubt(LinkStalled("nothing arrives"))
        await until(lambda: watch.down)


async def test_transfers_that_a_dead_link_broke_do_not_keep_it_down_when_it_is_back() -> None:
    link = MadeUpLink(LinkDown("no route"))
    async with link.watch() as watch:
        watch.doubt(LinkStalled("nothing arrives"))
        await until(lambda: watch.down)
        for _ in range(20):
            watch.suspect(LinkDown("timed out"))
        link.door.set()
        await until(lambda: not watch.down)
    assert (link.asked, link.events.count("down")) == (2, 1)
