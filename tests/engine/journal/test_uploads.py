"""What becomes of an upload when there was nothing in a path after all; which of its files a command is about."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tui_uploader.engine.journal.tables import commands, projects, sources, uploads, walked, windows
from tui_uploader.errors import NoSuchUpload
from tui_uploader.model import FileQuery, FileSelection, FileStatus, IdRun, UploadState, runs_of


@pytest.mark.parametrize(
    ("path", "asked", "holds"),
    [
        ("/card/a.jpg", ["/card"], True),
        ("/card/100MEDIA/a.jpg", ["/card"], True),
        ("/card/a.jpg", ["/card/a.jpg"], True),
        ("/card/a.jpg", ["/"], True),
        ("/card/a.jpg", ["/elsewhere", "/card"], True),
        ("/card/\udcff/a.jpg", ["/card/\udcff"], True),
        ("/card/\udcff.jpg", ["/card"], True),
        ("/card2/a.jpg", ["/card"], False),
        ("/card0", ["/card"], False),
        ("/card.jpg", ["/card"], False),
        ("/car", ["/card"], False),
        ("/card/a.jpg", ["/card/a"], False),
        ("/card/a.jpg", [], False),
    ],
)
async def test_holds_any(harness: JournalHarness, path: str, asked: Sequence[str], holds: bool) -> None:
    await harness.find(candidate(path))
    assert await harness.journal.read(lambda c: sources.holds_any(c, harness.upload, asked)) is holds
    assert not await harness.journal.read(lambda c: sources.holds_any(c, harness.upload + 1, asked))


async def take_back(harness: JournalHarness, *paths: str) -> None:
    await harness.write(lambda c: uploads.withdraw_paths(c, harness.upload, paths))


async def test_an_upload_that_was_made_for_nothing_goes_with_its_project(harness: JournalHarness) -> None:
    await harness.write(lambda c: walked.add_skipped(c, harness.upload, [("/card/NOTES.TXT", "no image")]))
    await take_back(harness, "/card")
    assert (harness.journal.summary.uploads, harness.journal.summary.projects) == ({}, {})
    with pytest.raises(NoSuchUpload):
        await harness.journal.read(lambda c: uploads.skipped(c, harness.upload))


@pytest.mark.parametrize("fact", [{"remote_id": "77"}, {"make_asked_at": 1.0}])
async def test_a_project_that_the_service_has_or_may_have_stays(
    harness: JournalHarness, fact: dict[str, object]
) -> None:
    await harness.write(lambda c: projects.set_project(c, harness.project, **fact))
    await take_back(harness, "/card")
    assert (harness.journal.summary.uploads, list(harness.journal.summary.projects)) == ({}, [harness.project])


async def test_a_project_with_another_upload_stays(harness: JournalHarness) -> None:
    await harness.write(lambda c: uploads.mark_scanned(c, harness.upload, ["/card"]))
    assert await harness.write(lambda c: uploads.finish_if_done(c, harness.upload))
    first, harness.upload = (
        harness.upload,
        await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/x"], True, 1)),
    )
    await take_back(harness, "/x")
    assert (list(harness.journal.summary.uploads), list(harness.journal.summary.projects)) == (
        [first],
        [harness.project],
    )


@pytest.mark.parametrize(
    ("walked", "left", "state"),
    [
        (["/two"], [], UploadState.ACTIVE),
        ([], ["/two"], UploadState.PREPARING),
    ],
)
async def test_what_was_added_beside_it_stays(
    harness: JournalHarness, walked: Sequence[str], left: list[str], state: UploadState
) -> None:
    """It is walked to its end, and told no longer that something was wrong with the path that is gone."""
    await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/two"], True, 0.0))
    await harness.write(lambda c: uploads.mark_scanned(c, harness.upload, walked))
    await harness.write(lambda c: uploads.set_notice(c, harness.upload, "CloudRefused", "Of another matter."))
    await harness.write(
        lambda c: sources.note_failed_walk(c, harness.upload, "/card", "NoSuchPath", "There is no /card.")
    )
    assert harness.journal.summary.uploads[harness.upload].walk_reason == "There is no /card."
    await take_back(harness, "/card")
    upload = harness.journal.summary.uploads[harness.upload]
    assert await harness.journal.read(lambda c: sources.unscanned(c, harness.upload)) == left
    assert (upload.state, upload.walk_reason, upload.notice) == (state, None, "Of another matter.")


async def test_an_upload_with_files_of_another_time_stays(harness: JournalHarness) -> None:
    await harness.find(candidate("/elsewhere/a.jpg"))
    await take_back(harness, "/card")
    assert harness.journal.summary.uploads[harness.upload].state is UploadState.ACTIVE


@pytest.mark.parametrize(
    ("ids", "runs"),
    [([], ()), ([4], ((4, 4),)), ([1, 2, 3], ((1, 3),)), ([1, 3, 4, 9], ((1, 1), (3, 4), (9, 9)))],
)
def test_ids_that_follow_each_other_are_one_run(ids: list[int], runs: tuple[IdRun, ...]) -> None:
    assert runs_of(ids) == runs


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        (FileQuery(limit=1), ((1, 5),)),
        (FileQuery(status=FileStatus.UPLOADED), ((1, 1),)),
        (FileQuery(except_status=FileStatus.UPLOADED), ((2, 5),)),
        (FileQuery(status=FileStatus.UPLOADED, except_status=FileStatus.UPLOADED), ()),
        (FileQuery(except_status=FileStatus.UPLOADED, text="!3"), ((2, 2), (4, 5))),
        (FileQuery(text="4"), ((4, 4),)),
    ],
)
async def test_all_that_match_are_named_in_runs(
    harness: JournalHarness, query: FileQuery, runs: tuple[IdRun, ...]
) -> None:
    await harness.upload_file("/card/1.jpg", content("a"))
    await harness.find(*(candidate(f"/card/{number}.jpg", inode=number) for number in range(2, 6)))
    found = await harness.journal.read(lambda c: windows.matching_runs(c, harness.upload, query))
    window = await harness.journal.read(lambda c: windows.window(c, harness.upload, query))
    assert found == runs and window[0] == sum(last - first + 1 for first, last in runs)


async def test_what_lies_in_a_run_and_cannot_be_removed_is_passed_over(harness: JournalHarness) -> None:
    await harness.upload_file("/card/1.jpg", content("a"))
    await harness.find(*(candidate(f"/card/{number}.jpg", inode=number) for number in range(2, 6)))
    chosen = FileSelection(runs=((1, 2), (4, 900)))
    assert await harness.write(lambda c: commands.remove(c, harness.upload, chosen)) == 3
    assert await harness.journal.read(lambda c: windows.matching_runs(c, harness.upload, FileQuery())) == (
        (1, 1),
        (3, 3),
    )
    assert await harness.write(lambda c: commands.restore(c, harness.upload, chosen)) == 3
