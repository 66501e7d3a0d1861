"""Client of the engine for front ends: the methods of `UploadManager` over its socket.

```python
async with EngineClient.connect(Directories.of_user()) as engine:
    upload = await engine.add(AddRequest(("/media/card/DCIM",), NewProject("North field")))
```
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Self

from msgspec.structs import asdict, replace

from tui_uploader.errors import EngineGone
from tui_uploader.model.accounts import Account, SignInRequest
from tui_uploader.model.engine import Bandwidth, BandwidthChange, EngineStatus
from tui_uploader.model.files import FileQuery, FileSelection, FileWindow, IdRun, PhotoFacts, Positions
from tui_uploader.model.history import PastEvent
from tui_uploader.model.projects import Project, ProjectKind
from tui_uploader.model.uploads import AddRequest, Skipped, UndoneAddition, UploadStatus
from tui_uploader.service.clients.hooks import HookClient
from tui_uploader.service.clients.paths import absolute
from tui_uploader.service.clients.receipts import ReceiptsClient
from tui_uploader.service.clients.results import ResultsClient
from tui_uploader.service.clients.verifications import VerificationsClient
from tui_uploader.service.clients.watches import WatchesClient
from tui_uploader.service.connection import (
    CLOUD_PATIENCE,
    GREETING_PATIENCE,
    EngineConnection,
    decode_answer,
    path_segment,
)
from tui_uploader.service.instance import lock_holder
from tui_uploader.service.protocol import (
    AutoProcessingChange,
    CreateProjectRequest,
    EngineInfo,
    FilesChanged,
    SignedOut,
    SignOutRequest,
    StartProcessingRequest,
    version,
    versions_differ,
)
from tui_uploader.service.spawn import ensure_engine, start_engine, wait_until_stopped
from tui_uploader.settings import Directories

_GREETINGS = 3


class EngineView:
    """Queries of the engine. Every method raises only errors of `errors`."""

    def __init__(self, connection: EngineConnection, directories: Directories) -> None:
        self._connection = connection
        self._directories = directories
        self.results = ResultsClient(connection)
        self.watches = WatchesClient(connection)
        self.hooks = HookClient(connection)
        self.verifications = VerificationsClient(connection)
        self.receipts = ReceiptsClient(connection)

    async def engine(self) -> EngineInfo:
        return await self._connection.get("/v1/engine", EngineInfo, patience=GREETING_PATIENCE)

    async def status(self) -> EngineStatus:
        return await self._connection.get("/v1/status", EngineStatus)

    async def changes(self) -> AsyncGenerator[EngineStatus, None]:
        """The status now and after every change, at most four times a second; ends when the engine stops.

        A caller that stops earlier must close the generator (`contextlib.aclosing`).

        Raises EngineUnreachable when the engine dies or hangs.
        """
        async with aclosing(self._connection.lines("/v1/events")) as lines:
            async for line in lines:
                yield decode_answer(line, EngineStatus)

    async def upload(self, upload: int) -> UploadStatus:
        return await self._connection.get(f"/v1/uploads/{upload}", UploadStatus)

    async def skipped(self, upload: int, *, whole_project: bool = False) -> tuple[Skipped, ...]:
        """Skipped paths of the upload, or of all uploads of its project."""
        parameters = {"whole_project": "true"} if whole_project else None
        return await self._connection.get(f"/v1/uploads/{upload}/skipped", tuple[Skipped, ...], parameters)

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        """Raises UsageError for a window of more than 2,000 files."""
        return await self._connection.get(f"/v1/uploads/{upload}/files", FileWindow, _parameters(query))

    async def file_runs(self, upload: int, query: FileQuery) -> tuple[IdRun, ...]:
        """Ids of all files that match; the window of `query` is ignored."""
        return await self._connection.get(f"/v1/uploads/{upload}/file-runs", tuple[IdRun, ...], _parameters(query))

    async def positions(self, upload: int, file: int | None = None, *, whole_project: bool = False) -> Positions:
        """Positions of the images of an upload or of its whole project, and of one `file` of it."""
        parameters = {"whole_project": "true"} if whole_project else {}
        if file is not None:
            parameters["file"] = str(file)
        return await self._connection.get(f"/v1/uploads/{upload}/positions", Positions, parameters)

    async def photo_facts(self, upload: int, file: int) -> PhotoFacts:
        """Facts that an image states about its photo, read from its card now.

        Raises NoSuchFile; SourceVanished, SourceUnreadable, SourceRefused or SourceChanged when there are none.
        """
        return await self._connection.get(f"/v1/uploads/{upload}/files/{file}/photo", PhotoFacts)

    async def projects(self) -> tuple[Project, ...]:
        """Projects of this machine and, where the service lists them, all others of the account."""
        return await self._connection.get("/v1/projects", tuple[Project, ...], patience=CLOUD_PATIENCE)

    async def project(self, project: str) -> Project:
        """A project by id, or by name where that is unique."""
        return await self._connection.get(f"/v1/projects/{path_segment(project)}", Project, patience=CLOUD_PATIENCE)

    async def bandwidth(self) -> Bandwidth:
        return await self._connection.get("/v1/bandwidth", Bandwidth)

    async def history(self, after: int = 0, limit: int = 200, *, since: float | None = None) -> tuple[PastEvent, ...]:
        """The last `limit` events with a number above `after`, oldest first.

        `since`: only those that happened, or ended, at that time or later. Files that were uploaded are told once for
        many; with `since`, up to now.
        """
        given = {"after": str(after), "limit": str(limit)} | ({} if since is None else {"since": str(since)})
        return await self._connection.get("/v1/history", tuple[PastEvent, ...], given)

    async def accounts(self) -> tuple[Account, ...]:
        return await self._connection.get("/v1/accounts", tuple[Account, ...])


class EngineClient(EngineView):
    """Queries and commands of the engine."""

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        directories: Directories,
        *,
        spawn: bool = True,
        restart_other_version: bool = False,
        any_version: bool = False,
        start: Callable[[Directories], None] = start_engine,
    ) -> AsyncIterator[Self]:
        """A client of the engine, which is started first if none runs and `spawn` is on.

        `directories` are those of this environment (`Directories.of_user()`). With `restart_other_version` an engine of
        another version is stopped, and one of this version started; with `any_version` it is accepted, but only
        `engine()` and `stop()` are sure to work.

        Raises EngineUnreachable, EngineWillNotStart, EngineVersionDiffers, and errors of opening the journal.
        """
        client = cls(EngineConnection(directories), directories)
        found = await client._greet(spawn, start)
        if found.version != version() and not any_version:
            if not restart_other_version:
                raise versions_differ(found.version, version())
            await client.stop()
            found = await client._greet(True, start)
            if found.version != version():
                raise versions_differ(found.version, version())
        yield client

    async def _greet(self, spawn: bool, start: Callable[[Directories], None]) -> EngineInfo:
        """The engine's first answer. If the engine is stopping, wait until it has stopped and ask the next one."""
        for left in reversed(range(_GREETINGS)):
            await asyncio.to_thread(ensure_engine, self._directories, start if spawn else None)
            found = lock_holder(self._directories)
            try:
                return await self.engine()
            except EngineGone:
                if not left:
                    raise
                await asyncio.to_thread(wait_until_stopped, self._directories, found)
        raise AssertionError("the last attempt returns or raises")

    async def stop(self) -> None:
        """Stop the engine and wait until it has stopped; uploads continue with the next one.

        Raises EngineUnreachable when it does not stop.
        """
        stopping = lock_holder(self._directories)
        await self._connection.post("/v1/stop", EngineInfo)
        await asyncio.to_thread(wait_until_stopped, self._directories, stopping)

    async def sign_in(self, request: SignInRequest) -> Account:
        return await self._connection.post("/v1/sign-in", Account, request, patience=CLOUD_PATIENCE)

    async def sign_out(self, profile: str) -> bool:
        """Delete the stored login; return False when there was none."""
        return (await self._connection.post("/v1/sign-out", SignedOut, SignOutRequest(profile))).forgotten

    async def add(self, request: AddRequest) -> UploadStatus:
        """Start an upload; return when the folders have been walked, at the latest after two seconds."""
        return await self._connection.post(
            "/v1/uploads", UploadStatus, replace(request, paths=absolute(request.paths)), patience=CLOUD_PATIENCE
        )

    async def undo_addition(self, addition: int) -> UndoneAddition:
        """Take out of the queue what an addition brought into it (`UploadStatus.addition`) and was not sent yet.

        An upload that becomes empty leaves the list. Raises NotPossibleNow.
        """
        return await self._connection.post(f"/v1/additions/{addition}/undo", UndoneAddition)

    async def create_project(self, name: str, kind: ProjectKind, account: str | None) -> Project:
        return await self._connection.post(
            "/v1/projects", Project, CreateProjectRequest(name, kind, account), patience=CLOUD_PATIENCE
        )

    async def pause(self, upload: int) -> UploadStatus:
        return await self._command(upload, "pause")

    async def resume(self, upload: int) -> UploadStatus:
        return await self._command(upload, "resume")

    async def cancel(self, upload: int) -> UploadStatus:
        return await self._command(upload, "cancel")

    async def dismiss(self, upload: int) -> UploadStatus:
        return await self._command(upload, "dismiss")

    async def undismiss(self, upload: int) -> UploadStatus:
        """Put a dismissed upload back on the list, and into its queue the files that its dismissal removed.

        Raises NotPossibleNow if only the record of its delivered files is left.
        """
        return await self._command(upload, "undismiss")

    async def set_auto_process(self, upload: int, on: bool) -> UploadStatus:
        return await self._command(upload, "auto-process", AutoProcessingChange(on))

    async def stop_automatic_start(self, upload: int) -> UploadStatus:
        """Prevent that processing of the upload's project starts automatically (`UploadStatus.process_at`).

        Raises NotPossibleNow once processing was requested.
        """
        return await self._command(upload, "stop-automatic-start")

    async def retry(self, upload: int, selection: FileSelection) -> int:
        """Number of failed files that are queued again."""
        return await self._change_files(upload, "retry", selection)

    async def remove(self, upload: int, selection: FileSelection) -> int:
        """Number of waiting, duplicate or failed files that were removed from the queue.

        Raises NotPossibleNow when a selected file is uploading or uploaded.
        """
        return await self._change_files(upload, "remove", selection)

    async def restore(self, upload: int, selection: FileSelection) -> int:
        """Undo a removal."""
        return await self._change_files(upload, "restore", selection)

    async def start_processing(self, project: str, *, partial: bool = False, again: bool = False) -> Project:
        """Start processing now; with `partial`, although files are waiting or failed.

        Raises TooFewImages, NotPossibleNow; AlreadyProcessed for a project that was processed before, without `again`.
        """
        path = f"/v1/projects/{path_segment(project)}/process"
        return await self._connection.post(
            path, Project, StartProcessingRequest(partial, again), patience=CLOUD_PATIENCE
        )

    async def set_bandwidth(self, change: BandwidthChange) -> Bandwidth:
        """Takes effect at once and persists. Raises UsageError, and then nothing has changed."""
        return await self._connection.put("/v1/bandwidth", Bandwidth, change)

    async def try_now(self) -> None:
        """Probe a dead link and retry now, instead of waiting for the end of the back-off."""
        await self._connection.post("/v1/try-now", EngineStatus)

    async def _command(self, upload: int, command: str, body: object = None) -> UploadStatus:
        return await self._connection.post(f"/v1/uploads/{upload}/{command}", UploadStatus, body)

    async def _change_files(self, upload: int, command: str, selection: FileSelection) -> int:
        return (await self._connection.post(f"/v1/uploads/{upload}/{command}", FilesChanged, selection)).files


def _parameters(query: FileQuery) -> dict[str, str]:
    given = {name: value for name, value in asdict(query).items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
