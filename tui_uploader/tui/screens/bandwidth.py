"""What uploads may take of the link: cap, timetable and data budget, what they come to now, and new ones at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui_uploader.errors import UploaderError
from tui_uploader.model import Bandwidth, BandwidthChange, BudgetPeriod
from tui_uploader.text import byte_count, exact_bytes, printable
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.choices import RadioRow
from tui_uploader.tui.widgets.text_field import TextField

Apply = Callable[[BandwidthChange], Awaitable[Bandwidth]]
"""Hands a change to the engine; raises UploaderError where that refuses it."""

_KEYS = "Enter save  Tab go on  Space change  Esc leave"
_OFF = "off"
_PERIODS = tuple(BudgetPeriod)
_LOOK_SECONDS = 1.0
_HINTS = {
    "limit": "500k or 500KB/s, 1.5MB/s, 8Mbit/s; off: no limit; pause: send nothing",
    "schedule": "Mon-Fri 08:00-18:00 500k, Sun pause; local time, no limit outside; off: none",
    "budget": "20GB, 500M; off: no budget",
}


class BandwidthScreen(ResizeGuard, ModalScreen[Bandwidth | None]):
    """Answers what holds after a change; None when it was left. Stays open while the engine refuses what was typed."""

    CSS_PATH: ClassVar = ["../widgets/choices.tcss", "bandwidth.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "Save"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, current: Callable[[], Bandwidth], apply: Apply) -> None:
        """`current`: what the engine said last."""
        super().__init__()
        self._current = current
        self._apply = apply
        self._at_first = current()
        self._limit = _field(limit_words(self._at_first), "limit")
        self._schedule = _field(self._at_first.schedule or _OFF, "schedule")
        self._budget = _field(budget_words(self._at_first), "budget")
        self._per = RadioRow([str(per) for per in _PERIODS], _PERIODS.index(self._at_first.per), id="per")

    def compose(self) -> ComposeResult:
        with Vertical(id="bandwidth"):
            yield Static("Bandwidth", id="title")
            yield Static(id="now")
            yield Static(id="used")
            for label, field in (("Limit", self._limit), ("Schedule", self._schedule), ("Budget", self._budget)):
                with Horizontal(classes="row"):
                    yield Static(label, classes="label")
                    yield field
            with Horizontal(classes="row"):
                yield Static("per", classes="label")
                yield self._per
            yield Static(id="note")
            with Horizontal(classes="row", id="answers"):
                yield Button("Save", id="save", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
            yield Static(_KEYS, id="keys")

    def on_mount(self) -> None:
        self._show_state()
        self.set_interval(_LOOK_SECONDS, self._show_state)
        self._limit.focus()

    def _show_state(self) -> None:
        """Draws nothing while nothing changed."""
        state = self._current()
        for name, text in (("#now", f"Now: {printable(state.holds)}"), ("#used", used_words(state))):
            line = self.query_one(name, Static)
            if str(line.content) != text:
                line.update(Content(text))

    def on_descendant_focus(self) -> None:
        """What may be typed where the cursor is."""
        if self.focused is not None and self.focused.id in _HINTS:
            self._note(_HINTS[self.focused.id], trouble=False)

    def _note(self, text: str, *, trouble: bool) -> None:
        note = self.query_one("#note", Static)
        note.set_class(trouble, "-trouble")
        note.update(Content(printable(text)))

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        change = change_of(
            self._at_first, self._limit.value, self._schedule.value, self._budget.value, _PERIODS[self._per.selected]
        )
        if change == BandwidthChange():
            self.dismiss(None)
        else:
            self.run_worker(self._save(change), name="bandwidth", group="bandwidth", exclusive=True)

    async def _save(self, change: BandwidthChange) -> None:
        try:
            state = await self._apply(change)
        except UploaderError as error:
            self._note(str(error), trouble=True)
        else:
            self.dismiss(state)

    @on(Button.Pressed, "#cancel")
    def action_leave(self) -> None:
        self.dismiss(None)


def _field(words: str, id: str) -> TextField:
    """What is off leaves the field free for what is typed."""
    return TextField("" if words == _OFF else words, placeholder=_OFF, id=id)


def limit_words(state: Bandwidth) -> str:
    """As it can be typed in again."""
    if state.limit is None:
        return _OFF
    return f"{exact_bytes(state.limit)}/s" if state.limit else "pause"


def budget_words(state: Bandwidth) -> str:
    """As it can be typed in again."""
    return _OFF if state.budget is None else exact_bytes(state.budget)


def used_words(state: Bandwidth) -> str:
    """`Used: 3.42 GB of 20 GB per month, 16.6 GB left`."""
    if state.budget is None:
        return "Used: no data budget is set"
    per = "in total" if state.per is BudgetPeriod.TOTAL else f"per {state.per}"
    left = byte_count(max(0, state.budget - state.used))
    return f"Used: {byte_count(state.used)} of {exact_bytes(state.budget)} {per}, {left} left"


def change_of(before: Bandwidth, limit: str, schedule: str, budget: str, per: BudgetPeriod) -> BandwidthChange:
    """Only what is another than `before`; an emptied field means off."""

    def wish(typed: str, shown: str) -> str | None:
        wanted = typed.strip() or _OFF
        return None if wanted == shown else wanted

    size = wish(budget, budget_words(before))
    has_budget = (size or budget_words(before)).lower() != _OFF
    return BandwidthChange(
        limit=wish(limit, limit_words(before)),
        schedule=wish(schedule, before.schedule or _OFF),
        budget=size,
        per=per if has_budget and (per is not before.per or size is not None) else None,
    )
