"""The second step: to which project, of which type, and whether it is processed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui_uploader.model.projects import Project, ProjectKind
from tui_uploader.tui.add_files.destination import (
    Destination,
    find_destination,
    fixed_kind,
    is_same,
    next_project,
    processed,
    projects_matching,
)
from tui_uploader.tui.add_files.paths.resolve_paths import is_drop
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.widgets.choices import CheckBox, RadioRow
from tui_uploader.tui.widgets.text_field import TextField

ListProjects = Callable[[], Sequence[Project]]
"""The existing projects, as the service has told them by now."""

_KINDS = (ProjectKind.IMAGES, ProjectKind.RESULTS)
_LOUD = "bold reverse"


class ProjectField(TextField):
    """Type a new name, or go through the existing projects with Up and Down: those that contain the text, or all.

    A name that was filled in is selected, so that the first key replaces it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.next_step", "Next step", show=False),
        Binding("down", "step(1)", "Next project", show=False),
        Binding("up", "step(-1)", "Previous project", show=False),
    ]

    def __init__(self, project: Project | None, projects: ListProjects, *, id: str) -> None:
        name = cell_text(project.name) if project else ""
        super().__init__(name, placeholder="new project name (Down: existing projects)", id=id)
        self._list = projects
        self._given = project
        self._typed = ""
        self._picked = project

    @property
    def destination(self) -> Destination:
        return find_destination(self.value, self._picked, self._projects)

    @property
    def _projects(self) -> Sequence[Project]:
        """The given project comes first if the service has not told about it yet."""
        listed, given = self._list(), self._given
        return listed if given is None or any(is_same(each, given) for each in listed) else [given, *listed]

    def on_paste(self, event: events.Paste) -> None:
        """Dropped files are not the name of a project: the dialog chooses them."""
        if is_drop(event.text):
            event.prevent_default()
        else:
            super().on_paste(event)

    def on_focus(self) -> None:
        if self.destination.was_picked:
            self.select_all()

    def action_step(self, step: int) -> None:
        at = self.destination
        if not at.was_picked:
            self._typed = self.value
        matching = projects_matching(self._projects, self._typed) or self._projects
        project = next_project(matching, at.project if at.was_picked else None, step)
        if project is not None:
            self._picked = project
            self.value = cell_text(project.name)
            self.select_all()


class WhereStep(Vertical):
    """Posts `Changed` when anything about the destination changes."""

    class Changed(Message):
        """Another project, type, or wish for processing."""

    def __init__(self, project: Project | None, projects: ListProjects, *, id: str) -> None:
        super().__init__(id=id)
        self._field = ProjectField(project, projects, id="project")
        self._note = Static(id="destination")
        self._kind = RadioRow([str(kind) for kind in _KINDS], id="kind")
        self._auto_process = CheckBox("process automatically", not processed(project), id="auto-process")
        self._wanted_kind = ProjectKind.IMAGES
        """That the user selected, for projects that leave the choice."""
        self._shown = self._field.destination
        self._asked: Destination | None = None
        """The destination about which the user was asked."""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static("2 Where", classes="label")
            yield self._field
            yield self._note
        with Horizontal(classes="row"):
            yield Static("  Type", classes="label")
            yield self._kind
            yield self._auto_process

    def on_mount(self) -> None:
        self._show(self._field.destination)

    @property
    def destination(self) -> Destination:
        return self._field.destination

    @property
    def kind(self) -> ProjectKind:
        return _KINDS[self._kind.selected]

    @property
    def auto_process(self) -> bool:
        return self.kind is ProjectKind.IMAGES and self._auto_process.checked

    def go_to(self) -> None:
        self.screen.set_focus(self._field)

    def objection(self) -> str | None:
        """Why the files cannot go there, or what the user should know first: that is said once."""
        destination = self.destination
        if problem := destination.problem:
            return problem
        if self._asked == destination or (question := destination.question) is None:
            return None
        self._asked = destination
        return question

    @on(Input.Changed, "#project")
    def _follow_name(self, message: Input.Changed) -> None:
        message.stop()
        self.refresh_destination()

    def refresh_destination(self) -> None:
        """Look again: the name in the field or the list of projects has changed."""
        destination = self._field.destination
        if destination != self._shown:
            self._show(destination)
            self.post_message(self.Changed())

    def _show(self, destination: Destination) -> None:
        before, self._shown = self._shown.project, destination
        project = destination.project
        if not _are_same(before, project):
            self._auto_process.checked = not processed(project)
        self._note.update(_note(destination))
        fixed = fixed_kind(project)
        self._kind.disabled = fixed is not None
        self._kind.selected = _KINDS.index(fixed or self._wanted_kind)
        self._auto_process.disabled = self.kind is ProjectKind.RESULTS

    @on(RadioRow.SelectionChanged)
    def _follow_kind(self, message: RadioRow.SelectionChanged) -> None:
        message.stop()
        self._wanted_kind = self.kind
        self._auto_process.disabled = self.kind is ProjectKind.RESULTS
        self.post_message(self.Changed())

    @on(CheckBox.Flipped)
    def _follow_wish(self, message: CheckBox.Flipped) -> None:
        message.stop()
        self.post_message(self.Changed())


def _are_same(before: Project | None, now: Project | None) -> bool:
    """Whether two destinations are one project, or both a new one."""
    return before is now if before is None or now is None else is_same(before, now)


def _note(destination: Destination) -> Content:
    """`NEW project` stands out: a typing mistake would make one."""
    note = cell_text(destination.note)
    if destination.is_new:
        return Content.assemble((" NEW project ", _LOUD), f" {note}")
    return Content(f"existing project {note}" if destination.project is not None else note)
