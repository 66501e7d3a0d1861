"""Walks that end early, or find files of earlier walks."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.engine.journal.harness import JournalHarness, candidate
from tests.engine.world import World, add, settled, when
from tests.photos import write_flight, write_photo
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import projects, uploads, walked
from tui_uploader.engine.pipeline import enqueue, path_walk, walk
from tui_uploader.errors import JournalUnwritable
from tui_uploader.intake.scan import ScanBatch, scan
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import FileQuery
from tui_uploader.model.projects import MAX_IMAGES, ProjectKind
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import Counts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.2))


async def test_a_walk_that_the_end_of_the_engine_interrupts_is_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uploading has begun with the first file; the rest of the card is not forgotten."""
    write_flight(world.card, 3)
    may_continue = threading.Event()

    def interrupted(paths: Sequence[str], *arguments: Any, **options: Any) -> Iterator[ScanBatch]:
        for batch in scan(paths, *arguments, batch_size=1, **options):
            yield batch
            may_continue.wait(30)

    monkeypatch.setattr(path_walk, "scan", interrupted)
    monkeypatch.setattr(enqueue, "_WALK_SECONDS", 0.2)
    async with world.cloud_running():
        try:
            async with world.engine() as manager:
                upload = await add(manager, world.card, auto_process=False)
                status = await when(manager, upload.upload, lambda status: status.counts.uploaded)
                assert (status.state, status.counts) == (UploadState.PREPARING, Counts(uploaded=1))
        finally:
            may_continue.set()
        async with world.engine() as manager:
            await when(manager, 1, lambda status: status.counts.uploaded == 3, seconds=10)


async def test_a_card_that_is_not_mounted_yet_at_the_start_is_not_forgotten(world: World) -> None:
    """A path that cannot be walked after a restart is reported; the upload is not complete without it."""
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
            status = await when(manager, 1, lambda status: status.notice is not None)
            assert status.state is not UploadState.COMPLETE
            away.rename(world.card)
            await world.in_the_long_run(lambda: manager.queries.status().uploads[0].notice is None)
            assert (await settled(manager, 1)).counts == Counts(uploaded=3)


def limit_pages(connection: sqlite3.Connection, more: int) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + more}")


async def test_a_request_on_a_full_disk_leaves_no_trace(world: World) -> None:
    for number in range(40):
        write_photo(world.card / f"{number:0200}.JPG", 500)  # whose names need more space than there is
    async with world.cloud_running(), world.engine() as manager:
        await manager.queries.projects()
        await world.journal.write(partial(limit_pages, more=3))
        with pytest.raises(JournalUnwritable, match="full"):
            await add(manager, world.card)
        await world.journal.write(partial(limit_pages, more=1_000_000))
        assert not world.summary.uploads and not world.summary.projects
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=40)


async def test_a_full_disk_during_a_walk_loses_no_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the journal does not take a batch, the path remains to be walked."""
    for number in range(100):
        write_photo(world.card / f"{number:0200}.JPG", 500)
    monkeypatch.setattr(path_walk, "scan", partial(scan, batch_size=5))
    async with world.cloud_running(), world.engine() as manager:
        await world.journal.write(partial(limit_pages, more=20))
        with pytest.raises(JournalUnwritable, match="full"):
            await add(manager, world.card, auto_process=False)
        assert 0 < world.files(1, *FileStage) < 100
        await world.journal.write(partial(limit_pages, more=1_000_000))
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts.uploaded == 100)


async def test_a_card_that_is_already_in_the_project_adds_no_images(harness: JournalHarness) -> None:
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
        assert uploads.finish_if_done(connection, harness.upload, 9.0)

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


async def test_dots_are_followed_through_links(world: World) -> None:
    write_flight(world.card / "deep", 1)
    (world.card / "deep" / "er").mkdir()
    link = world.folder / "link"
    link.symlink_to(world.card / "deep" / "er")
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, link / "..", auto_process=False)
        (item,) = (await manager.queries.files(upload.upload, FileQuery())).files
        assert Path(item.path).parent == world.card / "deep"
