"""The projects at the left; in a narrow terminal they take the place of the files while one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from tui_uploader.model import EngineStatus, Project
from tui_uploader.tui.columns import Column
from tui_uploader.tui.glyphs import Glyphs, Span
from tui_uploader.tui.keys import IN_PROJECTS
from tui_uploader.tui.panes.project_rows import COLUMNS, ProjectRow, matching, project_cells, project_rows
from tui_uploader.tui.widgets.filter_input import FilterInput
from tui_uploader.tui.widgets.line_table import LineTable, LineView, Shape
from tui_uploader.tui.widgets.spans import SpanLine

_NO_PROJECT = ("No project yet.", "", "n makes one,", "u uploads files into a new one.")


class ProjectsPane(Vertical):
    """Shows the projects, and tells which one the user looks at."""

    BINDINGS: ClassVar[list[BindingType]] = [*IN_PROJECTS, Binding("escape", "back", "back", show=False)]

    @dataclass
    class Chosen(Message):
        """The cursor is on another project."""

        row: ProjectRow

    @dataclass
    class Opened(Message):
        """The user wants to see the project's files."""

        row: ProjectRow

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self.listed: tuple[Project, ...] = ()
        """As the engine told them last."""
        self._status: EngineStatus | None = None
        self._text = ""
        shape: Shape[ProjectRow] = Shape(COLUMNS, key=lambda row: row.key, cells=self._cells)
        self.table = LineTable(shape, glyphs, id="projects-table")
        self._title = SpanLine(glyphs, id="projects-title", classes="pane-title")
        self._filter = FilterInput(id="projects-filter")

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._filter
        yield self.table

    def on_mount(self) -> None:
        self._show()

    @property
    def current(self) -> ProjectRow | None:
        return self.table.current

    def show_status(self, status: EngineStatus) -> None:
        self._status = status
        self._show()

    def show_projects(self, projects: tuple[Project, ...]) -> None:
        self.listed = projects
        self._show()

    def select_upload(self, upload: int) -> None:
        """Put the cursor on the project that this upload goes to."""
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
        every = project_rows(self.listed, self._status)
        rows = matching(every, self._text)
        empty = _NO_PROJECT if not every else ("No project matches.",)
        self.table.show_empty([Span(line, "muted") for line in empty])
        self.table.put(0, rows, len(rows))
        count = f"  {len(rows):,} of {len(every):,}" if self._text else f"  {len(every):,}"
        self._title.show([Span("1 Projects", "strong"), Span(count)])

    def _cells(self, row: ProjectRow, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        return project_cells(row, columns, self._glyphs)

    # ------------------------------------------------------------------------------------- what the user does

    def action_filter(self) -> None:
        self._filter.open()

    async def action_back(self) -> None:
        """Without a filter; then to the files, where the terminal has no room for both."""
        if self._text:
            self._filter.drop()
        elif self.screen.has_class("-switching"):
            await self.run_action("screen.focus_pane('files')")

    @on(LineTable.CursorMoved)
    def _choose(self, event: LineTable.CursorMoved) -> None:
        event.stop()
        self._tell_choice()

    @on(LineTable.Opened)
    def _open(self, event: LineTable.Opened) -> None:
        event.stop()
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    @on(LineView.WindowWanted)
    def _ignore(self, event: LineView.WindowWanted) -> None:
        event.stop()

    @on(Input.Changed)
    def _filter_by_text(self, event: Input.Changed) -> None:
        event.stop()
        self._text = event.value
        self._show()
        self._tell_choice()

    def _tell_choice(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self.current))

    @on(FilterInput.Left)
    def _leave_filter(self, event: FilterInput.Left) -> None:
        event.stop()
        self.table.focus()
