"""Which workers are woken by which changes, and how often while files are uploaded."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness, candidate
from tests.engine.rows import UPLOAD, summary
from tests.engine.world import World, add, settled
from tests.photos import write_flight
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.summary import Commit, Summary
from tui_uploader.engine.journal.tables import deduplication, files
from tui_uploader.engine.journal.tables.known_contents import Content
from tui_uploader.engine.notifier import Notifier, Subject, Topic, subjects_of
from tui_uploader.engine.pipeline.media_return import MediaReturn
from tui_uploader.engine.pipeline.multipart_gc import MultipartCleaner
from tui_uploader.engine.pipeline.process import ProcessingWorker
from tui_uploader.engine.pipeline.walk import Walker
from tui_uploader.engine.upkeep.retention import Retention
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import Counts

FILES = 60
ACTIVE = summary((UploadState.ACTIVE, {FileStage.READY: 1}))
PAUSED = summary((UploadState.PAUSED, {FileStage.READY: 1}))
DONE = summary((UploadState.ACTIVE, {FileStage.REGISTERED: 1}))
STAGES = frozenset({FileStage.READY, FileStage.SENDING})


def woken(event: asyncio.Event) -> bool:
    woken = event.is_set()
    event.clear()
    return woken


def test_a_change_wakes_its_subscribers_and_every_watcher() -> None:
    notifier = Notifier()
    sender = notifier.subscribe(FileStage.READY, Topic.ACCOUNTS)
    registrar = notifier.subscribe(FileStage.STORED, Topic.ACCOUNTS)
    with notifier.watching() as watcher:
        events = (sender, registrar, watcher)
        for subjects, expected in [
            ((FileStage.READY,), (True, False, True)),
            ((FileStage.STORED, Topic.STATUS), (False, True, True)),
            ((Topic.ACCOUNTS,), (True, True, True)),
            ((Topic.STATUS,), (False, False, True)),
            ((), (False, False, True)),
        ]:
            notifier.notify(*subjects)
            assert tuple(map(woken, events)) == expected
    notifier.notify_all()
    assert tuple(map(woken, events)) == (True, True, False)


def test_retry_now_ends_pauses_before_it_wakes_workers() -> None:
    notifier, ended = Notifier(), []
    event = notifier.subscribe(Topic.WORK)
    notifier.on_retry(lambda: ended.append(event.is_set()))
    notifier.retry_now()
    assert ended == [False] and event.is_set()


@pytest.mark.parametrize(
    ("commit", "expected"),
    [
        (Commit(ACTIVE, ACTIVE), set()),
        (Commit(ACTIVE, ACTIVE, stages=STAGES), STAGES),
        (Commit(ACTIVE, ACTIVE, projects=frozenset({1})), {Topic.PROJECTS}),
        (Commit(ACTIVE, PAUSED, uploads=frozenset({1})), {Topic.UPLOADS, Topic.WORK}),
        (Commit(ACTIVE, DONE, uploads=frozenset({1}), stages=STAGES), {Topic.WORK, *STAGES}),
        (Commit(Summary.of({}, {}, {}), ACTIVE, uploads=frozenset({1})), {Topic.UPLOADS, Topic.WORK}),
        (
            Commit(ACTIVE, replace(ACTIVE, uploads={1: replace(UPLOAD, unscanned=1)}), uploads=frozenset({1})),
            {Topic.UPLOADS},
        ),
    ],
)
def test_subjects_of_a_commit(commit: Commit, expected: set[Subject]) -> None:
    assert subjects_of(commit) == expected


async def test_files_that_replace_each_other_in_a_stage_are_announced(tmp_path: Path) -> None:
    """One commit takes a file out of a stage and brings another one: the count of the stage stays the same."""
    commits: list[Commit] = []
    journal = Journal.open(tmp_path / "journal.sqlite", commits.append)
    harness = JournalHarness(journal)
    await harness.begin()
    await harness.find(candidate("/card/1.jpg"), candidate("/card/2.jpg"))
    first = await harness.check("/card/1.jpg", "a")
    second = await harness.row("/card/2.jpg")

    def pick_one_and_check_the_other(connection: sqlite3.Connection) -> None:
        files.pick(connection, first.id)
        deduplication.settle_check(connection, second.id, second.candidate, Content("b", 7))

    await harness.write(pick_one_and_check_the_other)
    await journal.close()
    ready = [summary.files(harness.upload, FileStage.READY) for summary in (commits[-1].before, commits[-1].after)]
    assert ready == [1, 1]
    assert subjects_of(commits[-1]) == {FileStage.FOUND, FileStage.READY, FileStage.SENDING}


async def test_workers_without_work_are_not_woken_by_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file takes four commits. Workers that do not work on files take a few steps during the whole upload."""
    steps: Counter[str] = Counter()
    for worker in (Walker, ProcessingWorker, MediaReturn, MultipartCleaner, Retention):
        step = worker.step

        async def counted(self: object, step=step, name=worker.__name__) -> float | None:  # type: ignore[no-untyped-def]
            steps[name] += 1
            delay: float | None = await step(self)
            return delay

        monkeypatch.setattr(worker, "step", counted)
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    write_flight(world.card, FILES, size=3000)
    async with world.cloud_running(), world.engine() as manager:
        before = +steps
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=FILES)
    assert max((steps - before).values()) < FILES / 4, steps
