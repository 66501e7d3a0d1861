"""The projects pane, at the left; in a narrow terminal it replaces the files while the user chooses a project."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import Project
from tui_uploader.tui.keys import IN_PROJECTS
from tui_uploader.tui.lines.columns import Column
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.panes.pane import Pane
from tui_uploader.tui.panes.project_rows import COLUMNS, ProjectRow, matching, project_cells, project_rows

_NO_PROJECT = ("No projects yet.", "", "C creates one,", "u uploads files to a new one.")
_FILTER_HINT = "part of the name, or :results, :images; ! in front: all that do not match"


class ProjectsPane(Pane[ProjectRow]):
    """Shows the projects and posts which one is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*IN_PROJECTS, Binding("escape", "back", "back", show=False)]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(COLUMNS, glyphs, id="projects", filter_hint=_FILTER_HINT)
        self.listed: tuple[Project, ...] = ()
        """The newest list from the engine."""
        self._status: EngineStatus | None = None
        self._text = ""
        self._every: tuple[ProjectRow, ...] = ()
        """The rows without the filter."""

    def on_mount(self) -> None:
        self._show()

    def show_status(self, status: EngineStatus) -> None:
        self._status = status
        self._show()

    def show_projects(self, projects: tuple[Project, ...]) -> None:
        self.listed = projects
        self._show()

    def row_of(self, upload: int) -> ProjectRow | None:
        """The project of this upload, also if the filter hides it."""
        return next((row for row in self._every if row.takes(upload)), None)

    def select_upload(self, upload: int) -> None:
        """Put the cursor on the project of this upload."""
        for row in self.table.window.rows:
            if row.takes(upload):
                self.table.select(row.key)
                return

    def select_project(self, project: Project) -> None:
        for row in self.table.window.rows:
            if row.project.id is not None and row.project.id == project.id:
                self.table.select(row.key)
                return

    def _show(self) -> None:
        every = self._every = project_rows(self.listed, self._status)
        rows = matching(every, self._text)
        empty = _NO_PROJECT if not every else ("No project matches.", "", "Esc shows all.")
        self.table.show_empty([Span(line, "muted") for line in empty])
        self.table.put(0, rows, len(rows))
        count = f"  {len(rows):,} of {len(every):,}" if self._text else f"  {len(every):,}"
        self.title_line.show([Span("[1] Projects", "strong"), Span(count)])

    def key(self, row: ProjectRow) -> Hashable:
        return row.key

    def same(self, before: ProjectRow, now: ProjectRow) -> bool:
        return before.is_same_project(now)

    def cells(self, row: ProjectRow, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        return project_cells(row, columns, self.glyphs)

    # ------------------------------------------------------------------------------------- actions

    async def action_back(self) -> None:
        """Remove the filter; without one, return to the files if the terminal is too narrow for both panes."""
        if self._text:
            self.clear_filter()
        elif self.screen.has_class("-switching"):
            await self.run_action("screen.focus_pane('files')")

    @on(Input.Changed)
    def _filter_by_text(self, event: Input.Changed) -> None:
        event.stop()
        self._text = event.value
        self._show()
