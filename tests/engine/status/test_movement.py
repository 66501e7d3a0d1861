"""What a running engine says of uploads that move, and of those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.world import SETTINGS, World, add, settled, when
from tests.photos import write_flight
from tests.until import until
from tests.values import ENGINE, UPLOAD
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.queries import tells_more
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.engine import BandwidthChange, BudgetPeriod, EngineStatus, LinkState
from tui_uploader.model.files import Hold
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus

MIB = 1024**2


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def held_by(manager: UploadManager, upload: int, hold: Hold) -> UploadStatus:
    return await when(manager, upload, lambda status: status.hold is hold)


async def test_one_stream_carries_one_file_and_the_other_upload_names_the_one_before_it(world: World) -> None:
    write_flight(world.card / "a", 4, MIB)
    write_flight(world.card / "b", 4, MIB)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(limit="40KB/s"))
        await until(lambda: world.stream_limit == 1)
        first = await add(manager, world.card / "a", new="Flight check", auto_process=False)
        await when(manager, first.upload, lambda status: status.moving == 1 and status.hold is None)
        second = await add(manager, world.card / "b", new="Quarry", auto_process=False)
        queued = await when(manager, second.upload, lambda status: status.behind)
        assert (queued.hold, queued.behind, queued.moving) == (Hold.QUEUED, "Flight check", 0)
        status = manager.queries.status()
        assert status.streams == sum(upload.moving for upload in status.uploads) == 1
        assert status.left == sum(upload.bytes.total - upload.bytes.sent for upload in status.uploads)
        await manager.set_bandwidth(BandwidthChange(limit="off"))
        done = [await settled(manager, upload.upload) for upload in (first, second)]
        assert [(each.moving, each.hold, each.behind) for each in done] == [(0, None, None)] * 2
        assert manager.queries.status().left == 0


async def test_limit_budget_and_pause_are_told_apart(world: World) -> None:
    photos = write_flight(world.card, 3, 100_000)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(limit="pause"))
        upload = (await add(manager, world.card, auto_process=False)).upload
        await held_by(manager, upload, Hold.LIMIT)
        assert manager.queries.status().left == sum(photo.stat().st_size for photo in photos)
        await manager.pause(upload)
        assert manager.queries.upload_status(upload).hold is Hold.PAUSED
        assert manager.queries.status().left == 0
        await manager.resume(upload)
        await manager.set_bandwidth(BandwidthChange(limit="off", budget="150KB", per=BudgetPeriod.TOTAL))
        await held_by(manager, upload, Hold.BUDGET)
        await manager.set_bandwidth(BandwidthChange(budget="off"))
        assert (await settled(manager, upload)).hold is None


async def test_an_account_without_link_or_login_is_told_with_its_reason(world: World) -> None:
    write_flight(world.card, 2)
    async with world.cloud_running():
        pass
    async with world.engine(verify=False) as manager:
        upload = (await add(manager, world.card, auto_process=False)).upload
        offline = await held_by(manager, upload, Hold.OFFLINE)
        (link,) = manager.queries.status().links
        assert offline.account == link.account == world.login().account
        assert (link.link.state, link.problem) == (LinkState.DOWN, None)
        assert "refused" in (link.link.reason or "")
        async with world.cloud_running():
            await manager.sign_in(SignInRequest(world.login("wrong"), verify=False))
            await held_by(manager, upload, Hold.SIGNED_OUT)
            (link,) = manager.queries.status().links
            assert link.problem is not None
            assert link.problem.kind == "SignInRefused"
            await manager.sign_in(SignInRequest(world.login()))
            done = await settled(manager, upload)
            assert (done.hold, manager.queries.status().links[0].link.state) == (None, LinkState.UP)


async def test_the_end_of_an_upload_is_dated_until_it_is_reopened(world: World) -> None:
    write_flight(world.card / "1", 2)
    async with world.cloud_running(), world.engine() as manager:
        began = world.time.wall()
        added = await add(manager, world.card / "1", auto_process=False)
        assert began <= added.added_at <= world.time.wall()
        assert (added.ended_at, added.kind) == (None, ProjectKind.IMAGES)
        done = await when(manager, added.upload, lambda status: status.state is UploadState.COMPLETE)
        assert done.ended_at is not None
        assert began <= done.ended_at <= world.time.wall()
        await manager.set_bandwidth(BandwidthChange(limit="pause"))
        write_flight(world.card / "2", 2)
        again = await add(manager, world.card / "2", auto_process=False)
        cancelled = await manager.cancel(again.upload)
        assert cancelled.ended_at is not None
        assert cancelled.hold is Hold.CANCELLED
        assert (await manager.resume(again.upload)).ended_at is None


async def test_the_time_left_follows_the_limit_and_survives_a_pause(world: World) -> None:
    write_flight(world.card, 12, MIB)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(limit="400KB/s"))
        upload = (await add(manager, world.card, auto_process=False)).upload

        def estimated(rate: int) -> bool:
            """Whether the estimate is what is left at `rate`, or a little more."""
            status = manager.queries.status()
            eta, wanted = status.eta, status.left / rate
            return eta is not None and wanted <= eta.high * 1.001 and eta.low < wanted * 1.5

        await until(lambda: estimated(400_000))
        await manager.set_bandwidth(BandwidthChange(limit="200KB/s"))
        assert estimated(200_000), "a new limit counts at once"
        assert manager.queries.upload_status(upload).eta is not None
        await manager.pause(upload)
        assert manager.queries.status().eta is None
        await manager.resume(upload)
        await until(lambda: manager.queries.status().streams)
        assert estimated(200_000), "the rates from before the pause are known"
        await manager.set_bandwidth(BandwidthChange(budget="3MB", per=BudgetPeriod.TOTAL))
        assert manager.queries.status().eta is None, "the budget ends before the bytes"


def test_a_status_in_which_only_time_has_passed_tells_nothing_new() -> None:
    def with_upload(**changes: object) -> EngineStatus:
        return replace(ENGINE, uploads=(replace(UPLOAD, **changes),))

    assert not tells_more(ENGINE, ENGINE)
    assert not tells_more(with_upload(seconds=99.0), ENGINE)
    assert tells_more(with_upload(seconds=99.0, moving=1), ENGINE)
    assert tells_more(replace(with_upload(seconds=99.0), history=7), ENGINE)
    assert tells_more(replace(ENGINE, uploads=()), ENGINE)


async def test_projects_made_elsewhere_stay_listed_while_the_cloud_is_out_of_reach(world: World) -> None:
    async with world.cloud_running():
        pass
    async with world.engine(verify=False) as manager:
        async with world.cloud_running():
            colleague = Pix4dCloud(world.login(), SETTINGS)
            await colleague.create_project("Elsewhere")
            await colleague.close()
            assert [project.name for project in await manager.queries.projects()] == ["Elsewhere"]
        assert [project.name for project in await manager.queries.projects()] == ["Elsewhere"]
