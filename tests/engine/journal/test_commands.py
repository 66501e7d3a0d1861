"""Commands on many files: the transition table decides which files change, and the count is exact."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tui_uploader.engine.journal.tables import commands, retention, transitions, uploads
from tui_uploader.errors import NoSuchFile, NotPossibleNow, UsageError
from tui_uploader.model.files import FileSelection
from tui_uploader.model.states import FILE_TRANSITIONS, FileEvent, FileStage, FileStatus, UploadState

STAGES = tuple(FileStage)
Command = Callable[[sqlite3.Connection, int, FileSelection], commands.ChangedFiles]


async def one_of_each(harness: JournalHarness) -> None:
    """Files `/card/STAGE.jpg`, each with its own content; ids are 1, 2, … in the order of `STAGES`."""
    await harness.find(*(candidate(f"/card/{stage}.jpg") for stage in STAGES))

    def arrange(connection: sqlite3.Connection) -> None:
        for number, stage in enumerate(STAGES, start=1):
            connection.execute(
                "UPDATE files SET stage = ?, identity = ? WHERE id = ?", (stage, content(chr(96 + number)), number)
            )

    await harness.write(arrange)


async def stages_of(harness: JournalHarness) -> dict[str, FileStage]:
    def ask(connection: sqlite3.Connection) -> dict[str, FileStage]:
        return {row["name"]: FileStage(row["stage"]) for row in connection.execute("SELECT name, stage FROM files")}

    return await harness.journal.read(ask)


async def assert_tallies_are_true(harness: JournalHarness) -> None:
    def ask(connection: sqlite3.Connection) -> tuple[list[tuple[object, ...]], ...]:
        counted = "SELECT upload, stage, COUNT(*), SUM(size) FROM files GROUP BY upload, stage ORDER BY 1, 2"
        kept = "SELECT upload, stage, files, bytes FROM tallies WHERE files > 0 ORDER BY 1, 2"
        return tuple([tuple(row) for row in connection.execute(sql)] for sql in (counted, kept))

    counted, kept = await harness.journal.read(ask)
    assert counted == kept


@pytest.mark.parametrize("event", FileEvent)
async def test_many_files_at_once_obey_the_table_as_single_ones_do(harness: JournalHarness, event: FileEvent) -> None:
    await one_of_each(harness)

    def happen(connection: sqlite3.Connection) -> int:
        transitions.choose(connection, range(1, len(STAGES) + 1))
        return transitions.move_chosen(connection, event)

    possible = {before: after for (before, happened), after in FILE_TRANSITIONS.items() if happened is event}
    assert await harness.write(happen) == len(possible)
    assert await stages_of(harness) == {f"{stage}.jpg": possible.get(stage, stage) for stage in STAGES}
    await assert_tallies_are_true(harness)


WAITING, FAILED, DUPLICATE = FileStatus.WAITING, FileStatus.FAILED, FileStatus.DUPLICATE
REMOVABLE = {"found.jpg", "ready.jpg", "duplicate.jpg", "failed.jpg"}


@pytest.mark.parametrize(
    ("command", "selection", "moved"),
    [
        (commands.remove, FileSelection(all=True), REMOVABLE),
        (commands.remove, FileSelection(statuses=(FAILED,)), {"failed.jpg"}),
        (commands.remove, FileSelection(statuses=(FAILED, WAITING)), {"failed.jpg", "found.jpg", "ready.jpg"}),
        (commands.remove, FileSelection(statuses=(FAILED,), names=("failed.jpg",)), {"failed.jpg"}),
        (commands.remove, FileSelection(statuses=(FAILED,), names=("/card/found.jpg",)), {"failed.jpg", "found.jpg"}),
        (commands.remove, FileSelection(statuses=(FAILED,), names=("removed.jpg",)), {"failed.jpg"}),
        (commands.remove, FileSelection(statuses=(FAILED,), names=("stored.jpg",)), NotPossibleNow),
        (commands.remove, FileSelection(statuses=(FAILED,), names=("registered.jpg",)), NotPossibleNow),
        (commands.remove, FileSelection(statuses=(FAILED,), ids=(3,)), NotPossibleNow),
        (commands.remove, FileSelection(names=("failed.jpg", "absent.jpg")), NoSuchFile),
        (commands.remove, FileSelection(statuses=(FileStatus.UPLOADED,)), set()),
        (commands.remove, FileSelection(runs=((1, 5),), statuses=(DUPLICATE,)), REMOVABLE - {"failed.jpg"}),
        (commands.remove, FileSelection(), set()),
        (commands.retry, FileSelection(all=True), {"failed.jpg"}),
        (commands.retry, FileSelection(statuses=(FAILED,), names=("failed.jpg",)), {"failed.jpg"}),
        (commands.retry, FileSelection(names=("registered.jpg", "failed.jpg")), {"failed.jpg"}),
        (commands.retry, FileSelection(names=("found.jpg",)), set()),
        (commands.retry, FileSelection(statuses=(FAILED,), names=("absent.jpg",)), NoSuchFile),
        (commands.restore, FileSelection(all=True), {"removed.jpg"}),
        (commands.restore, FileSelection(statuses=(FAILED,), ids=(8,)), {"removed.jpg"}),
        (commands.restore, FileSelection(names=("failed.jpg",)), set()),
    ],
)
async def test_a_selection_is_one_command_with_one_count(
    harness: JournalHarness, command: Command, selection: FileSelection, moved: set[str] | type[UsageError]
) -> None:
    await one_of_each(harness)
    before = await stages_of(harness)
    if isinstance(moved, type):
        with pytest.raises(moved):
            await harness.write(lambda c: command(c, harness.upload, selection))
        assert await stages_of(harness) == before, "a refused command changes nothing"
        return
    changed = await harness.write(lambda c: command(c, harness.upload, selection))
    assert changed == ({harness.upload: len(moved)} if moved else {})
    after = await stages_of(harness)
    assert {name for name in after if after[name] is not before[name]} == moved
    await assert_tallies_are_true(harness)


async def test_removing_by_name_means_the_latest_version_of_a_file(
    harness: JournalHarness,
) -> None:
    await harness.upload_file("/card/a.jpg", content("a"))
    await harness.find(candidate("/card/a.jpg", mtime_ns=2))
    named = FileSelection(names=("a.jpg",))
    assert await harness.write(lambda c: commands.remove(c, harness.upload, named)) == {harness.upload: 1}
    assert harness.journal.summary.files(harness.upload, FileStage.REGISTERED) == 1


async def test_only_named_or_marked_files_are_accepted_as_they_are(harness: JournalHarness) -> None:
    paths = [f"/card/{name}.jpg" for name in "abc"]
    await harness.find(*(candidate(path) for path in paths))
    await harness.write(lambda c: c.execute("UPDATE files SET stage = 'failed'").close())
    selection = FileSelection(names=("a.jpg",), runs=((2, 2),), statuses=(FAILED,))
    assert await harness.write(lambda c: commands.retry(c, harness.upload, selection)) == {harness.upload: 3}
    assert [(await harness.row(path)).accepted for path in paths] == [True, True, False]


async def test_a_duplicate_replaces_a_removed_original_unless_removed_with_it(
    harness: JournalHarness,
) -> None:
    for name, letter in (("a", "a"), ("a2", "a"), ("b", "b"), ("b2", "b")):
        await harness.find(candidate(f"/card/{name}.jpg"))
        await harness.check(f"/card/{name}.jpg", content(letter))
    gone = FileSelection(names=("a.jpg", "b.jpg", "b2.jpg"))
    assert await harness.write(lambda c: commands.remove(c, harness.upload, gone)) == {harness.upload: 3}
    assert await stages_of(harness) == {
        "a.jpg": FileStage.REMOVED,
        "a2.jpg": FileStage.FOUND,
        "b.jpg": FileStage.REMOVED,
        "b2.jpg": FileStage.REMOVED,
    }
    assert (await harness.row("/card/a2.jpg")).duplicate_of is None


async def test_one_of_several_failed_files_with_one_content_is_only_registered(
    harness: JournalHarness,
) -> None:
    await harness.find(*(candidate(f"/card/{name}.jpg") for name in "abcd"))

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE files SET stage = 'failed', error = 'X', reason = 'x'")
        for name, identity, etag in (("a", "s", "e"), ("b", "s", "e"), ("c", "t", "e"), ("d", "u", None)):
            connection.execute(
                "UPDATE files SET identity = ?, etag = ? WHERE name = ?", (content(identity), etag, f"{name}.jpg")
            )

    await harness.write(fail)
    everything = FileSelection(all=True)
    assert await harness.write(lambda c: commands.retry(c, harness.upload, everything)) == {harness.upload: 4}
    stages = await stages_of(harness)
    assert [stages[f"{name}.jpg"] for name in "abcd"] == [
        FileStage.STORED,
        FileStage.FOUND,
        FileStage.STORED,
        FileStage.FOUND,
    ]
    assert (await harness.row("/card/a.jpg")).reason is None


async def test_the_number_of_statements_of_a_command_does_not_grow_with_the_files(harness: JournalHarness) -> None:
    """Statements are counted: there is none for each file."""
    everything = FileSelection(all=True)

    def statements(connection: sqlite3.Connection) -> int:
        seen: set[str] = set()  # with their values; a statement of a trigger has the text of its cause
        connection.set_trace_callback(seen.add)
        try:
            commands.remove(connection, harness.upload, everything)
            commands.restore(connection, harness.upload, everything)
            commands.remove(connection, harness.upload, everything)
        finally:
            connection.set_trace_callback(None)
        return len(seen)

    await harness.find(*(candidate(f"/card/{number}.jpg") for number in range(10)))
    few = await harness.write(statements)
    await harness.find(*(candidate(f"/card/{number}.jpg") for number in range(1000)))
    assert await harness.write(statements) == few


async def two_uploads(harness: JournalHarness) -> tuple[int, int]:
    """A complete upload of the project with a duplicate, and one with two failed files; the second is returned last."""
    first = harness.upload
    await harness.upload_file("/card/a.jpg", content("a"))
    await harness.find(candidate("/card/a2.jpg"))
    await harness.check("/card/a2.jpg", content("a"))
    await harness.write(lambda c: c.execute("UPDATE uploads SET state = 'complete' WHERE id = ?", (first,)).close())
    harness.upload = await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/card"], True, 0.0))
    await harness.find(candidate("/card/b.jpg"), candidate("/card/c.jpg"))
    for path in ("/card/b.jpg", "/card/c.jpg"):
        await harness.happen(path, FileEvent.FAILED)
    return first, harness.upload


async def test_a_command_on_a_project_reaches_the_files_of_all_its_uploads(harness: JournalHarness) -> None:
    first, second = await two_uploads(harness)
    everything = FileSelection(all=True, whole_project=True)
    for asked in (first, second):
        removed = await harness.write(lambda c, asked=asked: commands.remove(c, asked, everything))  # type: ignore[misc]
        assert removed == {first: 1, second: 2}
        await assert_tallies_are_true(harness)
        restored = await harness.write(lambda c, asked=asked: commands.restore(c, asked, everything))  # type: ignore[misc]
        assert restored == removed
        assert harness.journal.summary.uploads[first].state is UploadState.ACTIVE, "it has a file to check again"
        await harness.check("/card/a2.jpg", content("a"))
        for path in ("/card/b.jpg", "/card/c.jpg"):
            await harness.happen(path, FileEvent.FAILED)
    named = FileSelection(names=("c.jpg",), ids=((await harness.row("/card/b.jpg")).id,), whole_project=True)
    assert await harness.write(lambda c: commands.retry(c, first, named)) == {second: 2}
    with pytest.raises(NoSuchFile, match=r"Upload 1 has no file c\.jpg"):
        await harness.write(lambda c: commands.retry(c, first, FileSelection(names=("c.jpg",))))
    with pytest.raises(NoSuchFile, match=r"The project has no file z\.jpg"):
        await harness.write(lambda c: commands.retry(c, first, FileSelection(names=("z.jpg",), whole_project=True)))


async def test_condensed_and_dismissed_uploads_of_the_project_stay_as_they_are(harness: JournalHarness) -> None:
    first, second = await two_uploads(harness)
    everything = FileSelection(all=True, whole_project=True)
    await harness.write(lambda c: commands.dismiss(c, first, 1.0))
    assert await harness.write(lambda c: commands.restore(c, second, everything)) == {}
    assert harness.journal.summary.past[first].dismissed
    await harness.write(lambda c: retention.condense(c, first, 10))
    assert await harness.write(lambda c: commands.remove(c, first, everything)) == {second: 2}
    with pytest.raises(NotPossibleNow, match="was dismissed long ago"):
        await harness.write(lambda c: commands.remove(c, first, FileSelection(all=True)))
