"""The project field: type a new name, or go through the existing projects with Up and Down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_uploader.model.projects import Project
from tui_uploader.tui.add_files.destination import next_project, project_named, projects_matching
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.widgets.text_field import TextField


class ProjectField(TextField):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "step(1)", "Next project", show=False),
        Binding("up", "step(-1)", "Previous project", show=False),
    ]

    def __init__(self, project: Project | None, projects: Sequence[Project], *, id: str) -> None:
        super().__init__(cell_text(project.name) if project else "", placeholder="new name (Down: existing)", id=id)
        self._projects = [*projects] if project is None or project in projects else [project, *projects]
        self._typed = ""
        self._picked_project = project

    @property
    def project(self) -> Project | None:
        """The existing project with this name; of several, the one selected with Up or Down. None: a new project."""
        if self._picked_project is not None and cell_text(self._picked_project.name) == self.value:
            return self._picked_project
        return project_named(self._projects, self.value)

    def action_step(self, step: int) -> None:
        if self.project is None:
            self._typed = self.value
        project = next_project(projects_matching(self._projects, self._typed), self.project, step)
        if project is not None:
            self._picked_project = project
            self.value = cell_text(project.name)
            self.cursor_position = len(self.value)
