"""What both ends of the engine's socket agree on, beyond the values of `model`.

`GET /v1/engine` and `POST /v1/stop` are the two calls that every version answers to every other: by them a front end
learns that the engine is of another version, and can have it restarted.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tui_uploader.errors import EngineVersionDiffers
from tui_uploader.model import ProjectKind
from tui_uploader.settings import APP, VERSION

VERSION_HEADER = "tui-uploader-version"
"""In every request the program's version, in every answer the engine's."""

STOP_PATH = "/v1/stop"
VERSION_FREE_PATHS = frozenset({"/v1/engine", STOP_PATH})

MAX_BODY = 16 * 1024**2
"""Bytes of a request's body: some 100,000 paths."""

HEARTBEAT = 15.0
"""Seconds without news after which an events stream carries an empty line: the engine is alive."""


def version() -> str:
    """Of the installed program."""
    return VERSION


def versions_differ(engine: str, program: str) -> EngineVersionDiffers:
    return EngineVersionDiffers(
        f"The engine (version {engine}) is running, and its uploads go on; this program is version {program} and cannot"
        f" work with it. Restart the engine: after `{APP} engine stop`, the next command starts one of this version,"
        " and uploads go on where they are."
    )


class EngineInfo(msgspec.Struct, frozen=True):
    """Answer of `GET /v1/engine`."""

    pid: int
    version: str
    socket: str
    """Path of the Unix socket."""
    since: float
    uploads: int
    """How many uploads the engine knows."""


class CreateProjectRequest(msgspec.Struct, frozen=True):
    name: str
    kind: ProjectKind = ProjectKind.IMAGES
    account: str | None = None


class ProcessingStart(msgspec.Struct, frozen=True):
    partial: bool = False


class AutoProcessing(msgspec.Struct, frozen=True):
    on: bool


class SignOutRequest(msgspec.Struct, frozen=True):
    profile: str


class SignedOut(msgspec.Struct, frozen=True):
    forgotten: bool
    """False when no login was stored."""


class FilesTouched(msgspec.Struct, frozen=True):
    files: int


class Failure(msgspec.Struct, frozen=True):
    """An error of the tree on its way through a socket or a pipe."""

    kind: str
    message: str


class FailureAnswer(msgspec.Struct, frozen=True):
    error: Failure


def path_fault(path: str) -> str | None:
    """Why the engine, whose working directory is `/`, can do nothing with this path; None when it can."""
    if not Path(path).is_absolute():
        return "is not absolute"
    if "\0" in path:
        return "holds a zero byte"
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return "holds characters that no file name can have"
    return None
