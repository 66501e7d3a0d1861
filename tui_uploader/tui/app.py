"""The full-screen app: routes the engine's news to the screens, and the user's commands to the engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from inspect import isawaitable
from typing import Any, ClassVar

from textual import events, on
from textual.actions import SkipAction
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input

from tui_uploader.errors import UsageError
from tui_uploader.model.engine import EngineStatus
from tui_uploader.settings import Directories, NoticeSettings, load
from tui_uploader.text import printable
from tui_uploader.tui import keys
from tui_uploader.tui.dialogs import Dialogs
from tui_uploader.tui.engine.commands import Commands
from tui_uploader.tui.engine.notifications import news, without_notices
from tui_uploader.tui.engine.past import PastEvents
from tui_uploader.tui.engine.session import SLOW_STATUS_SECONDS, STATUS_SECONDS, Connect, EngineSession
from tui_uploader.tui.lines.contrast import ReadableApp
from tui_uploader.tui.lines.glyphs import glyph_set
from tui_uploader.tui.messages import (
    AttachmentChanged,
    Noticed,
    ProjectsArrived,
    ShowsNotices,
    StatusArrived,
    UnbracketedPaste,
)
from tui_uploader.tui.screens.main import MainScreen
from tui_uploader.tui.terminal import capabilities
from tui_uploader.tui.terminal.capabilities import SlowMode, Terminal, next_slow_mode
from tui_uploader.tui.terminal.driver import driver_class, terminal_driver
from tui_uploader.tui.terminal.key_hold import KeyHold
from tui_uploader.tui.terminal.title import TitleWriter
from tui_uploader.tui.view_state import ViewKeeper
from tui_uploader.tui.widgets.key_bar import KeyBar

_LOOK_SECONDS = 1.0
"""Between two looks at how far the terminal falls behind, and at the title."""
_LONGEST_SHOWN = 40
"""Characters of a paste in a notice."""


class UploaderApp(ReadableApp):
    """One terminal's view of the engine. Closing it stops nothing in the engine."""

    CSS_PATH: ClassVar = [
        "lines/spans.tcss",
        "lines/table.tcss",
        "widgets/first_line.tcss",
        "widgets/key_bar.tcss",
        "widgets/notices.tcss",
        "widgets/news_band.tcss",
        "widgets/filter_input.tcss",
        "panes/panes.tcss",
        "screens/main.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+l", "repaint", "repaint", show=False, priority=True),
        Binding("ctrl+c", "explain_quit", "how to quit", show=False, system=True),
        Binding("ctrl+p", "command_palette", "commands", show=False),  # without priority: dialogs have other uses
        Binding("ctrl+z", "suspend_process", "suspend", show=False, system=True),
    ]
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        directories: Directories,
        terminal: Terminal | None = None,
        *,
        slow: bool = False,
        in_demo: bool = False,
        read_only: bool = False,
        connect: Connect | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._terminal = terminal or Terminal()
        super().__init__(driver_class=driver_class(self._terminal.ascii_only))
        if self._terminal.theme is not None:
            self.theme = self._terminal.theme
        self.set_class(self._terminal.ascii_only, "-ascii")
        self.set_class(self._terminal.no_color, "-plain")
        self.parting_words = ""
        """Printed once the user is back in the shell."""
        self._asked_slow = slow
        self._in_demo = in_demo
        self._slow_mode = SlowMode()
        self._glyphs = glyph_set(self._terminal.ascii_only)
        self.session = EngineSession(self, directories, connect=connect, read_only=read_only)
        self._commands = Commands(self, self.session, self._confirm, self.copy_to_clipboard)
        self.main = MainScreen(self.session, self._glyphs, self._commands, wall=wall, read_only=read_only)
        self._dialogs = Dialogs(self, self.session, self.main, self._glyphs, self._commands, self._confirm)
        self._keys = KeyHold(self, self.main.must_wait)
        self._before: EngineStatus | None = None
        self._notices = NoticeSettings()
        self._title: TitleWriter | None = None
        self._past = PastEvents(self.session, self.post_message, wall)
        self._view = ViewKeeper(directories.state, self.main, wall)
        self.main.leaving = self._view.save
        self._directories = directories

    def get_default_screen(self) -> Screen[Any]:
        return self.main

    def on_load(self) -> None:
        """Ask the engine while the screen is composed, so that the first frame has rows."""
        self.session.start()

    @on(MainScreen.Ready)
    def _begin(self) -> None:
        self._set_slow(self._asked_slow)
        self.set_interval(_LOOK_SECONDS, self._look_at_terminal)
        with suppress(UsageError):  # the engine session reports broken settings
            self._notices = load(directories=self._directories).notices
        driver = terminal_driver(self)
        if driver is not None and self._notices.title:
            self._title = TitleWriter(self._terminal, driver.send)
            driver.at_end = self._title.end

    async def on_event(self, event: events.Event) -> None:
        """Keep keys back that are about something that the engine has not answered yet."""
        if isinstance(event, (events.InputEvent, events.Paste)) and not self.screen_stack:
            return  # at the end there is no screen: also for keys that come back from a widget
        arrives = isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded
        if not arrives or not self._keys.keeps(event):
            await super().on_event(event)

    # ---------------------------------------------------------------------------------- from the engine session

    @on(StatusArrived)
    def _route_status(self, event: StatusArrived) -> None:
        self.main.show_status(event.status)
        self._view.follow(event.status)
        if not self.session.login_settled.is_set():
            # Uploads that wait for a login may get one in a moment: their news come after that.
            self._before = self._before or without_notices(event.status)
            return
        found = news(self._before, event.status)
        self._before = event.status
        if found.problems:
            self._notice(
                Noticed(
                    " ".join((*found.problems, *found.remarks, *found.successes)),
                    "warning",
                    seconds=30.0,
                    attention=True,
                )
            )
        elif found.remarks:
            self._notice(Noticed(" ".join((*found.remarks, *found.successes)), "warning", seconds=15.0))
        elif found.successes:
            long_awaited = found.seconds >= self._notices.after
            self._notice(Noticed(" ".join(found.successes), seconds=15.0, attention=long_awaited))
        self.main.news.add(found.submitted)
        self._past.follow(event.status, away_since=self._view.last_seen)

    @on(AttachmentChanged)
    def _route_attachment(self, event: AttachmentChanged) -> None:
        self.main.show_attachment(event)

    @on(ProjectsArrived)
    def _route_projects(self, event: ProjectsArrived) -> None:
        self.main.show_projects(event.projects, event.accounts)

    @on(Noticed)
    def _notice(self, event: Noticed) -> None:
        self.main.show_notice(event)
        if self.screen is not self.main and isinstance(self.screen, ShowsNotices):
            self.screen.show_notice(event)
        driver = terminal_driver(self)
        if event.attention and driver is not None:
            driver.send(capabilities.alert("tui-uploader", event.text, self._terminal, self._notices))

    # -------------------------------------------------------------------------------------- from the user

    def _confirm(self, question: str, stakes: Sequence[str], yes: Callable[[], None]) -> None:
        from tui_uploader.tui.screens.confirm import ConfirmScreen  # not needed for the first frame

        self.push_screen(ConfirmScreen(question, stakes), lambda answer: yes() if answer else None)

    async def action_dialog(self, name: str) -> None:
        if not self.main.refuses(f"dialog('{name}')", self.main.scope()):
            opening = getattr(self._dialogs, name)()
            if isawaitable(opening):
                await opening

    def action_close_news(self) -> None:
        """Raises SkipAction where the key is for something else: text that is typed, or a row."""
        driver = terminal_driver(self)
        delay = driver.round_trip.latest if driver is not None else 0.0
        news = self.main.news
        if isinstance(self.focused, Input) or not (news.is_on_screen and news.takes_keys(delay)):
            raise SkipAction
        news.close()

    def action_restart_engine(self) -> None:
        if not self.main.refuses("restart_engine", self.main.scope()):
            self.session.restart()

    def action_detach(self) -> None:
        """Leave, and say that uploads continue in the background, unless this is a demo, whose engine ends too."""
        status = self.session.status
        if not self._in_demo and status is not None and any(not upload.settled for upload in status.uploads):
            self.parting_words = "Uploads continue in the background. Run tui-uploader to see them."
        self.exit()

    async def action_quit(self) -> None:
        self.action_detach()

    def action_explain_quit(self) -> None:
        self._notice(
            Noticed(
                "Press q to end the demo." if self._in_demo else "Press q to quit; uploads continue in the background."
            )
        )

    @on(KeyBar.Pressed)
    async def _press_key(self, event: KeyBar.Pressed) -> None:
        await self.run_action(event.binding.action, self._namespace(event.binding))

    def on_paste(self, event: events.Paste) -> None:
        """Files that are dropped on the terminal arrive as pasted paths."""
        if isinstance(event, UnbracketedPaste) and not self._is_drop(event.text):
            shown = printable(event.text.strip(), _LONGEST_SHOWN)
            self._notice(Noticed(f"Pasted text ignored, no command was run: {shown}", "warning"))
        elif self._dialogs.adds_files or (
            self.screen is self.main and not self.main.refuses("dialog('add_files')", self.main.scope())
        ):
            self._dialogs.add_files(dropped=event.text)

    def _is_drop(self, text: str) -> bool:
        from tui_uploader.tui.add_files.paths.resolve_paths import is_drop  # not needed for the first frame

        return self.screen is self.main and is_drop(text)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: every key by name, and the commands without a key."""
        if screen is self.main:
            panes: tuple[Sequence[Binding], ...] = (keys.IN_FILES, keys.EVERYWHERE)
            for binding in (binding for pane in panes for binding in pane):
                run = partial(self.run_action, binding.action, self._namespace(binding))
                yield SystemCommand(f"{binding.description}: {binding.tooltip}", f"key {binding.key_display}", run)
            for command in keys.WITHOUT_KEY:
                run = partial(self.run_action, command.action, self.main)
                yield SystemCommand(command.description, command.tooltip, run)
        yield SystemCommand("theme", "Change the colours", self.action_change_theme)

    def _namespace(self, binding: Binding) -> DOMNode:
        """The node that has the action: the pane for keys of a pane, else the main screen."""
        if binding in keys.IN_FILES:
            return self.main.files if binding.action != "open" else self.main.files.table
        if binding in keys.IN_PROJECTS or binding in keys.IN_UPLOADS:
            pane = self.main.projects if self.main.pane == "projects" else self.main.uploads
            return pane.table if binding.action == "open" else pane
        return self.main

    # ---------------------------------------------------------------------------------------------- the terminal

    def action_repaint(self) -> None:
        driver = terminal_driver(self)
        if driver is not None:
            driver.repaint()

    def copy_to_clipboard(self, text: str) -> None:
        driver = terminal_driver(self)
        if driver is not None:
            driver.send(capabilities.clipboard_copy(text, self._terminal))

    def _look_at_terminal(self) -> None:
        """Bring the title up to date. Send fewer frames to a terminal that falls behind, and show that."""
        if self._title is not None and self.session.status is not None:
            self._title.show(self.session.status, time.monotonic())
        driver = terminal_driver(self)
        if driver is None or self._asked_slow:
            return
        self._slow_mode = next_slow_mode(self._slow_mode, driver.lag(), time.monotonic())
        self._set_slow(self._slow_mode.on)

    def _set_slow(self, slow: bool) -> None:
        self.session.interval = SLOW_STATUS_SECONDS if slow else STATUS_SECONDS
        self.main.key_bar.show_note("slow connection" if slow else "")
