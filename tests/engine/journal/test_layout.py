"""Which rows a window has: files, and folds that stand for many."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.engine.journal.views.layout import FOLDABLE, Group, Layout, layout
from tui_uploader.model.files import FoldedFiles
from tui_uploader.model.states import FileStatus

FAILED, UPLOADING = Group(FileStatus.FAILED, 2), Group(FileStatus.UPLOADING, 1)
NEXT, WAITING = Group(FileStatus.WAITING, 2), Group(FileStatus.WAITING, 8)
DUPLICATES, UPLOADED = Group(FileStatus.DUPLICATE, 3), Group(FileStatus.UPLOADED, 20)
ALL = (FAILED, UPLOADING, NEXT, WAITING, DUPLICATES, UPLOADED)


def pictured(found: Layout) -> str:
    """Ranks of the files that are shown, and after a `+` the folds with their rows."""
    shown = ",".join(f"{each.first}-{each.first + each.files - 1}" for each in found.shown)
    return shown + "".join(f" +{each.files} {each.status} at {each.row}" for each in found.folds)


@pytest.mark.parametrize(
    ("groups", "fold", "unfolded", "anchor", "expected", "rows", "anchor_row"),
    [
        ((), 0, (), None, "", 0, None),
        (ALL, 0, (), None, "0-1,2-2,3-12,13-15,16-35", 36, None),
        (ALL, 3, (), None, "0-1,2-2,3-5,13-15,16-18 +7 waiting at 6 +17 uploaded at 13", 14, None),
        (ALL, 9, (), None, "0-1,2-2,3-12,13-15,16-24 +11 uploaded at 25", 26, None),
        (ALL, 3, (FileStatus.WAITING,), None, "0-1,2-2,3-12,13-15,16-18 +17 uploaded at 19", 20, None),
        (ALL, 3, (*FileStatus,), 20, "0-1,2-2,3-12,13-15,16-35", 36, 20),
        # The anchor is shown wherever it is.
        (ALL, 3, (), 4, "0-1,2-2,3-5,13-15,16-18 +7 waiting at 6 +17 uploaded at 13", 14, 4),
        (ALL, 3, (), 8, "0-1,2-2,3-5,8-8,13-15,16-18 +2 waiting at 6 +4 waiting at 8 +17 uploaded at 15", 16, 7),
        (ALL, 3, (), 6, "0-1,2-2,3-5,6-6,13-15,16-18 +6 waiting at 7 +17 uploaded at 14", 15, 6),
        (ALL, 3, (), 12, "0-1,2-2,3-5,12-12,13-15,16-18 +6 waiting at 6 +17 uploaded at 14", 15, 7),
        # A fold of one file would be no shorter than the file.
        (ALL, 3, (), 7, "0-1,2-2,3-5,6-6,7-7,13-15,16-18 +5 waiting at 8 +17 uploaded at 15", 16, 7),
        ((Group(FileStatus.WAITING, 4),), 3, (), None, "0-3", 4, None),
        ((Group(FileStatus.WAITING, 5),), 3, (), None, "0-2 +2 waiting at 3", 4, None),
        ((Group(FileStatus.FAILED, 50),), 3, (), None, "0-49", 50, None),
        ((Group(None, 50),), 3, (), 7, "0-49", 50, 7),
    ],
)
def test_long_runs_are_folded(
    groups: Sequence[Group],
    fold: int,
    unfolded: Sequence[FileStatus],
    anchor: int | None,
    expected: str,
    rows: int,
    anchor_row: int | None,
) -> None:
    found = layout(groups, 0, 100, fold, unfolded, anchor)
    assert (pictured(found).lstrip(), found.total, found.anchor) == (expected, rows, anchor_row)


@pytest.mark.parametrize(
    ("offset", "limit", "expected"),
    [
        (0, 3, "0-1,2-2"),
        (1, 3, "1-1,2-2,3-3"),
        (5, 2, "5-5 +7 waiting at 6"),
        (6, 1, " +7 waiting at 6"),
        (7, 5, "13-15,16-17"),
        (13, 10, " +17 uploaded at 13"),
        (14, 10, ""),
    ],
)
def test_a_window_has_only_its_own_rows(offset: int, limit: int, expected: str) -> None:
    found = layout(ALL, offset, limit, 3)
    assert (pictured(found), found.total) == (expected, 14)


def ranks(found: Layout) -> list[int]:
    return [rank for each in found.shown for rank in range(each.first, each.first + each.files)]


@given(
    groups=st.lists(st.builds(Group, st.sampled_from([None, *FileStatus]), st.integers(0, 12)), max_size=7),
    fold=st.integers(0, 5),
    anchor=st.none() | st.integers(0, 90),
    size=st.integers(1, 9),
)
def test_every_file_is_shown_once_or_in_a_fold(groups: list[Group], fold: int, anchor: int | None, size: int) -> None:
    files = sum(group.files for group in groups)
    whole = layout(groups, 0, 1000, fold, (), anchor)
    shown = ranks(whole)
    assert shown == sorted(set(shown))
    assert len(shown) + sum(each.files for each in whole.folds) == files
    assert len(shown) + len(whole.folds) == whole.total
    assert all(each.files > 1 and each.status in FOLDABLE for each in whole.folds)
    assert (anchor in shown) is (anchor is not None and anchor < files) is (whole.anchor is not None)
    pieces = [layout(groups, offset, size, fold, (), anchor) for offset in range(0, whole.total, size)]
    assert [
        rank for piece in pieces for each in piece.shown for rank in range(each.first, each.first + each.files)
    ] == shown
    assert [each for piece in pieces for each in piece.folds] == list[FoldedFiles](whole.folds)
    assert {piece.anchor for piece in pieces} <= {whole.anchor}
