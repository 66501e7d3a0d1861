"""Stale multipart uploads are aborted, and only ours."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cloud.stores import ignore
from tests.engine.journal.harness import JournalHarness, candidate, content
from tests.engine.world import SETTINGS, World, add, settled, when
from tests.photos import write_flight, write_photo
from tui_uploader.cloud.contract import ByteRange, ObjectStore
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.journal.tables import (
    commands,
    deduplication,
    file_parts,
    files,
    open_multiparts,
    stored_files,
    uploads,
    walked,
)
from tui_uploader.engine.journal.tables.known_contents import Content
from tui_uploader.engine.journal.tables.open_multiparts import UNKNOWN, StaleMultipart
from tui_uploader.engine.pipeline.multipart_gc import OLD
from tui_uploader.engine.pipeline.send import give_up
from tui_uploader.errors import CloudFault, MultipartGone, SourceChanged
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model.files import Proof
from tui_uploader.model.states import FileEvent, UploadEvent, UploadState
from tui_uploader.model.uploads import Counts

MIB = 1024**2


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


# ---------------------------------------------------------------------------------------------- the journal's notes


async def begun(harness: JournalHarness, path: str = "/card/a.jpg") -> int:
    """Return a file whose multipart upload `m1` has begun."""
    await harness.find(candidate(path))
    row = await harness.check(path, content("a"))
    assert await harness.write(lambda c: files.pick(c, row.id)) is not None
    await harness.write(lambda c: open_multiparts.intend(c, harness.project, "a.jpg"))
    await harness.write(lambda c: file_parts.begin_multipart(c, row.id, "m1", 5 * MIB))
    return row.id


def dismissed(connection: sqlite3.Connection, file: int) -> None:
    files.move(connection, file, FileEvent.HELD)
    uploads.mark_scanned(connection, 1, ["/card"])
    uploads.move_upload(connection, 1, UploadEvent.CANCEL, 9.0)
    commands.dismiss(connection, 1, 0.0)


def removed(connection: sqlite3.Connection, file: int) -> None:
    files.move(connection, file, FileEvent.HELD)
    files.move(connection, file, FileEvent.REMOVE)


def another_replaced_it(connection: sqlite3.Connection, file: int) -> None:
    removed(connection, file)
    files.move(connection, file, FileEvent.RESTORE)
    row = files.file(connection, file)
    walked.add_candidates(connection, 1, row.project, [candidate("/card/twin.jpg")])
    for each in (file + 1, file):
        found = files.file(connection, each)
        deduplication.settle_check(connection, each, found.candidate, Content(content("a"), 7))


def found_to_be(identity: str) -> Callable[[sqlite3.Connection, int], None]:
    """The file was read again."""

    def read_again(connection: sqlite3.Connection, file: int) -> None:
        files.doubt(connection, file)
        row = files.file(connection, file)
        deduplication.settle_check(connection, file, row.candidate, Content(identity, 7), [9])

    return read_again


@pytest.mark.parametrize(
    ("happens", "given_up"),
    [
        (lambda c, file: files.doubt(c, file), False),
        (lambda c, file: files.note_change(c, file, candidate("/card/a.jpg", size=7)), False),
        (found_to_be(content("a")), False),
        (found_to_be(content("b")), True),
        (lambda c, file: file_parts.forget(c, file), True),
        (lambda c, file: deduplication.give_other_name(c, file), True),
        (lambda c, file: give_up(c, file, SourceChanged("again")), True),
        (lambda c, file: give_up(c, file, MultipartGone("again")), True),
        (dismissed, True),
        (another_replaced_it, True),
        (lambda c, file: give_up(c, file, CloudFault("500")), False),
        (lambda c, file: files.move(c, file, FileEvent.HELD), False),
        (lambda c, file: stored_files.mark_stored(c, file, "etag", Proof.CRC32, 0.5), False),
        (lambda c, file: uploads.move_upload(c, 1, UploadEvent.CANCEL, 9.0), False),
        (removed, False),
    ],
)
async def test_a_multipart_upload_is_noted_when_it_is_given_up(
    harness: JournalHarness, happens: Callable[[sqlite3.Connection, int], object], given_up: bool
) -> None:
    """Files that may resume keep their parts: cancelled, removed and failed ones, and doubted ones until read again."""
    file = await begun(harness)
    await harness.write(lambda c: happens(c, file))
    expected = [StaleMultipart(harness.project, "a.jpg", "m1")] if given_up else []
    assert await harness.journal.read(open_multiparts.all_stale) == expected


async def test_the_intent_of_a_multipart_upload_is_noted_first(harness: JournalHarness) -> None:
    await harness.write(lambda c: open_multiparts.intend(c, harness.project, "a.jpg"))
    await harness.write(lambda c: open_multiparts.intend(c, harness.project, "a.jpg"))
    assert await harness.journal.read(open_multiparts.all_stale) == [StaleMultipart(harness.project, "a.jpg", UNKNOWN)]
    file = await begun(harness)
    assert await harness.journal.read(open_multiparts.all_stale) == []
    assert await harness.journal.read(lambda c: open_multiparts.in_use(c, harness.project, "a.jpg")) == {"m1"}
    await harness.write(lambda c: stored_files.mark_stored(c, file, "etag", Proof.CRC32, 0.5))
    assert await harness.journal.read(lambda c: open_multiparts.in_use(c, harness.project, "a.jpg")) == set()


# -------------------------------------------------------------------------------------------- aborting them


def multiparts(world: World) -> list[str]:
    """Return the ids of the cloud's open multipart uploads."""
    with closing(sqlite3.connect(world.options.root / "local-cloud.sqlite")) as cloud:
        return [row[0] for row in cloud.execute("SELECT id FROM uploads ORDER BY id")]


def make_older(world: World, *ids: str) -> None:
    with closing(sqlite3.connect(world.options.root / "local-cloud.sqlite")) as cloud, cloud:
        for upload in ids:
            cloud.execute("UPDATE uploads SET created = created - ? WHERE id = ?", (OLD + 60, upload))


async def noted(world: World) -> list[StaleMultipart]:
    return await world.journal.read(open_multiparts.all_stale)


async def nothing_is_noted(world: World) -> None:
    """In the long run."""
    async with asyncio.timeout(30.0):
        while await noted(world):
            world.time.passed += OLD
            world.wake_all()
            await asyncio.sleep(0.01)


async def test_the_multipart_upload_of_a_changed_file_is_aborted(world: World) -> None:
    """The file changes after its first part was sent: the new content arrives, and nothing of the old one stays."""
    world.options = replace(world.options, faults=("stall:route=part,seconds=60,after=1,times=1",))
    photo = write_photo(world.card / "A.JPG", 20 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.bytes.sent >= 4 * MIB)
        first = multiparts(world)
        write_photo(photo, 18 * MIB)
        await manager.pause(upload.upload)
        await manager.resume(upload.upload)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        assert len(first) == 1
        await world.in_the_long_run(lambda: not multiparts(world), leap=600.0)
        assert list(world.objects().values()) == [photo.read_bytes()]
        await nothing_is_noted(world)


async def test_a_later_engine_aborts_stale_multipart_uploads(world: World) -> None:
    write_flight(world.card, 1)
    async with world.cloud_running():
        async with world.engine() as manager:
            upload = await add(manager, world.card, auto_process=False)
            done = await settled(manager, upload.upload)
        async with another_machine(world, done.project) as store:
            left = await store.create_multipart("B.JPG")
    async with world.engine(sign_in=False):
        await world.journal.write(lambda c: open_multiparts.note(c, StaleMultipart(1, "B.JPG", left)))
        await world.in_the_long_run(lambda: True)
        assert len(await noted(world)) == 1
    async with world.cloud_running(), world.engine():
        await world.in_the_long_run(lambda: not multiparts(world), leap=600.0)


@asynccontextmanager
async def another_machine(world: World, project: str | None) -> AsyncIterator[ObjectStore]:
    assert project is not None
    cloud = Pix4dCloud(world.login(), SETTINGS)
    store = cloud.store(project)
    await store.open()
    yield store
    await cloud.close()


async def test_of_multipart_uploads_of_unknown_origin_only_old_empty_ones_are_aborted(
    world: World, tmp_path: Path
) -> None:
    """After a crash before the id was journaled, while another machine slowly sends files of the same name."""
    write_flight(world.card, 1)
    part = tmp_path / "part"
    part.write_bytes(b"theirs")
    async with world.cloud_running():
        async with world.engine() as manager:
            done = await settled(manager, (await add(manager, world.card, auto_process=False)).upload)
        async with another_machine(world, done.project) as store:
            lost, sending, neighbour = [await store.create_multipart(name) for name in ("B.JPG", "B.JPG", "B.JPG2")]
            with part.open("rb", buffering=0) as file:
                await store.put_part("B.JPG", sending, 1, ByteRange(file, 0, 6, zlib.crc32(b"theirs")), ignore)
            make_older(world, lost, sending, neighbour)
            young = await store.create_multipart("B.JPG")
        async with world.engine(sign_in=False):
            await world.journal.write(lambda c: open_multiparts.intend(c, 1, "B.JPG"))
        async with world.engine():
            await world.in_the_long_run(lambda: lost not in multiparts(world), leap=600.0)
            assert multiparts(world) == sorted([sending, neighbour, young])
            assert await noted(world) == [StaleMultipart(1, "B.JPG", UNKNOWN)]
            make_older(world, young)
            world.time.passed += OLD
            await world.in_the_long_run(lambda: young not in multiparts(world), leap=600.0)
            assert multiparts(world) == sorted([sending, neighbour])


async def test_a_storage_without_list_permission_is_asked_once_and_without_notice(world: World) -> None:
    world.options = replace(world.options, profile=Profile.STRICT)
    write_flight(world.card, 1)
    async with world.cloud_running():
        async with world.engine() as manager:
            await settled(manager, (await add(manager, world.card, auto_process=False)).upload)
            await world.journal.write(lambda c: open_multiparts.intend(c, 1, "B.JPG"))
            await world.journal.write(lambda c: open_multiparts.note(c, StaleMultipart(1, "B.JPG", "gone")))
        async with world.engine() as manager:
            await nothing_is_noted(world)
            [status] = manager.queries.status().uploads
            assert (status.state, status.notice) == (UploadState.COMPLETE, None)


@pytest.mark.parametrize("moment", ["in mid-file", "before the completion"])
async def test_a_file_whose_multipart_upload_vanished_is_sent_again(world: World, moment: str) -> None:
    """The bucket's owner may let unfinished multipart uploads expire."""
    route = "part" if moment == "in mid-file" else "complete"
    world.options = replace(world.options, faults=(f"stall:route={route},seconds=0.5,times=1",))
    photo = write_photo(world.card / "A.JPG", 20 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        least = 1 if moment == "in mid-file" else photo.stat().st_size
        await when(manager, upload.upload, lambda status: status.bytes.sent >= least)
        first = multiparts(world)
        with closing(sqlite3.connect(world.options.root / "local-cloud.sqlite")) as cloud, cloud:
            cloud.execute("DELETE FROM parts")
            cloud.execute("DELETE FROM uploads")
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        assert len(first) == 1
        assert world.objects() == {"A.JPG": photo.read_bytes()}
