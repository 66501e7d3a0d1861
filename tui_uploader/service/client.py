"""The engine, for front ends: the methods of `UploadManager` over the engine's socket.

```python
async with EngineClient.connect(Directories.of_user()) as engine:
    upload = await engine.add(AddRequest(("/media/card/DCIM",), NewProject("North field")))
```
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from tui_uploader.errors import EngineGone, UsageError
from tui_uploader.model import (
    Account,
    AddRequest,
    Bandwidth,
    BandwidthChange,
    EngineStatus,
    FileQuery,
    FileSelection,
    FileWindow,
    IdRun,
    PhotoFacts,
    Positions,
    Project,
    ProjectKind,
    SignInRequest,
    Skipped,
    UploadStatus,
)
from tui_uploader.service.connection import (
    CLOUD_PATIENCE,
    GREETING_PATIENCE,
    Connection,
    segment,
    understood,
)
from tui_uploader.service.instance import holder
from tui_uploader.service.protocol import (
    AutoProcessing,
    CreateProjectRequest,
    EngineInfo,
    FilesTouched,
    ProcessingStart,
    SignedOut,
    SignOutRequest,
    version,
    versions_differ,
)
from tui_uploader.service.spawn import await_end, ensure_engine, start_engine
from tui_uploader.settings import Directories

_GREETINGS = 3


class EngineView:
    """What there is to see of the engine. Every method raises errors of `errors` and nothing else."""

    def __init__(self, connection: Connection, directories: Directories) -> None:
        self._connection = connection
        self._directories = directories

    async def engine(self) -> EngineInfo:
        return await self._connection.get("/v1/engine", EngineInfo, patience=GREETING_PATIENCE)

    async def status(self) -> EngineStatus:
        return await self._connection.get("/v1/status", EngineStatus)

    async def changes(self) -> AsyncGenerator[EngineStatus, None]:
        """The status now, and again whenever it changed, at most four times a second; ends when the engine is stopped.

        Who leaves before that closes it (`contextlib.aclosing`), so that the engine knows.

        Raises EngineUnreachable when the engine died or hangs.
        """
        async with aclosing(self._connection.lines("/v1/events")) as lines:
            async for line in lines:
                yield understood(line, EngineStatus)

    async def upload(self, upload: int) -> UploadStatus:
        return await self._connection.get(f"/v1/uploads/{upload}", UploadStatus)

    async def skipped(self, upload: int) -> tuple[Skipped, ...]:
        return await self._connection.get(f"/v1/uploads/{upload}/skipped", tuple[Skipped, ...])

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        """Raises UsageError for a window that is wider than 2,000 files."""
        return await self._connection.get(f"/v1/uploads/{upload}/files", FileWindow, _parameters(query))

    async def file_runs(self, upload: int, query: FileQuery) -> tuple[IdRun, ...]:
        """All files that match, whatever the window of `query`."""
        return await self._connection.get(f"/v1/uploads/{upload}/file-runs", tuple[IdRun, ...], _parameters(query))

    async def positions(self, upload: int, file: int | None = None) -> Positions:
        """Where the images of the upload were taken, and `file` of it in particular."""
        parameters = None if file is None else {"file": str(file)}
        return await self._connection.get(f"/v1/uploads/{upload}/positions", Positions, parameters)

    async def photo_facts(self, upload: int, file: int) -> PhotoFacts:
        """Facts that an image states about its photo, read from its card now.

        Raises NoSuchFile; SourceVanished, SourceUnreadable, SourceRefused or SourceChanged when there are none.
        """
        return await self._connection.get(f"/v1/uploads/{upload}/files/{file}/photo", PhotoFacts)

    async def projects(self) -> tuple[Project, ...]:
        """Those of this machine and, where the service lists them, the account's others."""
        return await self._connection.get("/v1/projects", tuple[Project, ...], patience=CLOUD_PATIENCE)

    async def project(self, project: str) -> Project:
        """By id, or by name where that is unique."""
        return await self._connection.get(f"/v1/projects/{segment(project)}", Project, patience=CLOUD_PATIENCE)

    async def bandwidth(self) -> Bandwidth:
        return await self._connection.get("/v1/bandwidth", Bandwidth)

    async def accounts(self) -> tuple[Account, ...]:
        return await self._connection.get("/v1/accounts", tuple[Account, ...])


class EngineClient(EngineView):
    """Sees and commands the engine."""

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
        """A client of the engine, which is started first if there is none and `spawn` is on.

        `directories` are those of this environment (`Directories.of_user()`). With `restart_other_version` an engine of
        another version is stopped, and one of ours started; with `any_version` it is taken as it is, and only
        `engine()` and `stop()` are sure to be understood.

        Raises EngineUnreachable, EngineWillNotStart, EngineVersionDiffers, and what keeps the journal from opening.
        """
        client = cls(Connection(directories), directories)
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
        """The engine's first answer. The end of one that leaves just now is waited for, then the next one is asked."""
        for left in reversed(range(_GREETINGS)):
            await asyncio.to_thread(ensure_engine, self._directories, start if spawn else None)
            found = holder(self._directories)
            try:
                return await self.engine()
            except EngineGone:
                if not left:
                    raise
                await asyncio.to_thread(await_end, self._directories, found)
        raise AssertionError("the last attempt returns or raises")

    async def stop(self) -> None:
        """Stop the engine, and return when it is gone; uploads go on with the next one.

        Raises EngineUnreachable when it does not go.
        """
        leaving = holder(self._directories)
        await self._connection.post("/v1/stop", EngineInfo)
        await asyncio.to_thread(await_end, self._directories, leaving)

    async def sign_in(self, request: SignInRequest) -> Account:
        return await self._connection.post("/v1/sign-in", Account, request, patience=CLOUD_PATIENCE)

    async def sign_out(self, profile: str) -> bool:
        """Forget the stored login; False when there was none."""
        return (await self._connection.post("/v1/sign-out", SignedOut, SignOutRequest(profile))).forgotten

    async def add(self, request: AddRequest) -> UploadStatus:
        """Returns when the folders have been walked, or after two seconds while that goes on."""
        return await self._connection.post(
            "/v1/uploads", UploadStatus, replace(request, paths=_absolute(request.paths)), patience=CLOUD_PATIENCE
        )

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

    async def set_auto_process(self, upload: int, on: bool) -> UploadStatus:
        return await self._command(upload, "auto-process", AutoProcessing(on))

    async def retry(self, upload: int, selection: FileSelection) -> int:
        """How many failed files wait again."""
        return await self._touch(upload, "retry", selection)

    async def remove(self, upload: int, selection: FileSelection) -> int:
        """How many waiting, duplicate or failed files left the queue.

        Raises NotPossibleNow when one that was named is uploading or uploaded.
        """
        return await self._touch(upload, "remove", selection)

    async def restore(self, upload: int, selection: FileSelection) -> int:
        """Take a removal back."""
        return await self._touch(upload, "restore", selection)

    async def start_processing(self, project: str, *, partial: bool = False) -> Project:
        """Start now. `partial`: although files are waiting or failed.

        Raises TooFewImages, NotPossibleNow.
        """
        path = f"/v1/projects/{segment(project)}/process"
        return await self._connection.post(path, Project, ProcessingStart(partial), patience=CLOUD_PATIENCE)

    async def set_bandwidth(self, change: BandwidthChange) -> Bandwidth:
        """Holds at once, and for engines to come. Raises UsageError, and then nothing changed."""
        return await self._connection.put("/v1/bandwidth", Bandwidth, change)

    async def try_now(self) -> None:
        """Do not wait for the next probe of a dead link, or the end of a pause between attempts."""
        await self._connection.post("/v1/try-now", EngineStatus)

    async def _command(self, upload: int, command: str, body: object = None) -> UploadStatus:
        return await self._connection.post(f"/v1/uploads/{upload}/{command}", UploadStatus, body)

    async def _touch(self, upload: int, command: str, selection: FileSelection) -> int:
        return (await self._connection.post(f"/v1/uploads/{upload}/{command}", FilesTouched, selection)).files


def _parameters(query: FileQuery) -> dict[str, str]:
    given = {
        "offset": str(query.offset),
        "limit": str(query.limit),
        "text": query.text,
        "sort": query.sort,
        "descending": "true" if query.descending else "false",
    }
    if query.status is not None:
        given["status"] = query.status
    if query.except_status is not None:
        given["except_status"] = query.except_status
    if query.verified is not None:
        given["verified"] = query.verified
    return given


def _absolute(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The engine's working directory is another one than ours. An empty path stays one, for the engine to refuse."""
    if all(not path or Path(path).is_absolute() for path in paths):
        return paths
    try:
        here = Path.cwd()
    except OSError as error:
        raise UsageError(f"The current folder cannot be named ({error.strerror}); give whole paths.") from error
    return tuple(os.fspath(here / path) if path else path for path in paths)
