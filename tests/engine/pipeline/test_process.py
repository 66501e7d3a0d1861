"""Processing is started once and projects are created once, even if calls or replies are lost."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import SETTINGS, World, add, settled, when
from tests.photos import write_flight
from tests.until import until
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.engine import LinkState
from tui_uploader.model.projects import ProcessingState

RUNNING = (ProcessingState.SUBMITTED, ProcessingState.WAITING, ProcessingState.PROCESSING)
CREATION = "route=other,after=1,times=1"
"""The creation of a project: the second request without a route of its own, after the list of projects."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.0))


async def test_a_run_that_ended_unnoticed_is_not_started_again(world: World) -> None:
    """After a lost reply, the word DONE may be that of the new run, so it does not prove that the call was lost."""
    world.options = replace(world.options, faults=("lost_reply:route=start,times=1,after=1",))
    write_flight(world.card / "one", 6)
    write_flight(world.card / "two", 1)
    async with world.cloud_running(), world.engine() as manager:
        await add(manager, world.card / "one")
        await world.in_the_long_run(
            lambda: manager.queries.status().uploads[0].processing.state is ProcessingState.DONE
        )
        project = manager.queries.status().uploads[0].project
        assert project is not None
        await add(manager, world.card / "two")
        await until(lambda: world.starts_of(project) == 2)
        await world.in_the_long_run(lambda: world.project_row(project).reason)
        assert "unknown whether processing was started" in (world.project_row(project).reason or "")
        assert (world.starts_of(project), manager.queries.busy) == (2, False)


async def test_a_start_that_never_arrived_is_repeated(world: World) -> None:
    world.options = replace(world.options, faults=("drop:route=start,times=1",))
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        await add(manager, world.card)
        await world.in_the_long_run(
            lambda: manager.queries.status().uploads[0].processing.state is ProcessingState.DONE
        )
        project = manager.queries.status().uploads[0].project
        assert project is not None
        assert world.starts_of(project) == 1


async def test_clocks_set_back_do_not_leave_a_start_in_doubt(world: World) -> None:
    """The doubt is resolved in time even if the machine's clock was wrong when processing was requested."""
    world.options = replace(world.options, faults=("drop:route=start,times=1",))
    world.time.wall_error = 30 * 86_400.0
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        await add(manager, world.card)
        await until(lambda: any(row.start_in_doubt for row in world.summary.projects.values()))
        world.time.wall_error = 0.0
        await world.in_the_long_run(
            lambda: manager.queries.status().uploads[0].processing.state is ProcessingState.DONE
        )


async def test_an_existing_project_of_the_same_name_is_not_used_for_a_new_one(world: World) -> None:
    """After a failed creation, an earlier project of that name is not taken for the new one."""
    write_flight(world.card, 2)
    async with world.cloud_running():
        theirs = Pix4dCloud(world.login(), SETTINGS)
        other = await theirs.create_project("Quarry")
        await theirs.close()
    world.options = replace(world.options, faults=(f"drop:{CREATION}",))
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        assert done.project not in (None, other.id)


async def test_a_project_with_a_slash_in_its_name_is_created_once(world: World) -> None:
    """A creation whose reply was lost is recognised although the service changes the name."""
    world.options = replace(world.options, faults=(f"lost_reply:{CREATION}",))
    write_flight(world.card, 2)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, new="Quarry/North", auto_process=False)
        await settled(manager, upload.upload)
        cloud = Pix4dCloud(world.login(), SETTINGS)
        made = await cloud.projects()
        await cloud.close()
        assert [project.name for project in made] == ["Quarry-North"]


async def test_a_dead_link_during_processing_wakes_no_worker(world: World) -> None:
    """While the link is down and a project is being processed, no worker polls the clock."""
    world.options = replace(world.options, processing_seconds=60.0)
    write_flight(world.card, 6)
    async with AsyncExitStack() as stack:
        async with world.cloud_running():
            manager = await stack.enter_async_context(world.engine())
            upload = await add(manager, world.card)
            await when(manager, upload.upload, lambda status: status.processing.state in RUNNING)
        await world.in_the_long_run(lambda: manager.queries.status().link.state is LinkState.DOWN)
        before = world.time.looks
        await asyncio.sleep(1.0)
        assert world.time.looks - before < 40


async def test_a_worker_continues_with_a_new_login_after_its_call_was_cancelled(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Several calls wait for one renewal of the token, which ends with the login."""
    world.options = replace(
        world.options,
        processing_seconds=2.0,
        token_lifetime=1.0,
        faults=("stall:route=token,seconds=60,times=1,after=2",),
    )
    write_flight(world.card, 6)
    caplog.set_level(logging.INFO, "tui_uploader.local_cloud.faults.middleware")
    async with world.cloud_running(), world.engine() as manager:
        await add(manager, world.card)
        await until(lambda: "Fault stall" in caplog.text)
        await manager.sign_out("default")
        await manager.sign_in(SignInRequest(world.login()))
        await world.in_the_long_run(
            lambda: manager.queries.status().uploads[0].processing.state is ProcessingState.DONE
        )
