"""Cards that are missing when their paths are walked: each delays only itself, and is awaited."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.engine.journal.harness import candidate
from tests.engine.world import World, add, settled, when
from tests.photos import write_flight
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import projects, sources, uploads, walked
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.pipeline import path_walk, walk
from tui_uploader.errors import NoSuchPath, NothingToUpload, NotPossibleNow
from tui_uploader.intake.scan import ScanBatch, scan
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.projects import ProcessingState, ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.2))


@asynccontextmanager
async def after_a_power_loss(world: World, *, found_some: bool = False) -> AsyncIterator[UploadManager]:
    """The engine as it comes up when the walk of `card` was cut short by a loss of power."""
    async with world.cloud_running():
        async with world.engine() as manager:
            account = (await manager.queries.accounts())[0].account
        journal = Journal.open(world.directories.journal)

        def queue(connection: sqlite3.Connection) -> None:
            project = projects.add_project(connection, account, "Quarry", ProjectKind.IMAGES)
            upload = uploads.add_sources(connection, project, [str(world.card)], True, 0.0)
            if found_some:
                walked.add_candidates(
                    connection, upload, project, [candidate(str(world.card / "DJI_0001.JPG"), mount="")]
                )
                sources.note_found(connection, upload, str(world.card))

        await journal.write(queue)
        await journal.close()
        async with world.engine() as manager:
            yield manager


async def test_a_card_is_uploaded_although_another_of_the_same_upload_is_away(world: World) -> None:
    """The missing one is reported, and nothing is processed without it; refused requests change nothing."""
    write_flight(world.card, 1)
    away = world.card.rename(world.folder / "away")
    second = world.folder / "second"
    write_flight(second, 6, size=3000)
    (world.folder / "empty").mkdir()
    async with after_a_power_loss(world) as manager:
        with pytest.raises(NoSuchPath, match="typo"):
            await add(manager, second, world.folder / "typo")
        with pytest.raises(NothingToUpload):
            await add(manager, world.folder / "empty")
        assert (await add(manager, second)).upload == 1
        status = await when(manager, 1, lambda status: status.counts.uploaded == 6)
        status = await when(manager, 1, lambda status: status.notice and status.notice.needs_person)
        assert status.notice is not None and status.notice.kind == "SourceVanished"
        assert str(world.card) in status.notice.message
        assert (status.state, status.settled) == (UploadState.PREPARING, False)
        assert status.processing.state is ProcessingState.NOT_STARTED
        assert status.project is not None and world.starts_of(status.project) == 0
        with pytest.raises(NotPossibleNow, match="1 path of Quarry"):
            await manager.start_processing(status.project)

        away.rename(world.card)
        manager.try_now()
        done = await settled(manager, 1)
        assert (done.counts, done.notice) == (Counts(uploaded=7), None)
        await when(manager, 1, lambda status: status.processing.state is ProcessingState.DONE)
        assert world.starts_of(status.project) == 1


async def test_an_empty_mount_point_is_a_missing_card(world: World) -> None:
    """Where a walk that was cut short had found files, an empty folder means that the card is out."""
    world.card.mkdir()
    async with after_a_power_loss(world, found_some=True) as manager:
        status = await when(manager, 1, lambda status: status.notice)
        assert status.notice is not None and str(world.card) in status.notice.message
        assert status.state is UploadState.PREPARING
        again = await add(manager, world.card)
        assert (again.upload, again.state) == (1, UploadState.PREPARING), "the same command again"
        write_flight(world.card, 2)
        manager.try_now()
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=2))


async def test_a_card_that_is_removed_during_the_walk_is_awaited(world: World) -> None:
    """Entries that could not be read then are not reported as skipped once the card is back."""
    write_flight(world.card / "a", 1)
    write_flight(world.card / "b", 1, size=3000)
    write_flight(world.folder / "second", 1, size=4000)

    def pulled(paths: Sequence[str], *arguments: Any, **options: Any) -> Iterator[ScanBatch]:
        batches = scan(paths, *arguments, batch_size=1, **options)
        yield next(batches)
        if paths == [str(world.card)] and not away.exists():
            world.card.rename(away)
        yield from batches

    away = world.folder / "away"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path_walk, "scan", pulled)
        async with world.cloud_running(), world.engine() as manager:
            await add(manager, world.card, world.folder / "second", auto_process=False)
            status = await when(manager, 1, lambda status: status.notice)
            assert status.notice is not None and str(world.card) in status.notice.message
            await when(manager, 1, lambda status: status.counts.uploaded == 1)
            patch.undo()
            away.rename(world.card)
            manager.try_now()
            await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=3))
            assert await manager.queries.skipped(1) == ()


async def test_a_card_that_hangs_during_the_walk_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write_flight(world.card, 1)
    write_flight(world.folder / "second", 1, size=3000)
    answers = threading.Event()

    def hanging(paths: Sequence[str], *arguments: Any, **options: Any) -> Iterator[ScanBatch]:
        if paths == [str(world.card)]:
            answers.wait(30)
        yield from scan(paths, *arguments, **options)

    monkeypatch.setattr(path_walk, "scan", hanging)
    monkeypatch.setattr(walk, "_HANGS_AFTER", 0.05)
    monkeypatch.setattr(walk, "_TURN_SECONDS", 0.05)
    async with world.cloud_running(), world.engine() as manager:
        try:
            await add(manager, world.card, world.folder / "second", auto_process=False)
            status = await when(manager, 1, lambda status: status.notice and status.notice.needs_person)
            assert status.notice is not None and f"{world.card} does not respond" in status.notice.message
            assert (status.counts, status.state) == (Counts(uploaded=1), UploadState.PREPARING)
        finally:
            answers.set()
        done = await when(manager, 1, lambda status: status.settled)
        assert (done.counts, done.notice) == (Counts(uploaded=2), None)
