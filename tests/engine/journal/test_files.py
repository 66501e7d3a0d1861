"""Stages, duplicates and names in a real journal."""

from __future__ import annotations

import sqlite3
from functools import partial

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tui_uploader.cloud.contract import Part
from tui_uploader.engine.journal.tables import (
    commands,
    deduplication,
    file_parts,
    files,
    known_contents,
    stored_files,
    uploads,
    walked,
)
from tui_uploader.engine.journal.tables.known_contents import Content, KnownContent
from tui_uploader.engine.journal.views import windows
from tui_uploader.errors import EngineError, NoSuchFile, NotPossibleNow
from tui_uploader.model.files import FileQuery, FileSelection
from tui_uploader.model.states import FileEvent, FileStage, FileStatus, ImpossibleTransition, UploadEvent, UploadState


async def test_a_content_is_sent_once_and_the_other_file_is_its_duplicate(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    first = await harness.check("/card/a.jpg", content("a"))
    second = await harness.check("/card/b.jpg", content("a"))
    assert (first.stage, second.stage, second.duplicate_of) == (FileStage.READY, FileStage.DUPLICATE, first.id)


async def test_uploaded_content_is_not_sent_again_in_a_later_upload(harness: JournalHarness) -> None:
    await harness.upload_file("/card/a.jpg", content("a"))
    await harness.write(lambda c: uploads.mark_scanned(c, harness.upload, ["/card"]))
    assert await harness.write(lambda c: uploads.finish_if_done(c, harness.upload, 9.0))
    later = await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/card"], True, 1.0))
    assert later != harness.upload
    harness.upload = later
    await harness.find(candidate("/card/a.jpg"))
    assert (await harness.check("/card/a.jpg", content("a"))).stage is FileStage.DUPLICATE


async def test_the_database_refuses_to_send_a_content_twice(harness: JournalHarness) -> None:
    await harness.upload_file("/card/a.jpg", content("a"))
    await harness.find(candidate("/card/b.jpg"))
    row = await harness.row("/card/b.jpg")
    with pytest.raises(EngineError) as refused:
        await harness.write(lambda c: files.move(c, row.id, FileEvent.CHECKED, identity=content("a")))
    assert isinstance(refused.value.__cause__, sqlite3.IntegrityError)


async def test_another_content_of_the_same_name_gets_a_stable_name_of_its_own(harness: JournalHarness) -> None:
    await harness.find(candidate("/one/DJI_0001.JPG"), candidate("/two/DJI_0001.JPG"), candidate("/three/dji_0001.jpg"))
    names = [
        (await harness.check(path, content(letter))).object
        for path, letter in (("/one/DJI_0001.JPG", "a"), ("/two/DJI_0001.JPG", "b"), ("/three/dji_0001.jpg", "c"))
    ]
    assert names == ["DJI_0001.JPG", "DJI_0001-bbbbbb.JPG", "dji_0001-cccccc.jpg"]
    await harness.happen("/two/DJI_0001.JPG", FileEvent.CHANGED)
    assert (await harness.check("/two/DJI_0001.JPG", content("b"))).object == "DJI_0001-bbbbbb.JPG"


@pytest.mark.parametrize("event", [FileEvent.REMOVE, FileEvent.FAILED, FileEvent.CHANGED])
async def test_a_duplicate_replaces_an_original_that_is_not_delivered(
    harness: JournalHarness, event: FileEvent
) -> None:
    await harness.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    await harness.check("/card/a.jpg", content("a"))
    await harness.check("/card/b.jpg", content("a"))
    await harness.happen("/card/a.jpg", event)
    freed = await harness.row("/card/b.jpg")
    assert (freed.stage, freed.duplicate_of) == (FileStage.FOUND, None)
    assert (await harness.check("/card/b.jpg", content("a"))).stage is FileStage.READY


async def test_a_path_added_twice_is_queued_once(harness: JournalHarness) -> None:
    for _ in range(3):
        await harness.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    assert harness.journal.summary.files(harness.upload, FileStage.FOUND) == 2


async def test_adding_again_retries_failed_and_restores_removed_files(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    await harness.happen("/card/a.jpg", FileEvent.FAILED)
    await harness.happen("/card/b.jpg", FileEvent.REMOVE)
    await harness.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    assert harness.journal.summary.files(harness.upload, FileStage.FOUND) == 2


async def test_a_changed_file_is_checked_again_and_its_uploaded_version_stays(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg", size=1))
    await harness.check("/card/a.jpg", content("a"))
    await harness.find(candidate("/card/a.jpg", size=2))
    row = await harness.row("/card/a.jpg")
    assert (row.stage, row.size) == (FileStage.FOUND, 2)
    await harness.check("/card/a.jpg", content("b"))
    uploaded = await harness.send("/card/a.jpg")
    await harness.find(candidate("/card/a.jpg", size=3))
    newer = await harness.row("/card/a.jpg")
    assert newer.id != uploaded.id
    assert harness.journal.summary.files(harness.upload, FileStage.REGISTERED, FileStage.FOUND) == 2


async def test_a_read_content_is_known_by_path_until_doubted(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"))
    row = await harness.check("/card/a.jpg", content("a"))

    async def remembered(path: str) -> KnownContent | None:
        return await harness.journal.read(lambda c: known_contents.find(c, path))

    assert await remembered("/card/a.jpg") == KnownContent(candidate("/card/a.jpg"), Content(content("a"), 7))
    assert await remembered("/card/b.jpg") is None
    await harness.write(lambda c: files.doubt(c, row.id))
    assert await remembered("/card/a.jpg") is None


async def test_a_late_check_changes_nothing(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"))
    row = await harness.row("/card/a.jpg")
    await harness.find(candidate("/card/a.jpg", size=2))
    await harness.write(lambda c: deduplication.settle_check(c, row.id, row.candidate, Content(content("a"), 7)))
    assert (await harness.row("/card/a.jpg")).stage is FileStage.FOUND
    await harness.happen("/card/a.jpg", FileEvent.REMOVE)
    changed = await harness.row("/card/a.jpg")
    await harness.write(lambda c: deduplication.settle_check(c, row.id, changed.candidate, Content(content("a"), 7)))
    assert (await harness.row("/card/a.jpg")).stage is FileStage.REMOVED


async def test_files_of_a_paused_upload_and_removed_files_cannot_be_picked(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    one = await harness.check("/card/a.jpg", content("a"))
    two = await harness.check("/card/b.jpg", content("b"))
    await harness.happen("/card/a.jpg", FileEvent.REMOVE)
    assert await harness.write(lambda c: files.pick(c, one.id)) is None
    await harness.write(lambda c: uploads.move_upload(c, harness.upload, UploadEvent.PAUSE))
    assert await harness.write(lambda c: files.pick(c, two.id)) is None
    await harness.write(lambda c: uploads.move_upload(c, harness.upload, UploadEvent.RESUME))
    assert await harness.write(lambda c: files.pick(c, two.id)) is not None


@pytest.mark.parametrize(
    ("identity", "parts", "kept"),
    [
        (content("a"), None, {1, 2}),
        (content("a"), (5, 6, 7), {1, 2}),
        (content("a"), (5, 99, 7), {1}),
        (content("a"), (5,), {1}),
        (content("b"), (5, 6, 7), set()),
    ],
    ids=["recognised", "the-same", "one-was-of-other-bytes", "shorter", "another-content"],
)
async def test_parts_of_a_doubted_file_stay_if_their_bytes_are_unchanged(
    harness: JournalHarness, identity: str, parts: tuple[int, ...] | None, kept: set[int]
) -> None:
    await harness.find(candidate("/card/a.tif"))
    row = await harness.check("/card/a.tif", content("a"))
    await harness.write(lambda c: file_parts.begin_multipart(c, row.id, "id", 40))
    for number, crc32 in ((1, 5), (2, 6)):
        await harness.write(partial(file_parts.add, file_id=row.id, part=Part(number, 40, f"e{number}", crc32)))
    touched = candidate("/card/a.tif", mtime_ns=2)
    await harness.write(lambda c: files.note_change(c, row.id, touched))
    assert await harness.journal.read(file_parts.stored_bytes) == {row.id: (harness.upload, 80)}
    await harness.write(lambda c: deduplication.settle_check(c, row.id, touched, Content(identity, 7), parts))
    assert {part.number for part in await harness.journal.read(lambda c: file_parts.of_file(c, row.id))} == kept
    assert ((await harness.row("/card/a.tif")).multipart is None) is (not kept)


async def test_an_unchanged_file_with_new_facts_is_no_second_file(harness: JournalHarness) -> None:
    """It is read in full if nothing else decides, as after an update from a version that kept no samples."""
    uploaded = await harness.upload_file("/card/a.jpg", content("a"))
    touched = candidate("/card/a.jpg", mtime_ns=2)
    await harness.find(touched)
    second = await harness.row("/card/a.jpg")
    assert second.id != uploaded.id
    await harness.check("/card/a.jpg", content("a"))
    row = await harness.row("/card/a.jpg")
    assert (row.id, row.stage, row.candidate) == (uploaded.id, FileStage.REGISTERED, touched)
    assert harness.journal.summary.files(harness.upload, *FileStage) == 1
    await harness.find(candidate("/card/a.jpg", mtime_ns=3))
    assert (await harness.row("/card/a.jpg")).id > second.id, "no number is used twice"
    assert (await harness.check("/card/a.jpg", content("b"))).stage is FileStage.READY
    assert harness.journal.summary.files(harness.upload, *FileStage) == 2


async def test_recognised_files_keep_their_rows_with_new_facts(harness: JournalHarness) -> None:
    """After their card was inserted again; failed files are retried, removed ones restored."""
    stages = {"uploaded": FileStage.REGISTERED, "failed": FileStage.FOUND, "removed": FileStage.FOUND}
    paths = {name: f"/card/{name}.jpg" for name in stages}
    for number, (name, path) in enumerate(paths.items()):
        await harness.find(candidate(path))
        await harness.check(path, content("abc"[number]))
        if name == "uploaded":
            await harness.send(path)
    await harness.happen(paths["failed"], FileEvent.FAILED)
    await harness.happen(paths["removed"], FileEvent.REMOVE)
    remounted = [candidate(path, inode=9, mount="another") for path in paths.values()]
    same = {path: content("abc"[number]) for number, path in enumerate(paths.values())}
    await harness.write(lambda c: walked.add_candidates(c, harness.upload, harness.project, remounted, same))
    assert {name: (await harness.row(path)).stage for name, path in paths.items()} == stages
    assert [(await harness.row(path)).candidate for path in paths.values()] == remounted
    assert harness.journal.summary.files(harness.upload, *FileStage) == 3


async def test_interrupted_files_wait_again_after_a_crash(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"))
    row = await harness.check("/card/a.jpg", content("a"))
    await harness.write(lambda c: files.pick(c, row.id))
    assert await harness.write(files.hold_interrupted) == 1
    assert (await harness.row("/card/a.jpg")).stage is FileStage.READY


async def test_retrying_a_stored_file_only_registers_it(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"))
    await harness.check("/card/a.jpg", content("a"))
    row = await harness.send("/card/a.jpg", register=False)
    await harness.write(lambda c: files.fail(c, row.id, "CloudRefused", "no"))
    everything = FileSelection(all=True)
    assert await harness.write(lambda c: commands.retry(c, harness.upload, everything)) == {harness.upload: 1}
    assert (await harness.row("/card/a.jpg")).stage is FileStage.STORED


async def test_files_that_are_not_uploaded_can_be_removed_and_restored(harness: JournalHarness) -> None:
    await harness.upload_file("/card/a.jpg", content("a"))
    await harness.find(candidate("/card/b.jpg"), candidate("/card/c.jpg"))

    async def remove(selection: FileSelection) -> int:
        return sum((await harness.write(lambda c: commands.remove(c, harness.upload, selection))).values())

    with pytest.raises(NotPossibleNow, match="Nothing was removed"):
        await remove(FileSelection(names=("b.jpg", "/card/a.jpg")))
    assert await remove(FileSelection(names=("b.jpg",))) == 1
    assert await remove(FileSelection(all=True)) == 1
    everything = FileSelection(all=True)
    assert await harness.write(lambda c: commands.restore(c, harness.upload, everything)) == {harness.upload: 2}
    with pytest.raises(NoSuchFile):
        await remove(FileSelection(names=("z.jpg",)))
    with pytest.raises(EngineError) as refused:
        await harness.happen("/card/a.jpg", FileEvent.REMOVE)
    assert isinstance(refused.value.__cause__, ImpossibleTransition)


async def test_an_upload_is_complete_when_all_files_are_uploaded_or_duplicates(harness: JournalHarness) -> None:
    await harness.upload_file("/card/a.jpg", content("a"))
    assert not await harness.write(lambda c: uploads.finish_if_done(c, harness.upload, 9.0)), "the walk is not complete"
    await harness.write(lambda c: uploads.mark_scanned(c, harness.upload, ["/card"]))
    await harness.find(candidate("/card/b.jpg"), candidate("/card/c.jpg"))
    await harness.check("/card/b.jpg", content("a"))
    await harness.happen("/card/c.jpg", FileEvent.FAILED)
    assert not await harness.write(lambda c: uploads.finish_if_done(c, harness.upload, 9.0)), "one failed"
    await harness.happen("/card/c.jpg", FileEvent.REMOVE)
    assert await harness.write(lambda c: uploads.finish_if_done(c, harness.upload, 9.0))
    assert harness.journal.summary.uploads[harness.upload].state is UploadState.COMPLETE


async def test_windows_filter_sort_and_page(harness: JournalHarness) -> None:
    names = ["b_10%.jpg", "a.jpg", "C.jpg", "b_1.jpg"]
    await harness.find(*(candidate(f"/card/{name}", size=number) for number, name in enumerate(names)))
    await harness.check("/card/a.jpg", content("a"))
    await harness.check("/card/C.jpg", content("a"))

    async def seen(query: FileQuery) -> tuple[int, list[str]]:
        found = await harness.journal.read(lambda c: windows.window(c, harness.upload, query))
        return found.total, [row.path.removeprefix("/card/") for row, _ in found.rows]

    assert await seen(FileQuery()) == (4, names)
    assert await seen(FileQuery(offset=1, limit=2)) == (4, names[1:3])
    assert await seen(FileQuery(sort="name")) == (4, ["a.jpg", "b_1.jpg", "b_10%.jpg", "C.jpg"])
    assert await seen(FileQuery(sort="size", descending=True, limit=1)) == (4, ["b_1.jpg"])
    assert await seen(FileQuery(text="B_1")) == (2, ["b_10%.jpg", "b_1.jpg"])
    assert await seen(FileQuery(text="0%")) == (1, ["b_10%.jpg"])
    assert await seen(FileQuery(text="!b")) == (2, ["a.jpg", "C.jpg"])
    assert await seen(FileQuery(status=FileStatus.DUPLICATE)) == (1, ["C.jpg"])


async def test_paths_that_are_not_utf8_are_kept_byte_for_byte(harness: JournalHarness) -> None:
    path = "/card/\udcff\n\x1b[31m.jpg"
    await harness.find(candidate(path))
    found = await harness.journal.read(lambda c: windows.window(c, harness.upload, FileQuery()))
    assert [row.path for row, _ in found.rows] == [path]
    selection = FileSelection(names=(path,))
    assert await harness.write(lambda c: commands.remove(c, harness.upload, selection)) == {harness.upload: 1}


async def test_when_the_storage_confirmed_a_file_is_known_until_it_has_to_be_sent_again(
    harness: JournalHarness,
) -> None:
    await harness.find(candidate("/card/a.jpg"))
    assert (await harness.check("/card/a.jpg", content("a"))).stored_at is None
    stored = await harness.send("/card/a.jpg", register=False)
    assert stored.stored_at == 0.5
    touched = candidate("/card/a.jpg", mtime_ns=2)
    await harness.write(lambda c: stored_files.doubt(c, stored.id, touched))
    await harness.write(lambda c: deduplication.settle_check(c, stored.id, touched, Content(content("a"), 7)))
    again = await harness.row("/card/a.jpg")
    assert (again.stage, again.stored_at) == (FileStage.STORED, 0.5), "the same bytes: the object is still there"
    await harness.write(lambda c: stored_files.doubt(c, stored.id, touched))
    await harness.write(lambda c: deduplication.settle_check(c, stored.id, touched, Content(content("b"), 7)))
    changed = await harness.row("/card/a.jpg")
    assert (changed.stage, changed.stored_at) == (FileStage.READY, None)


async def test_an_object_that_the_storage_lost_is_not_stored(harness: JournalHarness) -> None:
    await harness.find(candidate("/card/a.jpg"))
    await harness.check("/card/a.jpg", content("a"))
    stored = await harness.send("/card/a.jpg", register=False)
    await harness.write(lambda c: stored_files.send_again(c, stored.id))
    assert (await harness.row("/card/a.jpg")).stored_at is None
