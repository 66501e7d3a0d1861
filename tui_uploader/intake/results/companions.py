"""Files that belong to a result: beside it by their name, or named by the result itself.

What a result names is taken from below its own folder only, never over a link, and only if its content is what its name
says (`check`). Formats: GDAL for world files, .prj, .aux.xml and .ovr; PIX4D's support article 204606535 for the
offset of a mesh.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from tui_uploader.errors import SourceError, SourceVanished
from tui_uploader.file_kinds import extension_of
from tui_uploader.intake.naming import folded
from tui_uploader.intake.results.check import check_companion, textures_of
from tui_uploader.intake.results.mesh import MOST_REFERENCES
from tui_uploader.intake.results.references import relative_paths
from tui_uploader.intake.scan import Candidate, candidate_of
from tui_uploader.model.results import Finding, ResultFinding
from tui_uploader.text import printable

WORLD_FILES = (".tfw", ".tifw", ".tiffw", ".wld")
STATED_CRS = (".prj", ".aux.xml")
"""Files that state the coordinate system of another one."""

_LONGEST_NAME = 120
_MOST_APART = 10
"""Of more unusable files, only the first has its reason."""
_MOST_ENTRIES = 100_000
"""Of a folder; names beyond are found only if they are written in the same case."""
_OFFSET = "offset.xyz"


@dataclass
class Companions:
    """The files that belong to one result, and those that should and cannot."""

    found: dict[str, Candidate] = field(default_factory=dict)
    """By real path."""
    missing: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    unusable: dict[str, str] = field(default_factory=dict)
    """Why, by name."""
    unknown: bool = False
    """More files are named than are looked for."""

    def findings(self) -> Iterator[ResultFinding]:
        if self.missing:
            yield ResultFinding(Finding.COMPANIONS_MISSING, _shown(self.missing))
        if self.outside:
            yield ResultFinding(Finding.COMPANIONS_OUTSIDE, _shown(self.outside))
        if len(self.unusable) > _MOST_APART:
            first = next(iter(self.unusable.values()))
            yield ResultFinding(Finding.COMPANIONS_UNUSABLE, _shown(self.unusable), first)
        else:
            for name, reason in self.unusable.items():
                yield ResultFinding(Finding.COMPANIONS_UNUSABLE, _shown([name]), reason)
        if self.unknown:
            yield ResultFinding(Finding.COMPANIONS_UNKNOWN, detail=str(MOST_REFERENCES))


class CompanionFinder:
    """Finds the companions of results. It lists each folder once, so it is made anew for each survey. Blocking."""

    def __init__(self) -> None:
        self._listings: dict[str, dict[str, str]] = {}
        """By folder: its names, by the same names folded."""

    def companions(self, main: Candidate, references: Iterable[str]) -> Companions:
        """The companions of `main`, which names the files `references`. Raises nothing: what fails is in the answer."""
        place, companions = _Place.of(main), Companions()
        for name in self._beside(main, place):
            self._take(name, place, companions, beside=True)
        self._named(references, place, companions)
        return companions

    def _beside(self, main: Candidate, place: _Place) -> Iterator[str]:
        """Names of files beside `main` that belong to it by their name."""
        name = main.path.rpartition("/")[2]
        stem, ending = name.rpartition(".")[0], extension_of(name)
        wanted: tuple[str, ...] = (f"{stem}.prj",)
        if ending in (".tif", ".tiff"):
            wanted += (*(stem + world for world in WORLD_FILES), f"{name}.aux.xml", f"{name}.ovr")
        listing = self._listing(place.real)
        yield from (listing[folded(each)] for each in wanted if folded(each) in listing)
        if ending == ".obj":
            yield from (there for name, there in listing.items() if _is_offset_of(name, folded(stem)))

    def _named(self, references: Iterable[str], place: _Place, companions: Companions) -> None:
        """What a result names, and what its lists of materials name in turn."""
        left = MOST_REFERENCES
        pending = [(place, name) for name in references]
        while pending:
            if left == 0:
                companions.unknown = True
                return
            left -= 1
            from_place, name = pending.pop(0)
            taken = self._take(name, from_place, companions)
            if taken is None or extension_of(taken.path) != ".mtl":
                continue
            try:
                textures = textures_of(taken.path, real=taken.real)
            except SourceError:
                continue  # it was judged when it was taken
            inner = _Place.of(taken)
            pending.extend((inner, texture) for texture in textures)
            companions.unknown = companions.unknown or len(textures) > MOST_REFERENCES

    def _take(self, name: str, place: _Place, companions: Companions, *, beside: bool = False) -> Candidate | None:
        """Add the file to the companions if it is there and usable; None if it is not, or was added before."""
        paths = (name,) if beside else relative_paths(name)
        if not paths:
            companions.outside.append(name)
            return None
        for relative in (*paths, *(self._in_its_own_case(place, path) for path in paths)):
            try:
                candidate = candidate_of(f"{place.path}/{relative}", f"{place.real}/{relative}")
                key = candidate.real or candidate.path
                if key in companions.found:
                    return None
                check_companion(candidate.path, real=candidate.real, whole=False)
            except SourceVanished:
                continue
            except SourceError as error:
                companions.unusable[name] = str(error)
                return None
            companions.found[key] = candidate
            return candidate
        companions.missing.append(name)
        return None

    def _in_its_own_case(self, place: _Place, relative: str) -> str:
        """On Windows and Macs the name in a mesh may differ from that of the file in case and composition."""
        folder, slash, name = relative.rpartition("/")
        listing = self._listing(f"{place.real}{'/' if slash else ''}{folder}")
        return f"{folder}{slash}{listing.get(folded(name), name)}"

    def _listing(self, folder: str) -> dict[str, str]:
        if folder not in self._listings:
            try:
                with os.scandir(folder or "/") as entries:
                    names = [entry.name for entry in islice(entries, _MOST_ENTRIES)]
            except OSError:  # a file can be read in a folder that cannot be listed
                names = []
            self._listings[folder] = {folded(name): name for name in sorted(names)}
        return self._listings[folder]


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder, without a slash at its end."""

    path: str
    """As the user reaches it."""
    real: str
    """Without symbolic links."""

    @classmethod
    def of(cls, file: Candidate) -> _Place:
        """The folder of a file; of its target, where the file itself is a link."""
        path, real = (each.rpartition("/")[0] for each in (file.path, file.real or file.path))
        return cls(path, real) if path == real or os.path.realpath(path) == real else cls(real, real)


def _is_offset_of(name: str, stem: str) -> bool:
    """Whether `site_offset.xyz` is that of the mesh `site_simplified_3d_mesh`; both are folded."""
    return name.endswith(_OFFSET) and stem.startswith(name.removesuffix(_OFFSET).rstrip("_"))


def _shown(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(printable(name, _LONGEST_NAME) for name in names)
