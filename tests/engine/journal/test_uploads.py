"""Skipped entries of an upload, and runs of its files."""

from __future__ import annotations

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tui_uploader.engine.journal.tables import commands, sources, uploads, walked
from tui_uploader.engine.journal.views import windows
from tui_uploader.model.files import FileQuery, FileSelection, IdRun, runs_of
from tui_uploader.model.states import FileStatus


@pytest.mark.parametrize(
    ("path", "walked_path", "forgotten"),
    [
        ("/card/a.jpg", "/card", True),
        ("/card/100MEDIA/a.jpg", "/card", True),
        ("/card/a.jpg", "/card/a.jpg", True),
        ("/card/a.jpg", "/", True),
        ("/card/\udcff/a.jpg", "/card/\udcff", True),
        ("/card/\udcff.jpg", "/card", True),
        ("/card2/a.jpg", "/card", False),
        ("/card0", "/card", False),
        ("/card.jpg", "/card", False),
        ("/car", "/card", False),
        ("/card/a.jpg", "/card/a", False),
    ],
)
async def test_a_new_walk_forgets_entries_skipped_at_or_below_its_path(
    harness: JournalHarness, path: str, walked_path: str, forgotten: bool
) -> None:
    await harness.write(lambda c: walked.add_skipped(c, harness.upload, [(path, "not an image")]))
    await harness.write(lambda c: sources.begin_walk(c, harness.upload, walked_path))
    left = await harness.journal.read(lambda c: uploads.skipped(c, harness.upload))
    assert len(left) == harness.journal.summary.uploads[harness.upload].skipped == (0 if forgotten else 1)


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
async def test_matching_files_are_returned_as_runs(
    harness: JournalHarness, query: FileQuery, runs: tuple[IdRun, ...]
) -> None:
    await harness.upload_file("/card/1.jpg", content("a"))
    await harness.find(*(candidate(f"/card/{number}.jpg", inode=number) for number in range(2, 6)))
    found = await harness.journal.read(lambda c: windows.matching_runs(c, harness.upload, query))
    window = await harness.journal.read(lambda c: windows.window(c, harness.upload, query))
    assert found == runs and window.total == sum(last - first + 1 for first, last in runs)


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        (FileQuery(first=2, last=4), ((2, 4),)),
        (FileQuery(first=4), ((4, 5),)),
        (FileQuery(last=2), ((1, 2),)),
        (FileQuery(first=4, last=2), ()),
        (FileQuery(first=4, last=2, sort="name", descending=True), ((2, 4),)),
        (FileQuery(first=4, sort="activity"), ((1, 1), (4, 5))),  # those that wait come before the uploaded one
        (FileQuery(first=900), ()),
        (FileQuery(first=2, last=4, text="!3"), ((2, 2), (4, 4))),
    ],
)
async def test_a_range_has_the_files_between_its_ends_in_the_order_of_the_query(
    harness: JournalHarness, query: FileQuery, runs: tuple[IdRun, ...]
) -> None:
    await harness.upload_file("/card/1.jpg", content("a"))
    await harness.find(*(candidate(f"/card/{number}.jpg", inode=number) for number in range(2, 6)))
    assert await harness.journal.read(lambda c: windows.matching_runs(c, harness.upload, query)) == runs


async def test_files_of_a_run_that_cannot_be_removed_are_left_out(harness: JournalHarness) -> None:
    await harness.upload_file("/card/1.jpg", content("a"))
    await harness.find(*(candidate(f"/card/{number}.jpg", inode=number) for number in range(2, 6)))
    chosen = FileSelection(runs=((1, 2), (4, 900)))
    assert await harness.write(lambda c: commands.remove(c, harness.upload, chosen)) == {harness.upload: 3}
    assert await harness.journal.read(lambda c: windows.matching_runs(c, harness.upload, FileQuery())) == (
        (1, 1),
        (3, 3),
    )
    assert await harness.write(lambda c: commands.restore(c, harness.upload, chosen)) == {harness.upload: 3}


async def test_skipped_paths_of_a_project_are_those_of_all_its_uploads(harness: JournalHarness) -> None:
    first = harness.upload
    text, hidden = "not an image", ("/card/x", "hidden")
    await harness.write(lambda c: walked.add_skipped(c, first, [("/card/b.txt", text), hidden]))
    await harness.write(lambda c: c.execute("UPDATE uploads SET state = 'complete' WHERE id = ?", (first,)).close())
    second = await harness.write(lambda c: uploads.add_sources(c, harness.project, ["/card"], True, 0.0))
    await harness.write(lambda c: walked.add_skipped(c, second, [("/card/a.txt", text), hidden]))
    of_project = await harness.journal.read(lambda c: uploads.skipped(c, second, whole_project=True))
    assert [each.path for each in of_project] == ["/card/a.txt", "/card/b.txt", "/card/x"]
    assert [each.path for each in await harness.journal.read(lambda c: uploads.skipped(c, first))] == [
        "/card/b.txt",
        "/card/x",
    ]
