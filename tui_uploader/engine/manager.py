"""The upload manager: the engine's face. Front ends reach it through `service`, never directly."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TypeVar

from tui_uploader.cloud.contract import Cloud
from tui_uploader.engine.checking import check_image_limit
from tui_uploader.engine.core import Clocks
from tui_uploader.engine.journal import files, positions, uploads
from tui_uploader.engine.processing import DOUBT_SECONDS
from tui_uploader.engine.rooms import Rooms
from tui_uploader.engine.view import View
from tui_uploader.errors import EngineError, NothingToUpload, UploaderError, UsageError
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
    Login,
    Positions,
    Project,
    ProjectKind,
    SignInRequest,
    Skipped,
    UploadEvent,
    UploadStatus,
)
from tui_uploader.settings import APP, Directories, Settings
from tui_uploader.text import printable

_SCAN_PATIENCE = 2.0
_SHORTEST_INTERVAL = 0.25
_LARGEST_WINDOW = 2000

Result = TypeVar("Result")


class UploadManager:
    """Uploads to several projects at once. Every method raises errors of `errors` and nothing else."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._core = rooms.core
        self._view = View(rooms.core, rooms.sender, rooms.pulse, version=metadata.version(APP))

    @classmethod
    async def open(
        cls,
        directories: Directories,
        settings: Settings,
        *,
        make_cloud: Callable[[Login], Cloud] | None = None,
        clocks: Clocks | None = None,
        doubt_seconds: float = DOUBT_SECONDS,
    ) -> UploadManager:
        """Open the journal and go on where it stands.

        Raises JournalTooNew, JournalDamaged, JournalUnwritable.
        """
        clocks = clocks or Clocks(time.time, time.monotonic, random.random)
        make_cloud = make_cloud or _pix4d_cloud(settings)
        return cls(await Rooms.open(directories, settings, make_cloud, clocks, doubt_seconds))

    async def close(self) -> None:
        """Stop every transfer so that the next `open` goes on from there."""
        await self._rooms.close()

    # ------------------------------------------------------------------------------------------ what there is

    def status(self) -> EngineStatus:
        return self._view.engine()

    async def changes(self) -> AsyncIterator[EngineStatus]:
        """The status now, and again whenever it changed, at most four times a second."""
        with self._core.bell() as bell:
            last: EngineStatus | None = None
            while True:
                bell.clear()
                status = self.status()
                if status != last:
                    yield status
                    last = status
                await asyncio.sleep(_SHORTEST_INTERVAL)
                if not self._core.live.flights:
                    await bell.wait()

    @property
    def busy(self) -> bool:
        """There is work that the engine does or waits to do; False lets an idle engine leave."""
        summary = self._core.summary
        return any(summary.busy(upload) for upload in summary.uploads) or any(
            self._rooms.desk.wants_attention(project) for project in summary.projects.values()
        )

    async def upload(self, upload: int) -> UploadStatus:
        return self._view.upload(upload)

    async def skipped(self, upload: int) -> tuple[Skipped, ...]:
        return await self._core.journal.read(lambda connection: uploads.skipped(connection, upload))

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        if query.offset < 0 or not 0 < query.limit <= _LARGEST_WINDOW:
            raise UsageError(
                f"A window of files has 1 to {_LARGEST_WINDOW:,} rows and does not begin before the first."
            )
        total, rows, originals = await self._core.journal.read(
            lambda connection: uploads.window(connection, upload, query)
        )
        return FileWindow(total, query.offset, self._view.files(rows, originals))

    async def file_runs(self, upload: int, query: FileQuery) -> tuple[IdRun, ...]:
        """All files that match, whatever the window of `query`."""
        return await self._core.journal.read(lambda connection: uploads.matching_runs(connection, upload, query))

    async def positions(self, upload: int, file: int | None = None) -> Positions:
        """Where the images of the upload were taken, and `file` of it in particular."""
        return await self._core.journal.read(lambda connection: positions.positions(connection, upload, file))

    async def projects(self) -> tuple[Project, ...]:
        """Those of this machine and, where the service lists them, the account's others."""
        return self._view.projects() + await self._rooms.projects.others()

    async def project(self, project: str) -> Project:
        """By id, or by name where that is unique."""
        found = await self._rooms.projects.meant(project, None, ProjectKind.IMAGES)
        return self._view.project(found)

    # ------------------------------------------------------------------------------------------------ sign-in

    async def sign_in(self, request: SignInRequest) -> Account:
        account = await self._core.accounts.sign_in(request)
        self.try_now()
        return account

    async def sign_out(self, profile: str) -> bool:
        """Forget the stored login; False when there was none."""
        return await self._core.accounts.sign_out(profile)

    async def accounts(self) -> tuple[Account, ...]:
        return tuple(signed_in.account for signed_in in self._core.accounts.all)

    # ----------------------------------------------------------------------------------------------- commands

    async def add(self, request: AddRequest) -> UploadStatus:
        """Returns when the folders have been walked, or after two seconds while that goes on.

        Raises NothingToUpload when there is nothing in them, NoSuchPath, SourceUnreadable; then nothing is kept.
        """
        paths = tuple(os.path.normpath(path) for path in request.paths)
        project = await self._project_for(request)
        auto = request.auto_process and request.kind is ProjectKind.IMAGES
        now = self._core.clocks.wall()
        upload = await self._write(lambda connection: uploads.add_sources(connection, project, paths, auto, now))
        walk = self._rooms.scanner.walk(upload)
        await asyncio.wait({walk}, timeout=_SCAN_PATIENCE)
        if walk.done() and not walk.cancelled():
            await self._take_back_if_nothing(upload, paths, walk.exception())
        return self._view.upload(upload)

    async def _take_back_if_nothing(self, upload: int, paths: Sequence[str], failure: BaseException | None) -> None:
        skipped = await self.skipped(upload)

        def take_back(connection: sqlite3.Connection) -> bool:
            nothing = not uploads.holds_any(connection, upload, paths)
            if nothing or isinstance(failure, UsageError):
                uploads.take_back(connection, upload, paths)
            return nothing

        if isinstance(failure, EngineError):
            raise failure
        nothing = await self._write(take_back)
        if isinstance(failure, UploaderError):
            raise failure
        if nothing:
            raise _nothing_in(paths, skipped)

    async def _project_for(self, request: AddRequest) -> int:
        if not request.paths:
            raise UsageError("Name at least one file or folder to upload.")
        if any(not Path(path).is_absolute() for path in request.paths):
            raise UsageError("The engine takes absolute paths only: it has another working folder than you.")
        if request.new is not None and request.project is None:
            return await self._rooms.projects.new(request.new, request.account, request.kind)
        if request.project is not None and request.new is None:
            return await self._rooms.projects.meant(request.project, request.account, request.kind)
        raise UsageError("Name either an existing project or a new one.")

    async def create_project(self, name: str, kind: ProjectKind, account: str | None) -> Project:
        project = await self._rooms.projects.new(name, account, kind)
        await self._rooms.projects.made(project)
        return self._view.project(project)

    async def pause(self, upload: int) -> UploadStatus:
        return await self._command(upload, UploadEvent.PAUSE)

    async def resume(self, upload: int) -> UploadStatus:
        """Raises TooManyImages as long as there are more than the service takes."""
        await self._write(lambda connection: check_image_limit(connection, upload))
        return await self._command(upload, UploadEvent.RESUME)

    async def cancel(self, upload: int) -> UploadStatus:
        return await self._command(upload, UploadEvent.CANCEL)

    async def dismiss(self, upload: int) -> UploadStatus:
        await self._write(lambda connection: uploads.dismiss(connection, upload))
        await self._recount_parts()
        return self._view.upload(upload)

    async def set_auto_process(self, upload: int, on: bool) -> UploadStatus:
        await self._write(lambda connection: uploads.set_auto_process(connection, upload, on))
        return self._view.upload(upload)

    async def retry(self, upload: int, selection: FileSelection) -> int:
        """How many failed files wait again."""
        return await self._write(lambda connection: uploads.retry(connection, upload, selection))

    async def remove(self, upload: int, selection: FileSelection) -> int:
        """How many waiting, duplicate or failed files left the queue.

        Raises NotPossibleNow when one that was named is uploading or uploaded.
        """
        removed = await self._write(lambda connection: uploads.remove(connection, upload, selection))
        await self._recount_parts()
        return removed

    async def restore(self, upload: int, selection: FileSelection) -> int:
        """Take a removal back."""
        restored = await self._write(lambda connection: uploads.restore(connection, upload, selection))
        await self._recount_parts()
        return restored

    async def start_processing(self, project: str, *, partial: bool = False) -> Project:
        """Start now. `partial`: although files are waiting or failed.

        Raises TooFewImages, NotPossibleNow.
        """
        found = await self._rooms.projects.meant(project, None, ProjectKind.IMAGES)
        await self._rooms.desk.start(found, partial)
        return self._view.project(found)

    async def bandwidth(self) -> Bandwidth:
        return self._core.valve.state

    async def set_bandwidth(self, change: BandwidthChange) -> Bandwidth:
        """Holds at once, and for engines to come. Raises UsageError, and then nothing changed."""
        state = await self._core.valve.change(change)
        self._core.ring()
        return state

    def try_now(self) -> None:
        """Do not wait for the next probe of a dead link, or the end of a pause between attempts."""
        self._rooms.try_now()

    async def _recount_parts(self) -> None:
        """Parts of a file that left the queue are not sent bytes of the upload any more."""

        def recount(connection: sqlite3.Connection) -> None:
            counted.update(files.bytes_in_parts(connection))

        counted: dict[int, tuple[int, int]] = {}
        # Through the writer, so that no part lands between the count and its use.
        await self._core.journal.write(recount, then=lambda: self._core.live.set_all_parts(counted))

    async def _command(self, upload: int, event: UploadEvent) -> UploadStatus:
        await self._write(lambda connection: uploads.move_upload(connection, upload, event))
        if event is not UploadEvent.RESUME:
            await self._rooms.sender.stop(upload)
        return self._view.upload(upload)

    async def _write(self, change: Callable[[sqlite3.Connection], Result]) -> Result:
        result = await self._core.journal.write(change)
        self._core.ring()
        return result


def _nothing_in(paths: Sequence[str], skipped: Sequence[Skipped]) -> NothingToUpload:
    where = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
    looked_at = f" Passed over: {len(skipped)}, the first because: {skipped[0].reason}." if skipped else ""
    return NothingToUpload(f"There is nothing to upload in {printable(where)}.{looked_at}")


def _pix4d_cloud(settings: Settings) -> Callable[[Login], Cloud]:
    def made(login: Login) -> Cloud:
        # Brings the libraries for HTTP and for signing, which take as long to load as all the rest of the engine.
        from tui_uploader.cloud.pix4d import Pix4dCloud

        return Pix4dCloud(login, settings)

    return made
