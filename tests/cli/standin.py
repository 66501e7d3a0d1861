"""An engine with scripted answers, for tests of what the commands print. The end-to-end tests use the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from msgspec.structs import replace

from tests.values import COMPLETE, ENGINE, SAFE_CARD
from tui_uploader.errors import UploaderError
from tui_uploader.model.accounts import Account, SignInRequest
from tui_uploader.model.engine import Bandwidth, BandwidthChange, EngineStatus
from tui_uploader.model.files import FileItem, FileQuery, FileSelection, FileWindow
from tui_uploader.model.history import PastEvent
from tui_uploader.model.projects import Project, Target
from tui_uploader.model.results import ResultQuestion
from tui_uploader.model.uploads import AddRequest, Skipped, UndoneAddition, UploadStatus
from tui_uploader.model.verification import (
    Finding,
    Verdict,
    VerificationRequest,
    VerificationStatus,
    VerifiedFile,
    VerifiedFiles,
    VerifiedFolder,
)
from tui_uploader.settings import Directories

Scripted = UploadStatus | UploaderError
"""The next answer of the engine: a status, or the error with which it ends."""


class StandInVerifications:
    """Its files have their findings; the status is that of the engine's script."""

    def __init__(self, engine: StandIn) -> None:
        self._engine = engine
        self.script: list[VerificationStatus] = [SAFE_CARD]
        self.last = SAFE_CARD
        self.items: list[VerifiedFile] = []
        self.listed: tuple[VerifiedFolder, ...] = (VerifiedFolder("/media/card/DCIM", Verdict.SAFE, 412, 6_200),)

    def next_status(self) -> VerificationStatus:
        self.last = self.script.pop(0) if self.script else self.last
        return self.last

    async def start(self, request: VerificationRequest) -> VerificationStatus:
        self._engine.hear("verify", request)
        return self.last

    async def status(self, verification: int) -> VerificationStatus:
        del verification
        return self.last

    async def folders(self, verification: int) -> tuple[VerifiedFolder, ...]:
        del verification
        return self.listed

    async def files(self, verification: int, *, finding: Finding, offset: int = 0, limit: int = 200) -> VerifiedFiles:
        self._engine.hear("verified files", (verification, finding, offset, limit))
        found = [item for item in self.items if item.finding is finding]
        return VerifiedFiles(len(found), offset, tuple(found[offset : offset + limit]))

    async def each_file(self, verification: int, finding: Finding) -> AsyncIterator[VerifiedFile]:
        del verification
        for item in self.items:
            if item.finding is finding:
                yield item

    async def cancel(self, verification: int) -> VerificationStatus:
        self._engine.hear("cancel verification", verification)
        return self.last

    async def upload_missing(self, verification: int, target: Target | None = None) -> UploadStatus:
        self._engine.hear("upload missing", (verification, target))
        return self._engine.last


class StandInResults:
    """Recognises what its script says, call by call; the last answer stays."""

    def __init__(self, engine: StandIn) -> None:
        self._engine = engine
        self.script: list[tuple[ResultQuestion, ...]] = [()]

    async def survey(self, request: AddRequest) -> tuple[ResultQuestion, ...]:
        self._engine.hear("survey", request)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@dataclass
class StandIn:
    """Plays `script` to the client that follows it, and records the requests."""

    script: list[Scripted] = field(default_factory=lambda: [COMPLETE])
    items: list[FileItem] = field(default_factory=list)
    left_out: tuple[Skipped, ...] = ()
    known: tuple[Account, ...] = ()
    found: tuple[Project, ...] = ()
    happened: tuple[PastEvent, ...] = ()
    allowed: Bandwidth = field(default_factory=Bandwidth)
    failures: Mapping[str, list[UploaderError]] = field(default_factory=dict)
    """By method: the errors to raise, call by call."""
    requests: list[tuple[str, Any]] = field(default_factory=list)
    connections: int = 0
    last: UploadStatus = COMPLETE
    receipts: Any = None
    """The part of the client for receipts, for tests of it."""

    def __post_init__(self) -> None:
        self.verifications = StandInVerifications(self)
        self.results = StandInResults(self)

    @asynccontextmanager
    async def connect(self, directories: Directories, **options: Any) -> AsyncIterator[Self]:
        del directories, options
        self.connections += 1
        self._fail("connect")
        yield self

    def _fail(self, method: str) -> None:
        if waiting := self.failures.get(method):
            raise waiting.pop(0)

    def hear(self, method: str, what: Any) -> None:
        self.requests.append((method, what))
        self._fail(method)

    def heard(self, method: str) -> list[Any]:
        return [what for name, what in self.requests if name == method]

    async def status(self) -> EngineStatus:
        return replace(ENGINE, uploads=(self.last,))

    async def changes(self) -> AsyncIterator[EngineStatus]:
        while self.script:
            said = self.script.pop(0)
            if isinstance(said, UploaderError):
                self.known = ()  # the next engine is another one
                raise said
            self.last = said
            yield replace(ENGINE, uploads=(said,), verifications=(self.verifications.next_status(),))

    async def upload(self, upload: int) -> UploadStatus:
        self.hear("upload", upload)
        return self.last

    async def skipped(self, upload: int) -> tuple[Skipped, ...]:
        del upload
        return self.left_out

    async def files(self, upload: int, query: FileQuery) -> FileWindow:
        self.hear("files", (upload, query))
        matching = [
            item
            for item in self.items
            if query.status in (None, item.status) and query.verified in (None, item.verified)
        ]
        window = matching[query.offset : query.offset + query.limit]
        return FileWindow(len(matching), query.offset, tuple(window))

    async def history(self, after: int = 0, limit: int = 200, *, since: float | None = None) -> tuple[PastEvent, ...]:
        self.hear("history", (after, limit, since))
        return tuple(self.happened)

    async def projects(self) -> tuple[Project, ...]:
        return self.found

    async def sign_in(self, request: SignInRequest) -> Account:
        self.hear("sign_in", request)
        login = request.login
        account = Account(login.account, login.cloud_url, login.client_id, "environment")
        self.known = (*(other for other in self.known if other.account != login.account), account)
        return account

    async def sign_out(self, profile: str) -> bool:
        self.hear("sign_out", profile)
        return False

    async def accounts(self) -> tuple[Account, ...]:
        return self.known

    async def add(self, request: AddRequest) -> UploadStatus:
        self.hear("add", request)
        return self.last

    async def pause(self, upload: int) -> UploadStatus:
        self.hear("pause", upload)
        return self.last

    async def cancel(self, upload: int) -> UploadStatus:
        self.hear("cancel", upload)
        return self.last

    async def resume(self, upload: int) -> UploadStatus:
        self.hear("resume", upload)
        return self.last

    async def dismiss(self, upload: int) -> UploadStatus:
        self.hear("dismiss", upload)
        return self.last

    async def undismiss(self, upload: int) -> UploadStatus:
        self.hear("undismiss", upload)
        return self.last

    async def undo_addition(self, addition: int) -> UndoneAddition:
        self.hear("undo_addition", addition)
        return UndoneAddition(self.last.upload, 3922, 78)

    async def retry(self, upload: int, selection: FileSelection) -> int:
        self.hear("retry", (upload, selection))
        return 2

    async def project(self, project: str) -> Project:
        return next(found for found in self.found if project in (found.id, found.name))

    async def start_processing(self, project: str, *, partial: bool = False, again: bool = False) -> Project:
        self.hear("start_processing", (project, partial, again))
        return await self.project(project)

    async def bandwidth(self) -> Bandwidth:
        return self.allowed

    async def set_bandwidth(self, change: BandwidthChange) -> Bandwidth:
        self.hear("set_bandwidth", change)
        return self.allowed

    async def remove(self, upload: int, selection: FileSelection) -> int:
        self.hear("remove", (upload, selection))
        return 1


def saying(*script: Scripted, items: Iterable[FileItem] = (), skipped: tuple[Skipped, ...] = ()) -> StandIn:
    return StandIn(script=list(script), items=list(items), left_out=skipped)
