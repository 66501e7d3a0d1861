"""Open the screens of verifications for what is under the cursor, and do what they ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from textual.app import App

from tui_uploader.errors import UsageError
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import ExistingProject, Target
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import VerificationRequest, VerificationState, VerificationStatus
from tui_uploader.settings import home_folder
from tui_uploader.text import counted
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.engine.commands import Commands, Confirm
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.engine.undo import addition
from tui_uploader.tui.lines.glyphs import Glyphs
from tui_uploader.tui.messages import Noticed
from tui_uploader.tui.subject.scope import CommandScope, short_name
from tui_uploader.tui.verification.card_path import proposed_path
from tui_uploader.wording.verification import missing, missing_homeless, verification_of


def shown_first(status: EngineStatus | None, uploads: Sequence[UploadStatus]) -> VerificationStatus | None:
    """The verification that `K` shows at once: one that runs, or else the newest of these uploads, the newest first.

    Without uploads, the newest of all. None: ask which path to verify.
    """
    every = status.verifications if status is not None else ()
    running = [each for each in every if each.state is VerificationState.RUNNING]
    if running:
        return running[-1]
    if not uploads:
        return every[-1] if every else None
    found = (verification_of(upload, every) for upload in reversed(uploads))
    return next(filter(None, found), None)


class CardChecks:
    def __init__(
        self,
        app: App[Any],
        session: EngineSession,
        glyphs: Glyphs,
        commands: Commands,
        confirm: Confirm,
        *,
        scope: Callable[[], CommandScope],
        here: Callable[[], str],
        queued: Callable[[int], object],
    ) -> None:
        """`here`: the folder in which the program was started; `queued`: shows an upload that files were added to."""
        self._app, self._session, self._glyphs = app, session, glyphs
        self._commands, self._confirm = commands, confirm
        self._scope, self._here, self._queued = scope, here, queued

    async def open(self) -> None:
        """Show the verification of the card under the cursor, or ask for its path."""
        scope = self._scope()
        found = shown_first(self._session.status, scope.uploads)
        if found is not None:
            self.show(found)
        else:
            await self._ask(scope)

    async def ask_other(self) -> None:
        await self._ask(self._scope())

    async def _ask(self, scope: CommandScope) -> None:
        from tui_uploader.tui.verification.ask import AskPathScreen

        home, upload = str(home_folder() or "/"), scope.upload
        proposed = await proposed_path(self._session, upload.upload, home) if upload is not None else None
        here = self._here()
        self._app.push_screen(
            AskPathScreen(proposed or here, here, home, self.start),
            lambda status: self.show(status) if status is not None else None,
        )

    async def start(self, paths: tuple[str, ...]) -> VerificationStatus:
        """Raises UploaderError."""
        return await self._session.ask(lambda engine: engine.verifications.start(VerificationRequest(paths)))

    async def start_typed(self, typed: str) -> VerificationStatus:
        """Raises UploaderError, also where the typed path does not exist."""
        from tui_uploader.tui.add_files.paths.resolve_paths import resolve_typed, typed_warning

        home = str(home_folder() or "/")
        resolved = await in_own_thread(partial(resolve_typed, typed, self._here(), home))
        if warning := typed_warning(resolved):
            raise UsageError(warning)
        return await self.start(tuple(found.path for found in resolved.found))

    def show(self, status: VerificationStatus) -> None:
        """Show it over the main screen, or in the screen that shows another one."""
        from tui_uploader.tui.verification.screen import VerificationScreen

        if isinstance(self._app.screen, VerificationScreen):
            self._app.screen.follow(status)
            return
        self._app.push_screen(
            VerificationScreen(
                self._session,
                self._glyphs,
                status,
                upload=self._upload,
                queued=self._note_queued,
                other=lambda: self._app.run_worker(self.ask_other(), name="ask for a path", exclusive=False),
                copy=self._app.copy_to_clipboard,
            )
        )

    def _upload(self, status: VerificationStatus, queue: Callable[[Target | None], None]) -> None:
        """At once where it is clear to which project; else ask for that of the row under the cursor."""
        if status.home is not None:
            queue(None)
            return
        project = self._scope().project
        if project is None or project.id is None:
            self._say(f"{missing_homeless(status)} Put the cursor on the project for the missing images, then K and u.")
            return
        target = ExistingProject(project.id)
        images = counted(missing(status), "missing image")
        self._confirm(
            f"Upload {images} to {short_name(project.name)}?", (missing_homeless(status),), lambda: queue(target)
        )

    def _note_queued(self, upload: UploadStatus, status: VerificationStatus) -> None:
        if upload.addition is not None:
            words = counted(missing(status), "missing image")
            self._commands.note(addition(upload.addition, words, short_name(upload.project_name)))
        self._queued(upload.upload)

    def _say(self, text: str) -> None:
        self._app.post_message(Noticed(text, seconds=15.0))
