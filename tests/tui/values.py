"""Values of the model for tests of how they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from tui_uploader.model.engine import EngineStatus, Link
from tui_uploader.model.files import FileItem, Proof
from tui_uploader.model.projects import Processing, Project, ProjectKind
from tui_uploader.model.results import ProjectResult
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange, Notice, UploadStatus
from tui_uploader.tui.lines.glyphs import Span

HOSTILE = (
    "[red]bold[/red]",
    "\x1b[31mred\x1b[0m.jpg",
    "two\nlines\r\n.jpg",
    "\u202egnp.exe",
    "漢字の名前.jpg",
    "e\u0301te\u0301.jpg",
    "👩\u200d👩\u200d👧.jpg",
    "no\u200bwidth\ufe0f.jpg",
    "\udcff\udcfe.jpg",
    "x" * 255,
    "שלום.jpg",
    "",
)
"""Names that must never reach a terminal as they are, or are hard to lay out."""

_NO_COUNTS, _NOTHING, _NOT_STARTED, _UNKNOWN = Counts(), ByteCounts(), Processing(), Link()


def file_item(
    number: int = 1,
    name: str = "DJI_0001.JPG",
    status: FileStatus = FileStatus.WAITING,
    *,
    size: int = 4_000_000,
    sent: int = 0,
    reason: str | None = None,
    object: str | None = None,
    duplicate_of: str | None = None,
    verified: Proof | None = None,
) -> FileItem:
    return FileItem(number, f"/card/{name}", name, object, size, status, reason, duplicate_of, sent, verified)


def upload_status(
    number: int = 1,
    *,
    name: str = "North field",
    project: str | None = "1001",
    state: UploadState = UploadState.ACTIVE,
    counts: Counts = _NO_COUNTS,
    volume: ByteCounts = _NOTHING,
    rate: float = 0.0,
    eta: EtaRange | None = None,
    skipped: int = 0,
    auto_process: bool = True,
    processing: Processing = _NOT_STARTED,
    notice: Notice | None = None,
) -> UploadStatus:
    """Streams carry all files that are uploading."""
    return UploadStatus(
        upload=number,
        project=project,
        project_name=name,
        state=state,
        counts=counts,
        bytes=volume,
        skipped=skipped,
        rate=rate,
        eta=eta,
        seconds=1.0,
        auto_process=auto_process,
        processing=processing,
        notice=notice,
        moving=counts.uploading,
    )


def engine_status(*uploads: UploadStatus, link: Link = _UNKNOWN, streams: int = 0, rate: float = 0.0) -> EngineStatus:
    return EngineStatus("1", 1, 0.0, link, streams, rate, uploads)


def project(
    name: str = "North field",
    *,
    id: str | None = "1001",
    uploads: tuple[int, ...] = (),
    images: int = 0,
    processing: Processing = _NOT_STARTED,
    kind: ProjectKind = ProjectKind.IMAGES,
    results: tuple[ProjectResult, ...] = (),
) -> Project:
    return Project(id, name, kind, "me@cloud", processing, uploads, images, results=results)


def text_of(spans: Iterable[Span]) -> str:
    """The text of a line or a cell, without its styles."""
    return "".join(span.text for span in spans)
