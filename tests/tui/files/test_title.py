"""The title of the files pane: facts first, then the name."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.tui.values import text_of
from tui_uploader.model.files import FileProperty, FileQuery
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.files.title import Title, empty_words, info_spans, title_spans
from tui_uploader.tui.lines.glyphs import UNICODE

COUNTS = Counts(uploaded=211, uploading=4, waiting=241, duplicate=5, failed=5)
LONG = "Bridge 北海道 inspection, second flight, bearings and approaches of the year"
QUARRY = Title("Quarry May 2026", FileQuery(sort="activity"), 466, COUNTS, 119_000_000)
FAILED = FileQuery(status=FileStatus.FAILED, sort="activity")


@pytest.mark.parametrize(
    ("title", "width", "shown"),
    [
        (QUARRY, 90, "[2] Files  Quarry May 2026  466 files, 119 MB   ✗5 ⇡4 ∙241 =5 ✓211           by activity ▾"),
        (QUARRY, 72, "[2] Files  Quarry May 2026  466 files, 119 MB   ✗5 ⇡4 ∙241 =5 ✓211 "),
        (QUARRY, 60, "[2] Files  Quarry May 2026  466 files, 119 MB  by activity ▾"),
        (QUARRY, 40, "[2] Files  Quarry May 2026  466 files"),
        (QUARRY, 32, "[2] Files  Quarr⋯2026  466 files"),
        (QUARRY, 20, "[2] Files  466 files"),
        (Title("Quarry", FAILED, 5, COUNTS), 60, "[2] Files  Quarry  5 of 466  ✗ only failed"),
        (Title("", FileQuery()), 60, "[2] Files"),
    ],
)
def test_the_name_gives_way_to_the_facts(title: Title, width: int, shown: str) -> None:
    found = text_of(title_spans(title, width, UNICODE))
    assert found == shown or found.startswith(shown)
    assert cell_len(found) <= max(width, cell_len(shown))


@pytest.mark.parametrize("width", [58, 78, 85, 120])
def test_a_long_name_never_removes_count_filter_or_selection(width: int) -> None:
    query = FileQuery(status=FileStatus.FAILED, text="/100MEDIA", sort="activity")
    found = text_of(title_spans(Title(LONG, query, 5, COUNTS, selected=3), width, UNICODE))
    assert all(fact in found for fact in ("5 of 466", "//100MEDIA", "only failed", "3 selected"))
    assert cell_len(found) <= width


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (FileQuery(text="!dji"), "/!dji"),
        (FileQuery(except_status=FileStatus.UPLOADED), "✓ all but uploaded"),
        (FileQuery(property=FileProperty.NO_GPS), "only without GPS"),
        (FileQuery(except_property=FileProperty.RENAMED), "all but renamed"),
    ],
)
def test_nothing_that_matches_says_what_is_filtered(query: FileQuery, shown: str) -> None:
    words = empty_words(Title("Quarry", query, 0, COUNTS), UNICODE)
    assert words[0] == f"None of the 466 files matches: {shown}"
    assert "Esc shows all" in words[-1]


@pytest.mark.parametrize(
    ("title", "width", "shown"),
    [
        (
            Title("", FileQuery(), 466, COUNTS, selected=3),
            100,
            " 3 selected   R retry   x remove   v view   Y copy paths   V range   A all shown   Esc none",
        ),
        (Title("", FileQuery(), 466, COUNTS, selected=3), 42, " 3 selected   R retry   x remove   v view"),
        (Title("", FAILED, 5, COUNTS), 60, " ✗ only failed: 5 of 466   / change   f status"),
        (
            Title("", FileQuery(), 466, COUNTS, unfolded=(FileStatus.WAITING,)),
            60,
            " all waiting files shown   - folds them",
        ),
    ],
)
def test_the_line_below_names_the_keys_for_what_is_selected(title: Title, width: int, shown: str) -> None:
    found = text_of(info_spans(title, width, UNICODE))
    assert found.startswith(shown) and cell_len(found) <= width
