"""Which of the found files are results, of which type, and which files belong to each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tui_uploader.errors import SourceError
from tui_uploader.file_kinds import MESH_EXTENSIONS, RESULT_EXTENSIONS, extension_of
from tui_uploader.intake.results.check import check_main, crs_beside
from tui_uploader.intake.results.companions import STATED_CRS, WORLD_FILES, CompanionFinder, Companions
from tui_uploader.intake.results.facts import ResultFacts
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.results import CoordinateSystem, Finding, ResultFinding, ResultQuestion, ResultType
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import printable

_BELONGS_TO_NONE = "belongs to no result among these files"


@dataclass(frozen=True, slots=True)
class SurveyedResult:
    """A main file with what belongs to it."""

    main: Candidate
    type: ResultType | None
    """None: neither content nor name tell; one of `choices`."""
    choices: tuple[ResultType, ...]
    companions: tuple[Candidate, ...]
    """A file can belong to several results."""
    crs: CoordinateSystem | None
    findings: tuple[ResultFinding, ...]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return self.main.size + sum(each.size for each in self.companions)

    def question(self) -> ResultQuestion:
        """What front ends show of it."""
        return ResultQuestion(
            self.main.path,
            self.size,
            self.type,
            self.choices,
            findings=self.findings,
            companions=tuple(each.path for each in self.companions),
            crs=self.crs,
        )


@dataclass(frozen=True, slots=True)
class RefusedResult:
    """A file with the name of a result that cannot be uploaded as one."""

    main: Candidate
    error: SourceError


@dataclass(frozen=True, slots=True)
class ResultSurvey:
    """What the found files are; each in the order in which they were found."""

    results: tuple[SurveyedResult, ...]
    refused: tuple[RefusedResult, ...]
    skipped: tuple[Skipped, ...]
    """What was skipped before and belongs to no result, and found files that belong to none."""


def survey_results(candidates: Sequence[Candidate], skipped: Iterable[Skipped] = ()) -> ResultSurvey:
    """Group the files that a scan for results found; `skipped` is what it left out.

    Companions are looked for beside their main file and below its folder, whether the scan found them or not. Only
    headers, tags and both ends of files are read. Blocking: for a thread. Raises nothing: what fails is in the answer.
    """
    finder = CompanionFinder()
    results: dict[str, SurveyedResult] = {}
    refused: dict[str, RefusedResult] = {}
    claimed: set[str] = set()
    # Meshes first: a TIFF may be the texture of one.
    for main in sorted(candidates, key=lambda each: extension_of(each.path) not in MESH_EXTENSIONS):
        if extension_of(main.path) not in RESULT_EXTENSIONS or _key(main) in claimed:
            continue
        try:
            facts = check_main(main.path, real=main.real)
        except SourceError as error:
            refused[main.path] = RefusedResult(main, error)
            continue
        companions = finder.companions(main, facts.references)
        claimed.update(path for real, each in companions.found.items() for path in (real, each.path))
        results[main.path] = _surveyed(main, facts, companions)
    known = claimed | {_key(each) for each in candidates if each.path in results or each.path in refused}
    return ResultSurvey(
        tuple(_compared([results[each.path] for each in candidates if each.path in results])),
        tuple(refused[each.path] for each in candidates if each.path in refused),
        (
            *(each for each in skipped if each.path not in claimed),
            *(Skipped(each.path, _BELONGS_TO_NONE) for each in candidates if _key(each) not in known),
        ),
    )


def crs_findings(
    crs: CoordinateSystem | None, others: Iterable[tuple[str, CoordinateSystem | None]]
) -> Iterator[ResultFinding]:
    """Compare a result with others of the project, given by name: the first that certainly has another system."""
    for name, other in others:
        if crs is not None and other is not None and crs.differs_from(other):
            yield ResultFinding(Finding.OTHER_CRS, (printable(name), other.label), crs.label)
            return


def _key(candidate: Candidate) -> str:
    return candidate.real or candidate.path


def _surveyed(main: Candidate, facts: ResultFacts, companions: Companions) -> SurveyedResult:
    crs = facts.crs or _crs_beside(companions)
    is_placed = facts.placed or any(extension_of(path) in WORLD_FILES for path in companions.found)
    return SurveyedResult(
        main,
        facts.type,
        facts.choices,
        tuple(companions.found.values()),
        crs,
        (*_findings_about_place(facts, crs, is_placed), *facts.findings, *companions.findings()),
    )


def _findings_about_place(facts: ResultFacts, crs: CoordinateSystem | None, is_placed: bool) -> Iterator[ResultFinding]:
    if facts.states_crs and crs is None:
        yield ResultFinding(Finding.NO_CRS)
    if crs is not None and crs.projected is False:
        yield ResultFinding(Finding.GEOGRAPHIC, detail=crs.label)
    if not is_placed:
        yield ResultFinding(Finding.NO_POSITION)


def _crs_beside(companions: Companions) -> CoordinateSystem | None:
    for candidate in companions.found.values():
        if candidate.path.lower().endswith(STATED_CRS):
            try:
                found = crs_beside(candidate.path, real=candidate.real)
            except SourceError:
                continue
            if found is not None:
                return found
    return None


def _compared(results: Sequence[SurveyedResult]) -> Iterator[SurveyedResult]:
    """The results, each compared with one that has the coordinate system of most."""
    systems = Counter(each.crs.label for each in results if each.crs is not None)
    most = next((label for label, _ in systems.most_common(1)), "")
    usual = next(((_name(each), each.crs) for each in results if each.crs is not None and each.crs.label == most), None)
    for each in results:
        found = tuple(crs_findings(each.crs, [usual])) if usual else ()
        yield replace(each, findings=(*found, *each.findings)) if found else each


def _name(result: SurveyedResult) -> str:
    return result.main.path.rpartition("/")[2]
