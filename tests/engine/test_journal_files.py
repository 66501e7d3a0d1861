"""Stages, duplicates and names in a real journal."""

from __future__ import annotations

import sqlite3

import pytest

from tests.engine.journaled import Desk, candidate, content
from tui_uploader.cloud.contract import Part
from tui_uploader.engine.journal import commands, contents, files, uploads
from tui_uploader.engine.journal.contents import Content
from tui_uploader.errors import EngineError, NoSuchFile, NotPossibleNow
from tui_uploader.intake.scan import Candidate
from tui_uploader.model import (
    FileEvent,
    FileQuery,
    FileSelection,
    FileStage,
    FileStatus,
    ImpossibleTransition,
    UploadEvent,
    UploadState,
)


async def test_same_content_goes_once_and_the_other_knows_of_which(desk: Desk) -> None:
    await desk.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    first = await desk.check("/card/a.jpg", content("a"))
    second = await desk.check("/card/b.jpg", content("a"))
    assert (first.stage, second.stage, second.duplicate_of) == (FileStage.READY, FileStage.DUPLICATE, first.id)


async def test_content_that_was_uploaded_earlier_is_not_sent_again_in_a_later_upload(desk: Desk) -> None:
    await desk.upload_file("/card/a.jpg", content("a"))
    await desk.write(lambda c: uploads.mark_scanned(c, desk.upload, ["/card"]))
    assert await desk.write(lambda c: uploads.finish_if_done(c, desk.upload))
    later = await desk.write(lambda c: uploads.add_sources(c, desk.project, ["/card"], True, 1.0))
    assert later != desk.upload
    desk.upload = later
    await desk.find(candidate("/card/a.jpg"))
    assert (await desk.check("/card/a.jpg", content("a"))).stage is FileStage.DUPLICATE


async def test_the_database_itself_refuses_to_send_a_content_twice(desk: Desk) -> None:
    await desk.upload_file("/card/a.jpg", content("a"))
    await desk.find(candidate("/card/b.jpg"))
    row = await desk.row("/card/b.jpg")
    with pytest.raises(EngineError) as refused:
        await desk.write(lambda c: files.move(c, row.id, FileEvent.CHECKED, identity=content("a")))
    assert isinstance(refused.value.__cause__, sqlite3.IntegrityError)


async def test_same_name_and_other_content_gets_a_name_of_its_own_that_is_stable(desk: Desk) -> None:
    await desk.find(candidate("/one/DJI_0001.JPG"), candidate("/two/DJI_0001.JPG"), candidate("/three/dji_0001.jpg"))
    names = [
        (await desk.check(path, content(letter))).object
        for path, letter in (("/one/DJI_0001.JPG", "a"), ("/two/DJI_0001.JPG", "b"), ("/three/dji_0001.jpg", "c"))
    ]
    assert names == ["DJI_0001.JPG", "DJI_0001-bbbbbb.JPG", "dji_0001-cccccc.jpg"]
    await desk.happen("/two/DJI_0001.JPG", FileEvent.CHANGED)
    assert (await desk.check("/two/DJI_0001.JPG", content("b"))).object == "DJI_0001-bbbbbb.JPG"


@pytest.mark.parametrize("event", [FileEvent.REMOVE, FileEvent.FAILED, FileEvent.CHANGED])
async def test_a_duplicate_takes_the_place_of_an_original_that_does_not_come(desk: Desk, event: FileEvent) -> None:
    await desk.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    await desk.check("/card/a.jpg", content("a"))
    await desk.check("/card/b.jpg", content("a"))
    await desk.happen("/card/a.jpg", event)
    freed = await desk.row("/card/b.jpg")
    assert (freed.stage, freed.duplicate_of) == (FileStage.FOUND, None)
    assert (await desk.check("/card/b.jpg", content("a"))).stage is FileStage.READY


async def test_a_path_added_twice_is_queued_once(desk: Desk) -> None:
    for _ in range(3):
        await desk.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    assert desk.journal.summary.files(desk.upload, FileStage.FOUND) == 2


async def test_adding_again_retries_the_failed_and_brings_back_the_removed(desk: Desk) -> None:
    await desk.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    await desk.happen("/card/a.jpg", FileEvent.FAILED)
    await desk.happen("/card/b.jpg", FileEvent.REMOVE)
    await desk.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    assert desk.journal.summary.files(desk.upload, FileStage.FOUND) == 2


async def test_a_changed_file_is_looked_at_again_and_an_uploaded_one_stays_uploaded(desk: Desk) -> None:
    await desk.find(candidate("/card/a.jpg", size=1))
    await desk.check("/card/a.jpg", content("a"))
    await desk.find(candidate("/card/a.jpg", size=2))
    row = await desk.row("/card/a.jpg")
    assert (row.stage, row.size, row.identity, row.object) == (FileStage.FOUND, 2, None, None)
    await desk.check("/card/a.jpg", content("b"))
    uploaded = await desk.send("/card/a.jpg")
    await desk.find(candidate("/card/a.jpg", size=3))
    newer = await desk.row("/card/a.jpg")
    assert newer.id != uploaded.id
    assert desk.journal.summary.files(desk.upload, FileStage.REGISTERED, FileStage.FOUND) == 2


async def test_known_content_is_not_read_again_unless_any_fact_of_the_file_differs(desk: Desk) -> None:
    await desk.find(candidate("/card/a.jpg"))
    await desk.check("/card/a.jpg", content("a"))

    async def known(found: Candidate) -> Content | None:
        return await desk.journal.read(lambda c: contents.known_content(c, found))

    assert await known(candidate("/card/a.jpg")) == Content(content("a"), 7)
    for other in (
        candidate("/card/b.jpg"),
        candidate("/card/a.jpg", size=101),
        candidate("/card/a.jpg", mtime_ns=2),
        candidate("/card/a.jpg", inode=2),
    ):
        assert await known(other) is None
    row = await desk.row("/card/a.jpg")
    await desk.write(lambda c: files.doubt(c, row.id))
    assert await known(candidate("/card/a.jpg")) is None


async def test_a_check_that_comes_too_late_changes_nothing(desk: Desk) -> None:
    await desk.find(candidate("/card/a.jpg"))
    row = await desk.row("/card/a.jpg")
    await desk.find(candidate("/card/a.jpg", size=2))
    await desk.write(lambda c: contents.settle_check(c, row.id, row.candidate, Content(content("a"), 7)))
    assert (await desk.row("/card/a.jpg")).stage is FileStage.FOUND
    await desk.happen("/card/a.jpg", FileEvent.REMOVE)
    changed = await desk.row("/card/a.jpg")
    await desk.write(lambda c: contents.settle_check(c, row.id, changed.candidate, Content(content("a"), 7)))
    assert (await desk.row("/card/a.jpg")).stage is FileStage.REMOVED


async def test_picking_is_refused_once_the_upload_is_paused_or_the_file_removed(desk: Desk) -> None:
    await desk.find(candidate("/card/a.jpg"), candidate("/card/b.jpg"))
    one = await desk.check("/card/a.jpg", content("a"))
    two = await desk.check("/card/b.jpg", content("b"))
    await desk.happen("/card/a.jpg", FileEvent.REMOVE)
    assert await desk.write(lambda c: files.pick(c, one.id)) is None
    await desk.write(lambda c: uploads.move_upload(c, desk.upload, UploadEvent.PAUSE))
    assert await desk.write(lambda c: files.pick(c, two.id)) is None
    await desk.write(lambda c: uploads.move_upload(c, desk.upload, UploadEvent.RESUME))
    assert await desk.write(lambda c: files.pick(c, two.id)) is not None


async def test_parts_are_kept_for_the_same_content_and_forgotten_with_it(desk: Desk) -> None:
    await desk.find(candidate("/card/a.tif", size=100))
    row = await desk.check("/card/a.tif", content("a"))
    await desk.write(lambda c: files.begin_multipart(c, row.id, "id", 60))
    await desk.write(lambda c: files.add_part(c, row.id, Part(1, 60, "e", 5)))
    assert await desk.journal.read(files.bytes_in_parts) == {row.id: (desk.upload, 60)}
    await desk.write(lambda c: files.note_change(c, row.id, candidate("/card/a.tif", size=101)))
    assert await desk.journal.read(files.bytes_in_parts) == {}
    assert (await desk.row("/card/a.tif")).multipart is None


async def test_what_a_crash_interrupted_waits_again(desk: Desk) -> None:
    await desk.find(candidate("/card/a.jpg"))
    row = await desk.check("/card/a.jpg", content("a"))
    await desk.write(lambda c: files.pick(c, row.id))
    assert await desk.write(files.hold_interrupted) == 1
    assert (await desk.row("/card/a.jpg")).stage is FileStage.READY


async def test_retrying_a_stored_file_only_registers_it(desk: Desk) -> None:
    await desk.find(candidate("/card/a.jpg"))
    await desk.check("/card/a.jpg", content("a"))
    row = await desk.send("/card/a.jpg", register=False)
    await desk.write(lambda c: files.fail(c, row.id, "CloudRefused", "no"))
    everything = FileSelection(all=True)
    assert await desk.write(lambda c: commands.retry(c, desk.upload, everything)) == 1
    assert (await desk.row("/card/a.jpg")).stage is FileStage.STORED


async def test_only_what_is_not_uploaded_can_be_removed_and_then_restored(desk: Desk) -> None:
    await desk.upload_file("/card/a.jpg", content("a"))
    await desk.find(candidate("/card/b.jpg"), candidate("/card/c.jpg"))

    async def remove(selection: FileSelection) -> int:
        return await desk.write(lambda c: commands.remove(c, desk.upload, selection))

    with pytest.raises(NotPossibleNow, match="Nothing was removed"):
        await remove(FileSelection(names=("b.jpg", "/card/a.jpg")))
    assert await remove(FileSelection(names=("b.jpg",))) == 1
    assert await remove(FileSelection(all=True)) == 1
    everything = FileSelection(all=True)
    assert await desk.write(lambda c: commands.restore(c, desk.upload, everything)) == 2
    with pytest.raises(NoSuchFile):
        await remove(FileSelection(names=("z.jpg",)))
    with pytest.raises(EngineError) as refused:
        await desk.happen("/card/a.jpg", FileEvent.REMOVE)
    assert isinstance(refused.value.__cause__, ImpossibleTransition)


async def test_upload_is_complete_when_all_is_walked_and_uploaded_or_duplicate(desk: Desk) -> None:
    await desk.upload_file("/card/a.jpg", content("a"))
    assert not await desk.write(lambda c: uploads.finish_if_done(c, desk.upload)), "the walk goes on"
    await desk.write(lambda c: uploads.mark_scanned(c, desk.upload, ["/card"]))
    await desk.find(candidate("/card/b.jpg"), candidate("/card/c.jpg"))
    await desk.check("/card/b.jpg", content("a"))
    await desk.happen("/card/c.jpg", FileEvent.FAILED)
    assert not await desk.write(lambda c: uploads.finish_if_done(c, desk.upload)), "one failed"
    await desk.happen("/card/c.jpg", FileEvent.REMOVE)
    assert await desk.write(lambda c: uploads.finish_if_done(c, desk.upload))
    assert desk.journal.summary.uploads[desk.upload].state is UploadState.COMPLETE


async def test_windows_filter_sort_and_page(desk: Desk) -> None:
    names = ["b_10%.jpg", "a.jpg", "C.jpg", "b_1.jpg"]
    await desk.find(*(candidate(f"/card/{name}", size=number) for number, name in enumerate(names)))
    await desk.check("/card/a.jpg", content("a"))
    await desk.check("/card/C.jpg", content("a"))

    async def seen(query: FileQuery) -> tuple[int, list[str]]:
        total, rows, _ = await desk.journal.read(lambda c: uploads.window(c, desk.upload, query))
        return total, [row.path.removeprefix("/card/") for row in rows]

    assert await seen(FileQuery()) == (4, names)
    assert await seen(FileQuery(offset=1, limit=2)) == (4, names[1:3])
    assert await seen(FileQuery(sort="name")) == (4, ["a.jpg", "b_1.jpg", "b_10%.jpg", "C.jpg"])
    assert await seen(FileQuery(sort="size", descending=True, limit=1)) == (4, ["b_1.jpg"])
    assert await seen(FileQuery(text="B_1")) == (2, ["b_10%.jpg", "b_1.jpg"])
    assert await seen(FileQuery(text="0%")) == (1, ["b_10%.jpg"])
    assert await seen(FileQuery(text="!b")) == (2, ["a.jpg", "C.jpg"])
    assert await seen(FileQuery(status=FileStatus.DUPLICATE)) == (1, ["C.jpg"])


async def test_paths_that_are_no_text_are_kept_byte_for_byte(desk: Desk) -> None:
    path = "/card/\udcff\n\x1b[31m.jpg"
    await desk.find(candidate(path))
    _, rows, _ = await desk.journal.read(lambda c: uploads.window(c, desk.upload, FileQuery()))
    assert [row.path for row in rows] == [path]
    selection = FileSelection(names=(path,))
    assert await desk.write(lambda c: commands.remove(c, desk.upload, selection)) == 1
