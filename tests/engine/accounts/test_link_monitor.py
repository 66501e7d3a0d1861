"""The link monitor over a simulated cloud."""

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
from tui_uploader.model.engine import LinkState


class SimulatedCloud:
    def __init__(self, *answers: UploaderError | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.open = asyncio.Event()
        self.refusal: UploaderError | None = None
        self.trusted: list[bool] = []
        self.events: list[str] = []

    async def probe(self) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    async def wait_reachable(self) -> None:
        await self.open.wait()
        if self.refusal is not None:
            raise self.refusal

    @property
    def connections(self) -> SimulatedCloud:
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
    async def monitor(self) -> AsyncIterator[LinkMonitor]:
        monitor = LinkMonitor(
            self,
            lambda: self.events.append(monitor.link.state),
            lambda: self.events.append("came up"),
            clock=lambda: 1000.0,
            random=lambda: 0.5,
        )
        try:
            yield monitor
        finally:
            await monitor.close()


async def test_one_broken_connection_does_not_take_the_link_down() -> None:
    cloud = SimulatedCloud()
    async with cloud.monitor() as monitor:
        monitor.suspect(LinkDown("reset"))
        await until(lambda: monitor.link.state is LinkState.UP)
    assert cloud.events == ["up"]


async def test_an_error_of_the_service_is_a_reply() -> None:
    cloud = SimulatedCloud(CloudFault("502"))
    async with cloud.monitor() as monitor:
        monitor.suspect(LinkDown("reset"))
        await until(lambda: monitor.link.state is LinkState.UP)


async def test_a_link_that_is_down_names_the_next_try_and_is_probed_until_it_is_up() -> None:
    cloud = SimulatedCloud(LinkDown("no route"), LinkDown("no route"))
    async with cloud.monitor() as monitor:
        monitor.suspect(LinkDown("no route"))
        monitor.suspect(LinkDown("no route"))
        await until(lambda: monitor.down)
        assert (monitor.link.since, monitor.link.next_try, monitor.link.reason) == (1000.0, 1001.0, "no route")
        for probes in (2, 3):
            monitor.try_now()
            await until(partial(cloud.has_been_asked, probes))
        await until(lambda: not monitor.down)
    assert cloud.events == ["down", "down", "up", "came up"]


async def test_closing_the_monitor_ends_probing() -> None:
    cloud = SimulatedCloud(*[LinkDown("no route")] * 100)
    async with cloud.monitor() as monitor:
        monitor.suspect(LinkDown("no route"))
        await until(lambda: monitor.down)
    assert cloud.asked == 1


@pytest.mark.parametrize(("failures", "state"), [(7, LinkState.UP), (8, LinkState.DOWN)])
async def test_an_unreachable_storage_takes_the_link_down_although_the_service_answers(
    failures: int, state: LinkState
) -> None:
    cloud = SimulatedCloud()
    async with cloud.monitor() as monitor:
        for _ in range(failures):
            monitor.suspect(LinkDown("the storage does not respond"))
        await until(lambda: monitor.link.state is not LinkState.UNKNOWN)
        assert (monitor.link.state, cloud.asked) == (state, 1)


async def test_successes_between_failures_keep_the_link_up() -> None:
    cloud = SimulatedCloud()
    async with cloud.monitor() as monitor:
        for probes in (1, 2, 3):
            for _ in range(7):
                monitor.suspect(LinkDown("reset"))
            await until(partial(cloud.has_been_asked, probes))
            monitor.seen_up()
        await until(lambda: monitor.link.state is LinkState.UP)
    assert LinkState.DOWN not in cloud.events


async def test_an_unreachable_storage_is_tried_again_after_growing_waits() -> None:
    cloud = SimulatedCloud()
    waits: list[float | None] = []

    async def fail_until_down(monitor: LinkMonitor) -> None:
        for _ in range(8):
            monitor.suspect(CloudFault("500"))
        await until(lambda: monitor.down)
        waits.append(monitor.link.next_try)
        monitor.try_now()
        await until(lambda: not monitor.down)

    async with cloud.monitor() as monitor:
        for _ in range(4):
            await fail_until_down(monitor)
        monitor.seen_up()
        await fail_until_down(monitor)
    assert waits == [1001.0, 1001.0, 1002.0, 1004.0, 1001.0]
    assert cloud.events.count("came up") == 5


async def test_one_failure_after_an_unreachable_storage_does_not_take_the_link_down_again() -> None:
    cloud = SimulatedCloud()
    async with cloud.monitor() as monitor:
        for _ in range(8):
            monitor.suspect(LinkDown("reset"))
        await until(lambda: monitor.down)
        monitor.try_now()
        await until(lambda: not monitor.down)
        monitor.suspect(LinkDown("reset"))
        await until(partial(cloud.has_been_asked, 2))
        await asyncio.sleep(0)  # the probe draws its conclusion
        assert not monitor.down


def connection(unacknowledged: int, silent: float) -> TcpInfo:
    return TcpInfo(unacknowledged, silent, 0.08, 0.08, 1000, 0, loss_based=True)


@pytest.mark.parametrize(
    ("connections", "stalled"),
    [
        ([], False),
        ([connection(10, 1.9)], False),
        ([connection(10, 2.1)], True),
        ([connection(0, 60.0)], False),  # everything was acknowledged: it waits for the reply
        ([connection(10, 2.1), connection(10, 0.1)], False),
        ([connection(10, 2.1), connection(0, 0.1)], True),
    ],
)
def test_connections_without_acknowledgements_are_stalled(connections: list[TcpInfo], stalled: bool) -> None:
    assert is_stalled(connections) is stalled


@pytest.mark.parametrize(
    ("wall", "monotonic", "expected"),
    [(0.5, 0.5, False), (3600.5, 0.5, True), (-7200.0, 0.5, False), (4.0, 0.5, False), (5.6, 0.5, True)],
)
def test_a_jump_of_the_wall_clock_means_that_the_machine_was_suspended(
    wall: float, monotonic: float, expected: bool
) -> None:
    assert was_suspended(wall, monotonic) is expected


async def test_a_link_that_is_back_is_used_before_the_next_try_is_due() -> None:
    cloud = SimulatedCloud(*[LinkDown("no route")] * 6)
    async with cloud.monitor() as monitor:
        monitor.suspect(LinkDown("no route"))
        for probes in range(1, 6):
            await until(partial(cloud.has_been_asked, probes))
            monitor.try_now()
        await until(lambda: monitor.link.next_try is not None and monitor.link.next_try > 1005.0)
        cloud.answers.clear()
        cloud.open.set()
        await until(lambda: not monitor.down, 5.0)


async def test_a_host_that_refuses_connections_is_not_probed_before_the_next_try() -> None:
    cloud = SimulatedCloud(LinkDown("refused"), LinkDown("refused"))
    cloud.refusal = LinkDown("refused")
    cloud.open.set()
    async with cloud.monitor() as monitor:
        monitor.suspect(LinkDown("refused"))
        await until(lambda: monitor.down)
        for _ in range(20):
            await asyncio.sleep(0)
        assert cloud.asked == 1


async def test_a_proxy_without_a_network_behind_it_is_not_trusted_twice_in_a_row() -> None:
    cloud = SimulatedCloud(*[LinkDown("no network behind the proxy")] * 50)
    cloud.open.set()
    async with cloud.monitor() as monitor:
        monitor.suspect(LinkDown("dead"))
        await until(partial(cloud.has_been_asked, 2))
        for _ in range(100):  # many probes would be sent in these turns of the loop
            await asyncio.sleep(0)
        assert cloud.asked == 2


async def test_connections_are_doubted_and_trusted_together_with_the_link() -> None:
    cloud = SimulatedCloud(LinkDown("no route"))
    cloud.open.set()
    async with cloud.monitor() as monitor:
        monitor.doubt(LinkStalled("nothing arrives"))
        assert cloud.trusted == [False]
        await until(lambda: monitor.link.state is LinkState.UP)
    assert cloud.trusted == [False, True]


async def test_doubts_do_not_count_as_failed_transfers() -> None:
    cloud = SimulatedCloud()
    async with cloud.monitor() as monitor:
        for probes in range(1, 12):
            monitor.doubt(LinkStalled("nothing arrives"))
            await until(partial(cloud.has_been_asked, probes))
            await until(lambda: monitor.link.state is LinkState.UP)
    assert LinkState.DOWN not in cloud.events


async def test_a_cloud_that_never_replies_takes_the_link_down(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = SimulatedCloud()
    monkeypatch.setattr(cloud, "probe", asyncio.Event().wait)
    monkeypatch.setattr("tui_uploader.engine.accounts.link_monitor._PROBE_SECONDS", 0.05)
    async with cloud.monitor() as monitor:
        monitor.doubt(LinkStalled("nothing arrives"))
        await until(lambda: monitor.down)


async def test_transfers_that_a_dead_link_broke_do_not_keep_it_down() -> None:
    cloud = SimulatedCloud(LinkDown("no route"))
    async with cloud.monitor() as monitor:
        monitor.doubt(LinkStalled("nothing arrives"))
        await until(lambda: monitor.down)
        for _ in range(20):
            monitor.suspect(LinkDown("timed out"))
        cloud.open.set()
        await until(lambda: not monitor.down)
    assert (cloud.asked, cloud.events.count("down")) == (2, 1)
