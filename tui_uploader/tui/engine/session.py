"""The screen's line to the engine: attach, follow, ask, and come back when the engine went away.

The screen lives without the engine: what it shows stays, and this says how things stand. Status comes at most once in
`interval` seconds, whatever the engine's pace, because every frame costs the user's SSH line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from msgspec.structs import replace
from textual.app import App
from textual.worker import Worker

from tui_uploader.errors import (
    CloudBusy,
    CloudFault,
    EngineError,
    EngineUnreachable,
    EngineVersionDiffers,
    LinkError,
    UploaderError,
)
from tui_uploader.model import Account, EngineStatus, Login, ProcessingState, Project, SignInRequest
from tui_uploader.settings import Directories, Settings, load
from tui_uploader.tui.messages import Attachment, AttachmentChanged, Noticed, ProjectsArrived, StatusArrived

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

log = logging.getLogger(__name__)

STATUS_SECONDS, SLOW_STATUS_SECONDS = 0.5, 2.0
"""Between two states that are shown: on a usual line, and on one that cannot follow."""

_LOOK_FOR_ENGINE_SECONDS = 1.0
_LOOK_FOR_LOGIN_SECONDS = 5.0
_LOOK_AT_PROCESSING_SECONDS = 60.0

T = TypeVar("T")


class Connect(Protocol):
    """How a client comes to be: `EngineClient.connect`."""

    def __call__(
        self, directories: Directories, *, spawn: bool = True, restart_other_version: bool = False
    ) -> AbstractAsyncContextManager[EngineClient]: ...


class EngineSession:
    """One for the program. Tells `app` what it learns (see `messages`), and asks the engine for everybody."""

    def __init__(
        self,
        app: App[Any],
        directories: Directories,
        *,
        connect: Connect | None = None,
        settings: Callable[[], Settings] = load,
        interval: float = STATUS_SECONDS,
    ) -> None:
        self.directories = directories
        self.interval = interval
        """Seconds between two states of the engine that are shown."""
        self.attachment = Attachment.ATTACHING
        self.status: EngineStatus | None = None
        """The newest; it stays when the engine goes away."""
        self.login_settled = asyncio.Event()
        """Set while the engine has this terminal's login, or there is none to hand over, or no engine. Before that,
        `account` is not known: work would go to the stored login's account, or be refused for want of one."""
        self.account: str | None = None
        """The account of the environment's login, once the engine has it; None: the stored login is used."""
        self._app = app
        self._connect = connect or _connect
        self._settings = settings
        self._reason = ""
        self._engine: EngineClient | None = None
        self._wanted = asyncio.Event()
        self._news = asyncio.Event()
        self._projects_stale = asyncio.Event()

    # ------------------------------------------------------------------------------------------------ asking

    async def ask(self, work: Callable[[EngineClient], Awaitable[T]]) -> T:
        """The answer of the engine. Raises errors of `errors`, EngineUnreachable when there is no engine."""
        if self._engine is None and self.attachment is Attachment.OTHER_VERSION:
            raise EngineVersionDiffers(
                "The running engine is of another version; press E to restart it, then try again."
            )
        if self._engine is None:
            raise EngineUnreachable("The engine is not there; press E to start it, then try again.")
        return await work(self._engine)

    def call(
        self,
        name: str,
        work: Callable[[EngineClient], Awaitable[T]],
        then: Callable[[T], object] | None = None,
    ) -> Worker[None]:
        """Do `work` in the background, then `then` with its answer. A failure becomes a notice.

        `name` says what it is, for the log and for tests that wait for it.
        """
        return self._app.run_worker(
            self._call(work, then), name=name, group="commands", exclusive=False, description=name
        )

    async def _call(self, work: Callable[[EngineClient], Awaitable[T]], then: Callable[[T], object] | None) -> None:
        try:
            answer = await self.ask(work)
            if then is not None:
                then(answer)
        except UploaderError as error:
            self._app.post_message(Noticed(str(error), "error"))
        except Exception as fault:
            log.exception("A command of the screen failed")
            self._app.post_message(Noticed(f"The program has a fault: {type(fault).__name__}: {fault}.", "error"))

    def refresh_projects(self) -> None:
        """Ask for the list of projects again. The cloud may be asked, so only where there is a reason."""
        self._projects_stale.set()

    # --------------------------------------------------------------------------------------- attach and follow

    def start(self) -> None:
        """Attach in the background, and spawn the engine if there is none."""
        self._wanted.set()
        self._app.run_worker(
            self._stay_attached(), name="engine link", group="engine link", exclusive=True, description="engine link"
        )

    def restart(self) -> None:
        """Start the engine, or replace the one of another version. Uploads go on where they are."""
        self._wanted.set()

    async def _stay_attached(self) -> None:
        while True:
            wanted = self._wanted.is_set()
            self._wanted.clear()
            try:
                await self._attach(spawn=wanted)
                self._tell(Attachment.GONE, "The engine was stopped: uploads stand still until it is started again.")
            except EngineVersionDiffers as error:
                self._tell(Attachment.OTHER_VERSION, str(error))
            except UploaderError as error:
                if wanted or self.attachment is not Attachment.GONE:
                    log.warning("The engine is gone: %s", error)
                    self._tell(Attachment.GONE, str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), _LOOK_FOR_ENGINE_SECONDS)

    async def _attach(self, *, spawn: bool) -> None:
        """Follow the engine until it is stopped. Without `spawn`, only one that runs already."""
        other_version = self.attachment is Attachment.OTHER_VERSION
        if spawn:
            self._tell(Attachment.ATTACHING)
        async with self._connect(
            self.directories, spawn=spawn, restart_other_version=spawn and other_version
        ) as engine:
            self._engine = engine
            self.login_settled.clear()
            self._tell(Attachment.ATTACHED)
            companions = [asyncio.create_task(self._show_news()), asyncio.create_task(self._introduce(engine))]
            try:
                async with aclosing(engine.changes()) as changes:
                    async for status in changes:
                        self._note(status)
            finally:
                self._engine = None
                self.login_settled.set()
                for companion in companions:
                    companion.cancel()
                for ended in await asyncio.gather(*companions, return_exceptions=True):
                    if isinstance(ended, Exception):
                        log.error("A companion of the engine link failed", exc_info=ended)

    def _note(self, status: EngineStatus) -> None:
        if _projects_of(status) != _projects_of(self.status):
            self._projects_stale.set()
        self.status = status
        self._news.set()

    async def _show_news(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if self.status is not None:
                self._app.post_message(StatusArrived(self.status))
            await asyncio.sleep(self.interval)

    def _tell(self, attachment: Attachment, reason: str = "") -> None:
        if (attachment, reason) != (self.attachment, self._reason):
            self.attachment, self._reason = attachment, reason
            self._app.post_message(AttachmentChanged(attachment, reason))

    # ------------------------------------------------------------------------------------ logins and projects

    async def _introduce(self, engine: EngineClient) -> None:
        """Say whose login this terminal carries, then keep the list of projects fresh."""
        try:
            await self._hand_over_login(engine)
        except UploaderError as error:
            self._app.post_message(Noticed(str(error), "error", seconds=0, attention=True))
        self.login_settled.set()
        self._news.set()
        while True:
            self._projects_stale.clear()
            patience = await self._tell_projects(engine)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._projects_stale.wait(), patience)

    async def _hand_over_login(self, engine: EngineClient) -> None:
        """A cloud that cannot be reached is no reason to refuse a login: the engine waits for it.

        Raises SignInRefused, UsageError for settings that cannot be understood.
        """
        settings = self._settings()
        if settings.login is None:
            return
        login = Login(settings.cloud_url, settings.login.client_id, settings.login.client_secret)
        request = SignInRequest(login, keep=False, verify=True)
        try:
            account = await engine.sign_in(request)
        except (LinkError, CloudBusy, CloudFault) as error:
            notice = f"{error} The login could not be checked; work is queued until the cloud answers."
            self._app.post_message(Noticed(notice, "warning"))
            account = await engine.sign_in(replace(request, verify=False))
        self.account = account.account

    async def _tell_projects(self, engine: EngineClient) -> float | None:
        """Seconds until there may be more to tell without a word of the engine; None: never."""
        try:
            accounts = await engine.accounts()
            projects = await engine.projects()
        except EngineError:
            return None  # who follows the engine tells it
        except UploaderError as error:
            self._app.post_message(Noticed(f"The projects could not be listed: {error}", "warning"))
            return None
        self._app.post_message(ProjectsArrived(projects, accounts))
        return until_next_look(accounts, projects, self.status)


def until_next_look(
    accounts: Sequence[Account], projects: Sequence[Project], status: EngineStatus | None
) -> float | None:
    """Seconds. The status follows the projects of the uploads in it; one that is processed without them, nobody does.

    None where the list changes only with the uploads.
    """
    if not accounts:
        return _LOOK_FOR_LOGIN_SECONDS
    followed = {upload.upload for upload in status.uploads} if status else set()
    at_work = (
        project.processing.state is not ProcessingState.NOT_STARTED and not project.processing.state.ended
        for project in projects
        if followed.isdisjoint(project.uploads)
    )
    return _LOOK_AT_PROCESSING_SECONDS if any(at_work) else None


def _connect(
    directories: Directories, *, spawn: bool = True, restart_other_version: bool = False
) -> AbstractAsyncContextManager[EngineClient]:
    from tui_uploader.service.client import (
        EngineClient,
    )  # brings an HTTP client, which the first frame does not wait for

    return EngineClient.connect(directories, spawn=spawn, restart_other_version=restart_other_version)


def _projects_of(status: EngineStatus | None) -> frozenset[tuple[int, str | None]]:
    """Which uploads there are, and where they go: a change means that the list of projects changed too."""
    return frozenset((upload.upload, upload.project) for upload in status.uploads) if status else frozenset()
