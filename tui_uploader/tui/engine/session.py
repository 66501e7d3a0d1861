"""The app's connection to the engine: attach, follow its status, ask, and attach again when the engine ended.

The screen stays usable without an engine, and shows the last status and the state of the connection. Status is passed
on at most once in `interval` seconds, however often the engine sends it: every frame costs bytes of the user's SSH
connection.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from textual.app import App
from textual.worker import Worker

from tui_uploader.errors import (
    EngineError,
    EngineUnreachable,
    EngineVersionDiffers,
    UploaderError,
)
from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import EngineStatus, LinkState
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.service.login import hand_over_login
from tui_uploader.settings import Directories, Settings, load
from tui_uploader.text import counted
from tui_uploader.tui.engine.restarts import Restarts
from tui_uploader.tui.messages import Attachment, AttachmentChanged, Noticed, ProjectsArrived, StatusArrived

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

log = logging.getLogger(__name__)

STATUS_SECONDS, SLOW_STATUS_SECONDS = 0.5, 2.0
"""Between two states that are shown: usually, and for a terminal that cannot keep up."""

_LOOK_FOR_ENGINE_SECONDS = 1.0
_LOOK_FOR_LOGIN_SECONDS = 5.0
PROJECTS_SECONDS = 60.0
"""Between two looks at the list of projects, which other people and machines change too."""

T = TypeVar("T")


class Connect(Protocol):
    """Opens a client: `EngineClient.connect`."""

    def __call__(
        self, directories: Directories, *, spawn: bool = True, restart_other_version: bool = False
    ) -> AbstractAsyncContextManager[EngineClient]: ...


class EngineSession:
    """One for the app. Posts news to `app` (see `messages`), and asks the engine on behalf of all screens."""

    def __init__(
        self,
        app: App[Any],
        directories: Directories,
        *,
        connect: Connect | None = None,
        settings: Callable[[], Settings] = load,
        interval: float = STATUS_SECONDS,
        read_only: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read_only`: start no engine, and hand over no login."""
        self.directories = directories
        self.interval = interval
        """Seconds between two states of the engine that are shown."""
        self.projects_interval = PROJECTS_SECONDS
        self.attachment = Attachment.ATTACHING
        self.status: EngineStatus | None = None
        """The newest; kept when the engine ends."""
        self.login_settled = asyncio.Event()
        """Set while the engine has this terminal's login, or there is no login to hand over, or no engine. Until then
        `account` is unknown: work would go to the account of the stored login, or be refused without one."""
        self.account: str | None = None
        """The account of the environment's login, once the engine has it; None: the stored login is used."""
        self.holding = 0
        """Calls whose answers decide what typed keys are about."""
        self._app = app
        self._connect = connect or _connect
        self._settings = settings
        self._reason = ""
        self._engine: EngineClient | None = None
        self._start_wanted = asyncio.Event()
        self._restarts = Restarts()
        self._read_only = read_only
        self._clock = clock
        self._status_changed = asyncio.Event()
        self._projects_stale = asyncio.Event()
        self._listing_failure = ""
        """Why the projects could not be listed the last time."""

    # ------------------------------------------------------------------------------------------------ asking

    async def ask(self, work: Callable[[EngineClient], Awaitable[T]]) -> T:
        """The engine's answer. Raises errors of `errors`; EngineUnreachable when there is no engine."""
        if self._engine is None and self.attachment is Attachment.OTHER_VERSION:
            raise EngineVersionDiffers("The running engine has another version. Press E to restart it, then try again.")
        if self._engine is None and self.attachment is Attachment.ATTACHING:
            raise EngineUnreachable("The upload engine is being started. Try again in a moment.")
        if self._engine is None:
            raise EngineUnreachable("The upload engine is not running. Press E to start it, then try again.")
        return await work(self._engine)

    def call(
        self,
        name: str,
        work: Callable[[EngineClient], Awaitable[T]],
        then: Callable[[T], object] | None = None,
        *,
        hold_keys: bool = False,
    ) -> Worker[None]:
        """Run `work` in the background, then `then` with its answer. A failure becomes a notice.

        `name` identifies it in the log and for tests that wait for it. `hold_keys`: what is typed meanwhile is about
        the state afterwards, so it waits for the answer and for the status that follows from it.
        """
        self.holding += hold_keys
        return self._app.run_worker(
            self._call(work, then, hold_keys), name=name, group="commands", exclusive=False, description=name
        )

    async def _call(
        self, work: Callable[[EngineClient], Awaitable[T]], then: Callable[[T], object] | None, hold_keys: bool
    ) -> None:
        try:
            answer = await self.ask(work)
            if then is not None:
                then(answer)
        except UploaderError as error:
            self._app.post_message(Noticed(str(error), "error"))
        except Exception as fault:
            log.exception("A command of the app failed")
            self._app.post_message(Noticed(f"Internal error: {type(fault).__name__}: {fault}.", "error"))
        finally:
            self.holding -= hold_keys

    async def refresh_status(self, engine: EngineClient) -> None:
        """Show the state after a command at once."""
        self.status = await engine.status()
        self._app.post_message(StatusArrived(self.status))

    def refresh_projects(self) -> None:
        """Ask for the list of projects again. This may ask the cloud too, so do it for a reason only."""
        self._projects_stale.set()

    # --------------------------------------------------------------------------------------- attach and follow

    def start(self) -> None:
        """Attach in the background, and spawn the engine if there is none."""
        self._start_wanted.set()
        self._app.run_worker(
            self._stay_attached(),
            name="engine session",
            group="engine session",
            exclusive=True,
            description="engine session",
        )

    def restart(self) -> None:
        """Start the engine, or replace one of another version. Uploads resume where they are."""
        self._restarts.forget()
        self._start_wanted.set()

    async def _stay_attached(self) -> None:
        """An engine that was stopped stays stopped until the user starts it; one that died is started again."""
        while True:
            spawn = self._start_wanted.is_set() and not self._read_only
            self._start_wanted.clear()
            began, pause = self._clock(), None
            try:
                await self._attach(spawn=spawn)
                self._restarts.forget()
                self._report(Attachment.GONE, "It was stopped; nothing is uploaded until it is started again.")
            except EngineVersionDiffers as error:
                self._report(Attachment.OTHER_VERSION, str(error))
            except UploaderError as error:
                died = self.attachment is Attachment.ATTACHED
                if died or spawn:
                    log.warning("No engine: %s", error)
                    pause = self._pause_after(self._clock() - began if died else 0.0, error, died)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._start_wanted.wait(), _LOOK_FOR_ENGINE_SECONDS if pause is None else pause)
            if pause is not None:
                self._start_wanted.set()

    def _pause_after(self, lasted: float, error: UploaderError, died: bool) -> float | None:
        """Report an engine that ended, or did not start. Returns the seconds until the next start; None: no start."""
        from tui_uploader.service.instance import engine_log_path  # not needed for the first frame

        pause = None if self._read_only or not (died or self._restarts.made) else self._restarts.pause(lasted)
        what = "It ended unexpectedly" if died or self._restarts.made else str(error).rstrip(".")
        if pause is not None:
            reason = f"{what}; it is started again in {pause:g} s."
        else:
            tries = f"; {counted(self._restarts.made, 'restart')} did not help" if self._restarts.made else ""
            reason = f"{what}{tries}. Its log: {engine_log_path(self.directories)}"
        self._report(Attachment.GONE, reason)
        return pause

    async def _attach(self, *, spawn: bool) -> None:
        """Follow the engine until it is stopped. Without `spawn`, only an engine that runs already."""
        other_version = self.attachment is Attachment.OTHER_VERSION
        if spawn:
            self._report(Attachment.ATTACHING)
        async with self._connect(
            self.directories, spawn=spawn, restart_other_version=spawn and other_version
        ) as engine:
            self._engine = engine
            self.login_settled.clear()
            self._report(Attachment.ATTACHED)
            tasks = [asyncio.create_task(self._post_status()), asyncio.create_task(self._follow_projects(engine))]
            try:
                async with aclosing(engine.changes()) as changes:
                    async for status in changes:
                        self._keep(status)
            finally:
                self._engine = None
                self.login_settled.set()
                for task in tasks:
                    task.cancel()
                for ended in await asyncio.gather(*tasks, return_exceptions=True):
                    if isinstance(ended, Exception):
                        log.error("A task of the engine session failed", exc_info=ended)

    def _keep(self, status: EngineStatus) -> None:
        if _projects_of(status) != _projects_of(self.status) or _came_online(self.status, status):
            self._projects_stale.set()
        self.status = status
        self._status_changed.set()

    async def _post_status(self) -> None:
        while True:
            await self._status_changed.wait()
            self._status_changed.clear()
            if self.status is not None:
                self._app.post_message(StatusArrived(self.status))
            await asyncio.sleep(self.interval)

    def _report(self, attachment: Attachment, reason: str = "") -> None:
        if (attachment, reason) != (self.attachment, self._reason):
            self.attachment, self._reason = attachment, reason
            self._app.post_message(AttachmentChanged(attachment, reason))

    # ------------------------------------------------------------------------------------ logins and projects

    async def _follow_projects(self, engine: EngineClient) -> None:
        """Hand over this terminal's login, then keep the list of projects up to date."""
        try:
            if not self._read_only:
                await self._hand_over_login(engine)
        except UploaderError as error:
            self._app.post_message(Noticed(str(error), "error", seconds=0, attention=True))
        self.login_settled.set()
        self._status_changed.set()
        while True:
            self._projects_stale.clear()
            patience = await self._post_projects(engine)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._projects_stale.wait(), patience)

    async def _hand_over_login(self, engine: EngineClient) -> None:
        """A login is accepted unchecked while the cloud cannot be reached: the engine waits for the cloud.

        Raises SignInRefused, UsageError for invalid settings.
        """
        handed_over = await hand_over_login(engine, self._settings())
        if handed_over is None:
            return
        if handed_over.unchecked is not None:
            notice = f"{handed_over.unchecked} The login could not be checked; uploads wait until the cloud answers."
            self._app.post_message(Noticed(notice, "warning"))
        self.account = handed_over.account

    async def _post_projects(self, engine: EngineClient) -> float | None:
        """Post the list of projects. Returns the seconds until the next look; None: not before the status changes."""
        try:
            accounts = await engine.accounts()
            projects = await engine.projects()
        except EngineError:
            return None  # the status stream ends too, and reports it
        except UploaderError as error:
            if str(error) != self._listing_failure:
                self._app.post_message(Noticed(f"Cannot list the projects: {error}", "warning"))
            self._listing_failure = str(error)
            return self.projects_interval
        self._listing_failure = ""
        self._app.post_message(ProjectsArrived(projects, accounts))
        return until_next_look(accounts, self.status, self.projects_interval)


def until_next_look(accounts: Sequence[Account], status: EngineStatus | None, interval: float) -> float | None:
    """Seconds until the list of projects is asked for again; None: not before the status changes.

    While every cloud is out of reach, the list cannot change.
    """
    if not accounts:
        return _LOOK_FOR_LOGIN_SECONDS
    links = status.links if status is not None else ()
    return None if links and len(_offline(status)) == len(links) else interval


def _connect(
    directories: Directories, *, spawn: bool = True, restart_other_version: bool = False
) -> AbstractAsyncContextManager[EngineClient]:
    from tui_uploader.service.client import EngineClient  # loads an HTTP client, not needed for the first frame

    return EngineClient.connect(directories, spawn=spawn, restart_other_version=restart_other_version)


def _offline(status: EngineStatus | None) -> frozenset[str]:
    """The accounts whose cloud is out of reach."""
    links = status.links if status is not None else ()
    return frozenset(each.account for each in links if each.link.state is LinkState.DOWN)


def _came_online(before: EngineStatus | None, after: EngineStatus) -> bool:
    return bool(_offline(before) - _offline(after))


def _projects_of(status: EngineStatus | None) -> frozenset[tuple[int, str | None, bool]]:
    """The uploads and their projects: when these change, the list of projects changes too.

    A project has other results when an upload of results is complete.
    """
    uploads = status.uploads if status is not None else ()
    return frozenset((upload.upload, upload.project, _brings_results(upload)) for upload in uploads)


def _brings_results(upload: UploadStatus) -> bool:
    return upload.kind is ProjectKind.RESULTS and upload.state is UploadState.COMPLETE
