"""A link that silently drops all packets, and a machine that was asleep."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.engine.world import SETTINGS, World, add, settled
from tests.photos import write_flight
from tests.until import until
from tui_uploader.cloud.contract import StoreConnections, TcpInfo
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import LinkDown
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import Login
from tui_uploader.model.engine import LinkState
from tui_uploader.model.uploads import Counts


class Kernel:
    """TCP information of connections over the link, and the requests of the engine about them."""

    def __init__(self) -> None:
        self.silent = 0.0
        self.asked: list[str] = []

    def tcp_info(self) -> Sequence[TcpInfo]:
        return [TcpInfo(10, self.silent, 0.08, 0.08, 100, 0, loss_based=True)]

    def remeasure_link(self) -> None: ...

    def stalled_reads(self, seconds: float) -> list[str]:
        return []

    def doubt_link(self) -> None:
        self.asked.append("send every second")

    def trust_link(self, *, was_gone: bool) -> None:
        self.asked.append(f"continue or be closed, gone: {was_gone}")


class Behind(Pix4dCloud):
    """A cloud behind a link that can be switched off."""

    def __init__(self, login: Login) -> None:
        super().__init__(login, SETTINGS)
        self.kernel = Kernel()
        self.there = asyncio.Event()
        self.questions = 0

    @property
    def connections(self) -> StoreConnections:
        return self.kernel

    async def probe(self) -> None:
        self.questions += 1
        if not self.there.is_set():
            raise LinkDown("Nothing comes back.")

    async def wait_reachable(self) -> None:
        await self.there.wait()


@pytest.fixture
def clouds() -> list[Behind]:
    return []


@pytest.fixture
def world(tmp_path: Path, clouds: list[Behind]) -> World:
    def made(login: Login) -> Behind:
        clouds.append(Behind(login))
        return clouds[-1]

    # Every body takes a while, so that transfers are in progress.
    options = LocalCloudOptions(root=tmp_path / "cloud", faults=("stall:route=put,seconds=1.5,every=1",))
    return World(tmp_path, options, make_cloud=made)


async def test_unacknowledged_packets_take_the_link_down_until_it_returns(world: World, clouds: list[Behind]) -> None:
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine(verify=False) as manager:
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: world.transfers)
        cloud = clouds[-1]
        cloud.kernel.silent = 3.5
        await until(lambda: manager.queries.status().link.state is LinkState.DOWN)
        assert cloud.kernel.asked == ["send every second"]
        cloud.kernel.silent = 0.0
        cloud.there.set()
        await until(lambda: manager.queries.status().link.state is LinkState.UP)
        assert cloud.kernel.asked[1:2] == ["continue or be closed, gone: True"]
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=3)


async def test_a_machine_probes_its_link_at_once_after_sleep(world: World, clouds: list[Behind]) -> None:
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine(verify=False) as manager:
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: world.transfers)
        cloud = clouds[-1]
        cloud.there.set()
        assert cloud.questions == 0
        world.time.wall_error += 3600.0  # the monotonic clock stops while a machine sleeps
        await until(lambda: cloud.questions)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=3)
