"""Naming a new project. What the service would change about the name is shown before it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui_uploader.errors import UploaderError
from tui_uploader.model import ProjectKind
from tui_uploader.text import printable
from tui_uploader.tui.add_files.destination import checked_name, name_note
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.choices import RadioRow
from tui_uploader.tui.widgets.text_field import TextField

Make = Callable[[str, ProjectKind], Awaitable[object]]
"""Has the project made; raises UploaderError where it cannot be."""

_KEYS = "Enter create  Tab go on  Space change  Esc leave"
_KINDS = (ProjectKind.IMAGES, ProjectKind.RESULTS)


class NewProjectScreen(ResizeGuard, ModalScreen[tuple[str, ProjectKind] | None]):
    """Answers the name as the service takes it, and what will be uploaded there; None when it was left.

    Stays open while the project cannot be made.
    """

    CSS_PATH: ClassVar = ["../widgets/choices.tcss", "new_project.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "create", "Create"),
        Binding("escape", "leave", "Leave"),
    ]

    def __init__(self, make: Make) -> None:
        super().__init__()
        self._make = make
        self._asked = False
        self._field = TextField(placeholder="such as North field, 12 May", id="name")
        self._kind = RadioRow([str(kind) for kind in _KINDS], id="kind")

    def compose(self) -> ComposeResult:
        with Vertical(id="new-project"):
            yield Static("New project", id="title")
            with Horizontal(classes="row"):
                yield Static("Name", classes="label")
                yield self._field
            yield Static(id="note")
            with Horizontal(classes="row"):
                yield Static("Of", classes="label")
                yield self._kind
            with Horizontal(classes="row", id="answers"):
                yield Button("Create", id="create", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
            yield Static(_KEYS, id="keys")

    def on_mount(self) -> None:
        self._field.focus()

    @on(Input.Changed, "#name")
    def _show_note(self) -> None:
        self._note(name_note(self._field.value), trouble=checked_name(self._field.value).trouble is not None)

    def _note(self, text: str, *, trouble: bool) -> None:
        note = self.query_one("#note", Static)
        note.set_class(trouble, "-trouble")
        note.update(Content(text))

    @on(Input.Submitted)
    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        checked = checked_name(self._field.value)
        if checked.trouble is not None:
            self._note(checked.trouble, trouble=True)
            self._field.focus()
        elif not self._asked:  # an impatient second Enter makes no second project
            self._asked = True
            self._note("Asking the service.", trouble=False)
            self._create(checked.name, _KINDS[self._kind.selected])

    @work(group="new project", description="make a project")
    async def _create(self, name: str, kind: ProjectKind) -> None:
        try:
            await self._make(name, kind)
        except UploaderError as error:
            self._asked = False
            self._note(f"The project is not made: {printable(str(error))}", trouble=True)
        else:
            self.dismiss((name, kind))

    @on(Button.Pressed, "#cancel")
    def action_leave(self) -> None:
        self.dismiss(None)
