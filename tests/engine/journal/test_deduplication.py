"""Which content has which name in a project, and how many images it is going to have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.journal.journaled import Desk, candidate, content
from tui_uploader.engine.journal.tables import deduplication, files, uploads
from tui_uploader.intake.scan import Candidate
from tui_uploader.model import FileEvent, FileStage, ProjectKind

PHOTO = "/card/DJI_0001.JPG"


async def sent_under_a_taken_name(desk: Desk, path: str) -> files.FileRow:
    """The row after the store said that the name is somebody else's."""
    row = await desk.row(path)
    await desk.write(lambda c: files.pick(c, row.id))
    await desk.write(lambda c: deduplication.give_other_name(c, row.id))
    return await desk.row(path)


async def test_a_name_that_is_somebody_elses_gives_way_to_the_next_until_none_is_left(desk: Desk) -> None:
    await desk.find(candidate(PHOTO))
    first = await desk.check(PHOTO, content("a"))
    assert first.object == "DJI_0001.JPG"
    for tag in ("a" * 6, "a" * 12, "a" * 32):
        row = await sent_under_a_taken_name(desk, PHOTO)
        assert (row.stage, row.object) == (FileStage.READY, f"DJI_0001-{tag}.JPG")
    row = await sent_under_a_taken_name(desk, PHOTO)
    assert (row.stage, row.error) == (FileStage.FAILED, "NameTaken")
    assert "DJI_0001.JPG" in (row.reason or "")


async def test_parts_that_were_sent_under_a_taken_name_are_forgotten(desk: Desk) -> None:
    await desk.find(candidate(PHOTO))
    row = await desk.check(PHOTO, content("a"))
    await desk.write(lambda c: files.begin_multipart(c, row.id, "id", 60))
    row = await sent_under_a_taken_name(desk, PHOTO)
    assert (row.multipart, row.part_size) == (None, None)


async def test_a_taken_name_is_nobodys_from_then_on(desk: Desk) -> None:
    """Neither the same content nor another one is sent under it again."""
    await desk.find(candidate(PHOTO), candidate("/two/dji_0001.jpg"))
    await desk.check(PHOTO, content("a"))
    for _ in range(2):
        await sent_under_a_taken_name(desk, PHOTO)
    await desk.happen(PHOTO, FileEvent.CHANGED)
    assert (await desk.check(PHOTO, content("a"))).object == f"DJI_0001-{'a' * 12}.JPG"
    assert (await desk.check("/two/dji_0001.jpg", content("b"))).object == "dji_0001-bbbbbb.jpg"


async def test_the_next_name_may_be_taken_by_a_content_of_ours(desk: Desk) -> None:
    ours = "/two/DJI_0001-aaaaaa.JPG"
    await desk.find(candidate(PHOTO), candidate(ours))
    await desk.check(PHOTO, content("a"))
    assert (await desk.check(ours, content("b"))).object == "DJI_0001-aaaaaa.JPG"
    assert (await sent_under_a_taken_name(desk, PHOTO)).object == f"DJI_0001-{'a' * 12}.JPG"


async def test_a_content_keeps_its_name_whichever_file_brings_it(desk: Desk) -> None:
    """Its object may be stored already, though the answer was lost and its file removed."""
    await desk.find(candidate(PHOTO), candidate("/two/COPY.JPG"))
    await desk.check(PHOTO, content("a"))
    await desk.check("/two/COPY.JPG", content("a"))
    await desk.happen(PHOTO, FileEvent.REMOVE)
    assert (await desk.check("/two/COPY.JPG", content("a"))).object == "DJI_0001.JPG"


async def test_names_are_held_in_one_project_only(desk: Desk) -> None:
    await desk.upload_file(PHOTO, content("a"))
    desk.project = await desk.write(lambda c: uploads.add_project(c, "id@cloud", "Other", ProjectKind.IMAGES))
    desk.upload = await desk.write(lambda c: uploads.add_sources(c, desk.project, ["/two"], True, 0.0))
    await desk.find(candidate("/two/DJI_0001.JPG"), candidate("/two/COPY.JPG"))
    assert (await desk.check("/two/DJI_0001.JPG", content("b"))).object == "DJI_0001.JPG"
    assert (await desk.check("/two/COPY.JPG", content("a"))).object == "COPY.JPG"


@pytest.mark.parametrize(
    ("event", "images"),
    [(None, 1), (FileEvent.REMOVE, 0), (FileEvent.FAILED, 0), (FileEvent.CHANGED, 1), (FileEvent.PICKED, 1)],
)
async def test_images_that_a_project_is_going_to_have(desk: Desk, event: FileEvent | None, images: int) -> None:
    await desk.find(candidate(PHOTO))
    await desk.check(PHOTO, content("a"))
    if event is not None:
        await desk.happen(PHOTO, event)
    assert await images_of(desk) == images


AGAIN = candidate(PHOTO)


@pytest.mark.parametrize(
    ("found", "images"),
    [
        (AGAIN, 1),
        (replace(AGAIN, size=101), 2),
        (replace(AGAIN, mtime_ns=2), 2),
        (replace(AGAIN, inode=2), 2),
        (replace(AGAIN, path="/two/unread.jpg"), 2),
    ],
)
async def test_a_content_that_the_project_has_is_no_further_image(desk: Desk, found: Candidate, images: int) -> None:
    """As far as it is known: a file that was never read, or changed since, may be another image."""
    await desk.upload_file(PHOTO, content("a"))
    await desk.write(lambda c: uploads.mark_scanned(c, desk.upload, ["/card"]))
    assert await desk.write(lambda c: uploads.finish_if_done(c, desk.upload))
    desk.upload = await desk.write(lambda c: uploads.add_sources(c, desk.project, ["/two"], True, 1.0))
    await desk.find(found)
    assert desk.journal.summary.files(desk.upload, FileStage.FOUND) == 1
    assert await images_of(desk) == images


async def test_a_known_content_is_an_image_of_its_own_in_another_project(desk: Desk) -> None:
    await desk.upload_file(PHOTO, content("a"))
    desk.project = await desk.write(lambda c: uploads.add_project(c, "id@cloud", "Other", ProjectKind.IMAGES))
    desk.upload = await desk.write(lambda c: uploads.add_sources(c, desk.project, ["/card"], True, 0.0))
    await desk.find(AGAIN)
    assert await images_of(desk) == 1


async def images_of(desk: Desk) -> int:
    return await desk.journal.read(lambda connection: deduplication.distinct_images(connection, desk.project))
