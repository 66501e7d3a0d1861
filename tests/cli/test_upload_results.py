"""`upload --results`: what is shown, what is asked on a terminal, and what a script has to say beforehand."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
import typer

from tests.cli.standin import StandIn
from tests.values import COMPLETE
from tui_uploader.cli.commands import results as of_results
from tui_uploader.cli.main import run
from tui_uploader.errors import CrsDiffers, ResultExists, ResultTypeUnclear, UploaderError
from tui_uploader.model.results import (
    CoordinateSystem,
    Finding,
    ProjectResult,
    ResultFinding,
    ResultQuestion,
    ResultType,
)

UTM = CoordinateSystem(32632, "WGS 84 / UTM zone 32N", True)
OLD = ProjectResult(ResultType.ORTHOMOSAIC, "ortho_may.tif", 2_100_000_000)
ORTHO = ResultQuestion("/out/ortho_june.tif", 2_300_000_000, ResultType.ORTHOMOSAIC, replaces=OLD, crs=UTM)
OTHER = ResultQuestion(
    "/out/site.las",
    5_000_000,
    ResultType.POINT_CLOUD,
    findings=(ResultFinding(Finding.OTHER_CRS, ("ortho_may.tif", "EPSG:32632"), "EPSG:2056"),),
)
UNCLEAR = ResultQuestion("/out/plan.tif", 100, None, choices=(ResultType.DSM, ResultType.DTM))
UPLOAD = ["upload", "/out", "--results", "--project", "South field"]


class Terminal:
    """A person who answers the questions on a terminal, in order."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.asked: list[str] = []

    def ask(self, question: str, **_: object) -> str:
        self.asked.append(question)
        return self.answers.pop(0)

    def confirm(self, question: str, **_: object) -> bool:
        return self.ask(question) == "y"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    person = Terminal()
    monkeypatch.setattr(of_results, "on_terminal", lambda: True)
    monkeypatch.setattr(typer, "prompt", person.ask)
    monkeypatch.setattr(typer, "confirm", person.confirm)
    return person


def decisions(stand_in: StandIn) -> tuple[ResultType | None, bool, bool]:
    (request,) = stand_in.heard("add")
    return request.result_type, request.replace, request.other_crs


def test_a_script_says_everything_beforehand(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.results.script = [(ORTHO, OTHER)]
    assert run([*UPLOAD, "--as", "orthomosaic", "--replace", "--other-crs"]) == 0
    assert decisions(stand_in) == (ResultType.ORTHOMOSAIC, True, True)
    shown = capsys.readouterr()
    assert "orthomosaic: ortho_june.tif, 2.30 GB, EPSG:32632 (WGS 84 / UTM zone 32N)\n" in shown.out
    assert "! site.las is in EPSG:2056, but ortho_may.tif is in EPSG:32632." in shown.err


@pytest.mark.parametrize("error", [ResultTypeUnclear("x"), ResultExists("x"), CrsDiffers("x")])
def test_a_script_is_not_asked(stand_in: StandIn, error: UploaderError) -> None:
    stand_in.results.script = [(ORTHO, OTHER, UNCLEAR)]
    stand_in.failures = {"add": [error]}
    assert run(UPLOAD) == 2
    assert decisions(stand_in) == (None, False, False)


def test_a_terminal_is_asked_for_what_is_open(stand_in: StandIn, terminal: Terminal) -> None:
    stand_in.results.script = [(ORTHO, OTHER, UNCLEAR), (ORTHO, OTHER)]
    terminal.answers = ["mesh", "dtm", "y", "y"]
    assert run(UPLOAD) == 0
    assert decisions(stand_in) == (ResultType.DTM, True, True)
    assert [request.result_type for request in stand_in.heard("survey")] == [None, ResultType.DTM]
    first, second, replacing, other = terminal.asked
    assert first == second == "Type (dsm, dtm)"
    assert replacing.startswith("Replace ortho_may.tif (2.10 GB) by ortho_june.tif (2.30 GB) in South field?")
    assert other == "Upload site.las in another coordinate system than that of the other results?"


@pytest.mark.parametrize("answers", [["n"], ["y", "n"]])
def test_without_agreement_nothing_is_queued(
    stand_in: StandIn, terminal: Terminal, answers: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.results.script = [(ORTHO, OTHER)]
    terminal.answers = list(answers)
    assert run(UPLOAD) == 130
    assert stand_in.heard("add") == [] and "Nothing was queued." in capsys.readouterr().err


def test_json_is_the_only_answer(stand_in: StandIn, terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.results.script = [(ORTHO, UNCLEAR, ResultQuestion("/out/cut.las", 7, None, refusal="cut.las is cut off."))]
    assert run([*UPLOAD, "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["upload"] == COMPLETE.upload and terminal.asked == []
    assert "! cut.las is cut off." in shown.err


@pytest.mark.parametrize("option", [["--as", "dsm"], ["--replace"], ["--other-crs"]])
def test_options_of_results_need_results(stand_in: StandIn, option: list[str]) -> None:
    assert run(["upload", "/out", "--project", "P", *option]) == 2
    assert stand_in.connections == 0
