"""Windows on the files: what is folded, and the next file of several lists."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.service import stand_in_files
from tests.tui.values import file_item
from tui_uploader.model.files import FileQuery, FileWindow
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.files.window import fold_size, problem_lists, step

FAILED, DUPLICATE = FileStatus.FAILED, FileStatus.DUPLICATE
FILES = [replace(file_item(number), status=status) for number, status in enumerate([FAILED, FAILED, DUPLICATE], 5)]
FILES += [file_item(1), file_item(2)]


@pytest.mark.parametrize(
    ("page", "counts", "size"),
    [
        (23, Counts(uploaded=211, uploading=4, waiting=241, duplicate=5, failed=4), 4),
        (23, Counts(uploaded=211, uploading=3, waiting=241, duplicate=5, failed=3), 4),
        (25, Counts(waiting=40), 20),
        (13, Counts(uploaded=99, waiting=99, failed=9), 3),
        (1, Counts(uploaded=99), 3),
        (40, None, 10),
    ],
)
def test_folds_leave_space_for_every_status(page: int, counts: Counts | None, size: int) -> None:
    assert fold_size(page, counts) == size


async def ask(query: FileQuery) -> FileWindow:
    return stand_in_files.window(FILES, query)


@pytest.mark.parametrize(
    ("current", "files", "found"),
    [
        (None, 1, 5),
        (None, -1, 7),
        (5, 1, 6),
        (6, 1, 7),
        (7, 1, 5),
        (7, -1, 6),
        (5, -1, 7),
        (1, 1, 5),
        (1, -1, 7),
    ],
)
async def test_problems_are_visited_in_turn(current: int | None, files: int, found: int) -> None:
    item = await step(ask, problem_lists(FileQuery(sort="activity")), current, files)
    assert item is not None and item.id == found


async def test_without_problems_there_is_none_to_go_to() -> None:
    assert await step(ask, [FileQuery(text="nothing like it")], 1, 1) is None
