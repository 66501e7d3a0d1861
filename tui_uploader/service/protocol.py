"""Constants and messages of the engine's API, in addition to the values of `model`.

Every version answers `GET /v1/engine` and `POST /v1/stop` to every other version, so a front end can recognise an
engine of another version and restart it.
"""

from __future__ import annotations

import msgspec

from tui_uploader.errors import EngineVersionDiffers
from tui_uploader.model.hooks import HookEvent
from tui_uploader.model.projects import ProjectKind, Target
from tui_uploader.model.verification import Finding
from tui_uploader.settings import APP, VERSION

VERSION_HEADER = "tui-uploader-version"
"""Version of the program in requests, of the engine in answers."""

STOP_PATH = "/v1/stop"
VERSION_FREE_PATHS = frozenset({"/v1/engine", STOP_PATH})

MAX_BODY = 16 * 1024**2
"""Largest body of a request, in bytes: about 100,000 paths."""

HEARTBEAT = 15.0
"""Seconds without a new status after which an event stream sends an empty line as a sign of life."""


def version() -> str:
    """Version of the installed program."""
    return VERSION


def versions_differ(engine: str, program: str) -> EngineVersionDiffers:
    return EngineVersionDiffers(
        f"The running engine is version {engine}, this program is version {program}; they cannot work together. Uploads"
        f" continue meanwhile. Run `{APP} engine stop`: the next command starts an engine of this version, and uploads"
        " continue where they stopped."
    )


class EngineInfo(msgspec.Struct, frozen=True):
    """Answer of `GET /v1/engine`."""

    pid: int
    version: str
    socket: str
    """Path of the Unix socket."""
    since: float
    uploads: int
    """Number of uploads in the journal."""


class CreateProjectRequest(msgspec.Struct, frozen=True):
    name: str
    kind: ProjectKind = ProjectKind.IMAGES
    account: str | None = None


class StartProcessingRequest(msgspec.Struct, frozen=True):
    partial: bool = False
    again: bool = False


class AutoProcessingChange(msgspec.Struct, frozen=True):
    on: bool


class SignOutRequest(msgspec.Struct, frozen=True):
    profile: str


class SignedOut(msgspec.Struct, frozen=True):
    forgotten: bool
    """Whether a login was stored."""


class HistoryQuery(msgspec.Struct, frozen=True):
    after: int = 0
    limit: int = 200
    since: float | None = None
    """Seconds since the epoch."""


class VerifiedFilesQuery(msgspec.Struct, frozen=True):
    """A window on the files of a verification."""

    finding: Finding | None = None
    folder: str | None = None
    """Absolute path: only the files directly in it."""
    offset: int = 0
    limit: int = 200


class MissingFilesRequest(msgspec.Struct, frozen=True):
    """To queue the images that a verification did not find in the cloud."""

    target: Target | None = None
    """None: the project that has the other images of the card."""


class FilesChanged(msgspec.Struct, frozen=True):
    files: int


class HookTestRequest(msgspec.Struct, frozen=True):
    event: HookEvent | None = None


class Failure(msgspec.Struct, frozen=True):
    """An error of `errors`, serialised for a socket or pipe."""

    kind: str
    message: str


class FailureAnswer(msgspec.Struct, frozen=True):
    error: Failure
