"""Failures of workers in a row: pauses, reports, and the isolation of single files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.photos import write_flight
from tui_uploader.cloud.contract import ByteRange, SentCallback, StoredObject
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.cloud.s3.store import S3Store
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables.known_contents import KnownContent
from tui_uploader.engine.pipeline import check, path_walk
from tui_uploader.engine.scheduling.worker_failures import FailureCounts, is_quiet, pause_after
from tui_uploader.engine.sources.read import CheckedFile, read_file
from tui_uploader.errors import JournalUnwritable, UnforeseenFailure
from tui_uploader.intake.fingerprint import Observer
from tui_uploader.intake.scan import Candidate, ScanBatch, scan
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStage, FileStatus, UploadState
from tui_uploader.model.uploads import Counts, UploadStatus

BROKEN = "DJI_0002.JPG"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


def reported(status: UploadStatus) -> bool:
    return status.notice is not None and status.notice.kind == UnforeseenFailure.__name__


def test_pauses_double_up_to_a_minute() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3, 6, 7, 1000)] == [1, 2, 4, 32, 60, 60]


def test_only_unforeseen_failures_are_quiet_and_only_at_first() -> None:
    assert [is_quiet(UnforeseenFailure(""), failures) for failures in (1, 2, 3)] == [True, True, False]
    assert not is_quiet(JournalUnwritable(""), 1)


def test_failures_within_one_pause_count_once() -> None:
    """Sixteen tasks of one worker that fail on a full disk at the same time are one failure."""
    now = 0.0
    counts: FailureCounts[str] = FailureCounts(lambda: now)
    assert [counts.failed("check") for _ in range(16)] == [1] * 16
    assert counts.rest("check") == 1.0
    now = 1.0
    assert (counts.failed("check"), counts.rest("check"), counts.rest("send")) == (2, 2.0, 0.0)
    counts.end_pauses()
    assert (counts.rest("check"), counts.failed("check")) == (0.0, 3)
    counts.passed("check")
    assert counts.failed("check") == 1


async def test_a_walk_that_always_fails_is_reported_with_its_path_and_retried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another path of the same upload is uploaded in the meantime."""
    tries = 0

    def broken(paths: Sequence[str], *arguments: Any, **options: Any) -> Any:
        nonlocal tries
        if paths == [str(world.card / "bad")]:
            tries += 1
            raise RuntimeError("no such luck")
        return scan(paths, *arguments, **options)

    write_flight(world.card / "bad", 1)
    write_flight(world.card / "good", 2, size=3000)
    monkeypatch.setattr(path_walk, "scan", broken)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card / "bad", world.card / "good", auto_process=False)
        await world.in_the_long_run(lambda: reported(manager.queries.status().uploads[0]))
        assert tries > 2, "the first failures are only logged"
        status = await when(manager, upload.upload, lambda status: status.notice and status.notice.needs_person)
        assert status.notice is not None and str(world.card / "bad") in status.notice.message
        assert (status.counts, status.state) == (Counts(uploaded=2), UploadState.PREPARING)
        monkeypatch.setattr(path_walk, "scan", scan)
        manager.try_now()
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=3)


async def test_a_worker_that_always_fails_is_reported_and_retried(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_flight(world.card, 2)

    async def broken(*_: object) -> None:
        raise RuntimeError("no such luck")

    async with world.cloud_running(), world.engine() as manager:
        monkeypatch.setattr(Pix4dCloud, "register_images", broken)
        upload = await add(manager, world.card, auto_process=False)
        status = await when(manager, upload.upload, reported)
        assert status.notice is not None and status.notice.needs_person
        assert "register stored files" in status.notice.message
        assert world.files(upload.upload, FileStage.STORED) == 2
        monkeypatch.undo()
        manager.try_now()
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=2), None)


def break_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(row: FileRecord, kind: ProjectKind, known: KnownContent | None, observe: Observer) -> CheckedFile:
        if row.path.endswith(BROKEN):
            raise RuntimeError("no such luck")
        return read_file(row, kind, known, observe)

    monkeypatch.setattr(check, "read_file", read)


def break_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    real = S3Store.put

    async def put(store: S3Store, object_name: str, body: ByteRange, sent: SentCallback) -> StoredObject:
        if object_name == BROKEN:
            raise RuntimeError("no such luck")
        return await real(store, object_name, body, sent)

    monkeypatch.setattr(S3Store, "put", put)


@pytest.mark.parametrize("break_it", [break_reading, break_sending])
async def test_a_file_that_triggers_a_bug_is_given_up_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, break_it: Callable[[pytest.MonkeyPatch], None]
) -> None:
    write_flight(world.card, 3)
    break_it(monkeypatch)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        expected = Counts(uploaded=2, failed=1)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == expected)
        item = (await files_by_name(manager, upload.upload))[BROKEN]
        assert item.status is FileStatus.FAILED and item.reason is not None
        assert "unexpected error (RuntimeError), 3 times" in item.reason


async def test_a_file_that_the_journal_cannot_hold_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is listed as skipped."""

    def strange(*arguments: Any, **options: Any) -> Any:
        for batch in scan(*arguments, **options):
            yield ScanBatch(tuple(map(spoilt, batch.candidates)), batch.skipped)

    def spoilt(candidate: Candidate) -> Candidate:
        return replace(candidate, mtime_ns=2**200) if candidate.path.endswith(BROKEN) else candidate

    write_flight(world.card, 5)
    (world.card / "notes.txt").touch()
    monkeypatch.setattr(path_walk, "scan", strange)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=4)
        skipped = {Path(each.path).name: each.reason for each in await manager.queries.skipped(upload.upload)}
        assert set(skipped) == {BROKEN, "notes.txt"}
        assert "OverflowError" in skipped[BROKEN]
