"""What was recognised in the chosen paths, what has to be decided about it, and the sentences that say so. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader.model.results import Finding, ResultFinding, ResultQuestion, ResultType
from tui_uploader.model.uploads import Skipped
from tui_uploader.text import counted
from tui_uploader.tui.add_files.outlook import LOUD, QUIET, WARNING, Line
from tui_uploader.tui.add_files.survey import PathFacts
from tui_uploader.wording.result_findings import crs_words, finding_sentence
from tui_uploader.wording.results import (
    name_of,
    recognised,
    replace_question,
    replace_stakes,
    type_words,
    unclear_question,
)

_MOST_RESULTS, _MOST_REMARKS = 3, 2
"""Sentences that the dialog shows; the list has all of them."""
READING = "The engine reads the results, to recognise them."


@dataclass(frozen=True, slots=True)
class Recognised:
    """The engine's answer, as far as it is there."""

    questions: tuple[ResultQuestion, ...] = ()
    refusal: str = ""
    """Why the engine does not take them, as a sentence."""
    waiting: bool = False
    """The answer is not there yet."""

    @property
    def unclear(self) -> tuple[ResultQuestion, ...]:
        """Those whose type the user has to choose."""
        return tuple(question for question in self._open if question.type is None)

    @property
    def choices(self) -> tuple[ResultType, ...]:
        """Types that the content of all unclear ones permits; if there is none, all that one of them permits."""
        every = [question.choices or tuple(ResultType) for question in self.unclear]
        common = tuple(each for each in (every[0] if every else ()) if all(each in others for others in every))
        return common or tuple(dict.fromkeys(each for choices in every for each in choices))

    @property
    def replacing(self) -> tuple[ResultQuestion, ...]:
        return tuple(question for question in self._open if question.replaces is not None)

    @property
    def elsewhere(self) -> tuple[ResultQuestion, ...]:
        """Those of another coordinate system than the others or the project."""
        return tuple(question for question in self._open if _other_crs(question))

    @property
    def _open(self) -> tuple[ResultQuestion, ...]:
        """Those that would be uploaded."""
        return tuple(question for question in self.questions if not (question.known or question.refusal))


def as_recognised(facts: PathFacts, found: Recognised) -> PathFacts:
    """`facts`, which go by names, corrected by what the engine has read: files belong to a result that names them."""
    taken = {path for question in found.questions for path in (question.path, *question.companions)}
    if not taken or found.waiting:
        return facts
    uploaded = [question for question in found.questions if not question.refusal]
    refused = [Skipped(question.path, question.refusal) for question in found.questions if question.refusal]
    listed = [skipped for skipped in facts.listed if skipped.path not in taken]
    return PathFacts(
        sum(1 + len(question.companions) for question in uploaded),
        sum(question.size for question in uploaded),
        max(0, facts.left_out - len(facts.listed) + len(listed)) + len(refused),
        (*refused, *listed),
        facts.complete,
    )


def shown_lines(found: Recognised, list_key: str) -> list[Line]:
    """A few lines for the dialog: what keeps the upload from starting, what was recognised, and remarks."""
    if found.waiting:
        return [(READING, QUIET)]
    if found.refusal:
        return [(found.refusal, LOUD)]
    refused = [question.refusal for question in found.questions if question.refusal]
    lines: list[Line] = [(why, LOUD) for why in refused[:1]]
    if len(refused) > 1:
        lines.append((f"{counted(len(refused) - 1, 'more file')} cannot be uploaded ({list_key} lists them).", LOUD))
    lines += [(unclear_question(question), LOUD) for question in found.unclear[:1]]
    if others := len(found.unclear) - 1:
        lines += [(f"{counted(others, 'other result')} of unclear type: the choice is for all of them.", WARNING)] * (
            others > 0
        )
    known = [question for question in found.questions if question.type is not None and not question.refusal]
    if len(known) > _MOST_RESULTS:
        words = type_words(question.type for question in known)
        lines.append((f"{counted(len(known), 'result')}: {words} ({list_key} lists them).", QUIET))
    else:
        lines += [(_with_crs(question), QUIET) for question in known]
    if there := sum(question.known for question in found.questions):
        are = "is" if there == 1 else "are"
        lines.append((f"{counted(there, 'result')} {are} in the project already, or queued.", QUIET))
    lines += [(replaced, WARNING) for question in found.replacing[:1] if (replaced := _place_of(question, found))]
    remarks = _remarks(found.questions)
    lines += [(remark, WARNING) for remark in remarks[:_MOST_REMARKS]]
    if rest := len(remarks) - _MOST_REMARKS:
        lines += [(f"{counted(rest, 'more remark')} ({list_key} lists them).", WARNING)] * (rest > 0)
    return lines


def _place_of(question: ResultQuestion, found: Recognised) -> str:
    old = question.replaces
    if old is None:
        return ""
    more = f", and {len(found.replacing) - 1:,} more replace others" if len(found.replacing) > 1 else ""
    return f"{name_of(question.path)} takes the place of {name_of(old.name)}{more}: you are asked first."


def _with_crs(question: ResultQuestion) -> str:
    crs = f", {crs_words(question.crs)}" if question.crs is not None else ""
    return f"{recognised(question)}{crs}"


def _remarks(questions: Sequence[ResultQuestion]) -> list[str]:
    return [
        finding_sentence(question.path.rpartition("/")[2], finding)
        for question in questions
        for finding in question.findings
    ]


def all_lines(found: Recognised) -> list[str]:
    """Everything about the results, for the list."""
    lines: list[str] = [found.refusal] if found.refusal else []
    for question in found.questions:
        lines.append(_in_list(question))
        lines += [f"  {remark}" for remark in _remarks([question])]
    return lines


def _in_list(question: ResultQuestion) -> str:
    if question.refusal:
        return question.refusal
    if question.known:
        return f"{_with_crs(question)}: in the project already, or queued"
    return _with_crs(question) if question.type is not None else unclear_question(question)


def _other_crs(question: ResultQuestion) -> list[ResultFinding]:
    return [finding for finding in question.findings if finding.what is Finding.OTHER_CRS]


def crs_agreement(found: Recognised) -> tuple[str, list[str]] | None:
    """The question before results of different coordinate systems are uploaded; None if they agree."""
    if not found.elsewhere:
        return None
    remarks = [
        finding_sentence(question.path.rpartition("/")[2], finding)
        for question in found.elsewhere
        for finding in _other_crs(question)
    ]
    return "Upload nevertheless?", list(dict.fromkeys(remarks))


def replacement(found: Recognised, project: str, now: float) -> tuple[str, list[str]] | None:
    """The question before results are replaced, and what is at stake; None if nothing is."""
    asked = [replace_question(question, project, now) for question in found.replacing]
    if not asked:
        return None
    if len(asked) == 1:
        return asked[0], [replace_stakes(found.replacing)]
    return f"Replace {counted(len(asked), 'result')}?", [*asked, replace_stakes(found.replacing)]
