"""Condensed uploads answer every query as before."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tests.engine.world import World, add, files_by_name, settled
from tests.photos import write_flight
from tests.until import until
from tui_uploader.engine.journal.tables import (
    commands,
    deduplication,
    files,
    projects,
    retention,
    stored_files,
    uploads,
    walked,
)
from tui_uploader.engine.journal.tables.known_contents import Content
from tui_uploader.engine.journal.views import positions, windows
from tui_uploader.engine.status.snapshot import counts_of, project_value
from tui_uploader.errors import EngineError, NotPossibleNow
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import FileQuery, FileSelection, SortKey
from tui_uploader.model.states import FileStage, FileStatus, UploadEvent, UploadState
from tui_uploader.model.uploads import Counts

DISMISSED_AT, LATER = 1000.0, 2000.0
EVERYTHING = FileSelection(all=True)


async def past_and_present(harness: JournalHarness) -> int:
    """End and dismiss the upload of `harness`, with files of every kind. Returns another upload, which is active."""
    for letter in "abcde":
        await harness.upload_file(f"/card/{letter}.jpg", content(letter))
    for name, letter in (("twin", "a"), ("mine", "x"), ("gone", "y")):
        await harness.find(candidate(f"/card/{name}.jpg"))
        await harness.check(f"/card/{name}.jpg", content(letter))
    failing = await harness.row("/card/mine.jpg")

    def end(connection: sqlite3.Connection) -> None:
        files.fail(connection, failing.id, "SourceVanished", "It is gone.")
        walked.add_skipped(connection, harness.upload, [(f"/card/{number}.txt", "not an image") for number in range(3)])
        commands.remove(connection, harness.upload, FileSelection(names=("gone.jpg",)))
        uploads.move_upload(connection, harness.upload, UploadEvent.CANCEL, 9.0)
        commands.dismiss(connection, harness.upload, DISMISSED_AT)

    await harness.write(end)
    present = await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/again"], True, 0.0))
    again = [candidate(f"/again/{name}.jpg") for name in ("a", "f", "unread")]
    await harness.write(lambda c: walked.add_candidates(c, present, harness.project, again))
    await harness.check("/again/a.jpg", content("a"))
    await harness.check("/again/f.jpg", content("f"))
    return present


def _of_the_project(connection: sqlite3.Connection, present: int, sort: SortKey) -> list[int]:
    """The uploaded files of all uploads of the project."""
    query = FileQuery(status=FileStatus.UPLOADED, whole_project=True, sort=sort)
    return [row.id for row, _ in windows.window(connection, present, query).rows]


async def answers(harness: JournalHarness, present: int) -> list[object]:
    """Answers to all queries about the project and its uploads."""
    query = FileQuery(status=FileStatus.UPLOADED, sort="name")

    def ask(connection: sqlite3.Connection) -> list[object]:
        holders = [files.holder(connection, harness.project, content(letter)) for letter in "abcdefxy"]
        window = windows.window(connection, harness.upload, query)
        shown = [
            (
                row.id,
                row.path,
                row.object,
                row.size,
                row.stage,
                row.etag,
                row.identity,
                row.stored_at,
                row.uploaded_at,
                facts,
            )
            for row, facts in window.rows
        ]
        runs = windows.matching_runs(connection, harness.upload, query)
        others = windows.window(connection, present, FileQuery())
        orders = [_of_the_project(connection, present, sort) for sort in ("activity", "name", "folder", "uploaded")]
        where = positions.positions(connection, harness.upload)
        return [
            *(holders, window.total, shown, runs, where.located, where.points, orders),
            [(row.path, row.stage, others.originals.get(row.duplicate_of or 0)) for row, _ in others.rows],
            deduplication.distinct_images(connection, harness.project),
            projects.registered_images(connection, harness.project),
        ]

    summary = harness.journal.summary
    upload = summary.upload(harness.upload)
    assert upload is not None
    return [
        *await harness.journal.read(ask),
        counts_of(summary, harness.upload),
        counts_of(summary, present),
        project_value(summary, summary.projects[harness.project]),
        summary.bytes(harness.upload, FileStage.REGISTERED),
        upload.skipped,
        upload.state,
    ]


def rows_left(connection: sqlite3.Connection, upload: int) -> dict[str, int]:
    return {
        table: connection.execute(f"SELECT COUNT(*) FROM {table} WHERE upload = ?", (upload,)).fetchone()[0]
        for table in ("files", "delivered", "skipped", "sources")
    }


@pytest.mark.parametrize("most", [1, 3, 500])
async def test_every_step_of_condensing_preserves_all_answers(harness: JournalHarness, most: int) -> None:
    present = await past_and_present(harness)
    known = Content(content("a"), 7, 46.1, 6.1)
    await harness.find(candidate("/card/a.jpg"))  # nothing: the same file again
    row = await harness.row("/card/a.jpg")
    await harness.write(
        lambda c: c.execute(
            "UPDATE known SET latitude = ?, longitude = ? WHERE path = ?",
            (known.latitude, known.longitude, row.path.encode()),
        ).close()
    )
    before = await answers(harness, present)
    steps = 0
    while await harness.journal.read(lambda c: retention.due(c, LATER)) == [harness.upload]:
        await harness.write(lambda c: retention.condense(c, harness.upload, most))
        assert await answers(harness, present) == before
        steps += 1
        assert steps < 30
    assert await harness.journal.read(lambda c: rows_left(c, harness.upload)) == {
        "files": 0,
        "delivered": 5,
        "skipped": 0,
        "sources": 0,
    }
    assert await harness.journal.read(lambda c: rows_left(c, present)) == {
        "files": 3,
        "delivered": 0,
        "skipped": 0,
        "sources": 1,
    }


async def condensed(harness: JournalHarness) -> int:
    present = await past_and_present(harness)
    for _ in range(2):
        await harness.write(lambda c: retention.condense(c, harness.upload, 500))
    return present


async def test_delivered_content_is_never_sent_again(
    harness: JournalHarness,
) -> None:
    present = await condensed(harness)
    await harness.write(
        lambda c: walked.add_candidates(
            c, present, harness.project, [candidate("/again/b.jpg"), candidate("/again/c.jpg")]
        )
    )
    found = await harness.check("/again/b.jpg", content("b"))
    assert found.stage is FileStage.DUPLICATE
    window = await harness.journal.read(lambda c: windows.window(c, present, FileQuery()))
    assert window.originals[found.duplicate_of or 0] == "/card/b.jpg"
    row = await harness.row("/again/c.jpg")
    with pytest.raises(EngineError) as refused:  # even if the code above has a bug
        await harness.write(
            lambda c: c.execute(
                "UPDATE files SET stage = 'ready', identity = ? WHERE id = ?", (content("c"), row.id)
            ).close()
        )
    assert isinstance(refused.value.__cause__, sqlite3.IntegrityError)


async def test_names_and_numbers_of_delivered_files_are_never_reused(harness: JournalHarness) -> None:
    present = await condensed(harness)
    last = await harness.journal.read(lambda c: c.execute("SELECT MAX(file) FROM delivered").fetchone()[0])
    await harness.write(lambda c: c.execute("DELETE FROM files WHERE upload = ?", (present,)).close())
    await harness.write(lambda c: walked.add_candidates(c, present, harness.project, [candidate("/other/b.jpg")]))
    other = await harness.check("/other/b.jpg", content("z"))
    assert other.id > last
    assert other.object == "b-zzzzzz.jpg"


async def test_only_uploads_dismissed_long_ago_without_pending_files_are_due(harness: JournalHarness) -> None:
    await past_and_present(harness)

    def due(before: float) -> object:
        return harness.journal.read(lambda c: retention.due(c, before))

    assert await harness.journal.read(lambda c: retention.due(c, DISMISSED_AT)) == []
    assert await harness.journal.read(lambda c: retention.due(c, LATER)) == [harness.upload]
    row = await harness.row("/card/gone.jpg")
    await harness.write(lambda c: c.execute("UPDATE files SET stage = 'stored' WHERE id = ?", (row.id,)).close())
    assert await harness.journal.read(lambda c: retention.due(c, LATER)) == [], "it will be registered"
    await harness.write(lambda c: stored_files.register(c, [row.id], LATER))
    await harness.write(lambda c: c.execute("UPDATE uploads SET dismissed_at = NULL").close())
    assert await harness.journal.read(lambda c: retention.due(c, LATER)) == [], "an older version kept no date"
    await harness.write(lambda c: retention.date_dismissals(c, LATER))
    assert await harness.journal.read(lambda c: retention.due(c, LATER + 1)) == [harness.upload]


@pytest.mark.parametrize("command", [commands.remove, commands.retry, commands.restore])
async def test_a_condensed_upload_refuses_commands(harness: JournalHarness, command: object) -> None:
    await condensed(harness)
    assert callable(command)
    with pytest.raises(NotPossibleNow, match="record"):
        await harness.write(lambda c: command(c, harness.upload, EVERYTHING))
    with pytest.raises(NotPossibleNow, match="record"):
        await harness.write(lambda c: uploads.move_upload(c, harness.upload, UploadEvent.RESUME))


async def test_a_dismissed_upload_that_resumes_is_listed_again(harness: JournalHarness) -> None:
    await past_and_present(harness)
    await harness.write(lambda c: uploads.move_upload(c, harness.upload, UploadEvent.RESUME))
    upload = harness.journal.summary.uploads[harness.upload]
    assert (upload.state, upload.dismissed, upload.dismissed_at) == (UploadState.ACTIVE, False, None)


async def test_empty_pages_are_returned_to_the_file_system(harness: JournalHarness) -> None:
    await harness.find(*(candidate(f"/card/{number}.jpg") for number in range(3000)))

    def drop(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM files")

    def pages(connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])

    await harness.write(drop)
    before = await harness.journal.read(pages)
    left = await harness.write(lambda c: retention.shrink(c, 20))
    assert left > 0
    assert await harness.journal.read(pages) <= before - 20
    while await harness.write(lambda c: retention.shrink(c, 20)):
        pass
    assert await harness.journal.read(pages) < before / 3


async def test_an_engine_condenses_uploads_dismissed_a_month_ago(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    write_flight(world.card, 4)
    async with world.cloud_running():
        async with world.engine() as manager:
            upload = await add(manager, world.card, auto_process=False)
            assert (await settled(manager, upload.upload)).state is UploadState.COMPLETE
            await until(lambda: manager.queries.upload_status(upload.upload).receipt)  # else it is written later
            before = (await manager.dismiss(upload.upload), await manager.queries.projects())
            shown = await files_by_name(manager, upload.upload)
        world.time.passed += 31 * 86_400.0
        async with world.engine() as manager:
            journal = world.journal

            def is_condensed() -> bool:
                found = journal.summary.upload(upload.upload)
                return found is not None and found.condensed

            await until(is_condensed)
            assert (await journal.read(lambda c: rows_left(c, upload.upload)))["files"] == 0, "four are one step"
            assert (await manager.queries.upload(upload.upload), await manager.queries.projects()) == before
            assert await files_by_name(manager, upload.upload) == shown
            again = await add(manager, world.card, auto_process=False)
            done = await settled(manager, again.upload)
            assert (done.upload, done.counts) == (2, Counts(duplicate=4))
            originals = {item.duplicate_of for item in (await files_by_name(manager, again.upload)).values()}
            assert originals == {item.path for item in shown.values()}
