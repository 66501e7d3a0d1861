"""What the content of one result tells, and the errors of files that cannot be uploaded as results."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath

from tui_uploader.errors import SourceDamaged, SourceRefused
from tui_uploader.model.results import CoordinateSystem, ResultFinding, ResultType
from tui_uploader.text import printable

COPY_AGAIN = "copy it again from its source"


class NotUsable(ValueError):
    """The content cannot be uploaded as a result; the message follows the file's name."""


class Damaged(NotUsable):
    """It is incomplete, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """What the main file of a result tells about itself."""

    choices: tuple[ResultType, ...]
    """All types that its content permits, the likeliest first."""
    type: ResultType | None = None
    """None: neither content nor name decide."""
    crs: CoordinateSystem | None = None
    states_crs: bool = True
    """Whether files of its format state a coordinate system; meshes do not."""
    placed: bool = True
    """Whether it states where it lies, or its format needs no such statement."""
    findings: tuple[ResultFinding, ...] = ()
    references: tuple[str, ...] = field(default=())
    """Files that it names, as it writes them; undecodable bytes as surrogate escapes."""


def refusal(path: str, error: NotUsable) -> SourceRefused:
    """The error for the user about a file that is not usable."""
    name = printable(PurePath(path).name)
    if isinstance(error, Damaged):
        return SourceDamaged(f"{name} {error}. {COPY_AGAIN.capitalize()}.")
    return SourceRefused(f"{name} {error}.")
