"""Walks that end early, meet each other, or meet what was there before."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness, candidate
from tests.engine.world import World, add, settled, when
from tests.photos import jpeg, write_flight, write_photo
from tests.until import until
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import projects, uploads, walked
from tui_uploader.engine.pipeline import walk
from tui_uploader.errors import JournalUnwritable, NothingToUpload
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model import MAX_IMAGES, Counts, FileStage, ProjectKind, UploadState


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.2))


def write_notes(folder: Path, number: int) -> None:
    """Files that are no images, so that a walk takes its time."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(number):
        (folder / f"{index:05}.txt").touch()


async def test_a_walk_that_the_end_of_the_engine_interrupts_is_done_again(world: World) -> None:
    """Closing the engine during a walk must not mark its paths as walked: the rest of the card would be lost."""
    write_notes(world.card, 2000)
    write_flight(world.card / "zzz", 3)
    async with world.cloud_running():
        async with world.engine() as manager:
            adding = asyncio.create_task(add(manager, world.card, auto_process=False))
            await until(lambda: manager.queries.status().uploads)
            adding.cancel()
            await asyncio.gather(adding, return_exceptions=True)
            assert manager.queries.status().uploads[0].state is UploadState.PREPARING
        async with world.engine() as manager:
            await when(manager, 1, lambda status: status.counts.uploaded == 3, seconds=10)


async def test_a_card_that_is_not_mounted_yet_at_the_start_is_not_forgotten(world: World) -> None:
    """A path that cannot be walked after a restart is told; the upload is not complete without it."""
    write_flight(world.card, 3)
    async with world.cloud_running():
        async with world.engine() as manager:
            account = (await manager.queries.accounts())[0].account
        journal = Journal.open(world.directories.journal)

        def queue(connection: sqlite3.Connection) -> None:
            project = projects.add_project(connection, account, "Quarry", ProjectKind.IMAGES)
            uploads.add_sources(connection, project, [str(world.card)], True, 0.0)

        await journal.write(queue)
        await journal.close()
        away = world.card.rename(world.folder / "away")
        async with world.engine() as manager:
            told = await when(manager, 1, lambda status: status.notice is not None)
            assert told.state is not UploadState.COMPLETE
            away.rename(world.card)
            await world.in_the_long_run(lambda: manager.queries.status().uploads[0].notice is None)
            assert (await settled(manager, 1)).counts == Counts(uploaded=3)


async def test_an_empty_folder_does_not_take_what_was_added_beside_it_away(world: World) -> None:
    """Adding a folder without images and one with images at once loses nothing of the second."""
    write_notes(world.card / "first", 3000)
    write_flight(world.card / "second", 2)
    async with world.cloud_running(), world.engine() as manager:
        first = asyncio.create_task(add(manager, world.card / "first"))
        await until(lambda: manager.queries.status().uploads)
        second = await add(manager, world.card / "second")
        with contextlib.suppress(NothingToUpload):  # it is told where the walk does not take long
            await first
        await when(manager, second.upload, lambda status: status.counts.uploaded == 2, seconds=8)


async def test_a_full_disk_during_a_walk_loses_no_files(world: World) -> None:
    """When the journal does not take a batch of candidates, the path stays to be walked."""
    for number in range(40):
        write_photo(world.card / f"{number:0200}.JPG", 500)  # whose names need more room than there is
    (world.folder / "bad").mkdir()
    (world.folder / "bad" / "CUT.JPG").write_bytes(jpeg(5000)[:3000])

    def fill(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")

    def make_room(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1000000")

    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.folder / "bad")
        await when(manager, upload.upload, lambda status: status.counts.failed == 1)
        await world.context.journal.write(fill)
        with pytest.raises(JournalUnwritable, match="full"):
            await add(manager, world.card)
        await world.context.journal.write(make_room)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts.uploaded == 40)


async def test_a_card_that_is_in_the_project_already_is_not_too_many_images(harness: JournalHarness) -> None:
    """More than half of what a project takes, offered again, are duplicates and no further images."""
    paths = [f"/card/{number}.jpg" for number in range(MAX_IMAGES // 2 + 1)]

    def have_uploaded(connection: sqlite3.Connection) -> None:
        facts = [(os.fsencode(path), f"{number:032}") for number, path in enumerate(paths)]
        connection.executemany(
            "INSERT INTO known (path, size, mtime_ns, inode, identity, crc32) VALUES (?, 100, 1, 1, ?, 7)", facts
        )
        connection.executemany(
            "INSERT INTO files (upload, project, path, name, size, mtime_ns, inode, stage, identity)"
            f" VALUES ({harness.upload}, {harness.project}, ?, 'x', 100, 1, 1, '{FileStage.REGISTERED}', ?)",
            facts,
        )
        uploads.mark_scanned(connection, harness.upload, ["/card"])
        assert uploads.finish_if_done(connection, harness.upload)

    def offer_again(connection: sqlite3.Connection) -> int:
        again = uploads.add_sources(connection, harness.project, ["/card"], True, 0.0)
        walked.add_candidates(connection, again, harness.project, [candidate(path) for path in paths])
        walk.end_walk(connection, again, "/card", found=True)
        return again

    await harness.write(have_uploaded)
    again = await harness.write(offer_again)
    upload = harness.journal.summary.uploads[again]
    assert harness.journal.summary.files(again, FileStage.FOUND) == len(paths)
    assert (upload.state, upload.notice) == (UploadState.ACTIVE, None)
