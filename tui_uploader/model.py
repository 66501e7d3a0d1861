"""Values shared by all parts: projects, uploads, files and their states. Pure, no I/O.

msgspec structs rather than dataclasses: they are defined in a tenth of the time, before the first frame of the app.

Three facts are never mixed. *Sent*: the bytes left this machine. *Stored*: the storage confirmed them, with an equal
checksum. *Registered*: the image is in the project. A file is *uploaded* only when it is stored and registered.

Paths are `str`, decoded as UTF-8 with surrogate escapes in every process (see `encoding`), sizes are bytes, times
are seconds since the epoch, rates are bytes a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal

import msgspec

MIN_IMAGES, MAX_IMAGES = 6, 4000
"""Number of images that one project accepts (PIX4D, support article 203694199)."""

# --------------------------------------------------------------------------------------------------- files


class FileStatus(StrEnum):
    """The status of a file as shown to the user."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    DUPLICATE = "duplicate"
    FAILED = "failed"


class FileStage(StrEnum):
    """The status of a file in the journal, in more detail."""

    FOUND = "found"
    """On disk; not yet read."""
    READY = "ready"
    """Read, usable, and named: may be sent."""
    SENDING = "sending"
    STORED = "stored"
    """The object store confirmed it; the project does not know it yet."""
    REGISTERED = "registered"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    REMOVED = "removed"
    """Taken out of the queue by the user, who can undo that."""

    @property
    def status(self) -> FileStatus | None:
        """None for a removed file, which is not shown."""
        return _STATUS_OF_STAGE[self]


_STATUS_OF_STAGE: Mapping[FileStage, FileStatus | None] = {
    FileStage.FOUND: FileStatus.WAITING,
    FileStage.READY: FileStatus.WAITING,
    FileStage.SENDING: FileStatus.UPLOADING,
    FileStage.STORED: FileStatus.UPLOADING,
    FileStage.REGISTERED: FileStatus.UPLOADED,
    FileStage.DUPLICATE: FileStatus.DUPLICATE,
    FileStage.FAILED: FileStatus.FAILED,
    FileStage.REMOVED: None,
}


class FileEvent(StrEnum):
    """A change of a file's stage."""

    CHECKED = "checked"
    MATCHED = "matched"
    """Its content is already in the project."""
    PICKED = "picked"
    HELD = "held"
    """Sending stopped before the end: paused, offline, or to be retried."""
    STORED = "stored"
    REGISTERED = "registered"
    FAILED = "failed"
    CHANGED = "changed"
    """The file on disk is no longer the one that was read."""
    FREED = "freed"
    """The file that it duplicates will not be uploaded after all."""
    RETRY = "retry"
    RETRY_REGISTRATION = "retry_registration"
    REMOVE = "remove"
    RESTORE = "restore"


FILE_TRANSITIONS: Mapping[tuple[FileStage, FileEvent], FileStage] = {
    (FileStage.FOUND, FileEvent.CHECKED): FileStage.READY,
    (FileStage.FOUND, FileEvent.MATCHED): FileStage.DUPLICATE,
    (FileStage.FOUND, FileEvent.FAILED): FileStage.FAILED,
    (FileStage.FOUND, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.FOUND, FileEvent.STORED): FileStage.STORED,
    (FileStage.FOUND, FileEvent.REMOVE): FileStage.REMOVED,
    (FileStage.READY, FileEvent.PICKED): FileStage.SENDING,
    (FileStage.READY, FileEvent.FAILED): FileStage.FAILED,
    (FileStage.READY, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.READY, FileEvent.REMOVE): FileStage.REMOVED,
    (FileStage.SENDING, FileEvent.HELD): FileStage.READY,
    (FileStage.SENDING, FileEvent.STORED): FileStage.STORED,
    (FileStage.SENDING, FileEvent.FAILED): FileStage.FAILED,
    (FileStage.SENDING, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.STORED, FileEvent.REGISTERED): FileStage.REGISTERED,
    (FileStage.STORED, FileEvent.FAILED): FileStage.FAILED,
    (FileStage.STORED, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.DUPLICATE, FileEvent.FREED): FileStage.FOUND,
    (FileStage.DUPLICATE, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.DUPLICATE, FileEvent.REMOVE): FileStage.REMOVED,
    (FileStage.FAILED, FileEvent.RETRY): FileStage.FOUND,
    (FileStage.FAILED, FileEvent.RETRY_REGISTRATION): FileStage.STORED,
    (FileStage.FAILED, FileEvent.CHANGED): FileStage.FOUND,
    (FileStage.FAILED, FileEvent.REMOVE): FileStage.REMOVED,
    (FileStage.REMOVED, FileEvent.RESTORE): FileStage.FOUND,
    (FileStage.REMOVED, FileEvent.CHANGED): FileStage.FOUND,
}
"""All possible transitions."""


class Proof(StrEnum):
    """How the storage proved that it has the bytes that were sent."""

    CRC32 = "crc32"
    MD5 = "md5"
    NONE = "no"
    """It confirmed the upload, without a checksum that could be compared."""


class FileItem(msgspec.Struct, frozen=True):
    """One file of an upload, as a front end shows it."""

    id: int
    path: str
    """Absolute path on this machine."""
    name: str
    """Base name of `path`."""
    object: str | None
    """Name in the project, once decided; differs from `name` if other content has that name."""
    size: int
    status: FileStatus
    reason: str | None = None
    """Why it is waiting, failed, or a duplicate; a sentence without line breaks."""
    duplicate_of: str | None = None
    """Path of the file with the same content."""
    sent: int = 0
    """Bytes that left this machine; a repeated part counts once."""
    verified: Proof | None = None
    """None: not stored, or stored by a version that did not record it."""


# -------------------------------------------------------------------------------------------------- uploads


class UploadState(StrEnum):
    PREPARING = "preparing"
    """Folders are still being walked; files that were found are already sent."""
    ACTIVE = "active"
    """Files are waiting, being sent, or failed and can be retried."""
    PAUSED = "paused"
    COMPLETE = "complete"
    """Everything is uploaded and nothing failed."""
    CANCELLED = "cancelled"
    """Stopped by the user; uploaded files stay, the rest can be resumed."""


class UploadEvent(StrEnum):
    ADDED = "added"
    SCANNED = "scanned"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FINISHED = "finished"
    REOPENED = "reopened"
    """A removed file was restored, or a file has to be checked again."""


UPLOAD_TRANSITIONS: Mapping[tuple[UploadState, UploadEvent], UploadState] = {
    (UploadState.PREPARING, UploadEvent.ADDED): UploadState.PREPARING,
    (UploadState.PREPARING, UploadEvent.SCANNED): UploadState.ACTIVE,
    (UploadState.PREPARING, UploadEvent.PAUSE): UploadState.PAUSED,
    (UploadState.PREPARING, UploadEvent.CANCEL): UploadState.CANCELLED,
    (UploadState.PREPARING, UploadEvent.REOPENED): UploadState.PREPARING,
    (UploadState.ACTIVE, UploadEvent.ADDED): UploadState.PREPARING,
    (UploadState.ACTIVE, UploadEvent.SCANNED): UploadState.ACTIVE,
    (UploadState.ACTIVE, UploadEvent.PAUSE): UploadState.PAUSED,
    (UploadState.ACTIVE, UploadEvent.CANCEL): UploadState.CANCELLED,
    (UploadState.ACTIVE, UploadEvent.FINISHED): UploadState.COMPLETE,
    (UploadState.ACTIVE, UploadEvent.REOPENED): UploadState.ACTIVE,
    (UploadState.PAUSED, UploadEvent.ADDED): UploadState.PAUSED,
    (UploadState.PAUSED, UploadEvent.SCANNED): UploadState.PAUSED,
    (UploadState.PAUSED, UploadEvent.RESUME): UploadState.ACTIVE,
    (UploadState.PAUSED, UploadEvent.CANCEL): UploadState.CANCELLED,
    (UploadState.PAUSED, UploadEvent.REOPENED): UploadState.PAUSED,
    (UploadState.COMPLETE, UploadEvent.ADDED): UploadState.PREPARING,
    (UploadState.COMPLETE, UploadEvent.REOPENED): UploadState.ACTIVE,
    (UploadState.CANCELLED, UploadEvent.ADDED): UploadState.PREPARING,
    (UploadState.CANCELLED, UploadEvent.SCANNED): UploadState.CANCELLED,
    (UploadState.CANCELLED, UploadEvent.RESUME): UploadState.ACTIVE,
    (UploadState.CANCELLED, UploadEvent.REOPENED): UploadState.CANCELLED,
}


class ImpossibleTransition(ValueError):
    """The event is not possible in this state: a command came too late, or the program has a bug."""


def next_stage(stage: FileStage, event: FileEvent) -> FileStage:
    """Raises `ImpossibleTransition`."""
    try:
        return FILE_TRANSITIONS[stage, event]
    except KeyError:
        raise ImpossibleTransition(f"a {stage} file cannot be {event}") from None


def next_state(state: UploadState, event: UploadEvent) -> UploadState:
    """Raises `ImpossibleTransition`."""
    try:
        return UPLOAD_TRANSITIONS[state, event]
    except KeyError:
        raise ImpossibleTransition(f"a {state} upload takes no {event}") from None


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


# ------------------------------------------------------------------------------------ projects, processing


class ProjectKind(StrEnum):
    IMAGES = "images"
    RESULTS = "results"


class ProcessingState(StrEnum):
    NOT_STARTED = "not_started"
    SUBMITTED = "submitted"
    """Requested; the service has not reported more yet."""
    WAITING = "waiting"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in (ProcessingState.DONE, ProcessingState.FAILED)


class Processing(msgspec.Struct, frozen=True):
    state: ProcessingState = ProcessingState.NOT_STARTED
    word: str | None = None
    """The service's own word for the state."""
    waiting_seconds: float | None = None
    """The service's estimate of the time before processing starts."""
    processing_seconds: float | None = None
    """The service's estimate of the time that processing takes."""
    submitted_at: float | None = None
    reason: str | None = None
    """Why it failed, or was not started."""


class Project(msgspec.Struct, frozen=True):
    """A project of the cloud (the web page says dataset)."""

    id: str | None
    """The service's id; None until a new project has been created there."""
    name: str
    kind: ProjectKind
    account: str
    """The owner, as `client id@cloud address`."""
    processing: Processing = Processing()
    uploads: tuple[int, ...] = ()
    """Uploads of this machine to the project."""
    images: int = 0
    """Images uploaded by this machine and registered."""
    web_address: str | None = None


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

    @property
    def settled(self) -> bool:
        """Whether the upload has ended, or only a retry by the user can continue it."""
        if self.state in (UploadState.COMPLETE, UploadState.CANCELLED):
            return True
        idle = self.counts.waiting + self.counts.uploading == 0
        return self.state is UploadState.ACTIVE and idle and self.counts.failed > 0


# --------------------------------------------------------------------------------------------------- engine


class LinkState(StrEnum):
    UNKNOWN = "unknown"
    """Not tried yet."""
    UP = "up"
    DOWN = "down"


class Link(msgspec.Struct, frozen=True):
    state: LinkState = LinkState.UNKNOWN
    since: float | None = None
    next_try: float | None = None
    reason: str | None = None


class BudgetPeriod(StrEnum):
    """The period of a data budget, by the local calendar; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"
    """Since it was set, without end."""


class Bandwidth(msgspec.Struct, frozen=True):
    """The bandwidth settings, and the limit that results from them now."""

    limit: int | None = None
    """The cap; 0: nothing is sent; None: no cap."""
    schedule: str | None = None
    """The timetable, in the notation of the settings."""
    budget: int | None = None
    """Bytes that may be sent in a period."""
    per: BudgetPeriod = BudgetPeriod.MONTH
    used: int = 0
    """Bytes of the budget used in this period."""
    rate: int | None = None
    """The limit now; 0: nothing is sent; None: no limit."""
    until: float | None = None
    """When that changes, by the timetable or a new period."""
    holds: str = "no limit"
    """The same in words; the reason why files wait while nothing is sent."""
    used_up: bool = False
    """The budget is used up."""


class EngineStatus(msgspec.Struct, frozen=True):
    """Everything that front ends show all the time, as one value. Contains no secret."""

    version: str
    pid: int
    since: float
    link: Link
    streams: int
    """Running transfers."""
    rate: float
    uploads: tuple[UploadStatus, ...]
    bandwidth: Bandwidth = Bandwidth()


# ------------------------------------------------------------------------- what front ends ask of the engine


class ExistingProject(msgspec.Struct, frozen=True, tag="existing"):
    """A project that the service or the engine's journal already has."""

    id_or_name: str
    """Its id, or its name where that is unique."""


class NewProject(msgspec.Struct, frozen=True, tag="new"):
    """A project to create.

    If this machine has already created a project of that name, kind and account, it means that one: repeating a
    command continues the same upload.
    """

    name: str


Target = ExistingProject | NewProject
"""The project that an upload goes to."""


class AddRequest(msgspec.Struct, frozen=True):
    """Files or folders to put into the queue of a project."""

    paths: tuple[str, ...]
    """Absolute paths."""
    target: Target
    kind: ProjectKind = ProjectKind.IMAGES
    auto_process: bool = True
    account: str | None = None
    """None: the account of the default login."""


IdRun = tuple[int, int]
"""The first and the last of consecutive file ids: a hundred thousand files are a few runs."""


class FileSelection(msgspec.Struct, frozen=True):
    """The files of an upload that a command applies to: the union of those with these ids, names, statuses or runs."""

    ids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    """Absolute paths, base names, or names in the project."""
    statuses: tuple[FileStatus, ...] = ()
    all: bool = False
    runs: tuple[IdRun, ...] = ()
    """Files in these runs to which the command cannot apply are ignored, as with `statuses`."""


def runs_of(ids: Iterable[int]) -> tuple[IdRun, ...]:
    """Combine ascending `ids` into as few runs as possible."""
    runs: list[IdRun] = []
    for number in ids:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return tuple(runs)


SortKey = Literal["added", "name", "size", "status"]


class FileQuery(msgspec.Struct, frozen=True):
    """A window on the files of an upload."""

    offset: int = 0
    limit: int = 200
    status: FileStatus | None = None
    except_status: FileStatus | None = None
    text: str = ""
    """Part of the name, in any case; a leading `!` negates it."""
    sort: SortKey = "added"
    descending: bool = False
    verified: Proof | None = None
    """Only files with this proof."""


class FileWindow(msgspec.Struct, frozen=True):
    total: int
    """All files that match the query."""
    offset: int
    files: tuple[FileItem, ...]


class Position(msgspec.Struct, frozen=True):
    """Position of one image, or of several close together. Degrees, WGS 84; north and east are positive."""

    latitude: float
    longitude: float
    status: FileStatus
    """Of several images, the one that needs most attention."""
    files: int = 1
    taken_at: float | None = None
    """Seconds by the camera's clock, without a time zone; None if unknown, or for several images."""


class Positions(msgspec.Struct, frozen=True):
    """Positions of the images of an upload, in the order in which they were taken: at most 5,000 points."""

    points: tuple[Position, ...]
    located: int
    unlocated: int
    """Files without a position: images that state none, and other files."""
    unread: int
    """Files that were not read yet."""
    current: Position | None = None
    """Of the requested file."""


class PhotoFacts(msgspec.Struct, frozen=True):
    """Facts that an image file states about its photo; None if missing or impossible."""

    width: int | None = None
    """Pixels."""
    height: int | None = None
    taken_at: str | None = None
    """Local time of the camera, ISO 8601 without a zone."""
    latitude: float | None = None
    """Degrees; north and east are positive."""
    longitude: float | None = None
    altitude: float | None = None
    """Metres above sea level."""
    camera: str | None = None
    exposure: float | None = None
    """Seconds."""
    aperture: float | None = None
    """The f-number."""
    iso: int | None = None
    focal_length: float | None = None
    """Millimetres."""


class BandwidthChange(msgspec.Struct, frozen=True):
    """New settings as typed by the user; None keeps a setting, `off` removes it."""

    limit: str | None = None
    schedule: str | None = None
    budget: str | None = None
    per: BudgetPeriod | None = None


class Login(msgspec.Struct, frozen=True):
    """An API credential. Its repr omits the secret."""

    cloud_url: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Login(cloud_url={self.cloud_url!r}, client_id={self.client_id!r})"

    @property
    def account(self) -> str:
        return f"{self.client_id}@{self.cloud_url}"


class SignInRequest(msgspec.Struct, frozen=True):
    login: Login
    keep: bool = False
    """Store it for later engines (keyring, or a private file); otherwise it is kept until this engine exits."""
    profile: str = "default"
    verify: bool = True
    """Request a token now, and fail if the cloud refuses it."""


class Account(msgspec.Struct, frozen=True):
    """A signed-in account, without the secret."""

    account: str
    cloud_url: str
    client_id: str
    source: str
    """Origin of the login: `environment`, `keyring`, `file`, `engine`."""
