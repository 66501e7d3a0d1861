"""Files of uploads: what front ends show of them, ask for, and select for a command."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

import msgspec

from tui_uploader.model.results import ResultType
from tui_uploader.model.states import FileStatus


class Proof(StrEnum):
    """How the storage proved that it has the bytes that were sent."""

    CRC32 = "crc32"
    MD5 = "md5"
    NONE = "no"
    """It confirmed the upload, without a checksum that could be compared."""


class Hold(StrEnum):
    """Why a file or an upload does not move now."""

    CHECKING = "checking"
    """It is not read yet, or is read again."""
    QUEUED = "queued"
    """Every stream is taken by other files, of this upload or of another."""
    PAUSED = "paused"
    CANCELLED = "cancelled"
    OFFLINE = "offline"
    SIGNED_OUT = "signed_out"
    LIMIT = "limit"
    """The limit or the timetable allows no sending now."""
    BUDGET = "budget"
    """The data budget is used up."""
    MEDIUM = "medium"
    """Its memory card or disk is missing, or does not respond."""
    STORAGE = "storage"
    """The storage refuses it for now."""
    RETRY = "retry"
    """An attempt failed; another one follows."""
    REGISTERING = "registering"
    """Stored, and not in the project yet."""
    FAILED = "failed"
    """Only failed files are left: the user has to act."""
    FAULT = "fault"
    """A part of the engine does not work."""


class FileItem(msgspec.Struct, frozen=True):
    """One file of an upload, as a front end shows it."""

    id: int
    """Different for all files of the journal, not only for those of the upload."""
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
    upload: int = 0
    hold: Hold | None = None
    """Why it does not move; None: it moves, or has ended."""
    damaged: bool = False
    """It failed because its content is damaged, incomplete or empty."""
    taken_at: float | None = None
    """Seconds by the camera's clock, without a time zone (as UTC); None: unknown, or not read yet."""
    located: bool | None = None
    """Whether the image states where it was taken; None: not read yet, or no image."""
    camera: str | None = None
    height: float | None = None
    """Metres above the take-off point, where the image states it."""
    uploaded_at: float | None = None
    result: ResultType | None = None
    """For results: their type; that of the result that it belongs to, for a companion."""
    belongs_to: str | None = None
    """For companions of a result, such as a texture: path of its main file."""
    replaced: bool = False
    """Another result took its place: the project no longer has it."""


class FoldedFiles(msgspec.Struct, frozen=True):
    """One row of a window that stands for many files of one status."""

    row: int
    """Its index among all rows."""
    status: FileStatus
    files: int


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
    whole_project: bool = False
    """Among the files of all uploads of the project, not only of the upload that the command names."""


def runs_of(ids: Iterable[int]) -> tuple[IdRun, ...]:
    """Combine ascending `ids` into as few runs as possible."""
    runs: list[IdRun] = []
    for number in ids:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return tuple(runs)


SortKey = Literal["activity", "added", "name", "folder", "taken", "size", "status", "uploaded"]
"""`activity`: failed, being sent, being registered, next, waiting, duplicates, and the newest uploaded ones first."""


class FileProperty(StrEnum):
    """A property of files, to filter by."""

    MOVING = "moving"
    """Carried by a stream now, or stored and not registered yet."""
    RENAMED = "renamed"
    """Its name in the project differs from its own."""
    NO_GPS = "nogps"
    """An image that states no position."""
    DAMAGED = "damaged"
    RESULTS = "results"
    """The main file of a processed result; companions are not."""


class FileQuery(msgspec.Struct, frozen=True):
    """A window on the files of an upload."""

    offset: int = 0
    limit: int = 200
    status: FileStatus | None = None
    except_status: FileStatus | None = None
    text: str = ""
    """Part of the name, in any case; with a slash in it, part of the path; a leading `!` negates it."""
    sort: SortKey = "added"
    descending: bool = False
    verified: Proof | None = None
    """Only files with this proof."""
    property: FileProperty | None = None
    except_property: FileProperty | None = None
    whole_project: bool = False
    """The files of all uploads of the project, not only those of this upload."""
    fold: int = 0
    """With the order `activity`: more than this number of files that wait, are duplicates or are uploaded become one
    row for the rest of them. 0: nothing is folded."""
    unfolded: str = ""
    """Statuses that are not folded, separated by commas."""
    anchor: int | None = None
    """Id of a file whose row is to be known, and is never folded: the one under the cursor."""
    first: int | None = None
    last: int | None = None
    """Ids of the ends of a range in this order, both included, for runs of ids only. None: the range is open there.
    A range whose end does not match (any more), or whose ends changed places, is empty."""


class FileWindow(msgspec.Struct, frozen=True):
    total: int
    """All rows of the query."""
    offset: int
    """Index of the first row of the window."""
    files: tuple[FileItem, ...]
    """The rows of the window that are no folds, in order."""
    folds: tuple[FoldedFiles, ...] = ()
    """The other rows of the window."""
    matching: int | None = None
    """All files that match the query, folded or not; None: the same as `total`."""
    anchor: int | None = None
    """Index of the anchor's row among all rows; None: it does not match, or is gone."""


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
    """Positions of the images of an upload or a project, in the order in which they were taken: up to 5,000 points."""

    points: tuple[Position, ...]
    located: int
    unlocated: int
    """Files without a position: images that state none, and other files."""
    unread: int
    """Files that were not read yet."""
    current: Position | None = None
    """Of the requested file."""
    failed: int = 0
    """Of `located`, those that failed: damaged images have a position, too, where it can be read."""
    failed_unlocated: int = 0
    """Of `unlocated`, those that failed."""


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
    above_takeoff: float | None = None
    """Metres above the take-off point."""
