"""The main screen: the panes for projects, files and uploads, all about the row under the cursor."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from msgspec.structs import replace
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.files import FileItem, PhotoFacts
from tui_uploader.model.projects import Project
from tui_uploader.tui.engine.commands import Commands
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.files.pane import FilesPane
from tui_uploader.tui.keys import EVERYWHERE, MOVED, why_not
from tui_uploader.tui.lines.glyphs import Glyphs
from tui_uploader.tui.messages import Attachment, AttachmentChanged, Noticed
from tui_uploader.tui.panes.focus import PaneFocus
from tui_uploader.tui.panes.pane import Pane
from tui_uploader.tui.panes.plain_status import PlainStatus
from tui_uploader.tui.panes.projects import ProjectsPane
from tui_uploader.tui.panes.uploads import UploadsPane
from tui_uploader.tui.screens.file_preview import FilePreview
from tui_uploader.tui.screens.panes_layout import PanesLayout
from tui_uploader.tui.subject.scope import CommandScope
from tui_uploader.tui.subject.typed_ahead import must_wait
from tui_uploader.tui.widgets.bar_keys import bar_keys
from tui_uploader.tui.widgets.first_line import FirstLine, engine_trouble
from tui_uploader.tui.widgets.key_bar import KeyBar
from tui_uploader.tui.widgets.news_band import NewsBand, starting_of
from tui_uploader.tui.widgets.notices import Notices


class MainScreen(PanesLayout):
    """Puts the panes together, and gives commands what is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape", "app.close_news", "close the news", show=False, priority=True),
        *EVERYWHERE,
        Binding("h", "focus_beside(-1)", "previous pane", show=False),
        Binding("l", "focus_beside(1)", "next pane", show=False),
    ]
    AUTO_FOCUS = ""  # Textual's choice may be a pane that a small terminal hides

    class Ready(Message):
        """The screen is mounted."""

    def __init__(
        self,
        session: EngineSession,
        glyphs: Glyphs,
        commands: Commands,
        *,
        wall: Callable[[], float] = time.time,
        read_only: bool = False,
    ) -> None:
        super().__init__()
        self.wall = wall
        self._read_only = read_only
        self._session = session
        self._commands = commands
        self._glyphs = glyphs
        self.leaving: Callable[[], None] = lambda: None
        """Called when the app ends."""
        self.told: set[str] = set()
        """The keys of former versions that were explained."""
        self.projects = ProjectsPane(glyphs)
        self.files = FilesPane(session, glyphs, wall=wall)
        self._preview = FilePreview(self, self.files, session, glyphs)
        self.uploads = UploadsPane(glyphs, wall=wall)
        self.panes = PaneFocus(self.projects, self.files, self.uploads, lambda: self.pane, self._show_keys)
        self.news = NewsBand(glyphs, wall=wall, id="news")
        self.notices = Notices(id="notices")
        self.key_bar = KeyBar(id="key-bar")
        self._plain_status = PlainStatus(glyphs, id="plain-status")
        self.first_line = FirstLine(glyphs, wall=wall, id="first-line")
        self.first_line.read_only = read_only

    def compose(self) -> ComposeResult:
        self.fit(self.app.size)  # before the widgets exist: they are styled once
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
        self.panes.align()
        self.post_message(self.Ready())

    # --------------------------------------------------------------------------------------------- content

    def show_status(self, status: EngineStatus) -> None:
        self.first_line.show_status(status)
        self.news.show_starting(starting_of(status.uploads))
        self.panes.show_status(status)
        self._plain_status.show(status, self.first_line.banner)

    def show_projects(self, projects: tuple[Project, ...], accounts: tuple[Account, ...]) -> None:
        self.first_line.show_accounts(accounts)
        self.panes.show_projects(projects, accounts)

    def show_attachment(self, change: AttachmentChanged) -> None:
        """Report a missing engine in the first line; the panes keep their last content."""
        self.first_line.show_engine(engine_trouble(change.attachment, change.reason))
        self._plain_status.show(self.panes.status, self.first_line.banner)
        self.panes.show_attachment(change.attachment)

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

    def scope(self) -> CommandScope:
        """What a command given now applies to."""
        return replace(
            self.panes.scope(self.pane),
            engine_runs=self._session.attachment in (Attachment.ATTACHED, Attachment.ATTACHING),
            undoable=self._commands.undoable,
            read_only=self._read_only,
            files_changed=self._show_changed_files,
        )

    def must_wait(self, event: events.Event) -> bool:
        """Whether a key is about something that the engine has not answered yet."""
        if not self.is_active or isinstance(self.focused, Input):
            return False
        key = event.key if isinstance(event, events.Key) else ""
        session, files = self._session, self.files
        in_files = self.pane == "files" and session.attachment is Attachment.ATTACHED
        starts = session.attachment in (Attachment.ATTACHING, Attachment.ATTACHED) and self.panes.status is None
        return must_wait(
            key,
            answer_due=session.holding > 0 or (in_files and files.windows.outdated),
            row_unknown=starts or (in_files and files.current is None and files.table.window.total > 0),
        )

    def _show_changed_files(self) -> None:
        self.files.select()
        self.files.windows.reload()

    def _show_keys(self) -> None:
        self.key_bar.show(bar_keys(self.scope()))

    # ------------------------------------------------------------------------------------- actions

    async def action_command(self, name: str) -> None:
        if not await self.files.settle():
            self.files.say("The engine has not told yet which files are selected. Press the key again.")
            return
        self.give(name, self.scope())

    def give(self, name: str, scope: CommandScope) -> bool:
        """Give a command to this scope, or tell the user why that cannot be done; return whether it could."""
        if self.refuses(f"command('{name}')", scope):
            return False
        getattr(self._commands, name)(scope)
        return True

    def command_on(self, name: str, item: FileItem) -> bool:
        """Give the command for this file alone, which another screen shows; return whether it could be given."""
        own = replace(self.scope(), pane="files", item=item, files=(item.id,), selected=False, folded=0)
        return self.give(name, replace(own, files_changed=self.files.windows.reload))

    async def photo_facts(self, item: FileItem) -> PhotoFacts:
        """Raises UploaderError."""
        upload = item.upload or self.files.shown.upload or 0
        return await self._session.ask(lambda engine: engine.photo_facts(upload, item.id))

    def refuses(self, action: str, scope: CommandScope) -> bool:
        """Tell the user why the action cannot be done now, if so."""
        refusal = why_not(action, scope)
        if refusal:
            self.post_message(Noticed(refusal))
        return bool(refusal)

    def on_key(self, event: events.Key) -> None:
        """Tell once where a key of former versions went, instead of acting."""
        if event.key in MOVED and (event.key not in self.told or event.key not in self.active_bindings):
            self.told.add(event.key)
            self.post_message(Noticed(MOVED[event.key], seconds=10.0))
            event.stop()
            event.prevent_default()

    @on(Pane.RowHighlighted)
    def _forget_awaited(self) -> None:
        self.panes.forget_awaited()

    @on(Pane.CurrentChanged)
    def _follow_row(self, event: Pane.CurrentChanged) -> None:
        if event.pane is self.files:
            self._show_keys()
            self._preview.restart()
        else:
            self.panes.align()

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self._preview.restart)

    @on(Pane.RowOpened)
    def _open(self, event: Pane.RowOpened) -> None:
        upload, _ = self.files.shown_query
        if event.pane is self.files and upload is not None:
            from tui_uploader.tui.screens.file_details import FileDetailsScreen  # the first frame does without it

            self.app.push_screen(FileDetailsScreen(self, event.row))
        else:
            self.action_focus_pane("files")

    def on_unmount(self) -> None:
        self.leaving()

    def on_screen_resume(self) -> None:
        self.news.shown_anew()
