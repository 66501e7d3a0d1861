"""Watched folders with a real engine, a real file system and a real cloud."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.engine.world import SETTINGS, World, when
from tests.photos import jpeg, of_yesterday, write_flight, write_photo
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.pipeline import walk
from tui_uploader.engine.pipeline.path_walk import WalkedBatch
from tui_uploader.engine.sources.unfinished import SettleTimes
from tui_uploader.engine.watches import additions, arrival, watches
from tui_uploader.errors import NoSuchWatch, UsageError
from tui_uploader.intake.scan import Candidate
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.files import FileSelection
from tui_uploader.model.history import EventKind
from tui_uploader.model.projects import NewProject
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import Counts, UploadStatus
from tui_uploader.model.verification import Verdict
from tui_uploader.model.watches import Watch, WatchRequest, WatchState

WATCH_EVENTS = (EventKind.WATCH_ADDED, EventKind.CARD_FOUND, EventKind.WATCH_REMOVED)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def watch(manager: UploadManager, path: Path, **settings: object) -> Watch:
    given = {"quiet_seconds": 600.0, "name": "{card}"} | settings
    return await manager.watches.add(WatchRequest(str(path), **given))  # type: ignore[arg-type]


def only_watch(manager: UploadManager) -> Watch:
    (found,) = manager.watches.list()
    return found


async def upload_of(manager: UploadManager, files: int) -> UploadStatus:
    """The upload of the only watch, once so many files of it are uploaded."""
    await until(lambda: only_watch(manager).upload is not None)
    upload = only_watch(manager).upload
    assert upload is not None
    return await when(manager, upload, lambda status: status.counts.uploaded == files)


async def test_images_of_a_card_are_uploaded_and_complete_after_the_quiet_period(world: World) -> None:
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        assert (await watch(manager, world.card)).state in (WatchState.ADDING, WatchState.WATCHING)
        status = await upload_of(manager, 3)
        assert (status.project_name, status.watch) == ("card", 1)
        await until(lambda: only_watch(manager).state is WatchState.WATCHING)
        assert (await when(manager, status.upload, lambda status: True)).state is UploadState.ACTIVE
        write_photo(world.card / "DJI_0100.JPG")
        await upload_of(manager, 4)
        assert len(world.objects()) == 4
        await world.in_the_long_run(lambda: manager.queries.upload_status(1).state is UploadState.COMPLETE, leap=60)


def stored(world: World) -> int:
    """Number of objects in all projects."""
    return sum(path.is_file() for path in (world.options.root / "objects").rglob("*"))


def take_out(card: Path) -> Path:
    """The card is out of the reader: its mount point stays, and is empty."""
    away = card.with_name(f"{card.name}-{len(list(card.parent.iterdir()))}")
    card.rename(away)
    return away


async def is_absent(world: World, manager: UploadManager) -> None:
    await world.in_the_long_run(lambda: only_watch(manager).state is WatchState.ABSENT)


async def test_another_card_at_the_same_place_is_another_upload_and_the_first_continues(world: World) -> None:
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card)
        first = await upload_of(manager, 3)
        first_card = take_out(world.card)
        await is_absent(world, manager)
        write_flight(world.card, 2)  # the same names, other pixels
        await world.in_the_long_run(lambda: only_watch(manager).upload not in (None, first.upload), leap=1)
        second = await upload_of(manager, 2)
        assert (first.project_name, second.project_name) == ("card", "card (2)")
        assert only_watch(manager).cards == 2
        take_out(world.card)
        await is_absent(world, manager)
        write_photo(first_card / "DJI_0100.JPG")
        first_card.rename(world.card)
        await world.in_the_long_run(lambda: only_watch(manager).upload == first.upload, leap=1)
        await upload_of(manager, 4)
        assert only_watch(manager).cards == 2
        assert stored(world) == 6
        assert len(manager.queries.status().uploads) == 2


async def test_with_a_fixed_target_another_card_is_a_second_upload_of_it(world: World) -> None:
    write_flight(world.card, 2)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, target=NewProject("Quarry"))
        await upload_of(manager, 2)
        first_card = take_out(world.card)
        await is_absent(world, manager)
        copied = (first_card / "DJI_0001.JPG").read_bytes()
        (world.card / "DCIM").mkdir(parents=True)
        (world.card / "DCIM" / "COPY.JPG").write_bytes(copied)
        of_yesterday(world.card / "DCIM" / "COPY.JPG")
        write_photo(world.card / "DJI_0002.JPG")
        await world.in_the_long_run(lambda: only_watch(manager).upload == 2, leap=1)
        status = await when(manager, 2, lambda status: status.counts == Counts(uploaded=1, duplicate=1))
        assert status.project_name == "Quarry"
        assert len(world.objects()) == 3, "the same content is never sent twice to a project"


async def test_the_watch_continues_after_a_restart_without_another_upload(world: World) -> None:
    write_flight(world.card, 3)
    async with world.cloud_running():
        async with world.engine() as manager:
            await watch(manager, world.card)
            await upload_of(manager, 3)
        write_photo(world.card / "DJI_0100.JPG")
        async with world.engine(sign_in=False) as manager:
            assert manager.queries.busy, "an engine with a watch does not end"
            await upload_of_after_login(world, manager, 4)
            assert [upload.upload for upload in manager.queries.status().uploads] == [1]
            assert only_watch(manager).cards == 1


async def upload_of_after_login(world: World, manager: UploadManager, files: int) -> None:
    await manager.sign_in(SignInRequest(world.login()))
    await upload_of(manager, files)


async def test_a_removed_watch_adds_nothing_and_its_upload_is_completed_at_once(world: World) -> None:
    write_flight(world.card, 2)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card)
        await upload_of(manager, 2)
        await until(lambda: only_watch(manager).state is WatchState.WATCHING)
        await manager.watches.remove(1)
        write_photo(world.card / "DJI_0100.JPG")
        await when(manager, 1, lambda status: status.state is UploadState.COMPLETE)
        assert manager.watches.list() == ()
        assert not manager.queries.busy or manager.queries.status().verifications
        with pytest.raises(NoSuchWatch):
            await manager.watches.remove(1)
        kinds = [event.kind for event in await manager.queries.history(0, 100)]
        assert [kind for kind in kinds if kind in WATCH_EVENTS] == list(WATCH_EVENTS)


async def test_what_the_user_removed_stays_removed_when_the_card_is_read_again(world: World) -> None:
    write_flight(world.card, 2)
    (world.card / "broken.jpg").write_bytes(b"no photo")
    async with world.cloud_running():
        async with world.engine() as manager:
            await watch(manager, world.card)
            await upload_of(manager, 2)
            await when(manager, 1, lambda status: status.counts.failed == 1)
            await manager.remove(1, FileSelection(statuses=(FileStatus.FAILED,)))
        async with world.engine() as manager:
            await until(lambda: only_watch(manager).upload == 1)
            await world.in_the_long_run(lambda: manager.queries.upload_status(1).state is UploadState.COMPLETE)
            assert manager.queries.upload_status(1).counts.total == 2


async def test_processing_starts_after_the_quiet_period_and_later_images_are_not_processed(world: World) -> None:
    world.settings = msgspec.structs.replace(SETTINGS, processing_delay=1e6)
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, quiet_seconds=900.0)
        status = await upload_of(manager, 6)
        starts_at = (await when(manager, 1, lambda status: status.process_at is not None)).process_at
        assert starts_at is not None and 880.0 < starts_at - world.time.wall() <= 900.0
        assert world.starts_of(status.project or "") == 0
        await world.in_the_long_run(lambda: manager.queries.upload_status(1).processing.submitted_at, leap=60)
        assert world.starts_of(status.project or "") == 1
        write_photo(world.card / "DJI_0100.JPG")
        await upload_of(manager, 7)
        await world.in_the_long_run(lambda: manager.queries.upload_status(1).state is UploadState.COMPLETE, leap=60)
        reason = only_watch(manager).reason
        assert reason is not None and "newest 1 image" in reason and "--again" in reason
        assert world.starts_of(status.project or "") == 1


async def test_processing_by_hand(world: World) -> None:
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, auto_process=False)
        status = await upload_of(manager, 6)
        await world.in_the_long_run(lambda: manager.queries.upload_status(1).state is UploadState.COMPLETE, leap=60)
        assert world.starts_of(status.project or "") == 0


async def test_the_card_is_verified_once_and_again_after_new_images(world: World) -> None:
    write_flight(world.card, 2)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, verify_after=True, auto_process=False)

        def verified(number: int) -> bool:
            found = {status.verification: status.verdict for status in manager.verifications.list()}
            return found.get(number) is Verdict.SAFE

        await world.in_the_long_run(lambda: verified(1), leap=60)
        assert manager.verifications.status(1).watch == 1
        for _ in range(5):
            world.time.passed += 1000
            world.wake_all()
            await until(lambda: only_watch(manager).state is WatchState.WATCHING)
        assert only_watch(manager).verification == 1
        write_photo(world.card / "DJI_0100.JPG")
        await until(lambda: manager.queries.upload_status(1).counts.total == 3)
        await world.in_the_long_run(lambda: verified(2), leap=60)
        kinds = [event.kind for event in await manager.queries.history(0, 100)]
        assert kinds.count(EventKind.CARD_SAFE) == 2


async def test_a_file_that_grows_is_not_added_before_it_rests(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: set[int] = set()
    real = additions.sorted_by_rest

    def seen(candidates: Sequence[Candidate], *rest: object) -> object:
        sizes.update(found.size for found in candidates)
        return real(candidates, *rest)  # type: ignore[arg-type]

    for module in (additions, arrival):
        monkeypatch.setattr(module, "sorted_by_rest", seen)
    world.settle_times = SettleTimes(young=60.0, recent=600.0, unchanged=2.0)
    world.card.mkdir()
    content = jpeg(200_000)
    async with world.cloud_running(), world.engine() as manager:
        world.time.stop()
        await watch(manager, world.card)
        for end in range(20_000, len(content), 50_000):
            (world.card / "DJI_0001.JPG").write_bytes(content[:end])
            await until(lambda end=end: end in sizes)  # type: ignore[misc]
            assert world.time.stopped_at is not None
            world.time.stopped_at += 1.9
            assert manager.queries.status().uploads == ()
        assert only_watch(manager).state is WatchState.ADDING
        (world.card / "DJI_0001.JPG").write_bytes(content)
        await until(lambda: len(content) in sizes)
        world.time.stopped_at = None
        await world.in_the_long_run(lambda: world.objects(), leap=1)
        assert world.objects() == {"DJI_0001.JPG": content}


async def test_an_upload_is_not_complete_while_files_come_to_rest_however_short_the_quiet_period_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watches, "_SHORTEST_QUIET", 0.0)
    world.settle_times = SettleTimes(young=60.0, recent=600.0, unchanged=0.3)
    for number in range(3):
        (world.card / f"{number}.jpg").parent.mkdir(exist_ok=True)
        (world.card / f"{number}.jpg").write_bytes(jpeg())
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, quiet_seconds=0.05)
        await upload_of(manager, 3)
        await when(manager, 1, lambda status: status.state is UploadState.COMPLETE)
        events = await manager.queries.history(0, 1000)
        assert [event.files for event in events if event.kind is EventKind.COMPLETE] == [3]


async def test_a_card_with_many_old_files_is_added_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = world.card / "DCIM"
    folder.mkdir(parents=True)
    for number in range(1200):
        (folder / f"DJI_{number:04}.JPG").write_bytes(b"x")  # no photo: nothing is to be sent
    sizes = []
    real = walk.write_batch

    def counted(connection: sqlite3.Connection, batch: WalkedBatch, *where: object) -> None:
        sizes.append(len(batch.candidates))
        real(connection, batch, *where)  # type: ignore[arg-type]

    monkeypatch.setattr(additions, "write_batch", counted)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card)
        await until(lambda: only_watch(manager).upload and manager.queries.upload_status(1).counts.total == 1200)
        assert sizes == [500, 500, 200]
        await until(lambda: only_watch(manager).state is WatchState.WATCHING)
        events = await manager.queries.history(0, 100)
        assert [event.files for event in events if event.kind is EventKind.ADDED] == [1200]


async def test_the_path_may_not_exist_yet(world: World) -> None:
    async with world.cloud_running(), world.engine() as manager:
        assert (await watch(manager, world.card)).state is WatchState.ABSENT
        write_flight(world.card, 1)
        await world.in_the_long_run(lambda: only_watch(manager).upload)
        await upload_of(manager, 1)


async def test_a_cancelled_upload_blocks_its_card_until_it_is_resumed(world: World) -> None:
    write_flight(world.card, 1)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card)
        await upload_of(manager, 1)
        await until(lambda: only_watch(manager).state is WatchState.WATCHING)
        await manager.cancel(1)
        assert only_watch(manager).state is WatchState.BLOCKED
        assert "tui-uploader resume 1" in (only_watch(manager).reason or "")
        write_photo(world.card / "DJI_0100.JPG")
        await manager.resume(1)
        await upload_of(manager, 2)


async def test_a_dismissed_upload_is_left_alone_and_new_images_get_another_of_the_same_project(world: World) -> None:
    write_flight(world.card, 1)
    async with world.cloud_running(), world.engine() as manager:
        await watch(manager, world.card, quiet_seconds=1.0, auto_process=False)
        await upload_of(manager, 1)
        await world.in_the_long_run(lambda: manager.queries.upload_status(1).state is UploadState.COMPLETE)
        await manager.dismiss(1)
        write_photo(world.card / "DJI_0100.JPG")
        await until(lambda: only_watch(manager).upload == 2)
        status = await when(manager, 2, lambda status: status.counts.uploaded == 1)
        assert (status.project_name, status.counts.total) == ("card", 1)


@pytest.mark.parametrize(
    "request_",
    [
        WatchRequest("relative"),
        WatchRequest("/"),
        WatchRequest("/home"),
        WatchRequest("/media/card", name="{place}"),
        WatchRequest("/media/card", quiet_seconds=-1.0),
        WatchRequest("/media/card", quiet_seconds=float("nan")),
        WatchRequest("/media/ca\0rd"),
    ],
)
async def test_what_cannot_be_watched_is_refused_and_leaves_no_trace(world: World, request_: WatchRequest) -> None:
    async with world.cloud_running(), world.engine() as manager:
        with pytest.raises(UsageError):
            await manager.watches.add(request_)
        assert manager.watches.list() == ()


async def test_folders_of_the_program_files_and_watched_folders_are_refused(world: World) -> None:
    photo = write_photo(world.card / "DJI_0001.JPG")
    async with world.cloud_running(), world.engine() as manager:
        for path in (world.directories.data, world.folder / "home", photo, world.card / ".." / "home" / "data"):
            with pytest.raises(UsageError):
                await watch(manager, path)
        await watch(manager, world.card)
        (world.card / "inner").mkdir()
        (world.folder / "link").symlink_to(world.card / "inner")
        for path in (world.card / "inner", world.folder / "link", world.folder):
            with pytest.raises(UsageError, match="watch"):
                await watch(manager, path)
        changed = await watch(manager, world.card, quiet_seconds=60.0)
        assert (changed.watch, changed.quiet_seconds) == (1, 60.0), "the same folder again changes the settings"
