"""What the engine remembers for users who were away."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.world import World, add, settled, when
from tests.photos import write_flight, write_photo
from tests.until import until
from tui_uploader.engine.journal.tables import history
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import SignInRefused, UsageError
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.engine import BandwidthChange
from tui_uploader.model.files import FileSelection, Hold
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import FileStatus, UploadState

FAILED_FILES = FileSelection(statuses=(FileStatus.FAILED,))
ALL_TIME = 0.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.5))


async def told(manager: UploadManager) -> list[PastEvent]:
    return [
        event
        for event in await manager.queries.history(0, 1000, ALL_TIME)
        if event.kind is not EventKind.ENGINE_STARTED
    ]


def kinds(events: list[PastEvent]) -> list[tuple[EventKind, int]]:
    return [(event.kind, event.files) for event in events]


async def happened(manager: UploadManager, kind: EventKind, *, ended: bool = False) -> PastEvent:
    """The only event of that kind, as soon as it is there."""
    async with asyncio.timeout(20.0):
        while True:
            found = [event for event in await told(manager) if event.kind is kind]
            if found and (found[0].until is not None or not ended):
                assert len(found) == 1
                return found[0]
            await asyncio.sleep(0.01)


async def test_an_upload_is_told_from_its_addition_to_the_end_of_processing(world: World) -> None:
    photos = write_flight(world.card, 8)
    size = sum(photo.stat().st_size for photo in photos)
    began = world.time.wall()
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        await world.in_the_long_run(
            lambda: manager.queries.upload_status(upload).processing.state is ProcessingState.DONE
        )
        events = await told(manager)
        assert kinds(events) == [
            (EventKind.ADDED, 8),
            (EventKind.PROJECT_CREATED, 0),
            (EventKind.UPLOADED, 8),
            (EventKind.COMPLETE, 8),
            (EventKind.PROCESSING_REQUESTED, 8),
            (EventKind.PROCESSING_DONE, 8),
        ]
        assert [event.detail for event in events if event.kind is EventKind.ADDED] == [str(world.card)]
        assert [event.bytes for event in events if event.files and event.processing is None] == [size] * 3
        assert {event.project for event in events} == {"Quarry"}
        assert {event.account for event in events} == {world.login().account}
        assert all(began <= event.at <= world.time.wall() for event in events)
        assert [event.id for event in events] == sorted(event.id for event in events)
        assert manager.queries.status().history == events[-1].id
        await manager.dismiss(upload)
        assert (await told(manager))[-1].kind is EventKind.DISMISSED
        assert await manager.queries.history(manager.queries.status().history, 10) == ()
        assert len(await manager.queries.history(0, 2)) == 2


async def test_a_stop_of_the_automatic_start_is_told_once(world: World) -> None:
    write_flight(world.card, 6)
    world.settings = replace(world.settings, processing_delay=60.0)
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        await when(manager, upload, lambda status: status.process_at is not None)
        for _ in range(2):
            await manager.stop_automatic_start(upload)
        stopped = await happened(manager, EventKind.PROCESSING_STOPPED)
        assert (stopped.upload, stopped.project) == (upload, "Quarry")


async def test_the_end_of_a_retry_is_told_with_the_reason_that_all_share(world: World) -> None:
    for number in range(3):
        photo = write_photo(world.card / f"{number}.jpg", 5000)
        photo.write_bytes(photo.read_bytes()[:2500])
        write_photo(world.card / f"whole{number}.jpg")
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.card, auto_process=False)).upload
        await settled(manager, upload)
        await manager.retry(upload, FAILED_FILES)
        await settled(manager, upload)
        await manager.remove(upload, FAILED_FILES)
        await when(manager, upload, lambda status: status.state is UploadState.COMPLETE)
        await manager.restore(upload, FileSelection(all=True))
        events = [event for event in await told(manager) if event.kind is not EventKind.PROJECT_CREATED]
        assert sorted(kinds(events)[:3]) == [(EventKind.ADDED, 6), (EventKind.FAILED, 3), (EventKind.UPLOADED, 3)]
        assert kinds(events)[3:8] == [
            (EventKind.RETRIED, 3),
            (EventKind.FAILED, 3),
            (EventKind.REMOVED, 3),
            (EventKind.COMPLETE, 3),
            (EventKind.RESTORED, 3),
        ]
        failed = [event for event in events if event.kind is EventKind.FAILED]
        assert {event.error for event in failed} == {"SourceDamaged"}
        assert "damaged" in failed[0].detail


async def test_outages_pauses_and_logins_are_told(world: World) -> None:
    write_flight(world.card, 2)
    async with world.cloud_running():
        pass
    async with world.engine(verify=False) as manager:
        upload = (await add(manager, world.card, auto_process=False)).upload
        before = await happened(manager, EventKind.OFFLINE)
        assert (before.account, before.until) == (world.login().account, None)
        assert "refused" in before.detail
        await manager.pause(upload)
        async with world.cloud_running():
            with suppress(SignInRefused):
                await manager.sign_in(SignInRequest(world.login("wrong")))
            await manager.sign_in(SignInRequest(world.login("wrong"), verify=False))
            await manager.resume(upload)
            await happened(manager, EventKind.SIGN_IN_FAILED)
            await manager.sign_in(SignInRequest(world.login()))
            await settled(manager, upload)
            after = await happened(manager, EventKind.OFFLINE, ended=True)
            assert after.id > before.id
            assert after.at == before.at
            assert before.at < (after.until or 0.0) <= world.time.wall()
            events = await told(manager)
            assert {event.kind for event in events} >= {
                EventKind.PAUSED,
                EventKind.RESUMED,
                EventKind.SIGNED_IN,
            }
            assert world.login().client_secret not in repr(events)
            assert "wrong" not in [word for event in events for word in event.detail.split()]


async def test_limits_are_told_with_what_was_set_and_what_they_stopped(world: World) -> None:
    write_flight(world.card, 3, 100_000)
    async with world.cloud_running(), world.engine() as manager:
        await manager.set_bandwidth(BandwidthChange(limit="pause"))
        upload = (await add(manager, world.card, auto_process=False)).upload
        await when(manager, upload, lambda status: status.hold is Hold.LIMIT)
        await manager.set_bandwidth(BandwidthChange(limit="2MB/s", budget="5GB"))
        await manager.set_bandwidth(BandwidthChange(limit="2MB/s"))
        await settled(manager, upload)
        events = await told(manager)
        changes = [event.detail for event in events if event.kind is EventKind.LIMIT_CHANGED]
        assert changes == ["limit pause", "limit 2 MB/s; budget 5 GB per month"]
        stopped = await happened(manager, EventKind.SENDING_STOPPED, ended=True)
        assert stopped.detail.startswith("paused by the limit")


async def test_a_run_in_which_nothing_happened_leaves_no_trace(world: World) -> None:
    write_flight(world.card, 2)
    async with world.cloud_running():
        async with world.engine() as manager:
            upload = (await add(manager, world.card, auto_process=False)).upload
            await settled(manager, upload)
        for _ in range(2):
            async with world.engine() as manager:
                await until(lambda: manager.queries.status().history)
        async with world.engine() as manager:
            events = await manager.queries.history(0, 1000, ALL_TIME)
            runs = [event.kind for event in events if event.kind.startswith("engine")]
            assert runs == [EventKind.ENGINE_STARTED, EventKind.ENGINE_STOPPED, EventKind.ENGINE_STARTED]


async def test_the_history_is_kept_short(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_EVENTS", 10)
    async with world.engine(sign_in=False) as manager:
        now = world.time.wall()
        problems = [PastEvent(0, now, EventKind.PROBLEM, detail=str(number)) for number in range(600)]
        await world.journal.write(lambda connection: history.record(connection, now, problems))
        assert len(await manager.queries.history(0, 1000)) < 300
        await world.journal.write(
            lambda connection: history.record(
                connection, now + history.KEPT_SECONDS + 1, [PastEvent(0, 0.0, EventKind.PROBLEM)] * 300
            )
        )
        assert all(event.at > now for event in await manager.queries.history(0, 1000))


async def test_bad_requests_for_the_history_are_refused(world: World) -> None:
    async with world.engine(sign_in=False) as manager:
        for after, limit in ((-1, 1), (0, 0), (0, 10**9), (2**70, 1)):
            with pytest.raises(UsageError):
                await manager.queries.history(after, limit)
