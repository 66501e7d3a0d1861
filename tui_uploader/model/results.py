"""Processed results: what comes out of processing, and can be uploaded instead of images."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ResultType(StrEnum):
    """The types that PIX4Dcloud shows (its support article on uploading processed results)."""

    ORTHOMOSAIC = "orthomosaic"
    DSM = "dsm"
    DTM = "dtm"
    INDEX = "index"
    """A map of an index of reflectances, such as NDVI."""
    POINT_CLOUD = "point_cloud"
    MESH = "mesh"


class ProjectResult(msgspec.Struct, frozen=True):
    """A result that a project has."""

    type: ResultType
    name: str
    """Name of its main file in the project."""
    size: int = 0
    """Bytes of all its files."""
    uploaded_at: float | None = None
    """None: by another machine."""


class ResultQuestion(msgspec.Struct, frozen=True):
    """A result in the paths to upload, and what a person has to decide about it."""

    path: str
    """Absolute path of the main file."""
    size: int
    type: ResultType | None
    """None: its content does not tell, so the user has to."""
    choices: tuple[ResultType, ...] = ()
    """The types that are possible where `type` is None."""
    replaces: ProjectResult | None = None
    """The result of the project whose place it would take."""
    warnings: tuple[str, ...] = ()
    """Sentences about missing companions, coordinate systems, size."""
    companions: tuple[str, ...] = ()
    """Absolute paths of the files that belong to it."""
