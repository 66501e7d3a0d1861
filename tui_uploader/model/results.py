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

    @property
    def words(self) -> str:
        """`index map`: in a sentence."""
        return _WORDS[self]

    @property
    def phrase(self) -> str:
        """`an index map`."""
        return f"{'an' if self.words[0] in 'aio' else 'a'} {self.words}"


_WORDS = {
    ResultType.ORTHOMOSAIC: "orthomosaic",
    ResultType.DSM: "DSM",
    ResultType.DTM: "DTM",
    ResultType.INDEX: "index map",
    ResultType.POINT_CLOUD: "point cloud",
    ResultType.MESH: "mesh",
}


class CoordinateSystem(msgspec.Struct, frozen=True):
    """The horizontal coordinate reference system that a result states."""

    code: int | None = None
    """Its EPSG code; None: the file states none."""
    name: str = ""
    """As the file states it, printable; empty if it does not."""
    projected: bool | None = None
    """Projected (metres or feet on a plane), or geographic (degrees); None: unknown."""

    @property
    def label(self) -> str:
        """`EPSG:32632 (WGS 84 / UTM zone 32N)`, or as much of it as is known."""
        if self.code is None:
            return self.name or "a coordinate system without a name"
        return f"EPSG:{self.code} ({self.name})" if self.name else f"EPSG:{self.code}"

    def differs_from(self, other: CoordinateSystem) -> bool:
        """Whether the two are certainly different; False as well where that cannot be told."""
        if self.code is not None and other.code is not None:
            return self.code != other.code
        return self.projected is not None and other.projected is not None and self.projected != other.projected


class Finding(StrEnum):
    """What a check of a result found that does not keep it from being uploaded. `names` and `detail` are those of
    `ResultFinding`."""

    NO_CRS = "no_crs"
    """It states no coordinate reference system."""
    NO_POSITION = "no_position"
    """A GeoTIFF that does not state where it lies."""
    GEOGRAPHIC = "geographic"
    """Its coordinates are degrees; `detail`: the system."""
    OTHER_CRS = "other_crs"
    """`detail`: its system; `names`: the result that has another one, and that system."""
    SEVERAL_LAYERS = "several_layers"
    TOO_LARGE_TO_TILE = "too_large_to_tile"
    """An orthomosaic of a size at which the service is reported to fail; `detail`: bytes."""
    COMPANIONS_MISSING = "companions_missing"
    """`names`: files that it names, as it writes them, and that are not there."""
    COMPANIONS_OUTSIDE = "companions_outside"
    """`names`: files that it names and that are not below its folder; they are not uploaded."""
    COMPANIONS_UNUSABLE = "companions_unusable"
    """`names`: files that belong to it and cannot be uploaded; `detail`: why."""
    COMPANIONS_UNKNOWN = "companions_unknown"
    """It names more files than are looked for; `detail`: how many are."""
    NO_MATERIALS = "no_materials"
    """A mesh that names no materials, so it has no texture."""
    MAY_BE_CUT_OFF = "may_be_cut_off"
    """`detail`: where it ends."""
    POINTS_DIFFER = "points_differ"
    """The file is longer than the points that its header states; `detail`: their number."""
    NAME_DIFFERS = "name_differs"
    """The name says another type than the content; `detail`: the type that the name says."""
    NOT_LISTED = "not_listed"
    """A format that is not in PIX4Dcloud's list of results; `detail`: the format."""


class ResultFinding(msgspec.Struct, frozen=True):
    """One remark about a result. `wording.result_findings` has the sentences."""

    what: Finding
    names: tuple[str, ...] = ()
    detail: str = ""


class ProjectResult(msgspec.Struct, frozen=True):
    """A result that a project has."""

    type: ResultType
    name: str
    """Name of its main file in the project."""
    size: int = 0
    """Bytes of all its files."""
    uploaded_at: float | None = None
    """None: by another machine, or not yet."""
    crs: CoordinateSystem | None = None
    """None: it states none, or nothing is known about it."""


class ResultQuestion(msgspec.Struct, frozen=True):
    """A result in the paths to upload, and what a person has to decide about it."""

    path: str
    """Absolute path of the main file."""
    size: int
    type: ResultType | None
    """None: its content does not tell, so the user has to."""
    choices: tuple[ResultType, ...] = ()
    """All types that its content permits, the likeliest first; `type` is one of them, or the user chooses one."""
    replaces: ProjectResult | None = None
    """The result of the project whose place it would take."""
    findings: tuple[ResultFinding, ...] = ()
    """Remarks about missing companions, coordinate systems, size."""
    companions: tuple[str, ...] = ()
    """Absolute paths of the files that belong to it."""
    crs: CoordinateSystem | None = None
    known: bool = False
    """The project has it, or its upload is queued: nothing is to be decided."""
    refusal: str = ""
    """Why the file cannot be uploaded as a result; empty if it can."""
