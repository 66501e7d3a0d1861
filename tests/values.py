"""Values of the model for tests: complete by default, so that each test names only the relevant fields."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tui_uploader.model.engine import EngineStatus, Link, LinkState
from tui_uploader.model.files import FileItem
from tui_uploader.model.projects import Processing
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, UploadStatus

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


def upload(**changes: Any) -> UploadStatus:
    return replace(UPLOAD, **changes)


def file(number: int, status: FileStatus = FileStatus.UPLOADED, **changes: Any) -> FileItem:
    name = f"DJI_{number:04}.JPG"
    return replace(
        FileItem(id=number, path=f"/card/{name}", name=name, object=name, size=4_030_000, status=status), **changes
    )
