"""The part of `upload` for processed results: show what was recognised, and ask what the user has to decide."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from tui_uploader.cli.output import print_line, print_note
from tui_uploader.errors import Interrupted, UsageError
from tui_uploader.model.projects import NewProject, ProjectKind
from tui_uploader.model.results import Finding, ResultQuestion, ResultType
from tui_uploader.model.uploads import AddRequest
from tui_uploader.text import printable
from tui_uploader.wording.result_findings import crs_words, finding_sentence
from tui_uploader.wording.results import name_of, recognised, replace_question, replace_stakes, unclear_question

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

AsOption = Annotated[
    ResultType | None,
    typer.Option("--as", help="Type of the results whose content does not tell, or of all.", show_default=False),
]
ReplaceFlag = Annotated[
    bool, typer.Option("--replace", help="Take the place of results of the same type that the project has.")
]
OtherCrsFlag = Annotated[
    bool, typer.Option("--other-crs", help="Accept another coordinate system than that of the project's results.")
]


def kind_of(*, results: bool, given: ResultType | None, replaces: bool, other_crs: bool) -> ProjectKind:
    """Raises UsageError for options that are of use with results only."""
    if not results:
        used = [
            name for name, is_used in (("--as", given), ("--replace", replaces), ("--other-crs", other_crs)) if is_used
        ]
        if used:
            raise UsageError(f"{used[0]} is for processed results: add --results.")
    return ProjectKind.RESULTS if results else ProjectKind.IMAGES


async def decided(engine: EngineClient, request: AddRequest, *, quiet: bool) -> AddRequest:
    """`request` with the user's decisions, asked for on a terminal only; in scripts the engine refuses what is open.

    `quiet`: nothing is printed but warnings. Raises Interrupted if the user does not agree.
    """
    questions = await engine.results.survey(request)
    asks = on_terminal() and not quiet
    if asks and any(question.type is None and not question.refusal for question in questions):
        request = replace(request, result_type=_asked_type(questions))
        questions = await engine.results.survey(request)
    _show(questions, quiet=quiet)
    return _agreed(request, questions) if asks else request


def on_terminal() -> bool:
    """Whether a person can answer questions."""
    return sys.stdin.isatty()


def _show(questions: Sequence[ResultQuestion], *, quiet: bool) -> None:
    for question in questions:
        if question.refusal:
            print_note(f"! {printable(question.refusal)}")
            continue
        if not quiet:
            crs = f", {crs_words(question.crs)}" if question.crs is not None else ""
            print_line(f"{recognised(question)}{crs}{' (the project has it)' if question.known else ''}")
        for finding in question.findings:
            print_note(f"! {finding_sentence(name_of(question.path), finding)}")


def _asked_type(questions: Sequence[ResultQuestion]) -> ResultType:
    """The type of the first result whose content does not tell."""
    unclear = next(question for question in questions if question.type is None and not question.refusal)
    choices = [str(each) for each in unclear.choices or ResultType]
    while True:
        print_note(unclear_question(unclear))
        answer = typer.prompt(f"Type ({', '.join(choices)})", err=True).strip()
        if answer in choices:
            return ResultType(answer)
        print_note(f"Please answer with one of: {', '.join(choices)}.")


def _agreed(request: AddRequest, questions: Sequence[ResultQuestion]) -> AddRequest:
    target = request.target
    project = target.name if isinstance(target, NewProject) else target.id_or_name
    new = [question for question in questions if not question.known and not question.refusal]
    for question in new if not request.replace else ():
        if asked := replace_question(question, project, time.time()):
            _confirm(f"{asked} {replace_stakes([question])}")
            request = replace(request, replace=True)
    differing = [each for each in new if any(finding.what is Finding.OTHER_CRS for finding in each.findings)]
    if differing and not request.other_crs:
        names = ", ".join(name_of(question.path) for question in differing)
        _confirm(f"Upload {names} in another coordinate system than that of the other results?")
        request = replace(request, other_crs=True)
    return request


def _confirm(question: str) -> None:
    if not typer.confirm(question, default=False, err=True):
        raise Interrupted("Nothing was queued.")
