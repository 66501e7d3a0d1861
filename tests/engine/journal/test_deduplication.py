"""Object names of contents in a project, and the number of images that it will have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import deduplication, file_parts, files, projects, uploads
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileEvent, FileStage

PHOTO = "/card/DJI_0001.JPG"


async def sent_under_a_taken_name(harness: JournalHarness, path: str) -> FileRecord:
    """Return the row after the storage reported that the name is taken."""
    row = await harness.row(path)
    await harness.write(lambda c: files.pick(c, row.id))
    await harness.write(lambda c: deduplication.give_other_name(c, row.id))
    return await harness.row(path)


async def test_a_taken_name_is_replaced_by_the_next_until_none_is_left(harness: JournalHarness) -> None:
    await harness.find(candidate(PHOTO))
    first = await harness.check(PHOTO, content("a"))
    assert first.object == "DJI_0001.JPG"
    for tag in ("a" * 6, "a" * 12, "a" * 32):
        row = await sent_under_a_taken_name(harness, PHOTO)
        assert (row.stage, row.object) == (FileStage.READY, f"DJI_0001-{tag}.JPG")
    row = await sent_under_a_taken_name(harness, PHOTO)
    assert (row.stage, row.error) == (FileStage.FAILED, "NameTaken")
    assert "DJI_0001.JPG" in (row.reason or "")


async def test_parts_sent_under_a_taken_name_are_given_up(harness: JournalHarness) -> None:
    await harness.find(candidate(PHOTO))
    row = await harness.check(PHOTO, content("a"))
    await harness.write(lambda c: file_parts.begin_multipart(c, row.id, "id", 60))
    row = await sent_under_a_taken_name(harness, PHOTO)
    assert (row.multipart, row.part_size) == (None, None)


async def test_a_taken_name_is_never_used_again(harness: JournalHarness) -> None:
    """Neither this content nor another one is sent under it again."""
    await harness.find(candidate(PHOTO), candidate("/two/dji_0001.jpg"))
    await harness.check(PHOTO, content("a"))
    for _ in range(2):
        await sent_under_a_taken_name(harness, PHOTO)
    await harness.happen(PHOTO, FileEvent.CHANGED)
    assert (await harness.check(PHOTO, content("a"))).object == f"DJI_0001-{'a' * 12}.JPG"
    assert (await harness.check("/two/dji_0001.jpg", content("b"))).object == "dji_0001-bbbbbb.jpg"


async def test_the_next_name_may_belong_to_another_file_of_ours(harness: JournalHarness) -> None:
    ours = "/two/DJI_0001-aaaaaa.JPG"
    await harness.find(candidate(PHOTO), candidate(ours))
    await harness.check(PHOTO, content("a"))
    assert (await harness.check(ours, content("b"))).object == "DJI_0001-aaaaaa.JPG"
    assert (await sent_under_a_taken_name(harness, PHOTO)).object == f"DJI_0001-{'a' * 12}.JPG"


async def test_a_content_keeps_its_name_whichever_file_delivers_it(harness: JournalHarness) -> None:
    """Its object may be stored although the answer was lost and the file removed."""
    await harness.find(candidate(PHOTO), candidate("/two/COPY.JPG"))
    await harness.check(PHOTO, content("a"))
    await harness.check("/two/COPY.JPG", content("a"))
    await harness.happen(PHOTO, FileEvent.REMOVE)
    assert (await harness.check("/two/COPY.JPG", content("a"))).object == "DJI_0001.JPG"


async def test_names_belong_to_one_project_only(harness: JournalHarness) -> None:
    await harness.upload_file(PHOTO, content("a"))
    harness.project = await harness.write(lambda c: projects.add_project(c, "id@cloud", "Other", ProjectKind.IMAGES))
    harness.upload = await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/two"], True, 0.0))
    await harness.find(candidate("/two/DJI_0001.JPG"), candidate("/two/COPY.JPG"))
    assert (await harness.check("/two/DJI_0001.JPG", content("b"))).object == "DJI_0001.JPG"
    assert (await harness.check("/two/COPY.JPG", content("a"))).object == "COPY.JPG"


@pytest.mark.parametrize(
    ("event", "images"),
    [(None, 1), (FileEvent.REMOVE, 0), (FileEvent.FAILED, 0), (FileEvent.CHANGED, 1), (FileEvent.PICKED, 1)],
)
async def test_distinct_images_of_a_project(harness: JournalHarness, event: FileEvent | None, images: int) -> None:
    await harness.find(candidate(PHOTO))
    await harness.check(PHOTO, content("a"))
    if event is not None:
        await harness.happen(PHOTO, event)
    assert await images_of(harness) == images


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
async def test_a_content_that_the_project_has_does_not_count_again(
    harness: JournalHarness, found: Candidate, images: int
) -> None:
    """A file that was never read, or has changed since, may be another image."""
    await harness.upload_file(PHOTO, content("a"))
    await harness.write(lambda c: uploads.mark_scanned(c, harness.upload, ["/card"]))
    assert await harness.write(lambda c: uploads.finish_if_done(c, harness.upload, 9.0))
    harness.upload = await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/two"], True, 1.0))
    await harness.find(found)
    assert harness.journal.summary.files(harness.upload, FileStage.FOUND) == 1
    assert await images_of(harness) == images


async def test_a_known_content_counts_in_another_project(harness: JournalHarness) -> None:
    await harness.upload_file(PHOTO, content("a"))
    harness.project = await harness.write(lambda c: projects.add_project(c, "id@cloud", "Other", ProjectKind.IMAGES))
    harness.upload = await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/card"], True, 0.0))
    await harness.find(AGAIN)
    assert await images_of(harness) == 1


async def images_of(harness: JournalHarness) -> int:
    return await harness.journal.read(lambda connection: deduplication.distinct_images(connection, harness.project))
