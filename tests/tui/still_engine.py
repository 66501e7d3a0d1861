"""An engine whose state never changes, with files and uploads in every state, for tests of how the screen looks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from tests.tui.values import engine_status, file_item, project, upload_status
from tests.until import until
from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import EngineStatus, Link, LinkState
from tui_uploader.model.files import FileItem, FileQuery, FileWindow, Hold, PhotoFacts, Position, Positions
from tui_uploader.model.history import PastEvent
from tui_uploader.model.hooks import HookEvent, HookFailure
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.results import ProjectResult, ResultType
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange, Notice, UploadStatus
from tui_uploader.model.watches import Watch, WatchState
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories

GB = 1_000_000_000
_FACTS = PhotoFacts(
    5280, 3956, "2026-11-28T09:08:24", -46.52044, -156.56108, 1234.0, "DJI FC6520", 1 / 1600, 5.6, 12800, 8.8
)
_RESULTS = (
    ProjectResult(ResultType.ORTHOMOSAIC, "ortho_may.tif", 2_100_000_000, 1_780_000_000.0),
    ProjectResult(ResultType.MESH, "quarry.obj", 150_000_000),
)
_WATCHES = (
    Watch(1, "/media/card", WatchState.ABSENT, 0.0, cards=3),
    Watch(2, "/media/reader", WatchState.BLOCKED, 0.0, "Quarry", 3, reason="The image folder cannot be read."),
    Watch(3, "/media/other", WatchState.ADDING, 0.0, "North field", 1),
)
_FAILURES = (HookFailure(0.0, "notify.sh", HookEvent.COMPLETE, "notify.sh does not exist."),)


def busy_files() -> tuple[FileItem, ...]:
    """A file in every state, with the largest numbers that are usual."""
    known = {"taken_at": 1_780_000_000.0, "located": True, "camera": "DJI FC6520", "height": 122.4}
    size = 987_654_321
    items = (
        file_item(1, "DJI_0001.JPG", FileStatus.FAILED, size=size, reason="The image is cut off; copy it again."),
        file_item(2, "DJI_0002.JPG", FileStatus.UPLOADING, size=size, sent=size // 2),
        file_item(3, "DJI_0003.JPG", FileStatus.DUPLICATE, size=size, duplicate_of="/card/DJI_0004.JPG"),
        file_item(4, "DJI_0004.JPG", FileStatus.UPLOADED, size=size, object="DJI_0004-1f3a9c.JPG"),
        file_item(5, "漢字 [red].JPG", FileStatus.UPLOADED, size=size),
        file_item(6, "DJI_0006.JPG", FileStatus.WAITING, size=size),
        file_item(7, "DJI_0007.JPG", FileStatus.WAITING, size=size),
    )
    holds = {2: None, 6: Hold.OFFLINE, 7: Hold.BUDGET}
    return tuple(replace(item, **known, hold=holds.get(item.id), upload=1) for item in items)


def busy_uploads() -> tuple[UploadStatus, ...]:
    counts = Counts(uploaded=12_345, uploading=16, waiting=23_456, duplicate=1_234, failed=123)
    volume = ByteCounts(total=185 * GB, sent=93 * GB, stored=92 * GB, registered=91 * GB)
    processing = Processing(
        ProcessingState.PROCESSING, waiting_seconds=60.0, processing_seconds=8_000.0, submitted_at=1_780_000_000.0
    )
    failed = Notice("FileDamaged", "1 failed file holds up processing.", needs_person=True)
    return (
        upload_status(1, counts=counts, volume=volume, rate=12_300_000.0, eta=EtaRange(3_600.0, 98_000.0)),
        replace(
            upload_status(2, name="Bridge", project="1002", counts=counts, volume=volume, notice=failed),
            hold=Hold.OFFLINE,
        ),
        upload_status(3, name="Quarry", project="1003", state=UploadState.PAUSED, counts=counts, volume=volume),
        upload_status(4, name="Depot", project="1004", state=UploadState.PREPARING, counts=counts, volume=volume),
        upload_status(
            5,
            name="Harbour",
            project="1005",
            state=UploadState.COMPLETE,
            counts=Counts(uploaded=39_999),
            volume=ByteCounts(185 * GB, 185 * GB, 185 * GB, 185 * GB),
            processing=processing,
        ),
        upload_status(6, name="Gravel", project="1006", state=UploadState.CANCELLED, counts=counts, volume=volume),
    )


class StillEngine(EngineClient):
    def __init__(self, link: Link | None = None) -> None:
        self._link = link or Link(LinkState.UP)

    async def changes(self) -> AsyncGenerator[EngineStatus, None]:
        status = engine_status(*busy_uploads(), link=self._link, streams=16, rate=12_300_000.0)
        yield replace(status, watches=_WATCHES, hook_failures=_FAILURES)
        await until(lambda: False, 600.0)

    async def files(self, upload: int, query: FileQuery | None = None) -> FileWindow:
        query = query or FileQuery()
        files = busy_files()
        anchor = next((index for index, item in enumerate(files) if item.id == query.anchor), None)
        window = files[query.offset : query.offset + query.limit]
        return FileWindow(len(files), query.offset, window, matching=len(files), anchor=anchor)

    async def projects(self) -> tuple[Project, ...]:
        busy = tuple(
            project(each.project_name, id=each.project, uploads=(each.upload,), processing=each.processing)
            for each in busy_uploads()
        )
        return (*busy, project("Delivery", id="2001", kind=ProjectKind.RESULTS, results=_RESULTS))

    async def accounts(self) -> tuple[Account, ...]:
        return ()

    async def photo_facts(self, upload: int, file: int) -> PhotoFacts:
        return _FACTS

    async def positions(self, upload: int, *args: object, **options: object) -> Positions:
        points = tuple(
            Position(46.5 + number / 1000, 6.5, status, taken_at=float(number))
            for number, status in enumerate(FileStatus)
        )
        return Positions(points, located=5, unlocated=2, unread=1, current=points[0], failed=1)

    async def history(self, *args: object, **options: object) -> tuple[PastEvent, ...]:
        return ()


def connecting(engine: StillEngine) -> Callable[..., Any]:
    """What opens a client of the engine."""

    @asynccontextmanager
    async def connect(directories: Directories, **_: Any) -> AsyncIterator[EngineClient]:
        yield engine

    return connect
