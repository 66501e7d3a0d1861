from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.values import HOSTILE
from tui_uploader.tui.lines.columns import (
    Column,
    cell_text,
    clipped,
    clipped_name,
    column_at,
    fitted,
    header,
    layout,
    line,
)
from tui_uploader.tui.lines.glyphs import UNICODE, Span


def cells_in(spans: Iterable[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)


COLUMNS = (
    Column("", 1),
    Column("Name", 10, share=2, sort="name"),
    Column("Size", 8, right=True, sort="size"),
    Column("Kind", 7, from_width=60),
    Column("State", 12, share=3),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DJI_0001.JPG", "DJI_0001.JPG"),
        ("a\nb", "a\\x0ab"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202ex", "\\u202ex"),
        ("e\u0301", "é"),
        ("👩\u200d👧", "👩👧"),
        ("⚠\ufe0f", "⚠"),
        ("\udcff", "\\xff"),
    ],
)
def test_text_from_outside_is_made_safe(text: str, shown: str) -> None:
    assert cell_text(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 10, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("rather long", 7, "rather⋯"),
        ("漢字漢字", 5, "漢字⋯"),
        ("漢字漢字", 4, "漢 ⋯"),
        ("any", 0, ""),
        ("any", 1, "⋯"),
    ],
)
def test_a_cut_is_shown(text: str, width: int, shown: str) -> None:
    assert clipped(text, width, "⋯") == shown


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("DJI_0001.JPG", 20, "DJI_0001.JPG"),
        ("DJI_20260512094107_0001_V.JPG", 18, "DJI_20260⋯01_V.JPG"),
        ("漢字漢字漢字.JPG", 11, "漢字漢⋯.JPG"),
        ("ab", 1, "⋯"),
    ],
)
def test_a_long_name_keeps_its_end(name: str, width: int, shown: str) -> None:
    assert clipped_name(name, width, "⋯") == shown
    assert cell_len(shown) <= width


@given(st.text(max_size=60), st.integers(0, 40))
def test_every_text_fills_its_column(text: str, width: int) -> None:
    inert = cell_text(text)
    assert cells_in(fitted([Span(inert)], width, UNICODE)) == width
    assert cell_len(clipped_name(inert, width, "⋯")) <= width


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("width", [20, 57, 58, 80, 118, 240])
def test_a_row_is_as_wide_as_the_table(name: str, width: int) -> None:
    columns = layout(COLUMNS, width)
    cells = [[Span(cell_text(name))] for _ in columns]
    row = line(columns, cells, UNICODE)
    at_least = sum(column.width for column, _ in columns) + len(columns) - 1
    assert cells_in(row) == max(width, at_least) or width < at_least
    assert not any(character in span.text for span in row for character in "\n\r\x1b\u202e\u200b\ufe0f")


@pytest.mark.parametrize(
    ("width", "titles"), [(50, ["", "Name", "Size", "State"]), (60, ["", "Name", "Size", "Kind", "State"])]
)
def test_a_narrow_table_leaves_columns_out(width: int, titles: list[str]) -> None:
    assert [column.title for column, _ in layout(COLUMNS, width)] == titles


def test_the_spare_cells_go_to_the_flexible_columns() -> None:
    widths = [width for _, width in layout(COLUMNS, 59)]
    assert sum(widths) + 3 == 59
    assert widths[0] == 1 and widths[2] == 8
    assert widths[1] > 10 and widths[3] > 12


@pytest.mark.parametrize(
    ("sort", "descending", "shown"), [("name", False, "Name▴"), ("name", True, "Name▾"), ("", False, "Name ")]
)
def test_the_header_shows_the_order(sort: str, descending: bool, shown: str) -> None:
    text = "".join(span.text for span in header(layout(COLUMNS, 50), sort, descending, UNICODE))
    assert shown in text


@pytest.mark.parametrize(("x", "title"), [(0, ""), (2, "Name"), (49, "State"), (500, None)])
def test_the_mouse_finds_its_column(x: int, title: str | None) -> None:
    found = column_at(layout(COLUMNS, 50), x)
    assert (found.title if found else None) == title
