"""Do what was typed behind the colon, to what was under the cursor when the prompt was opened."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.app import App

from tui_uploader.errors import UsageError
from tui_uploader.model.watches import Watch
from tui_uploader.settings import home_folder
from tui_uploader.text import printable
from tui_uploader.tui.command_line.command_table import Command, commands_for
from tui_uploader.tui.command_line.prompt import Then
from tui_uploader.tui.command_line.typed import bandwidth_change, parse_command, parse_order, parse_theme
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.key import Key
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.screens.main import MainScreen
from tui_uploader.tui.subject import refusals
from tui_uploader.tui.subject.scope import CommandScope, as_it_is_now, is_about_same_row
from tui_uploader.tui.verification.checks import CardChecks
from tui_uploader.tui.widgets.key_bar import KeyBar


class TypedCommands:
    """The commands of one prompt."""

    def __init__(self, app: App[Any], session: EngineSession, main: MainScreen, checks: CardChecks) -> None:
        self._app = app
        self._session = session
        self._main = main
        self._checks = checks
        self._opened = main.scope()

    def scope(self) -> CommandScope:
        """The rows of the moment when the prompt was opened, as they are now."""
        return as_it_is_now(self._opened, self._main.scope(), self._session.status)

    def known(self) -> tuple[Command, ...]:
        return commands_for(self.scope(), sorted(self._app.available_themes), (each.path for each in self._watches))

    @property
    def _watches(self) -> tuple[Watch, ...]:
        return self._session.status.watches if self._session.status is not None else ()

    async def run(self, text: str) -> Then:
        """Check it, and send it to the engine where that may refuse it. Raises UploaderError."""
        command, argument = parse_command(text, self.known())
        if not argument:
            return self._without_argument(command)
        match command.name:
            case "sort":
                return partial(self._main.files.sort_by, *parse_order(argument))
            case "filter":
                pane = self._main.projects if self._opened.pane == "projects" else self._main.files
                return partial(pane.filter_by_text, argument)
            case "theme":
                return partial(setattr, self._app, "theme", parse_theme(argument, self._app.available_themes))
            case "watch" | "unwatch":
                return await self._change_watches(command.name, argument)
            case "verify":
                return partial(self._checks.show, await self._checks.start_typed(argument))
        change = bandwidth_change(command.name, argument)
        state = await self._session.ask(lambda engine: engine.set_bandwidth(change))
        return partial(self._app.post_message, Noticed(f"Bandwidth from now on: {state.holds}."))

    async def _change_watches(self, name: str, folder: str) -> Then:
        """Raises UploaderError."""
        from tui_uploader.tui.watches.new_watch import watch_request
        from tui_uploader.wording.watches import added, removed

        await self._session.login_settled.wait()
        request = watch_request(folder, home_folder(), account=self._session.account)
        if name == "watch":
            watch = await self._session.ask(lambda engine: engine.watches.add(request))
            return partial(self._app.post_message, Noticed(added(watch)))
        wanted = (folder, request.path, request.path.rstrip("/"))
        known = next((watch for watch in self._watches if watch.path in wanted), None)
        if known is None:
            raise UsageError(f"{printable(folder)} is not watched; Tab lists the folders that are.")
        await self._session.ask(lambda engine: engine.watches.remove(known.watch))
        return partial(self._app.post_message, Noticed(removed(known)))

    def _without_argument(self, command: Command) -> Then:
        key = command.key
        if key is None:
            return self._app.action_change_theme
        name, _, argument = key.action.rpartition(".")[2].partition("(")
        if name == "command":
            return lambda: self._main.give(argument.strip("')"), self.scope())
        return self._press(key)

    def _press(self, key: Key) -> Then:
        """For keys that act on the row under the cursor as the panes know it. Raises UsageError if that changed."""
        if key.refusal is not refusals.none and not is_about_same_row(self._opened, self._main.scope()):
            raise UsageError("Another row has come under the cursor: nothing was done. Esc closes; then type it again.")
        return partial(self._app.post_message, KeyBar.Pressed(key))
