"""Files of uploads: what front ends show of them, ask for, and select for a command."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

import msgspec

from tui_uploader.model.states import FileStatus


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
