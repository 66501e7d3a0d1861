"""The dialog for bandwidth: limit, timetable and data budget; changes apply at once."""

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
from tui_uploader.model.engine import Bandwidth, BandwidthChange, BudgetPeriod
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.choices import RadioRow
from tui_uploader.tui.widgets.note import Note
from tui_uploader.tui.widgets.text_field import TextField
from tui_uploader.wording.bandwidth import (
    OFF,
    SETTING_HINTS,
    budget_setting,
    budget_used,
    in_force,
    limit_setting,
    schedule_setting,
)

Apply = Callable[[BandwidthChange], Awaitable[Bandwidth]]
"""Sends a change to the engine; raises UploaderError if the engine refuses it."""

_KEYS = "Enter save  Tab next field  Space change  Esc cancel"
_PERIODS = tuple(BudgetPeriod)
_REFRESH_SECONDS = 1.0


class BandwidthScreen(ResizeGuard, ModalScreen[Bandwidth | None]):
    """Returns the new state, or None when cancelled. Stays open while the engine refuses what was typed."""

    CSS_PATH: ClassVar = ["../widgets/choices.tcss", "bandwidth.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "Save"),
        Binding("escape", "cancel", "Cancel"),
    ]

    def __init__(self, current: Callable[[], Bandwidth], apply: Apply) -> None:
        """`current`: the latest state of the engine."""
        super().__init__()
        self._current = current
        self._apply = apply
        self._initial = current()
        self._limit = _field(limit_setting(self._initial), "limit")
        self._schedule = _field(schedule_setting(self._initial), "schedule")
        self._budget = _field(budget_setting(self._initial), "budget")
        self._per = RadioRow([str(per) for per in _PERIODS], _PERIODS.index(self._initial.per), id="per")
        self._note = Note()

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
            yield self._note
            with Horizontal(classes="row", id="buttons"):
                yield Button("Save", id="save", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
            yield Static(_KEYS, id="keys")

    def on_mount(self) -> None:
        self._show_state()
        self.set_interval(_REFRESH_SECONDS, self._show_state)
        self._limit.focus()

    def _show_state(self) -> None:
        """Repaint only changed lines."""
        state = self._current()
        for name, text in (("#now", f"Now: {in_force(state)}"), ("#used", budget_used(state) or "No data budget set.")):
            line = self.query_one(name, Static)
            if str(line.content) != text:
                line.update(Content(text))

    def on_descendant_focus(self) -> None:
        """Show what the focused field accepts."""
        if self.focused is not None and self.focused.id in SETTING_HINTS:
            self._note.say(SETTING_HINTS[self.focused.id])

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        change = change_of(
            self._initial, self._limit.value, self._schedule.value, self._budget.value, _PERIODS[self._per.selected]
        )
        if change == BandwidthChange():
            self.dismiss(None)
        else:
            self.run_worker(self._save(change), name="bandwidth", group="bandwidth", exclusive=True)

    async def _save(self, change: BandwidthChange) -> None:
        try:
            state = await self._apply(change)
        except UploaderError as error:
            self._note.say(str(error), warning=True)
        else:
            self.dismiss(state)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)


def _field(words: str, id: str) -> TextField:
    """An empty field stands for `off`, and a setting is selected on focus: users can type at once."""
    field = TextField("" if words == OFF else words, placeholder=OFF, id=id)
    field.select_on_focus = True
    return field


def change_of(before: Bandwidth, limit: str, schedule: str, budget: str, per: BudgetPeriod) -> BandwidthChange:
    """Only the settings that differ from `before`; an empty field means off."""

    def changed_setting(typed: str, shown: str) -> str | None:
        wanted = typed.strip() or OFF
        return None if wanted == shown else wanted

    size = changed_setting(budget, budget_setting(before))
    has_budget = (size or budget_setting(before)).lower() != OFF
    return BandwidthChange(
        limit=changed_setting(limit, limit_setting(before)),
        schedule=changed_setting(schedule, schedule_setting(before)),
        budget=size,
        per=per if has_budget and (per is not before.per or size is not None) else None,
    )
