"""Results of which files are missing: what is stored of them waits, fails or is removed with the rest."""

from __future__ import annotations

import sqlite3

import pytest

from tests.engine.journal.harness import JournalHarness
from tui_uploader.engine.journal.tables import commands, files, results
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.files import FileSelection
from tui_uploader.model.results import ResultType
from tui_uploader.model.states import FileStage

S, F, R, X, W = (
    FileStage.STORED,
    FileStage.FAILED,
    FileStage.READY,
    FileStage.REMOVED,
    FileStage.FOUND,
)


async def mesh(harness: JournalHarness, *stages: FileStage) -> list[int]:
    """The files of a mesh in these stages, the main file first."""
    names = ["site.obj", *(f"{number}.jpg" for number in range(len(stages) - 1))]
    candidates = [Candidate(f"/out/{name}", 1, number + 1, number + 1) for number, name in enumerate(names)]

    def insert(connection: sqlite3.Connection) -> list[int]:
        first = results.insert(
            connection, harness.upload, harness.project, candidates[0], candidates[1:], None, ResultType.MESH
        )
        numbers = list(range(first, first + len(stages)))
        for number, stage in zip(numbers, stages, strict=True):
            files.set_columns(connection, number, {"stage": stage, "identity": f"{number:032}"})
        return numbers

    return await harness.journal.write(insert)


@pytest.mark.parametrize(
    ("stages", "complete", "stuck", "without_rest"),
    [
        ((S, S, S), True, [], []),
        ((S,), True, [], []),
        ((R, S, S), False, [], []),
        ((S, S, W), False, [], []),
        ((S, F, S), False, [0, 2], []),
        ((F, S, S), False, [1, 2], []),
        ((S, F, R), False, [], []),
        ((X, S, S), False, [], [1, 2]),
        ((S, X, S), False, [], [0, 2]),
    ],
)
async def test_what_becomes_of_stored_files(
    harness: JournalHarness,
    stages: tuple[FileStage, ...],
    complete: bool,
    stuck: list[int],
    without_rest: list[int],
) -> None:
    numbers = await mesh(harness, *stages)

    def look(connection: sqlite3.Connection) -> tuple[bool, list[int], list[int]]:
        return (
            bool(results.complete(connection, harness.project, 10)),
            [row.id for row, _ in results.stuck(connection, harness.project)],
            [row.id for row in results.without_rest(connection, harness.project)],
        )

    assert await harness.journal.read(look) == (
        complete,
        [numbers[index] for index in stuck],
        [numbers[index] for index in without_rest],
    )


@pytest.mark.parametrize("chosen", [0, 1])
async def test_a_command_on_one_file_is_one_on_its_whole_result(harness: JournalHarness, chosen: int) -> None:
    numbers = await mesh(harness, W, R, F)
    other = await mesh(harness, W, R)
    selection = FileSelection(ids=(numbers[chosen],))

    def stages(connection: sqlite3.Connection) -> list[FileStage]:
        return [files.file(connection, number).stage for number in numbers]

    removed = await harness.journal.write(lambda connection: commands.remove(connection, harness.upload, selection))
    assert (sum(removed.values()), await harness.journal.read(stages)) == (3, [X, X, X])
    await harness.journal.write(lambda connection: commands.restore(connection, harness.upload, selection))
    assert await harness.journal.read(stages) == [W, W, W]
    assert await harness.journal.read(lambda connection: files.file(connection, other[1]).stage) is R
