"""Uploads: the queue of files that go to one project."""

from __future__ import annotations

import msgspec

from tui_uploader.model.files import Hold
from tui_uploader.model.projects import Processing, ProjectKind, Target
from tui_uploader.model.results import ResultType
from tui_uploader.model.states import UploadState


class Counts(msgspec.Struct, frozen=True):
    """Files by status."""

    uploaded: int = 0
    uploading: int = 0
    waiting: int = 0
    duplicate: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.uploaded + self.uploading + self.waiting + self.duplicate + self.failed


class ByteCounts(msgspec.Struct, frozen=True):
    """Bytes sent, stored and registered, which are never mixed. `total` excludes duplicates."""

    total: int = 0
    sent: int = 0
    stored: int = 0
    registered: int = 0


class Skipped(msgspec.Struct, frozen=True):
    """A path that was found and not uploaded."""

    path: str
    reason: str


class Notice(msgspec.Struct, frozen=True):
    """A message about an upload."""

    kind: str
    """Name of the error class (see `errors`)."""
    message: str
    needs_person: bool
    """The upload is blocked until the user acts."""


class EtaRange(msgspec.Struct, frozen=True):
    """Seconds until everything is uploaded, as a probable range."""

    low: float
    high: float


class UploadStatus(msgspec.Struct, frozen=True):
    """One row of the uploads panel."""

    upload: int
    project: str | None
    project_name: str
    state: UploadState
    counts: Counts
    bytes: ByteCounts
    skipped: int
    """Number of skipped paths."""
    rate: float
    """Goodput: bytes a second recently confirmed by the storage or delivered by the kernel."""
    eta: EtaRange | None
    """None while no reliable estimate is possible."""
    seconds: float
    """Time spent active since the upload was created."""
    auto_process: bool
    processing: Processing
    notice: Notice | None = None
    dismissed: bool = False
    account: str = ""
    """The owner of the project, as `client id@cloud address`."""
    kind: ProjectKind = ProjectKind.IMAGES
    added_at: float = 0.0
    ended_at: float | None = None
    """When it was completed or cancelled; None: it was not, or by a version that did not record it."""
    moving: int = 0
    """Files that a stream carries now. `counts.uploading` also counts those that are stored and not registered yet, and
    those that are chosen to be sent next."""
    registering: int = 0
    """Files that are stored and not registered yet."""
    hold: Hold | None = None
    """Why nothing moves; None: something moves, or there is nothing left to move."""
    behind: str | None = None
    """Name of the project whose upload is sent first, if that is why this one waits."""
    process_at: float | None = None
    """When processing of the project starts automatically, unless the user stops it; None: it is not about to start."""
    addition: int | None = None
    """In the answer to an addition: its number, for `undo_addition`."""
    receipt: str | None = None
    """Path of the receipt that was written when it was completed; None: there is none yet."""
    watch: int | None = None
    """The watch that fills it."""

    @property
    def settled(self) -> bool:
        """Whether the upload has ended, or only a retry by the user can continue it."""
        if self.state.ended:
            return True
        idle = self.counts.waiting + self.counts.uploading == 0
        return self.state is UploadState.ACTIVE and idle and self.counts.failed > 0


class AddRequest(msgspec.Struct, frozen=True):
    """Files or folders to put into the queue of a project."""

    paths: tuple[str, ...]
    """Absolute paths."""
    target: Target
    kind: ProjectKind = ProjectKind.IMAGES
    auto_process: bool | None = None
    """None: automatic, unless the project was processed before."""
    account: str | None = None
    """None: the account of the default login."""
    result_type: ResultType | None = None
    """Of all results in the paths; None: as their content tells. Raises ResultTypeUnclear where that does not."""
    replace: bool = False
    """The user agrees that results take the place of those of the same type that the project has."""
    watch: int | None = None
    """The watch that asks."""
    other_crs: bool = False
    """The user agrees to results whose coordinate reference system is not that of the project's results."""


class UndoneAddition(msgspec.Struct, frozen=True):
    """What became of the files of an addition that was undone."""

    upload: int
    removed: int
    """Files that were taken out of the queue."""
    kept: int
    """Files that stay in the project, because they were sent already."""
