"""Values of the model for tests: complete by default, so that each test names only the relevant fields."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tui_uploader.model.engine import EngineStatus, Link, LinkState
from tui_uploader.model.files import FileItem
from tui_uploader.model.projects import Processing
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, UploadStatus
from tui_uploader.model.verification import Evidence, Finding, Verdict, VerificationState, VerificationStatus

UPLOAD = UploadStatus(
    upload=3,
    project="256164",
    project_name="Quarry",
    state=UploadState.ACTIVE,
    counts=Counts(uploaded=4, uploading=2, waiting=4),
    bytes=ByteCounts(total=1000, sent=700, stored=420, registered=400),
    skipped=0,
    rate=0.0,
    eta=None,
    seconds=12.5,
    auto_process=True,
    processing=Processing(),
)
COMPLETE = replace(
    UPLOAD, state=UploadState.COMPLETE, counts=Counts(uploaded=10), bytes=ByteCounts(1000, 1000, 1000, 1000)
)
ENGINE = EngineStatus(
    version="0.1.0", pid=4711, since=0.0, link=Link(LinkState.UP), streams=2, rate=0.0, uploads=(UPLOAD,)
)

SAFE_CARD = VerificationStatus(
    verification=5,
    paths=("/media/card",),
    state=VerificationState.DONE,
    started_at=1000.0,
    ended_at=1060.0,
    verdict=Verdict.SAFE,
    scanning=False,
    files=412,
    bytes=6_200_000_000,
    files_read=412,
    bytes_read=6_200_000_000,
    findings={Finding.DELIVERED: 412},
    images=412,
    images_delivered=412,
    evidence={Evidence.STORAGE: 412},
    uploads={3: 412},
    projects=("Quarry",),
)
READING_CARD = replace(
    SAFE_CARD,
    state=VerificationState.RUNNING,
    ended_at=None,
    verdict=None,
    files_read=212,
    bytes_read=3_100_000_000,
    rate=88_000_000.0,
    seconds_left=35.2,
    findings={},
    images_delivered=0,
    evidence={},
    uploads={},
    projects=(),
)


def upload(**changes: Any) -> UploadStatus:
    return replace(UPLOAD, **changes)


def file(number: int, status: FileStatus = FileStatus.UPLOADED, **changes: Any) -> FileItem:
    name = f"DJI_{number:04}.JPG"
    return replace(
        FileItem(id=number, path=f"/card/{name}", name=name, object=name, size=4_030_000, status=status), **changes
    )


def verification(**changes: Any) -> VerificationStatus:
    return replace(SAFE_CARD, **changes)
