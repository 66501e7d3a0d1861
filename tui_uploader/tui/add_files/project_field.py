"""The field for the project: a new name, or one that exists; up and down go through those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_uploader.model import Project
from tui_uploader.tui.add_files.destination import matching, named, stepped
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.widgets.text_field import TextField


class ProjectField(TextField):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Next project", show=False),
        Binding("up", "step(-1)", "Project before", show=False),
    ]

    def __init__(self, project: Project | None, projects: Sequence[Project], *, id: str) -> None:
        super().__init__(cell_text(project.name) if project else "", placeholder="new name; Down: choose", id=id)
        self._projects = [*projects] if project is None or project in projects else [project, *projects]
        self._typed = ""
        self._stepped_to = project

    @property
    def project(self) -> Project | None:
        """The existing project that is meant; of several with one name, the one that was gone to."""
        if self._stepped_to is not None and cell_text(self._stepped_to.name) == self.value:
            return self._stepped_to
        return named(self._projects, self.value)

    def action_step(self, step: int) -> None:
        if self.project is None:
            self._typed = self.value
        project = stepped(matching(self._projects, self._typed), self.project, step)
        if project is not None:
            self._stepped_to = project
            self.value = cell_text(project.name)
            self.cursor_position = len(self.value)
