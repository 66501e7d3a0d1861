"""The files pane, as the user works with it: filter, order, folds, the next problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui_uploader.model.files import FileItem, FileQuery, SortKey
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.tui.files.filter import FileFilter, parse_filter
from tui_uploader.tui.files.orders import clicked_sort, next_status
from tui_uploader.tui.files.rows import FileRow, Fold
from tui_uploader.tui.files.selecting import SelectableFiles
from tui_uploader.tui.files.title import filtered
from tui_uploader.tui.files.title_line import TitleLine
from tui_uploader.tui.files.views import FilesView, filter_text, view_key
from tui_uploader.tui.files.window import problem_lists, step
from tui_uploader.tui.keys import IN_FILES
from tui_uploader.tui.lines.table import LineTable
from tui_uploader.tui.subject.scope import ShownFiles
from tui_uploader.tui.widgets.filter_input import FilterInput


class FilesPane(SelectableFiles):
    """The keys of the pane of files."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *IN_FILES,
        Binding("escape", "back", "back", show=False),
    ]

    _cycled: FileStatus | None = None
    """The status chosen with `f`; None: all."""
    # ------------------------------------------------------------------------------------- each project's view

    def show(self, shown: ShownFiles, project: str, counts: Counts | None, size: int, empty: Sequence[str]) -> None:
        """As `FileList.show`; the files of another project are shown as they were the last time."""
        before = view_key(self.shown)
        another = view_key(shown) != before and not shown.continues(self.shown)
        if another:
            self._keep_view()
        super().show(shown, project, counts, size, empty)
        if another:
            self.restore_view(FilesView() if before is not None else None)

    def current_views(self) -> dict[str, FilesView]:
        self._keep_view()
        return dict(self.views)

    def _keep_view(self) -> None:
        key = view_key(self.shown)
        if key is None:
            return
        query, here = self.windows.query, self.current_file
        file = here.id if here is not None and self.table.moved else None
        self.views.pop(key, None)
        self.views[key] = FilesView(query.sort, query.descending, filter_text(query), file)

    def restore_view(self, otherwise: FilesView | None = None) -> None:
        """Show the files in the order, and with the filter, that were kept for them; None: as the user has chosen."""
        key = view_key(self.shown)
        view = self.views.get(key, otherwise) if key is not None else None
        if view is None:
            return
        wanted = parse_filter(view.filter)
        self._cycled = wanted.status
        if self.filter is not None:  # it opens with this text, mounted or not
            with self.filter.prevent(Input.Changed):
                self.filter.value = view.filter
        self.change_query(wanted.applied_to(replace(self.windows.query, sort=view.sort, descending=view.descending)))
        if view.file is not None:
            self.go_to(view.file)

    # ------------------------------------------------------------------------------------- filter and order

    async def action_filter(self) -> None:
        if self.filter is not None and not self.filter.is_attached:
            await self.mount(self.filter)
        await super().action_filter()
        self.show_title()

    @on(FilterInput.Finished)
    def _hide_filter(self) -> None:
        if self.filter is not None:
            self.filter.display = False
        self.show_title()

    @on(Input.Changed)
    def _filter_by_text(self, event: Input.Changed) -> None:
        event.stop()
        typed = parse_filter(event.value)
        self._show_only(replace(typed, status=typed.status or self._cycled))

    def action_next_status(self) -> None:
        self.filter_by(next_status(self.windows.query.status))

    @on(TitleLine.CountClicked)
    def _filter_by_count(self, event: TitleLine.CountClicked) -> None:
        event.stop()
        shown = self.windows.query.status
        self.filter_by(None if event.status is shown else event.status)

    def filter_by(self, status: FileStatus | None) -> None:
        """Show only files of this status, or of all; text that was typed to filter by stays."""
        self._cycled = status
        text = parse_filter(self.filter.value).text if self.filter else ""
        if self.filter and text != self.filter.value:
            self.filter.value = text
        self._show_only(FileFilter(status=status, text=text))

    def _show_only(self, wanted: FileFilter) -> None:
        self.end_range()
        self.change_query(wanted.applied_to(self.windows.query))

    def action_back(self) -> None:
        """End the range; without one remove the filter, then the selection, then fold what was unfolded."""
        if self.in_range:
            self.end_range()
        elif filtered(self.windows.query):
            here = self.current_file
            self.clear_filter()
            self._cycled = None
            self.change_query(FileFilter().applied_to(self.windows.query))
            if here is not None:
                self.go_to(here.id)
        elif self.table.marks:
            self.select()
        else:
            self.action_fold()

    def action_choose_sort(self) -> None:
        from tui_uploader.tui.files.sort_menu import SortMenu  # not needed for the first frame

        query = self.windows.query
        self.app.push_screen(SortMenu(query.sort, query.descending, self.glyphs), self._chosen_order)

    def _chosen_order(self, chosen: tuple[SortKey, bool] | None) -> None:
        if chosen is not None:
            self.sort_by(*chosen)

    def sort_by(self, sort: SortKey, descending: bool = False) -> None:
        self.end_range()
        self.change_query(replace(self.windows.query, sort=sort, descending=descending))

    @on(LineTable.HeaderClicked)
    def _sort_by_column(self, event: LineTable.HeaderClicked) -> None:
        event.stop()
        query = self.windows.query
        self.sort_by(*clicked_sort(event.sort, query.sort, query.descending))

    # ------------------------------------------------------------------------------------- folds

    def opens(self, row: FileRow) -> bool:
        """Enter on a fold shows its files; on a file the cursor stays, wherever that file moves."""
        self.table.moved = True
        if isinstance(row, Fold):
            self.windows.unfolded |= {row.status}
            self.windows.fetch()
            self.show_title()
        return isinstance(row, Fold)

    def action_fold(self) -> None:
        """Fold what was unfolded."""
        self.windows.unfolded = frozenset()
        self.windows.fetch()
        self.show_title()

    # ------------------------------------------------------------------------------------- the next file

    def action_next(self, files: int) -> None:
        """Go to the next file that the filter shows; without a filter to the next problem."""
        query = self.windows.query
        lists = [query] if filtered(query) else problem_lists(query)
        self.step(lists, files, "No problem: no file failed, and none is a duplicate.")

    def step_from(self, item: FileItem, files: int, then: Callable[[FileItem], object]) -> None:
        """Go to the file that is `files` after this one among all that the filter shows, and call `then` with it."""
        self.step([self.windows.query], files, "No other file.", then, current=item.id)

    def step(
        self,
        lists: Sequence[FileQuery],
        files: int,
        otherwise: str,
        then: Callable[[FileItem], object] = lambda _: None,
        *,
        current: int | None = None,
    ) -> None:
        """Put the cursor on the file that is `files` after it in these lists, and call `then` with that file."""
        shown, row = self.shown, self.current_file or self.table.window.row(self.table.cursor - 1)
        within = [replace(query, whole_project=shown.whole_project) for query in lists]

        def arrived(found: FileItem | None) -> None:
            if found is None:
                self.say(otherwise)
                return
            self.go_to(found.id)
            then(found)

        if current is None and isinstance(row, FileItem):
            current = row.id
        ask = partial(self.windows.ask, shown)
        self.session.call("next file", lambda _: step(ask, within, current, files), arrived, hold_keys=True)
