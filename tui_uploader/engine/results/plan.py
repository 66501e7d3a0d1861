"""Decide about the results in the paths of a request: their types, what they replace, and what the user decides.

Pure: `survey` gathers what this is based on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from msgspec.structs import replace

from tui_uploader.errors import CrsDiffers, NotPossibleNow, ResultExists, ResultTypeUnclear, UsageError
from tui_uploader.intake.results.survey import SurveyedResult, crs_findings
from tui_uploader.model.results import Finding, ProjectResult, ResultQuestion, ResultType
from tui_uploader.model.uploads import AddRequest
from tui_uploader.text import byte_count, printable

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Standing:
    """A result that the project has, or will get from its queue."""

    result: ProjectResult
    queued: bool = False
    """It is not in the project yet."""
    path: str | None = None
    """Its main file, if it is of this machine."""
    agreed: bool = False
    """Of a queued one: the user agreed that it takes the place of what the project has."""
    same: frozenset[str] = frozenset()
    """Main files of surveyed results that are the same: they have its contents, or wait for it in the queue."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A result to upload."""

    surveyed: SurveyedResult
    question: ResultQuestion

    @property
    def name(self) -> str:
        return _name(self.surveyed.main.path)


def plan(
    surveyed: Sequence[SurveyedResult],
    standing: Sequence[Standing],
    chosen: ResultType | None,
) -> tuple[Planned, ...]:
    """Raises UsageError if none of the results can be of the `chosen` type."""
    types = _types(surveyed, chosen)
    return tuple(_planned(each, types[each.main.path], standing) for each in surveyed)


def _types(surveyed: Sequence[SurveyedResult], chosen: ResultType | None) -> Mapping[str, ResultType | None]:
    """The chosen type is that of results whose content leaves it open; if there are none, of all that it can be of."""
    types = {each.main.path: each.type for each in surveyed}
    if chosen is None or not surveyed:
        return types
    possible = [each for each in surveyed if chosen in each.choices]
    if not possible:
        first = surveyed[0]
        others = _either([each.words for each in first.choices])
        raise UsageError(f"{_name(first.main.path)} is no {chosen.words}: its content is that of {others}.")
    unclear = [each for each in possible if each.type is None]
    return types | {each.main.path: chosen for each in unclear or possible}


def _planned(surveyed: SurveyedResult, kind: ResultType | None, standing: Sequence[Standing]) -> Planned:
    path, same_type = surveyed.main.path, [each for each in standing if each.result.type is kind]
    in_place = next((each for each in reversed(same_type) if not each.queued), None)
    is_known = any(path in each.same and (not each.queued or each.agreed or in_place is None) for each in same_type)
    question = surveyed.question()
    findings = question.findings
    if in_project := tuple(crs_findings(surveyed.crs, [(each.result.name, each.result.crs) for each in standing])):
        # The comparison with the project counts more than that with other results of the request.
        findings = (*in_project, *(finding for finding in findings if finding.what is not Finding.OTHER_CRS))
    replaces = None if is_known or in_place is None else in_place.result
    return Planned(surveyed, replace(question, type=kind, known=is_known, replaces=replaces, findings=findings))


def check_agreed(planned: Sequence[Planned], standing: Sequence[Standing], request: AddRequest, project: str) -> None:
    """Refuse what the user has to decide first.

    Raises ResultTypeUnclear, ResultExists, CrsDiffers, NotPossibleNow, UsageError; each says that nothing was queued.
    """
    new = [each for each in planned if not each.question.known]
    for each in new:
        if each.question.type is None:
            raise _unclear(each)
    for kind in ResultType:
        same = [each for each in new if each.question.type is kind]
        if len(same) > 1:
            raise UsageError(
                f"{same[0].name} and {same[1].name} are of one type, {kind.words}, and a project has one result of "
                "each type: the second would take the place of the first. Name one of them, or upload each to a "
                "project of its own. Nothing was queued."
            )
    for each in new:
        _check_replacement(each, standing, request, project)
    for each in new:
        other = next((finding for finding in each.question.findings if finding.what is Finding.OTHER_CRS), None)
        if other is not None and not request.other_crs:
            system = printable(other.detail, _LONGEST_NAME)
            theirs = " in ".join(printable(name, _LONGEST_NAME) for name in other.names)
            raise CrsDiffers(
                f"{each.name} is in {system}, unlike {theirs}: all results of a project need one coordinate system, "
                "or they do not lie on each other. Nothing was queued. Export it in the other system; to upload it "
                "nevertheless, add --other-crs."
            )


def _check_replacement(each: Planned, standing: Sequence[Standing], request: AddRequest, project: str) -> None:
    kind, path, name = each.question.type, each.surveyed.main.path, each.name
    for other in standing:
        if other.queued and other.result.type is kind and other.path != path:
            raise NotPossibleNow(
                f"{printable(other.result.name, _LONGEST_NAME)}, {other.result.type.phrase} too, is still being "
                f"uploaded to {printable(project, _LONGEST_NAME)}. Wait until it is there, or remove it from the "
                f"queue; then add {name} again. Nothing was queued."
            )
    old = each.question.replaces
    if old is not None and not request.replace:
        raise ResultExists(
            f"{printable(project, _LONGEST_NAME)} has {old.type.phrase} already: "
            f"{printable(old.name, _LONGEST_NAME)}{_facts(old)}. {name} ({byte_count(each.question.size)}) would take "
            "its place. Nothing was queued. To replace it, add --replace."
        )


def _unclear(each: Planned) -> ResultTypeUnclear:
    choices = each.surveyed.choices or tuple(ResultType)
    return ResultTypeUnclear(
        f"{each.name} can be {_either([kind.words for kind in choices])}: its content does not tell. Nothing was "
        f"queued. Say which with --as {'|'.join(choices)}."
    )


def _facts(result: ProjectResult) -> str:
    """` (4.03 GB, uploaded 2026-05-14)`: as much of it as is known."""
    facts = [byte_count(result.size)] if result.size else []
    if result.uploaded_at is not None:
        facts.append(f"uploaded {datetime.fromtimestamp(result.uploaded_at).astimezone():%Y-%m-%d}")
    return f" ({', '.join(facts)})" if facts else ""


def _either(words: Sequence[str]) -> str:
    return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _name(path: str) -> str:
    return printable(PurePath(path).name, _LONGEST_NAME)
