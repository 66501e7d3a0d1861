"""What the files pane shows: files of an upload or of a whole project, of which only those around the view are in
memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from tui_uploader.model.files import FileItem, FileQuery, FileWindow
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.files.columns import Look, Widths, file_cells, file_columns
from tui_uploader.tui.files.folders import FolderNames, folder_of
from tui_uploader.tui.files.orders import DEFAULT
from tui_uploader.tui.files.rows import FileRate, FileRow, Fold, file_rates, fold_spans, row_key, rows_of
from tui_uploader.tui.files.title import Title, empty_words, filtered
from tui_uploader.tui.files.title_line import InfoLine, TitleLine
from tui_uploader.tui.files.views import FilesView
from tui_uploader.tui.files.window import WindowKeeper
from tui_uploader.tui.lines.columns import Column, cell_text
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.panes.pane import Pane
from tui_uploader.tui.subject.scope import ShownFiles

FILTER_HINT = "name, /folder, :failed :moving :renamed :nogps :damaged :waiting; ! in front: all but these"


class FileList(Pane[FileRow]):
    """Rows, columns, title, and the line below the rows while something is selected, filtered or unfolded."""

    def __init__(
        self,
        session: EngineSession,
        glyphs: Glyphs,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        # "-active": this pane has the focus at first.
        super().__init__(file_columns(Widths()), glyphs, id="files", filter_hint=FILTER_HINT, classes="-active")
        self.session = session
        self.title_line: TitleLine = TitleLine(glyphs, id="files-title", classes="pane-title")
        self.info_line = InfoLine(glyphs, id="files-info")
        self.windows = WindowKeeper(session, self.table, self._put_window)
        self.windows.query = FileQuery(sort=DEFAULT)
        self.ranging = False
        self.views: dict[str, FilesView] = {}
        """How files are shown that were shown before, by `view_key`."""
        self._clock, self._wall = clock, wall
        self._title = Title("")
        self._empty: tuple[str, ...] = ()
        """Lines shown when there are no files."""
        self._window_known = False
        self._rates: dict[int, FileRate] = {}
        self._folders = FolderNames()
        self._widths = Widths()

    def on_mount(self) -> None:
        self.show_title()
        self.run_worker(self.windows.run(), name="files window", group="files window", description="files window")

    # --------------------------------------------------------------------------------------------- content

    def show(self, shown: ShownFiles, project: str, counts: Counts | None, size: int, empty: Sequence[str]) -> None:
        """Show these files, of so many bytes; without an upload or without files, the lines of `empty`."""
        before, self.windows.shown = self.windows.shown, shown
        if not shown.continues(before):
            self.windows.unfolded = frozenset()
            self._rates.clear()
            self._folders.forget()
            self._widths = Widths()
            self._title = Title("")
            self._forget_window()
        self._title = replace(self._title, name=cell_text(project).strip(), counts=counts, bytes=size)
        self.windows.counts = counts
        self._empty = tuple(empty)
        self._show_empty()
        self.windows.fetch()
        self.show_title()

    def _show_empty(self) -> None:
        query, known = self.windows.query, self._window_known or self.shown.upload is None
        lines: Sequence[str] = self._empty if known else ()
        if known and filtered(query) and self.shown.upload is not None:
            lines = empty_words(self._title, self.glyphs)
        self.table.show_empty([Span(line, "muted") for line in lines])

    def show_title(self) -> None:
        """Show the title, and the line below the files, as they are now."""
        has_files = self.shown.upload is not None
        self._title = replace(
            self._title,
            query=self.windows.query,
            matching=self._title.matching if has_files else None,
            selected=len(self.table.marks),
            ranging=self.ranging,
            unfolded=tuple(sorted(self.windows.unfolded)),
        )
        self.title_line.show_title(self._title)
        typing = self.filter is not None and self.filter.is_attached and self.filter.display
        self.info_line.show_title(self._title)
        if self.info_line.wanted and not self.info_line.is_attached and self.is_attached:
            self.mount(self.info_line)
        self.info_line.display = self.info_line.wanted and not typing

    def key(self, row: FileRow) -> Hashable:
        return row_key(row)

    def cells(self, row: FileRow, columns: Sequence[tuple[Column, int]]) -> Sequence[Sequence[Span]]:
        today = datetime.fromtimestamp(self._wall()).date()
        look = Look(self.glyphs, self._folders, self._rates, today)
        return file_cells(row, columns, look) if isinstance(row, FileItem) else [[] for _ in columns]

    def whole(self, row: FileRow) -> Sequence[Span] | None:
        return None if isinstance(row, FileItem) else fold_spans(row, self.glyphs)

    def _put_window(self, window: FileWindow, goal: int | None) -> None:
        self._rates = file_rates(self._rates, window.files, self._clock())
        originals = (folder_of(file.duplicate_of) for file in window.files if file.duplicate_of)
        if self._folders.see([*(folder_of(file.path) for file in window.files), *originals]):
            self.table.refresh()
        self._widths = self._widths.including(window.files, self._folders)
        self.table.show_columns(file_columns(self._widths))
        self.table.put(window.offset, rows_of(window), window.total, follow=self.table.moved)
        if goal is not None and (index := self.table.window.index_of(goal)) is not None:
            self.table.go_to(index)
        self._window_known = True
        matching = window.total if window.matching is None else window.matching
        self._title = replace(self._title, matching=matching)
        self._show_empty()
        self.show_title()

    def on_resize(self) -> None:
        self.windows.fetch()  # another number of files fits before the folds

    def rows_wanted(self) -> None:
        self.windows.fetch()

    def change_query(self, query: FileQuery) -> None:
        """Show files by another filter or order. A cursor that was moved stays on its file in another order."""
        before, self.windows.query = self.windows.query, query
        if query == before:
            return
        if not self.table.moved or query != replace(before, sort=query.sort, descending=query.descending):
            marks = set(self.table.marks)
            self._forget_window()
            self.table.marks |= marks
        self.table.show_sorted("" if query.sort == DEFAULT else query.sort, query.descending)
        self._show_empty()
        self.windows.fetch()
        self.show_title()

    def _forget_window(self) -> None:
        """Nothing is claimed about the files until the engine has answered."""
        self._window_known = False
        self._title = replace(self._title, matching=None)
        self.table.start_over()

    # ------------------------------------------------------------------------------------- for other screens

    @property
    def folded(self) -> int:
        """Number of files for which the line under the cursor stands; 0: it is a file."""
        row = self.table.current
        return row.files if isinstance(row, Fold) else 0

    @property
    def current_file(self) -> FileItem | None:
        """The file under the cursor; None on a fold."""
        row = self.table.current
        return row if isinstance(row, FileItem) else None

    @property
    def shown_query(self) -> tuple[int | None, FileQuery]:
        """The upload shown, with filter and order of its files, of which none are folded."""
        return self.shown.upload, replace(self.windows.query, whole_project=self.shown.whole_project)

    @property
    def shown(self) -> ShownFiles:
        return self.windows.shown

    def selected_ids(self) -> tuple[int, ...]:
        """The ids of the selected files, which may be out of view."""
        return tuple(sorted(mark for mark in self.table.marks if isinstance(mark, int)))

    def select(self, marks: Iterable[Hashable] = ()) -> None:
        """Select the files with these ids, and no others."""
        self.table.marks = set(marks)
        self.table.refresh()
        self.show_title()
        self.post_changed()

    def toggle(self, file: int) -> None:
        """Select the file, or no longer."""
        self.select(self.table.marks ^ {file})

    def go_to(self, file: int) -> None:
        """Put the cursor on this file, wherever it is among the files."""
        self.windows.go_to(file)

    def say(self, text: str) -> None:
        self.app.post_message(Noticed(text))
