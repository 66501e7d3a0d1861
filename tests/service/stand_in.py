"""A manager without cloud and journal, for tests of the service: real values, kept in memory."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from tests.service import stand_in_files
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.pipeline.add_results import ResultAdder
from tui_uploader.engine.queries import Queries
from tui_uploader.errors import JournalTooNew, NoSuchProject, NoSuchUpload, NotPossibleNow, UsageError
from tui_uploader.model.accounts import Account, SignInRequest
from tui_uploader.model.engine import Bandwidth, BandwidthChange, BudgetPeriod, EngineStatus, Link
from tui_uploader.model.files import FileItem, FileQuery, FileSelection, FileWindow, IdRun, runs_of
from tui_uploader.model.history import PastEvent
from tui_uploader.model.projects import NewProject, Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.results import ResultQuestion, ResultType
from tui_uploader.model.states import FileStatus, UploadEvent, UploadState, next_state
from tui_uploader.model.uploads import AddRequest, ByteCounts, Counts, Skipped, UndoneAddition, UploadStatus
from tui_uploader.service import protocol
from tui_uploader.settings import Directories, Settings

ACCOUNT = "id@http://127.0.0.1:1"


@dataclass
class StandInState:
    since: float = field(default_factory=time.time)
    uploads: dict[int, UploadStatus] = field(default_factory=dict)
    files: dict[int, list[FileItem]] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    sign_ins: list[SignInRequest] = field(default_factory=list)
    bandwidth: Bandwidth = field(default_factory=Bandwidth)
    tries: int = 0
    history: list[PastEvent] = field(default_factory=list)
    change: asyncio.Event = field(default_factory=asyncio.Event)

    def try_now(self) -> None:
        self.tries += 1
        self.change.set()


class StandInQueries(Queries):
    """The project "a fault" raises an exception; "a slow answer" sends a status when requested, and never answers."""

    def __init__(self, state: StandInState) -> None:
        self._state = state

    def status(self) -> EngineStatus:
        uploads = tuple(upload for upload in self._state.uploads.values() if not upload.dismissed)
        newest = max((event.id for event in self._state.history), default=0)
        return EngineStatus(protocol.version(), os.getpid(), self._state.since, Link(), 0, 0.0, uploads, history=newest)

    async def changes(self) -> AsyncIterator[EngineStatus]:
        while True:
            self._state.change.clear()
            yield self.status()
            await self._state.change.wait()

    @property
    def busy(self) -> bool:
        return any(not upload.settled for upload in self._state.uploads.values())

    async def upload(self, upload: int) -> UploadStatus:
        try:
            return self._state.uploads[upload]
        except KeyError:
            raise NoSuchUpload(f"There is no upload {upload}.") from None

    async def skipped(self, upload: int, *, whole_project: bool = False) -> tuple[Skipped, ...]:
        await self.upload(upload)
        return (Skipped("/media/card/notes.txt", "no image"),)

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        return stand_in_files.window(await self._files(upload, query.whole_project), query)

    async def file_runs(self, upload: int, query: FileQuery) -> tuple[IdRun, ...]:
        return runs_of(sorted(stand_in_files.between(await self._files(upload, query.whole_project), query)))

    async def _files(self, upload: int, whole_project: bool) -> list[FileItem]:
        project = (await self.upload(upload)).project
        uploads = [each.upload for each in self._state.uploads.values() if each.project == project]
        return [file for each in (uploads if whole_project else [upload]) for file in self._state.files[each]]

    async def projects(self) -> tuple[Project, ...]:
        return tuple(self._state.projects.values())

    async def project(self, project: str) -> Project:
        if project == "a fault":
            raise RuntimeError("a fault of the program")
        if project == "a slow answer":
            self._state.try_now()
            await asyncio.sleep(3600)
        for found in self._state.projects.values():
            if project in (found.id, found.name):
                return found
        raise NoSuchProject(f"There is no project '{project}'.")

    async def accounts(self) -> tuple[Account, ...]:
        return tuple(
            Account(request.login.account, request.login.cloud_url, request.login.client_id, "engine")
            for request in self._state.sign_ins
        )

    async def history(self, after: int, limit: int, since: float | None = None) -> tuple[PastEvent, ...]:
        found = [event for event in self._state.history if event.id > after and (since is None or event.at >= since)]
        return tuple(found[-limit:])

    async def bandwidth(self) -> Bandwidth:
        return self._state.bandwidth


class StandInResults(ResultAdder):
    """Recognises an orthomosaic in every path."""

    def __init__(self) -> None:
        pass

    async def survey(self, request: AddRequest) -> tuple[ResultQuestion, ...]:
        return tuple(ResultQuestion(path, 1, ResultType.ORTHOMOSAIC) for path in request.paths)


class StandInManager(UploadManager):
    """Files stay waiting; commands change states by the table in `model`."""

    def __init__(self) -> None:
        self.closed = False
        self.requests: list[AddRequest] = []
        self._ids, self._file_ids = itertools.count(1), itertools.count(1)
        self._state = StandInState()
        self.queries = StandInQueries(self._state)
        self.results = StandInResults()

    @property
    def sign_ins(self) -> list[SignInRequest]:
        return self._state.sign_ins

    def happen(self, event: PastEvent) -> None:
        """Add an event to the history."""
        self._state.history.append(event)
        self._state.change.set()

    @property
    def tries(self) -> int:
        return self._state.tries

    @classmethod
    async def open(cls, directories: Directories, settings: Settings) -> StandInManager:
        if (directories.data / "journal-of-tomorrow").exists():
            raise JournalTooNew(
                f"The journal {directories.journal} was written by a later version; update tui-uploader."
            )
        return cls()

    async def close(self) -> None:
        await asyncio.sleep(float(os.environ.get("STAND_IN_CLOSING_SECONDS", "0")))
        self.closed = True

    async def sign_in(self, request: SignInRequest) -> Account:
        self._state.sign_ins.append(request)
        return Account(request.login.account, request.login.cloud_url, request.login.client_id, "engine")

    async def sign_out(self, profile: str) -> bool:
        signed_in = bool(self._state.sign_ins)
        self._state.sign_ins.clear()
        return signed_in

    async def add(self, request: AddRequest) -> UploadStatus:
        self.requests.append(request)
        target = request.target
        project = (
            await self.create_project(target.name, request.kind, request.account)
            if isinstance(target, NewProject)
            else await self.queries.project(target.id_or_name)
        )
        number = next(self._ids)
        self._state.files[number] = [
            FileItem(next(self._file_ids), path, Path(path).name, None, 7, FileStatus.WAITING, upload=number)
            for path in request.paths
        ]
        self._state.uploads[number] = UploadStatus(
            upload=number,
            project=project.id,
            project_name=project.name,
            state=UploadState.ACTIVE,
            counts=Counts(waiting=len(request.paths)),
            bytes=ByteCounts(total=7 * len(request.paths)),
            skipped=1,
            rate=0.0,
            eta=None,
            seconds=0.0,
            auto_process=request.auto_process is not False,
            processing=Processing(),
        )
        return self._changed(number, addition=number)

    async def create_project(self, name: str, kind: ProjectKind, account: str | None) -> Project:
        made = Project(str(1000 + len(self._state.projects)), name, kind, account or ACCOUNT)
        return self._state.projects.setdefault(name, made)

    async def pause(self, upload: int) -> UploadStatus:
        return await self._transition(upload, UploadEvent.PAUSE)

    async def resume(self, upload: int) -> UploadStatus:
        return await self._transition(upload, UploadEvent.RESUME)

    async def cancel(self, upload: int) -> UploadStatus:
        return await self._transition(upload, UploadEvent.CANCEL)

    async def dismiss(self, upload: int) -> UploadStatus:
        if not (await self.queries.upload(upload)).settled:
            raise NotPossibleNow(f"Upload {upload} is still at work; cancel it first.")
        return self._changed(upload, dismissed=True)

    async def undismiss(self, upload: int) -> UploadStatus:
        await self.queries.upload(upload)
        return self._changed(upload, dismissed=False)

    async def undo_addition(self, addition: int) -> UndoneAddition:
        """Its number is that of its upload, which the addition has created."""
        if addition not in self._state.uploads:
            raise NotPossibleNow(f"There is no addition {addition} to undo.")
        removed = len(self._state.files.pop(addition))
        del self._state.uploads[addition]
        self._state.change.set()
        return UndoneAddition(addition, removed, 0)

    async def set_auto_process(self, upload: int, on: bool) -> UploadStatus:
        await self.queries.upload(upload)
        return self._changed(upload, auto_process=on)

    async def stop_automatic_start(self, upload: int) -> UploadStatus:
        await self.queries.upload(upload)
        return self._changed(upload, auto_process=False, process_at=None)

    async def retry(self, upload: int, selection: FileSelection) -> int:
        await self.queries.upload(upload)
        return 0

    async def remove(self, upload: int, selection: FileSelection) -> int:
        found = await self.queries.files(upload, FileQuery(limit=10**9, whole_project=selection.whole_project))
        among = {file.upload for file in found.files} | {upload}
        removed = 0
        for each in among:
            files = self._state.files[each]
            kept = [file for file in files if not stand_in_files.selected(file, selection)]
            removed += len(files) - len(kept)
            self._state.files[each] = kept
            self._changed(each, counts=Counts(waiting=len(kept)))
        return removed

    async def restore(self, upload: int, selection: FileSelection) -> int:
        await self.queries.upload(upload)
        return len(selection.ids)

    async def start_processing(self, project: str, *, partial: bool = False, again: bool = False) -> Project:
        found = await self.queries.project(project)
        if not partial:
            raise NotPossibleNow("Files are waiting; start with what is uploaded, or wait.")
        return replace(found, processing=Processing(ProcessingState.SUBMITTED))

    async def set_bandwidth(self, change: BandwidthChange) -> Bandwidth:
        if change.limit == "fast":
            raise UsageError("'fast' is not a rate.")
        self._state.bandwidth = replace(
            self._state.bandwidth, holds=f"limit {change.limit}", per=change.per or BudgetPeriod.MONTH
        )
        return self._state.bandwidth

    def try_now(self) -> None:
        self._state.try_now()

    async def _transition(self, upload: int, event: UploadEvent) -> UploadStatus:
        return self._changed(upload, state=next_state((await self.queries.upload(upload)).state, event))

    def _changed(self, upload: int, **fields: object) -> UploadStatus:
        self._state.uploads[upload] = replace(self._state.uploads[upload], **fields)
        self._state.change.set()
        return self._state.uploads[upload]
