"""What things are: projects, uploads, files, and the states they go through. Pure values, no I/O.

Structs of msgspec rather than dataclasses: these are made in a tenth of the time, before the first frame of the app.

Three truths are never mixed. *Sent*: the bytes left this machine. *Stored*: the object store confirmed them, checksum
equal. *Registered*: the project knows the image. A file is *uploaded* only when it is stored and registered.

Paths are `str`, decoded as UTF-8 with surrogate escapes in every process (see `encoding`), sizes are bytes, times
are seconds since the epoch, rates are bytes a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal

import msgspec

MIN_IMAGES, MAX_IMAGES = 6, 4000
"""Images that one project takes (PIX4D, support article 203694199)."""

# --------------------------------------------------------------------------------------------------- files


class FileStatus(StrEnum):
    """What the user sees of a file."""

    WAITING = "waiting"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    DUPLICATE = "duplicate"
    FAILED = "failed"


class FileStage(StrEnum):
    """What the journal knows of a file; each stage is one fact more than the one before."""

    FOUND = "found"
    """On disk; not yet read."""
    READY = "ready"
    """Read, of use, and named: may be sent."""
    SENDING = "sending"
    STORED = "stored"
    """The object store confirmed it; the project does not know it yet."""
    REGISTERED = "registered"
    DUPLICATE = "duplicate"
    FAILED = "failed"
    REMOVED = "removed"
    """Taken out of the queue by the user, who may take that back."""

    @property
    def status(self) -> FileStatus | None:
        """None for a removed file: the user does not see it."""
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
    """What can happen to a file."""

    CHECKED = "checked"
    MATCHED = "matched"
    """Its content is in the project already."""
    PICKED = "picked"
    HELD = "held"
    """Sending stopped before the end: pause, dead link, another attempt later."""
    STORED = "stored"
    REGISTERED = "registered"
    FAILED = "failed"
    CHANGED = "changed"
    """It is not the file that was read."""
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
"""Every way from stage to stage. What is not here cannot happen."""


class Proof(StrEnum):
    """How the storage proved that it holds what was sent."""

    CRC32 = "crc32"
    MD5 = "md5"
    NONE = "no"
    """It confirmed that it stored the file, and no checksum that could be compared."""


class FileItem(msgspec.Struct, frozen=True):
    """One file of an upload, as a front end shows it."""

    id: int
    path: str
    """Absolute path on this machine."""
    name: str
    """Base name of `path`."""
    object: str | None
    """Name in the project, once decided; differs from `name` where another content holds that name."""
    size: int
    status: FileStatus
    reason: str | None = None
    """Why it waits, failed, or is a duplicate; a sentence without line breaks."""
    duplicate_of: str | None = None
    """Path of the file that holds the same content."""
    sent: int = 0
    """Bytes that left this machine and count (a repeated part counts once)."""
    verified: Proof | None = None
    """None: it is not stored, or was stored by a version that did not keep it."""


# -------------------------------------------------------------------------------------------------- uploads


class UploadState(StrEnum):
    PREPARING = "preparing"
    """Folders are still being walked; sending has begun all the same."""
    ACTIVE = "active"
    """Files are waiting, moving, or failed and up for a retry."""
    PAUSED = "paused"
    COMPLETE = "complete"
    """Nothing is left to do and nothing failed."""
    CANCELLED = "cancelled"
    """Stopped by the user; what was uploaded stays, the rest can be resumed."""


class UploadEvent(StrEnum):
    ADDED = "added"
    SCANNED = "scanned"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FINISHED = "finished"
    REOPENED = "reopened"
    """A removed file was restored, or a file must be looked at again."""


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
    """This cannot happen in this state: a command that came too late, or a fault of the program."""


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


class Volume(msgspec.Struct, frozen=True):
    """The three truths, in bytes. `total` is what is to be uploaded: without duplicates."""

    total: int = 0
    sent: int = 0
    stored: int = 0
    registered: int = 0


class Skipped(msgspec.Struct, frozen=True):
    """A path that was offered and is no file of the upload."""

    path: str
    reason: str


class Notice(msgspec.Struct, frozen=True):
    """Something that the user should know, or has to do, about an upload."""

    kind: str
    """Name of the error class that it stands for (see `errors`)."""
    message: str
    needs_person: bool
    """Nothing will move until somebody acts."""


class EtaRange(msgspec.Struct, frozen=True):
    """Seconds until everything is uploaded: probably between the two."""

    low: float
    high: float


# ------------------------------------------------------------------------------------ projects, processing


class ProjectKind(StrEnum):
    IMAGES = "images"
    RESULTS = "results"


class ProcessingState(StrEnum):
    NOT_STARTED = "not_started"
    SUBMITTED = "submitted"
    """Asked for; the service has not said more yet."""
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
    """The service's own word for it, as it stands in the reply."""
    waiting_seconds: float | None = None
    """The service's estimate of the time before processing starts."""
    processing_seconds: float | None = None
    """The service's estimate of the time that processing takes."""
    submitted_at: float | None = None
    reason: str | None = None
    """Why it failed, or why it has not been started."""


class Project(msgspec.Struct, frozen=True):
    """A project of the cloud (the web page says dataset)."""

    id: str | None
    """The service's id; None as long as a new project could not be made because the link is down."""
    name: str
    kind: ProjectKind
    account: str
    """`client id@cloud address`: whose project it is."""
    processing: Processing = Processing()
    uploads: tuple[int, ...] = ()
    """Uploads of this machine that go there."""
    images: int = 0
    """Images of this machine that are registered there."""
    web_address: str | None = None


class UploadStatus(msgspec.Struct, frozen=True):
    """One row of the uploads panel."""

    upload: int
    project: str | None
    project_name: str
    state: UploadState
    counts: Counts
    bytes: Volume
    skipped: int
    """How many offered paths are no files of the upload."""
    rate: float
    """Goodput: bytes a second that the store confirmed or the kernel delivered, lately."""
    eta: EtaRange | None
    """None while it cannot be trusted."""
    seconds: float
    """Time spent active since the upload was made."""
    auto_process: bool
    processing: Processing
    notice: Notice | None = None
    dismissed: bool = False

    @property
    def settled(self) -> bool:
        """Nothing moves and nothing will by itself: the end, or the failed files wait for a person."""
        if self.state in (UploadState.COMPLETE, UploadState.CANCELLED):
            return True
        idle = self.counts.waiting + self.counts.uploading == 0
        return self.state is UploadState.ACTIVE and idle and self.counts.failed > 0


# --------------------------------------------------------------------------------------------------- engine


class LinkState(StrEnum):
    UNKNOWN = "unknown"
    """Nothing was tried yet."""
    UP = "up"
    DOWN = "down"


class Link(msgspec.Struct, frozen=True):
    state: LinkState = LinkState.UNKNOWN
    since: float | None = None
    next_try: float | None = None
    reason: str | None = None


class BudgetPeriod(StrEnum):
    """How long a data budget lasts; by the local calendar, weeks from Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"
    """From when it was set, without end."""


class Bandwidth(msgspec.Struct, frozen=True):
    """What the user set about bandwidth, and what it comes to now."""

    limit: int | None = None
    """The cap; 0: nothing is sent; None: no cap."""
    schedule: str | None = None
    """The timetable, as it can be typed in again."""
    budget: int | None = None
    """Bytes that may leave this machine in a period."""
    per: BudgetPeriod = BudgetPeriod.MONTH
    used: int = 0
    """Bytes of the budget that have left in this period."""
    rate: int | None = None
    """What holds now; 0: nothing is sent; None: no limit."""
    until: float | None = None
    """When that changes by itself."""
    holds: str = "no limit"
    """The same in words; the reason of waiting files while nothing is sent."""
    used_up: bool = False
    """The budget is."""


class EngineStatus(msgspec.Struct, frozen=True):
    """Everything a front end shows without asking, as one value. Holds no secret."""

    version: str
    pid: int
    since: float
    link: Link
    streams: int
    """Transfers under way."""
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
    """None: the account of the stored login."""


IdRun = tuple[int, int]
"""The first and the last of files whose ids follow each other: a hundred thousand files are a few of these."""


class FileSelection(msgspec.Struct, frozen=True):
    """Which files of an upload a command is about: those with these ids, these paths or names, and these statuses, all
    taken together; or by runs of ids, or all."""

    ids: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    """Absolute paths, base names, or names in the project."""
    statuses: tuple[FileStatus, ...] = ()
    all: bool = False
    runs: tuple[IdRun, ...] = ()
    """Whatever of the upload lies in these runs. What a command cannot be about is passed over, as with `statuses`."""


def runs_of(ids: Iterable[int]) -> tuple[IdRun, ...]:
    """`ids`, which ascend, as few runs."""
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
    """Part of the name, in any case; a leading `!` means: not."""
    sort: SortKey = "added"
    descending: bool = False
    verified: Proof | None = None
    """Only files whose objects were proven like this."""


class FileWindow(msgspec.Struct, frozen=True):
    total: int
    """Files that match the query, in the window or not."""
    offset: int
    files: tuple[FileItem, ...]


class Position(msgspec.Struct, frozen=True):
    """Where an image was taken, or several that lie close together. Degrees, WGS 84; north and east are positive."""

    latitude: float
    longitude: float
    status: FileStatus
    """Of several images, of the one that needs most to be looked at."""
    files: int = 1
    taken_at: float | None = None
    """Seconds by the camera's clock, which knows no time zone; None where the camera wrote none, or of several."""


class Positions(msgspec.Struct, frozen=True):
    """Where the images of an upload were taken: 5,000 points at most, in the order in which they were taken."""

    points: tuple[Position, ...]
    located: int
    unlocated: int
    """Files without a position: images that tell none, and files that are no images."""
    unread: int
    """Files that were not looked into yet."""
    current: Position | None = None
    """Of the file that was asked for."""


class PhotoFacts(msgspec.Struct, frozen=True):
    """Facts that an image file states about its photo; None for those that it does not state, or not believably."""

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
    """New settings as the user writes them; None leaves one as it is, `off` takes it away."""

    limit: str | None = None
    schedule: str | None = None
    budget: str | None = None
    per: BudgetPeriod | None = None


class Login(msgspec.Struct, frozen=True):
    """An API credential. The secret is in no repr."""

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
    """Store it for later engines (keyring, or a private file); otherwise it lives as long as this engine."""
    profile: str = "default"
    verify: bool = True
    """Ask the cloud for a token now, and fail if it refuses."""


class Account(msgspec.Struct, frozen=True):
    """Who is signed in, without the secret."""

    account: str
    cloud_url: str
    client_id: str
    source: str
    """Where the login came from: `environment`, `keyring`, `file`, `engine`."""
