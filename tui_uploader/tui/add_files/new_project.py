"""The dialog for a new project: its name and kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from tui_uploader.errors import UploaderError
from tui_uploader.model.projects import ProjectKind
from tui_uploader.tui.add_files.destination import check_name, known_facts, name_note, projects_named
from tui_uploader.tui.add_files.where import ListProjects
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.choices import RadioRow
from tui_uploader.tui.widgets.note import Note
from tui_uploader.tui.widgets.text_field import TextField

CreateProject = Callable[[str, ProjectKind], Awaitable[object]]
"""Creates the project; raises UploaderError if that fails."""

_KEYS = "Enter create  Tab next field  Space change  Esc cancel"
_KINDS = (ProjectKind.IMAGES, ProjectKind.RESULTS)


class NewProjectScreen(ResizeGuard, ModalScreen[tuple[str, ProjectKind] | None]):
    """Returns the name as sent to the service and the kind; None if cancelled. Stays open while creation fails."""

    CSS_PATH: ClassVar = ["../widgets/choices.tcss", "new_project.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "create", "Create"),
        Binding("escape", "cancel", "Cancel"),
    ]

    def __init__(self, create: CreateProject, projects: ListProjects = tuple) -> None:
        """`projects`: those that exist, as the service has told them by now."""
        super().__init__()
        self._projects = projects
        self._create_project = create
        self._creating = False
        self._field = TextField(placeholder="such as North field, 12 May", id="name")
        self._kind = RadioRow([str(kind) for kind in _KINDS], id="kind")
        self._note = Note()

    def compose(self) -> ComposeResult:
        with Vertical(id="new-project"):
            yield Static("New project", id="title")
            with Horizontal(classes="row"):
                yield Static("Name", classes="label")
                yield self._field
            yield self._note
            with Horizontal(classes="row"):
                yield Static("Type", classes="label")
                yield self._kind
            with Horizontal(classes="row", id="buttons"):
                yield Button("Create", id="create", compact=True)
                yield Button("Cancel", id="cancel", compact=True)
            yield Static(_KEYS, id="keys")

    def on_mount(self) -> None:
        self._field.focus()

    @on(Input.Changed, "#name")
    def _show_note(self) -> None:
        self._note.say(name_note(self._field.value), warning=check_name(self._field.value).problem is not None)

    @on(Input.Submitted)
    @on(Button.Pressed, "#create")
    def action_create(self) -> None:
        checked = check_name(self._field.value)
        if checked.problem is not None:
            self._note.say(checked.problem, warning=True)
            self._field.focus()
        elif namesakes := projects_named(self._projects(), checked.name):
            exists = f"{cell_text(checked.name)} exists already ({known_facts(namesakes[0])})."
            self._note.say(f"{exists} Type another name; to add files to it, press u.", warning=True)
            self._field.focus()
        elif not self._creating:  # a second Enter must not create a second project
            self._creating = True
            self._note.say("Creating the project.")
            self._create(checked.name, _KINDS[self._kind.selected])

    @work(group="new project", description="create a project")
    async def _create(self, name: str, kind: ProjectKind) -> None:
        try:
            await self._create_project(name, kind)
        except UploaderError as error:
            self._creating = False
            self._note.say(f"Could not create the project. {error}", warning=True)
        else:
            self.dismiss((name, kind))

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)
