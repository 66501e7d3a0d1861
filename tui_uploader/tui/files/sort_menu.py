"""The menu of orders: a letter for each; the capital, or the letter of the present order, reverses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_uploader.model.files import SortKey
from tui_uploader.tui.files.orders import DEFAULT, ORDERS, order_of, pressed_order
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.lines.list import LineList
from tui_uploader.tui.terminal.resizing import ResizeGuard

_WORD_CELLS = 12


class OrderList(LineList):
    """The orders, one a line."""

    def __init__(self, glyphs: Glyphs, sort: SortKey, descending: bool) -> None:
        super().__init__(glyphs, id="orders")
        self._sort, self._descending = sort, descending

    @property
    def length(self) -> int:
        return len(ORDERS)

    def spans(self, index: int, width: int) -> Sequence[Span]:
        order = ORDERS[index]
        arrow = self.glyphs.descending if self._descending or order.sort == DEFAULT else self.glyphs.ascending
        now = f" {arrow} " if order.sort == self._sort else "   "
        return [
            Span(f" {order.letter}", "key"),
            Span(now, "strong"),
            Span(f"{order.word:<{_WORD_CELLS}} "),
            Span(order.meaning, "muted"),
        ]


class SortMenu(ResizeGuard, ModalScreen[tuple[SortKey, bool]]):
    """Returns the chosen order, and whether it is reversed."""

    CSS_PATH: ClassVar = ["../lines/list.tcss", "sort_menu.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close"),
        Binding("enter", "choose", "Choose"),
    ]

    def __init__(self, sort: SortKey, descending: bool, glyphs: Glyphs) -> None:
        super().__init__()
        self._sort, self._descending = sort, descending
        self._list = OrderList(glyphs, sort, descending)

    def compose(self) -> ComposeResult:
        with Vertical(id="sort-menu"):
            yield Static(Content("Sort files by"), classes="dialog-title")
            yield self._list
            yield Static(Content("A letter chooses; its capital, or the letter again, reverses. Esc closes."))

    def on_mount(self) -> None:
        self._list.cursor = ORDERS.index(order_of(self._sort))
        self._list.focus()

    def on_key(self, event: events.Key) -> None:
        chosen = pressed_order(event.character or "", self._sort, self._descending)
        if chosen is not None:
            event.stop()
            self.dismiss(chosen)

    def on_click(self, event: events.Click) -> None:
        if event.widget is self._list:
            self.action_choose()

    def action_choose(self) -> None:
        order = ORDERS[self._list.cursor]
        self.dismiss(pressed_order(order.letter, self._sort, self._descending))
