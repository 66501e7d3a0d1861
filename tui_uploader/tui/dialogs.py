"""Open the dialogs over the main screen, and act on their results.

Each is imported when it is opened: the first frame does not need it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual.app import App

from tui_uploader.errors import EngineUnreachable
from tui_uploader.model.engine import Bandwidth, BandwidthChange
from tui_uploader.model.projects import NewProject, ProjectKind
from tui_uploader.model.results import ResultQuestion
from tui_uploader.model.uploads import AddRequest, Skipped
from tui_uploader.model.watches import Watch, WatchRequest
from tui_uploader.settings import home_folder
from tui_uploader.text import printable
from tui_uploader.tui.engine.commands import Commands, Confirm
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.engine.undo import addition
from tui_uploader.tui.lines.glyphs import Glyphs
from tui_uploader.tui.messages import Attachment, Noticed
from tui_uploader.tui.screens.main import MainScreen
from tui_uploader.tui.verification.checks import CardChecks
from tui_uploader.wording.files import not_an_image

if TYPE_CHECKING:
    from tui_uploader.tui.add_files.screen import AddFilesScreen

_LONGEST_NAME = 60
"""Characters of a project's name in a sentence."""


class Dialogs:
    """The methods whose names are in `keys.py`."""

    def __init__(
        self,
        app: App[Any],
        session: EngineSession,
        main: MainScreen,
        glyphs: Glyphs,
        commands: Commands,
        confirm: Confirm,
    ) -> None:
        self._app = app
        self._commands = commands
        self._adding: AddFilesScreen | None = None
        """The dialog for adding files that was opened last."""
        self._session = session
        self._main = main
        self._glyphs = glyphs
        self._checks = CardChecks(
            app,
            session,
            glyphs,
            commands,
            confirm,
            scope=main.scope,
            here=lambda: os.fspath(_folder_of_shell()),
            queued=main.panes.show_upload,
        )

    async def verify(self) -> None:
        await self._checks.open()

    def add_files(self, dropped: str = "") -> None:
        """`dropped`: a paste, on the main screen or, if the dialog was about to open, meant for it."""
        from tui_uploader.tui.add_files.outlook import Sending
        from tui_uploader.tui.add_files.screen import AddFilesScreen

        if self._adding is not None and self.adds_files:
            self._adding.add_paste(dropped)
            return
        self._session.refresh_projects()
        self._adding = AddFilesScreen(
            self._main.scope().project if self._main.pane == "projects" else None,
            lambda: self._main.projects.listed,
            _folder_of_shell(),
            self._add,
            dropped=dropped,
            glyphs=self._glyphs,
            sending=lambda: Sending.of(self._session.status),
            list_skipped=self._list_skipped,
            ask_results=self._recognise,
            confirm=self._ask,
        )
        self._app.push_screen(self._adding)

    @property
    def adds_files(self) -> bool:
        """Whether the dialog for adding files is open."""
        return self._adding is not None and self._app.screen is self._adding

    async def _add(self, request: AddRequest, words: str) -> None:
        """`words`: what is added. Raises UploaderError if the engine refuses it, EngineUnreachable without engine."""
        self._need_engine("Press Ctrl+S again to upload.")
        await self._session.login_settled.wait()
        owned = replace(request, account=request.account or self._account_for(request))
        upload = await self._session.ask(lambda engine: engine.add(owned))
        self._main.panes.show_upload(upload.upload)
        self._session.refresh_projects()
        name = printable(upload.project_name, _LONGEST_NAME)
        if upload.addition is not None:
            self._commands.note(addition(upload.addition, words, name))
        self._say(f"{words} added to {name}; U takes them out.")

    async def _recognise(self, request: AddRequest) -> tuple[ResultQuestion, ...]:
        """Raises UploaderError if the engine does not take these results, EngineUnreachable without engine."""
        self._need_engine("Press Ctrl+S again to upload.")
        await self._session.login_settled.wait()
        owned = replace(request, account=request.account or self._account_for(request))
        return await self._session.ask(lambda engine: engine.results.survey(owned))

    async def _ask(self, question: str, stakes: Sequence[str]) -> bool:
        """For workers: the answer to a question."""
        from tui_uploader.tui.screens.confirm import ConfirmScreen

        return await self._app.push_screen_wait(ConfirmScreen(question, stakes))

    def _account_for(self, request: AddRequest) -> str | None:
        """A new project is created with this terminal's login; an existing one belongs to its account."""
        if isinstance(request.target, NewProject):
            return self._session.account
        id_or_name = request.target.id_or_name
        known = (project.account for project in self._main.projects.listed if project.id == id_or_name)
        return next(known, self._session.account)

    def new_project(self) -> None:
        from tui_uploader.tui.add_files.new_project import NewProjectScreen

        self._app.push_screen(NewProjectScreen(self._create_project, lambda: self._main.projects.listed))

    async def _create_project(self, name: str, kind: ProjectKind) -> None:
        """Raises UploaderError if the project cannot be created."""
        self._need_engine("Press Enter again to create the project.")
        await self._session.login_settled.wait()
        account = self._session.account
        project = await self._session.ask(lambda engine: engine.create_project(name, kind, account))
        self._main.panes.show_project(project)
        self._session.refresh_projects()
        self._say("Project created; u uploads files to it.")

    def _need_engine(self, then: str) -> None:
        """Start a missing engine, since E is a letter in dialogs. Raises EngineUnreachable, which ends with `then`."""
        if self._session.attachment is Attachment.GONE:
            self._session.restart()
        if self._session.attachment in (Attachment.GONE, Attachment.ATTACHING):
            raise EngineUnreachable(f"The engine was not running; it is starting now. {then}")

    def set_bandwidth(self) -> None:
        from tui_uploader.tui.screens.bandwidth import BandwidthScreen

        def current() -> Bandwidth:
            return self._session.status.bandwidth if self._session.status is not None else Bandwidth()

        async def apply(change: BandwidthChange) -> Bandwidth:
            return await self._session.ask(lambda engine: engine.set_bandwidth(change))

        def report(state: Bandwidth | None) -> None:
            if state is not None:
                self._say(f"Bandwidth from now on: {state.holds}.")

        self._app.push_screen(BandwidthScreen(current, apply), report)

    def show_watches(self) -> None:
        from tui_uploader.tui.watches.screen import WatchesScreen

        def go_to(upload: int | None) -> None:
            if upload is not None:
                self._main.panes.show_upload(upload)

        screen = WatchesScreen(
            lambda: self._session.status,
            lambda watch: self._session.ask(lambda engine: engine.watches.remove(watch)),
            self._watch_another,
            self._glyphs,
            wall=self._main.wall,
        )
        self._app.push_screen(screen, go_to)

    def _watch_another(self) -> None:
        from tui_uploader.tui.watches.new_watch import NewWatchScreen
        from tui_uploader.wording.watches import added

        async def add(request: WatchRequest) -> Watch:
            self._need_engine("Press Enter again to watch the folder.")
            await self._session.login_settled.wait()
            return await self._session.ask(lambda engine: engine.watches.add(request))

        def report(watch: Watch | None) -> None:
            if watch is not None:
                self._say(added(watch))

        self._app.push_screen(NewWatchScreen(add, self._session.account, home_folder()), report)

    def show_help(self) -> None:
        from tui_uploader.tui.screens.help import HelpScreen

        self._app.push_screen(HelpScreen(self._main.pane, self._glyphs, self._main.scope()))

    async def type_command(self) -> None:
        from tui_uploader.tui.command_line.prompt import CommandPrompt
        from tui_uploader.tui.command_line.run import TypedCommands

        if not await self._main.files.settle():
            self._say("The engine has not told yet which files are selected. Press : again.")
            return
        typed = TypedCommands(self._app, self._session, self._main, self._checks)
        self._app.push_screen(
            CommandPrompt(typed.known(), typed.run, self._glyphs), lambda then: then() if then is not None else None
        )

    def show_news(self) -> None:
        self._show_past(only_news=True)

    def show_log(self) -> None:
        self._show_past(only_news=False)

    def _show_past(self, *, only_news: bool) -> None:
        from tui_uploader.service.instance import engine_log_path
        from tui_uploader.tui.screens.log import LogScreen

        log, copy = engine_log_path(self._session.directories), self._app.copy_to_clipboard
        self._app.push_screen(LogScreen(self._session, log, self._glyphs, copy, self._main.wall, only_news=only_news))

    def show_picture(self) -> None:
        from tui_uploader.tui.files.file_actions import FilesPaneActions
        from tui_uploader.tui.pictures.file_steps import Place
        from tui_uploader.tui.screens.picture import PictureScreen

        files = self._main.files
        upload, query = files.shown_query
        item = files.current_file
        if upload is None or item is None:
            self._say("No file under the cursor.")
            return
        if why := not_an_image(item.name):
            self._say(f"{printable(item.name)} {why}")
            return
        place = Place(item, None, 0)
        actions = FilesPaneActions(self._main.command_on, files)
        dialog = PictureScreen(self._session, self._glyphs, upload, query, place, actions)
        self._app.push_screen(dialog, actions.go_to)

    def show_map(self) -> None:
        from tui_uploader.tui.screens.map import MapScreen

        files = self._main.files
        upload, query = files.shown_query
        if upload is None:
            self._say("Nothing to map: this project has no upload from this machine.")
            return
        whole, marked = query.whole_project, files.current_file
        self._app.push_screen(MapScreen(self._session, self._glyphs, upload, marked, whole_project=whole))

    def show_skipped(self) -> None:
        upload = self._main.scope().upload
        if upload is None:
            self._say("No upload here: no paths were skipped.")
            return
        self._session.call(
            "skipped",
            lambda engine: engine.skipped(upload.upload),
            self._list_skipped,
        )

    def _list_skipped(self, skipped: Sequence[Skipped], results: Sequence[str] = ()) -> None:
        from tui_uploader.tui.screens.lists import ListScreen, skipped_section

        recognised = [("Results", results)] if results else []
        self._app.push_screen(ListScreen(*recognised, skipped_section(skipped)))

    def show_results(self) -> None:
        from tui_uploader.tui.screens.lists import ListScreen, results_section

        project = self._main.scope().project
        if project is not None:
            self._app.push_screen(ListScreen(results_section(project, self._main.wall())))

    def _say(self, text: str) -> None:
        self._app.post_message(Noticed(text))


def _folder_of_shell() -> Path:
    """The folder in which the program was started; home if that was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return home_folder() or Path("/")
