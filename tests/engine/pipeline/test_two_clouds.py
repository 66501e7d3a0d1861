"""Two clouds and two cards: a stalled one does not affect the other."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.engine.world import World, add, when
from tests.local_cloud.root_reader import traffic_counts
from tests.photos import write_flight
from tests.until import until
from tui_uploader.engine.journal.tables import open_multiparts, projects
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.pipeline import check
from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions
from tui_uploader.local_cloud.server import running
from tui_uploader.model.accounts import Login, SignInRequest
from tui_uploader.model.projects import ProcessingState, ProjectKind
from tui_uploader.model.states import FileStage
from tui_uploader.model.uploads import Counts

FOR_EVER = "seconds=3600,probability=1"
WHOLE = Counts(uploaded=6)


@dataclasses.dataclass
class TwoClouds:
    manager: UploadManager
    world: World
    stalled: str
    """The account at the cloud that stalls."""
    sound: str
    stalled_root: Path

    def stalls(self) -> bool:
        return traffic_counts(self.stalled_root).faults > 0


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.1))
    write_flight(world.card, 6)
    return world


@asynccontextmanager
async def two_clouds(world: World, *faults: str) -> AsyncIterator[TwoClouds]:
    options = LocalCloudOptions(root=world.folder / "stalled", faults=faults)
    async with running(options) as other, world.cloud_running(), world.engine() as manager:
        await manager.sign_in(SignInRequest(login_at(other), verify=False))
        yield TwoClouds(manager, world, login_at(other).account, world.login().account, options.root)


def login_at(address: LocalCloudAddress) -> Login:
    return Login(address.url, address.client_id, address.client_secret)


@pytest.mark.parametrize("route", ["register", "start", "put", "credentials"])
async def test_a_stalled_cloud_delays_no_upload_to_another(world: World, route: str) -> None:
    async with two_clouds(world, f"stall:route={route},{FOR_EVER}") as clouds:
        await add(clouds.manager, world.card, new="Stalled", account=clouds.stalled)
        await until(clouds.stalls)
        other = await add(clouds.manager, world.card, new="Sound", account=clouds.sound)
        done = await when(
            clouds.manager, other.upload, lambda found: found.processing.state is ProcessingState.DONE, 15.0
        )
        assert done.counts == WHOLE
        # and commands for one do not wait for the other
        sound = await clouds.manager.start_processing("Sound", again=True) if route == "register" else None
        assert sound is None or sound.processing.state is ProcessingState.SUBMITTED


async def test_files_waiting_for_a_stalled_cloud_do_not_stop_the_reading_of_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a fast link files are read only a little ahead of sending: for each account by what it has to send."""
    monkeypatch.setattr(check, "may_read_ahead", lambda ready, goodput: ready == 0)
    many = world.folder / "many"
    write_flight(many, 12)
    async with two_clouds(world, f"stall:route=credentials,{FOR_EVER}") as clouds:
        stalled = await add(clouds.manager, many, new="Stalled", account=clouds.stalled)
        await until(lambda: clouds.stalls() and world.files(stalled.upload, FileStage.READY))
        other = await add(clouds.manager, world.card, new="Sound", account=clouds.sound)
        await when(clouds.manager, other.upload, lambda found: found.counts == WHOLE, 15.0)


async def test_a_stalled_cloud_delays_no_clean_up_and_no_list_of_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_uploader.engine.pipeline.projects.LISTING_SECONDS", 0.5)
    async with two_clouds(world, f"stall:route=any,{FOR_EVER}") as clouds:
        journal = world.journal
        await clouds.manager.create_project("Made elsewhere", ProjectKind.IMAGES, clouds.sound)
        ids = {row.account: row.id for row in world.summary.projects.values()}
        stalled = await journal.write(
            lambda connection: projects.add_project(
                connection, clouds.stalled, "Stalled", ProjectKind.IMAGES, remote_id="1"
            )
        )
        for project in (stalled, ids[clouds.sound]):
            await journal.write(
                lambda connection, project=project: open_multiparts.intend(connection, project, "a.jpg")  # type: ignore[misc]
            )

        left: list[int] = []

        async def look() -> None:
            left[:] = [each.project for each in await journal.read(open_multiparts.all_stale)]

        async with asyncio.timeout(15):
            await look()
            while ids[clouds.sound] in left:
                world.time.passed += 4000.0
                world.wake_all()
                await asyncio.sleep(0.01)  # the engine's turn
                await look()
            listed = await clouds.manager.queries.projects()
        assert left == [stalled] and clouds.stalls()
        assert {project.name for project in listed} == {"Made elsewhere", "Stalled"}


async def test_large_files_to_a_stalled_cloud_delay_no_upload_to_another(world: World) -> None:
    """Its transfers hold every stream, and their stall is not noticed for 20 seconds."""
    large = world.folder / "large"
    write_flight(large, 12, size=20_000_000)
    # whole or in parts: the first files are sent before the rate is measured, by which that is decided
    stalls = [f"stall:route={route},bytes=10000,{FOR_EVER}" for route in ("put", "part")]
    async with two_clouds(world, *stalls) as clouds:
        await add(clouds.manager, large, new="Stalled", account=clouds.stalled)
        await until(lambda: clouds.stalls() and world.all_streams_in_use)
        other = await add(clouds.manager, world.card, new="Sound", account=clouds.sound)
        await when(clouds.manager, other.upload, lambda found: found.counts == WHOLE, 12.0)
