"""The table over rows without end: what it draws, what it asks for, where its cursor is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest
from textual import on
from textual.app import App, ComposeResult

from tests.tui.headless import rendered_lines
from tui_uploader.tui.lines.columns import Column
from tui_uploader.tui.lines.glyphs import ASCII, Span
from tui_uploader.tui.lines.row_window import RowWindow
from tui_uploader.tui.lines.table import LineTable, LineView, Shape

Row = tuple[int, str]
MILLION = 1_000_000


class TableApp(App[None]):
    """A table of `total` rows, which it gives as they are asked for, and as they are now."""

    CSS_PATH: ClassVar = ["../../../tui_uploader/tui/lines/spans.tcss", "../../../tui_uploader/tui/lines/table.tcss"]

    def __init__(self, total: int, name: Callable[[int], str] = lambda index: f"row {index}") -> None:
        super().__init__()
        self.total = total
        self.name_of = name
        self.opened: list[Row | None] = []
        self.sorted_by: list[str] = []
        self.asked = 0

    def compose(self) -> ComposeResult:
        columns = (Column("Name", 10, share=1, sort="name"), Column("Number", 8, right=True, sort="number"))
        yield LineTable(Shape[Row](columns, key=lambda row: row[0], cells=self._cells), ASCII)

    def _cells(self, row: Row, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        return [[Span(row[1], "uploaded")], [Span(str(row[0]))]]

    def on_mount(self) -> None:
        self.table.focus()
        self.serve()

    @property
    def table(self) -> LineTable[Row]:
        return self.query_one(LineTable)

    @on(LineView.WindowWanted)
    def serve(self) -> None:
        self.asked += 1
        offset, count = self.table.wanted()
        indices = range(offset, min(self.total, offset + count))
        self.table.put(offset, [(index, self.name_of(index)) for index in indices], self.total)

    @on(LineTable.RowActivated)
    def keep_opened(self) -> None:
        self.opened.append(self.table.current)

    @on(LineTable.HeaderClicked)
    def keep_sort(self, event: LineTable.HeaderClicked) -> None:
        self.sorted_by.append(event.sort)

    def current_name(self) -> str | None:
        return self.table.current[1] if self.table.current else None

    @property
    def lines(self) -> list[str]:
        return rendered_lines(self)


async def test_keys_move_through_a_million_rows_with_a_small_window() -> None:
    app = TableApp(MILLION)
    async with app.run_test(size=(40, 11)) as pilot:
        for keys, cursor in [
            (["down"], 1),
            (["j", "j", "k"], 2),
            (["pagedown"], 12),
            (["ctrl+d"], 17),
            (["ctrl+u"], 12),
            (["pageup", "up"], 1),
            (["up", "up", "up"], 0),
            (["G"], MILLION - 1),
            (["pagedown"], MILLION - 1),
            (["home"], 0),
            (["end"], MILLION - 1),
            (["pageup"], MILLION - 11),
            (["g"], 0),
        ]:
            await pilot.press(*keys)
            await pilot.pause()
            assert app.table.cursor == cursor, keys
            assert f"> row {cursor}" in "\n".join(app.lines)
            assert len(app.table.window.rows) <= 5 * 10


async def test_held_page_keys_never_show_an_empty_page() -> None:
    app = TableApp(10_000)
    async with app.run_test(size=(40, 11)) as pilot:
        for page in range(1, 30):
            await pilot.press("pagedown")
            await pilot.pause()
            assert all("row" in line for line in app.lines[1:]), (page, app.lines)


async def test_only_rows_that_changed_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TableApp(100)
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.pause()
        drawn: list[int] = []
        monkeypatch.setattr(app.table, "refresh_line", drawn.append)
        app.serve()
        assert drawn == []
        app.name_of = lambda index: "changed" if index == 3 else "elsewhere" if index == 40 else f"row {index}"
        app.serve()
        assert drawn == [4]


async def test_the_cursor_follows_its_row() -> None:
    app = TableApp(20)
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.press("down", "down")
        table = app.table
        table.put(0, [(9, "first"), (2, "still me"), (0, "last")], 3)
        assert (table.cursor, app.current_name()) == (1, "still me")
        table.put(0, [(9, "first"), (0, "last")], 2)
        assert app.current_name() == "last", "its row is gone: the one that took its place"
        table.put(0, [], 0)
        assert app.current_name() is None
        await pilot.press("down", "enter", "pagedown", "G")


async def test_marks_stay_on_their_rows() -> None:
    app = TableApp(30)
    async with app.run_test(size=(40, 11)) as pilot:
        app.table.toggle_mark()
        app.table.toggle_mark()
        await pilot.pause()
        assert app.table.marks == {0, 1} and app.table.cursor == 2
        assert app.lines[1].startswith(" *row 0")
        app.table.put(0, [(5, "new"), (1, "one"), (0, "nought")], 3)
        await pilot.pause()
        assert [line[1] for line in app.lines[1:4]] == [" ", "*", "*"]
        app.table.move_to(1)
        app.table.toggle_mark()
        assert app.table.marks == {0}


async def test_the_mouse_moves_opens_and_sorts() -> None:
    app = TableApp(100)
    async with app.run_test(size=(40, 11)) as pilot:
        await pilot.pause()
        await pilot.click(LineTable, offset=(5, 4))
        assert app.table.cursor == 3 and app.opened == []
        await pilot.click(LineTable, offset=(5, 6), times=2)
        assert app.opened == [(5, "row 5")]
        await pilot.click(LineTable, offset=(5, 1), times=3)
        assert app.opened == [(5, "row 5"), (0, "row 0")]
        await pilot.click(LineTable, offset=(3, 0))
        await pilot.click(LineTable, offset=(33, 0))
        assert app.sorted_by == ["name", "number"]


@pytest.mark.parametrize("size", [(20, 5), (3, 1), (1, 1), (240, 70)])
async def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    app = TableApp(1000, name=lambda index: "漢字\x1b[2J"[: index % 5] * 80)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.resize_terminal(*size)
        await pilot.press("pagedown", "down", "G")
        assert app.table.cursor == 999
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert app.lines[-1].startswith("> ")


@pytest.mark.parametrize(
    ("seen", "margin", "serves"),
    [
        (range(100, 120), 20, True),
        (range(69, 89), 20, False),
        (range(180, 200), 20, False),
        (range(50, 60), 0, True),
        (range(49, 60), 0, False),
        (range(0), 20, True),
    ],
)
def test_a_window_covers_rows_within_its_margin(seen: range, margin: int, serves: bool) -> None:
    window: RowWindow[int] = RowWindow(lambda row: row)
    window.put(50, range(50, 200), 1000)
    assert window.serves(seen, margin) is serves


def test_a_window_at_an_end_needs_no_margin_there() -> None:
    window: RowWindow[int] = RowWindow(lambda row: row)
    window.put(0, range(10), 10)
    assert window.serves(range(10), 50)
    assert (window.row(9), window.row(10), window.row(-1)) == (9, None, None)
    assert (window.index_of(4), window.index_of(99)) == (4, None)
