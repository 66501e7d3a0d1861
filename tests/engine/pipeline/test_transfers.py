"""Transfers that are interrupted or not answered, or that compete; and the bytes that are counted."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.local_cloud.root_reader import registered_images
from tests.photos import jpeg, write_flight, write_photo
from tests.until import until
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import file_parts, files
from tui_uploader.engine.pipeline.ready_files import allowance
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.engine import LinkState
from tui_uploader.model.files import FileSelection
from tui_uploader.model.projects import ExistingProject, ProjectKind
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import AddRequest, ByteCounts, Counts

MIB = 1024**2
PART = 16 * MIB
"""Part size before the link has been measured."""
FAULTS_LOG = "tui_uploader.local_cloud.faults.middleware"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the changes passed to journals, in order; each is noted before the writer runs it."""
    names: list[str] = []
    write = Journal.write

    async def noted(
        journal: Journal, change: Callable[[sqlite3.Connection], Any], *, then: Callable[[], None] | None = None
    ) -> Any:
        names.append(getattr(change, "__name__", ""))
        return await write(journal, change, then=then)

    monkeypatch.setattr(Journal, "write", noted)
    return names


async def test_a_pause_at_the_moment_of_a_pick_leaves_no_file_behind(world: World, asked: list[str]) -> None:
    """Files that were picked and paused in one commit wait again, and continue when resumed."""
    write_flight(world.card, 4)
    reached, release = threading.Event(), threading.Event()

    def hold_the_writer_up(connection: sqlite3.Connection) -> None:
        reached.set()
        assert release.wait(20)

    async with world.cloud_running():
        pass
    async with world.engine(verify=False) as manager:
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: manager.queries.status().link.state is LinkState.DOWN)
        await until(lambda: world.files(upload.upload, FileStage.READY) == 4)
        holding = asyncio.create_task(world.journal.write(hold_the_writer_up))
        await until(reached.is_set)
        asked.clear()
        async with world.cloud_running():
            manager.try_now()
            await until(lambda: "pick" in asked)
            pausing = asyncio.create_task(manager.pause(upload.upload))
            await until(lambda: "<lambda>" in asked)
            release.set()
            await asyncio.gather(holding, pausing)
            await manager.resume(upload.upload)
            done = await when(manager, upload.upload, lambda status: status.state is UploadState.COMPLETE, seconds=8)
            assert done.counts == Counts(uploaded=4)


async def test_bytes_of_a_removed_file_are_not_counted_as_sent(world: World) -> None:
    """Stored parts of a removed file do not count as sent bytes of the upload."""
    world.options = replace(world.options, faults=("stall:route=part,seconds=60,every=1,after=1",))
    write_photo(world.card / "A.JPG", 20 * MIB)
    write_photo(world.card / "B.JPG", 20 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        async with asyncio.timeout(20):
            while not await world.journal.read(file_parts.stored_bytes):  # noqa: ASYNC110 -- there is no event for it
                await asyncio.sleep(0.01)
        await manager.pause(upload.upload)
        [begun] = [item for item in (await files_by_name(manager, upload.upload)).values() if item.sent]
        assert (await manager.queries.upload(upload.upload)).bytes.sent == begun.sent
        assert await manager.remove(upload.upload, FileSelection(ids=(begun.id,))) == 1
        assert (await manager.queries.upload(upload.upload)).bytes.sent == 0
        assert await manager.restore(upload.upload, FileSelection(ids=(begun.id,))) == 1
        assert (await manager.queries.upload(upload.upload)).bytes.sent == begun.sent, "its parts are still valid"


async def test_a_restored_file_that_changed_meanwhile_has_sent_nothing(world: World) -> None:
    world.options = replace(world.options, faults=("stall:route=part,seconds=60,every=1,after=1",))
    photo = write_photo(world.card / "A.JPG", 20 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.bytes.sent >= 4 * MIB)
        await manager.pause(upload.upload)
        await manager.remove(upload.upload, FileSelection(all=True))
        write_photo(photo, 3 * MIB)
        world.options = replace(world.options, faults=())
        await manager.restore(upload.upload, FileSelection(all=True))
    async with world.cloud_running(), world.engine() as manager:
        await manager.resume(upload.upload)
        assert (await settled(manager, upload.upload)).bytes == ByteCounts(*[photo.stat().st_size] * 4)


async def test_no_byte_is_counted_twice_when_a_file_becomes_stored(world: World) -> None:
    """At every commit, `sent` is at most the size of the files whose sending has begun."""
    whole = write_photo(world.card / "A.JPG", 3 * MIB)
    (world.card / "CUT.JPG").write_bytes(jpeg(4 * MIB)[: 3 * MIB])
    seen: list[int] = []
    async with world.cloud_running(), world.engine() as manager:

        def look() -> None:
            seen.extend(status.bytes.sent for status in manager.queries.status().uploads)

        world.observers.append(look)
        upload = await add(manager, world.card, auto_process=False)
        await settled(manager, upload.upload)
        assert max(seen) == whole.stat().st_size


async def test_lost_replies_to_a_completion_do_not_send_the_file_again(world: World) -> None:
    """Every part is sent once, although the answers to three completions in a row are lost."""
    world.options = replace(world.options, faults=("lost_reply:route=complete,times=3",))
    large = write_photo(world.card / "A.JPG", 20 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        assert world.bytes_sent <= large.stat().st_size


async def test_large_files_do_not_delay_another_project(world: World) -> None:
    """A small file of another project does not wait until a large file has been sent."""
    world.options = replace(world.options, faults=("stall:route=part,seconds=0.3,every=1",))
    big = world.card / "big"
    big.mkdir(parents=True)
    for number in range(9):
        with (big / f"{number}.jpg").open("wb") as file:
            file.write(jpeg(2000 + number))
            file.truncate(96 * MIB)
    write_flight(world.card / "small", 1)
    world.time.stop()  # so that nothing is measured and the number of streams stays the initial one
    async with world.cloud_running(), world.engine() as manager:
        one = await add(manager, big, new="Big", auto_process=False)
        await until(lambda: world.files(one.upload, FileStage.SENDING) == allowance(4, 1))
        two = await add(manager, world.card / "small", new="Small", auto_process=False)
        begun = (FileStage.READY, FileStage.SENDING, FileStage.STORED, FileStage.REGISTERED)
        await until(lambda: world.files(two.upload, *begun))
        before = (await manager.queries.upload(one.upload)).bytes.sent
        await when(manager, two.upload, lambda status: status.bytes.stored)
        first = await manager.queries.upload(one.upload)
        assert (first.bytes.stored, first.bytes.sent - before < 16 * PART) == (0, True)
        await manager.cancel(one.upload)


async def test_signing_out_and_in_fails_no_file(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Files whose transfers were cancelled by signing out wait for the next sign-in; none fails."""
    world.options = replace(world.options, faults=("stall:route=put,seconds=60,every=1,times=4",))
    photos = write_flight(world.card, 8)
    caplog.set_level(logging.INFO, FAULTS_LOG)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: caplog.text.count("Fault stall") == 4)
        await manager.sign_out("default")
        await when(manager, upload.upload, lambda status: status.counts == Counts(waiting=8))
        await manager.sign_in(SignInRequest(world.login()))
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=8)
        assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}


async def test_objects_of_another_machine_are_not_overwritten(world: World) -> None:
    """Different files of one name, uploaded by two machines to one project, are both kept."""
    (mine,) = write_flight(world.card / "mine", 1)
    (theirs,) = write_flight(world.card / "theirs", 1)
    async with world.cloud_running():
        async with world.engine() as manager:
            upload = await add(manager, world.card / "mine", auto_process=False)
            done = await settled(manager, upload.upload)
        other = World(world.folder / "other", world.options, world.cloud)
        async with other.engine() as manager:
            assert done.project is not None
            upload = await manager.add(
                AddRequest((str(world.card / "theirs"),), ExistingProject(done.project), auto_process=False)
            )
            await settled(manager, upload.upload)
        assert sorted(world.objects().values()) == sorted([mine.read_bytes(), theirs.read_bytes()])


async def test_a_file_replaced_by_a_pipe_does_not_freeze_the_engine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening the path does not wait for a writer of the pipe."""
    (photo,) = write_flight(world.card, 1)
    pick = files.pick
    lags: list[float] = []

    def swap_then_pick(connection: sqlite3.Connection, file_id: int) -> FileRecord | None:
        if photo.is_file():
            photo.unlink()
            os.mkfifo(photo)
            # A writer, so that a failure of the test does not hang.
            threading.Timer(2.0, lambda: os.close(os.open(photo, os.O_RDWR))).start()
        return pick(connection, file_id)

    async def measure() -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            lags.append(time.monotonic() - before)

    monkeypatch.setattr(files, "pick", swap_then_pick)
    async with world.cloud_running(), world.engine() as manager:
        await manager.create_project("Quarry", ProjectKind.IMAGES, None)
        measuring = asyncio.create_task(measure())
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.counts == Counts(failed=1))
        measuring.cancel()
        assert max(lags) < 1.0


async def test_an_unreachable_storage_gets_few_attempts(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The service answers and the storage does not: a few attempts a second, however many files wait."""
    world.options = replace(world.options, faults=("drop:route=put,every=1",))
    write_flight(world.card, 200)
    caplog.set_level(logging.INFO, FAULTS_LOG)

    def attempts() -> int:
        return caplog.text.count("Fault drop for a request of kind put")

    async with world.cloud_running(), world.engine() as manager:
        await add(manager, world.card, auto_process=False)
        await until(attempts)
        await asyncio.sleep(1.0)
        assert attempts() < 40


async def test_content_that_may_be_stored_gets_no_second_name(world: World) -> None:
    """The duplicate of a removed file whose reply was lost gets the same object name."""
    world.options = replace(world.options, faults=("lost_reply:route=put,times=1",))
    first, twin = world.card / "A.JPG", world.card / "B.JPG"
    write_photo(first)
    twin.write_bytes(first.read_bytes())
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await until(lambda: world.objects() and world.files(upload.upload, FileStage.READY))
        await manager.remove(upload.upload, FileSelection(names=("A.JPG",)))
        await when(manager, upload.upload, lambda status: status.counts.uploaded == 1)
        assert list(world.objects()) == ["A.JPG"]


async def test_a_file_whose_every_answer_is_lost_arrives_without_permission_to_look(world: World) -> None:
    """Names that do not contain the identity are given up in turn; the last one proves its content."""
    photo = write_photo(world.card / "DJI_0001.JPG")
    faults = ("lost_reply:route=put,every=2",)
    world.options = replace(world.options, profile=Profile.STRICT, faults=faults)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        done = await settled(manager, upload.upload)
        assert done.state is UploadState.COMPLETE
        (item,) = (await files_by_name(manager, upload.upload)).values()
        assert item.object is not None
        assert world.objects()[item.object] == photo.read_bytes()
        assert done.project is not None
        (key,) = registered_images(world.options.root, int(done.project))
        assert key.endswith(f"/{item.object}")
