"""The main screen: the panes for projects, files and uploads, all showing the same upload."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen

from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import Project
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.tui.engine.commands import Commands, CommandScope
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.files.pane import FilesPane
from tui_uploader.tui.keys import EVERYWHERE, keys_of
from tui_uploader.tui.lines.glyphs import Glyphs
from tui_uploader.tui.messages import AttachmentChanged, Noticed
from tui_uploader.tui.panes.empty_state import empty_lines
from tui_uploader.tui.panes.pane import Pane
from tui_uploader.tui.panes.plain_status import PlainStatus
from tui_uploader.tui.panes.projects import ProjectsPane
from tui_uploader.tui.panes.uploads import UploadsPane
from tui_uploader.tui.terminal.resizing import ResizeGuard
from tui_uploader.tui.widgets.first_line import FirstLine, engine_trouble
from tui_uploader.tui.widgets.key_bar import KeyBar
from tui_uploader.tui.widgets.news_band import NewsBand
from tui_uploader.tui.widgets.notices import Notices

_SMALLEST = (60, 16)
_WIDE, _WIDEST = 100, 150


class MainScreen(ResizeGuard, Screen[None]):
    """Keeps the panes on one upload and tells commands what is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape", "app.close_news", "close the news", show=False, priority=True),
        *EVERYWHERE,
    ]
    AUTO_FOCUS = ""  # Textual's choice may be a pane that a small terminal hides

    class Ready(Message):
        """The screen is mounted."""

    def __init__(
        self, session: EngineSession, glyphs: Glyphs, commands: Commands, *, wall: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._session = session
        self._commands = commands
        self._status: EngineStatus | None = None
        self._accounts: tuple[Account, ...] | None = None
        self._shown_upload: int | None = None
        """The upload whose files are shown; None: the project under the cursor has no upload."""
        self._awaited_upload: int | None = None
        """A new upload, to be shown as soon as the engine reports it."""
        self._pane = "files"
        """The focused pane, or the last one while all are hidden."""
        self.projects = ProjectsPane(glyphs)
        self.files = FilesPane(session, glyphs)
        self.uploads = UploadsPane(glyphs, wall=wall)
        self._panes: dict[str, Pane[Any]] = {"projects": self.projects, "files": self.files, "uploads": self.uploads}
        self.news = NewsBand(glyphs, wall=wall, id="news")
        self.notices = Notices(id="notices")
        self.key_bar = KeyBar(id="key-bar")
        self._plain_status = PlainStatus(glyphs, id="plain-status")
        self.first_line = FirstLine(glyphs, wall=wall, id="first-line")

    def compose(self) -> ComposeResult:
        self._fit(self.app.size)  # before the widgets exist: they are styled once
        yield self.first_line
        with Horizontal(id="middle"):
            yield self.projects
            yield self.files
        yield self.news
        yield self.uploads
        yield self._plain_status
        yield self.notices
        yield self.key_bar

    def on_mount(self) -> None:
        self.files.table.focus()
        self._show_files()
        self.post_message(self.Ready())

    @property
    def pane(self) -> str:
        """The focused pane: `projects`, `files` or `uploads`."""
        around = self.focused.ancestors_with_self if self.focused else ()
        return next((node.id for node in around if node.id in self._panes), None) or self._pane

    # --------------------------------------------------------------------------------------------- content

    def show_status(self, status: EngineStatus) -> None:
        first = self._status is None
        self._status = status
        self.first_line.show_status(status)
        self.projects.show_status(status)
        self.uploads.show_status(status)
        known = {upload.upload for upload in status.uploads}
        if self._awaited_upload is not None and self._awaited_upload in known:
            self.show_upload(self._awaited_upload)
        elif first and status.uploads:
            self.show_upload(next((each.upload for each in reversed(status.uploads) if not each.settled), max(known)))
        elif self._shown_upload is None and self.projects.current is not None:
            self._shown_upload = self.projects.current.upload
        self._show_files()
        self._plain_status.show(status, self.first_line.banner)

    def show_projects(self, projects: tuple[Project, ...], accounts: tuple[Account, ...]) -> None:
        self._accounts = accounts
        self.first_line.show_accounts(accounts)
        self.projects.show_projects(projects)
        self.uploads.show_projects(projects)
        if self._shown_upload is not None:
            self.projects.select_upload(self._shown_upload)
        self._show_files()

    def show_attachment(self, change: AttachmentChanged) -> None:
        """Report a missing engine in the first line; the panes keep their last content."""
        self.first_line.show_engine(engine_trouble(change.attachment, change.reason))
        self._plain_status.show(self._status, self.first_line.banner)
        self._show_files()

    def show_notice(self, notice: Noticed) -> None:
        """Show `notice` above the uploads pane, where it covers only the last files."""
        self.notices.show(notice, self._lines_below)

    @on(UploadsPane.Resized)
    @on(NewsBand.Resized)
    def _move_notice(self) -> None:
        self.notices.move_above(self._lines_below)

    @property
    def _lines_below(self) -> int:
        return self.news.lines + self.uploads.outer_size.height + self.key_bar.outer_size.height

    def show_upload(self, upload: int) -> None:
        """Show this upload in all panes, as soon as the engine reports it."""
        self._shown_upload = upload
        self._awaited_upload = upload if self._current_status() is None else None
        self.projects.select_upload(upload)
        self.uploads.select(upload)
        self._show_files()

    def show_project(self, project: Project) -> None:
        """Put the cursor on this project, which may be too new to be listed."""
        if all(known.id != project.id for known in self.projects.listed):
            self.projects.show_projects((*self.projects.listed, project))
        self.projects.select_project(project)
        self._shown_upload = self.projects.current.upload if self.projects.current else None
        self._show_files()

    def _current_status(self) -> UploadStatus | None:
        uploads = self._status.uploads if self._status else ()
        return next((upload for upload in uploads if upload.upload == self._shown_upload), None)

    def _show_files(self) -> None:
        """Show the files of the upload; of a dismissed one without counts, which the engine no longer reports."""
        row, upload = self.projects.current, self._current_status()
        name = upload.project_name if upload else row.project.name if row else ""
        empty = empty_lines(self._session.attachment, self._accounts, row, upload)
        self.files.show(self._shown_upload, name, upload.counts if upload else None, empty)

    def scope(self) -> CommandScope:
        """The upload, project and files that a command given now applies to."""
        row = self.projects.current
        return CommandScope(
            upload=self._current_status(),
            project=row.project if row else None,
            uploads=row.uploads if row else (),
            files=self.files.selected_ids(),
            forget_selection=self.files.select,
        )

    # ------------------------------------------------------------------------------------- actions

    def action_command(self, name: str) -> None:
        getattr(self._commands, name)(self.scope())

    def action_focus_pane(self, pane: str) -> None:
        self.set_class(pane == "projects", "-switching")
        if pane == "uploads":
            self.uploads.remove_class("-folded")
        self._panes[pane].table.focus()

    def action_toggle_uploads(self) -> None:
        if not self.uploads.toggle() and self.pane == "uploads":
            self.files.table.focus()

    @on(Pane.RowHighlighted)
    def _follow_cursor(self, event: Pane.RowHighlighted) -> None:
        if event.pane is self.files:
            return
        upload = event.row.upload
        if upload is not None:
            self.uploads.select(upload)
            self.projects.select_upload(upload)
        self._shown_upload = upload
        self._show_files()

    @on(Pane.RowOpened)
    def _open(self, event: Pane.RowOpened) -> None:
        upload, _ = self.files.shown_query
        if event.pane is self.files and upload is not None:
            from tui_uploader.tui.screens.details import DetailsScreen  # the first frame does without it

            item = event.row
            ask_facts = partial(self._session.ask, lambda engine: engine.photo_facts(upload, item.id))
            self.app.push_screen(DetailsScreen.of_file(item, ask_facts))
        else:
            self.action_focus_pane("files")

    def on_descendant_focus(self) -> None:
        self._pane = pane = self.pane
        self.key_bar.show(keys_of(pane))
        for name, each in self._panes.items():
            each.set_class(name == pane, "-active")
        if pane != "uploads":
            self.set_class(pane == "projects", "-switching")

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)
        self.call_after_refresh(self._focus_again)

    def _focus_again(self) -> None:
        """Return to the last pane, if the terminal was too small for it in between."""
        if self.focused is None and not self.has_class("-tiny"):
            self.action_focus_pane(self._pane)

    def _fit(self, size: Size) -> None:
        width, height = size
        self.set_class(width < _WIDE, "-narrow")
        self.set_class(width >= _WIDEST, "-widest")
        self.set_class(width < _SMALLEST[0] or height < _SMALLEST[1], "-tiny")

    def on_screen_resume(self) -> None:
        self.news.shown_anew()
