"""Uploading processed results: what was recognised is shown, and decided, before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.tui.add_files.opened import SOUTH, accept, refuse, screen
from tests.tui.dialog_app import Dialog, opened
from tests.until import until
from tui_uploader.errors import ResultExists, Unsupported, UploaderError
from tui_uploader.model.projects import ExistingProject
from tui_uploader.model.results import (
    CoordinateSystem,
    Finding,
    ProjectResult,
    ResultFinding,
    ResultQuestion,
    ResultType,
)
from tui_uploader.model.uploads import AddRequest, Skipped
from tui_uploader.tui.add_files.results.recognised import Recognised, all_lines, as_recognised, replacement, shown_lines
from tui_uploader.tui.add_files.survey import PathFacts
from tui_uploader.tui.lines.glyphs import ASCII

GB = 1_000_000_000
ORTHO = ResultQuestion(
    "/out/ortho_june.tif", 2_300_000_000, ResultType.ORTHOMOSAIC, crs=CoordinateSystem(32632, "UTM 32N", True)
)
OLD = ProjectResult(ResultType.ORTHOMOSAIC, "ortho_may.tif", 2_100_000_000)
MESH = ResultQuestion(
    "/out/quarry.obj",
    150_000_000,
    ResultType.MESH,
    findings=(ResultFinding(Finding.COMPANIONS_MISSING, ("wall_3.jpg",)),),
    companions=("/out/quarry.mtl", *(f"/out/wall_{number}.jpg" for number in (0, 1, 2))),
)
UNCLEAR = ResultQuestion("/out/plan.tif", GB, None, (ResultType.DSM, ResultType.DTM, ResultType.INDEX))
REPLACING = ResultQuestion("/out/ortho_june.tif", 2_300_000_000, ResultType.ORTHOMOSAIC, replaces=OLD)
QUESTION = "Replace ortho_may.tif (2.10 GB) by ortho_june.tif (2.30 GB) in South field?"


class Engine:
    """Answers with these results, and remembers what it was asked and what it got."""

    def __init__(self, *questions: ResultQuestion, refusal: UploaderError | None = None, agrees: bool = True) -> None:
        self.questions = questions
        self.refusal = refusal
        self.agrees = agrees
        self.asked: list[AddRequest] = []
        self.confirmed: list[str] = []

    async def survey(self, request: AddRequest) -> tuple[ResultQuestion, ...]:
        self.asked.append(request)
        if self.refusal is not None:
            raise self.refusal
        if request.result_type is None:
            return self.questions
        return tuple(ResultQuestion(each.path, each.size, request.result_type) for each in self.questions)

    async def confirm(self, question: str, stakes: Sequence[str]) -> bool:
        self.confirmed.append("\n".join((question, *stakes)))
        return self.agrees

    def options(self, **more: Any) -> dict[str, Any]:
        return {"ask_results": self.survey, "confirm": self.confirm, **more}


async def choose_card(dialog: Dialog, card: Path) -> None:
    dialog.paste(str(card))
    await dialog.shows("1 file, 0 B")


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_the_look_shows_what_was_recognised(card: Path, size: tuple[int, int]) -> None:
    engine = Engine(ORTHO, MESH)
    async with opened(screen(card, SOUTH, accept, **engine.options()), *size) as dialog:
        await choose_card(dialog, card)
        await dialog.shows(
            "orthomosaic: ortho_june.tif, 2.30 GB, EPSG:32632 (UTM 32N)",
            "mesh: quarry.obj + 1 .mtl + 3 textures, 150 MB",
            "quarry.obj needs wall_3.jpg, which is not there.",
            "Upload 6 files to South field",
        )
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest)
        assert (answer.target, answer.result_type, answer.replace) == (ExistingProject("12"), None, False)
    assert engine.confirmed == []


async def test_images_are_never_asked_about(card: Path) -> None:
    engine = Engine(ORTHO)
    async with opened(screen(card, None, accept, **engine.options())) as dialog:
        await dialog.type("DCIM")
        await dialog.press("enter")
        await dialog.type("Maps")
        await dialog.shows("4 images")
        await dialog.press("ctrl+s")
        await dialog.answered()
    assert engine.asked == []


async def test_a_type_that_is_unclear_is_chosen_by_the_user(card: Path) -> None:
    engine = Engine(UNCLEAR)
    async with opened(screen(card, SOUTH, accept, **engine.options())) as dialog:
        await choose_card(dialog, card)
        await dialog.shows("What is plan.tif?", "fits a DSM, a DTM or an index map.", "( ) DSM  ( ) DTM  ( ) index map")
        await dialog.press("ctrl+s")
        await dialog.shows("Choose the type below, then press Ctrl+S again.", "Space choose")
        assert dialog.is_open
        await dialog.press("right", "right")
        await dialog.shows("( ) DSM  (x) DTM", "DTM: plan.tif, 1.00 GB")
        assert "Choose the type" not in dialog.text
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.result_type is ResultType.DTM


async def test_other_paths_have_to_be_chosen_anew(card: Path) -> None:
    engine = Engine(UNCLEAR)
    async with opened(screen(card, SOUTH, refuse, **engine.options())) as dialog:
        await choose_card(dialog, card)
        await dialog.shows("( ) DSM")
        await dialog.press("ctrl+s", "space")
        await dialog.shows("(x) DSM")
        (card.parent / "more.las").touch()
        dialog.paste(str(card.parent / "more.las"))
        await until(lambda: len(engine.asked[-1].paths) == 2)
        await dialog.shows("( ) DSM  ( ) DTM")
        assert engine.asked[-1].result_type is None


@pytest.mark.parametrize("agrees", [True, False])
async def test_a_result_is_replaced_only_after_a_question_that_names_both(card: Path, agrees: bool) -> None:
    engine = Engine(REPLACING, agrees=agrees)
    submit = accept if agrees else refuse
    async with opened(screen(card, SOUTH, submit, **engine.options())) as dialog:
        await choose_card(dialog, card)
        await dialog.shows("ortho_june.tif takes the place of ortho_may.tif: you are asked first.")
        await dialog.press("ctrl+s")
        if agrees:
            answer = await dialog.answered()
            assert isinstance(answer, AddRequest) and answer.replace
        else:
            await dialog.shows("Nothing was sent.")
            assert dialog.is_open
        assert engine.confirmed == [f"{QUESTION}\nThe old one is no longer shown in the project."]


async def test_a_cloud_that_takes_no_results_says_so_before_anything_is_sent(card: Path) -> None:
    engine = Engine(refusal=Unsupported("PIX4Dcloud takes no results by its API. Use its web page."))
    async with opened(screen(card, SOUTH, refuse, **engine.options())) as dialog:
        await choose_card(dialog, card)
        await dialog.shows("PIX4Dcloud takes no results by its API. Use its web page.")
        await dialog.press("ctrl+s")
        await dialog.pilot.pause()
        assert dialog.is_open


async def test_what_the_engine_refuses_later_is_told_and_asked_about_again(card: Path) -> None:
    """Another machine has uploaded a result meanwhile."""
    engine = Engine(ORTHO)

    async def submit(request: AddRequest, words: str) -> None:
        if not request.replace:
            engine.questions = (REPLACING,)
            raise ResultExists("South field has an orthomosaic, ortho_may.tif.")

    async with opened(screen(card, SOUTH, submit, **engine.options())) as dialog:
        await choose_card(dialog, card)
        await dialog.shows("orthomosaic: ortho_june.tif")
        await dialog.press("ctrl+s")
        await dialog.shows("South field has an orthomosaic, ortho_may.tif.", "takes the place of")
        await dialog.press("ctrl+s")
        answer = await dialog.answered()
        assert isinstance(answer, AddRequest) and answer.replace
    assert len(engine.confirmed) == 1


async def test_the_list_has_all_results_and_remarks(card: Path) -> None:
    listed: list[Sequence[str]] = []
    engine = Engine(ORTHO, MESH)
    options = engine.options(list_skipped=lambda skipped, results: listed.append(results))
    async with opened(screen(card, SOUTH, refuse, **options)) as dialog:
        await choose_card(dialog, card)
        await dialog.shows("orthomosaic: ")
        await dialog.press("ctrl+o")
        assert listed == [all_lines(Recognised((ORTHO, MESH)))]


@pytest.mark.parametrize("agrees", [True, False])
async def test_results_of_another_coordinate_system_are_asked_about(card: Path, agrees: bool) -> None:
    elsewhere = replace(ORTHO, findings=(ResultFinding(Finding.OTHER_CRS, ("dsm.tif", "EPSG:2056"), "EPSG:32632"),))
    engine = Engine(elsewhere, agrees=agrees)
    async with opened(screen(card, SOUTH, accept if agrees else refuse, **engine.options())) as dialog:
        await choose_card(dialog, card)
        await dialog.shows("ortho_june.tif is in EPSG:32632, but dsm.tif is in EPSG:2056.")
        await dialog.press("ctrl+s")
        if agrees:
            answer = await dialog.answered()
            assert isinstance(answer, AddRequest) and answer.other_crs and not answer.replace
        else:
            await dialog.shows("Nothing was sent.")
        assert engine.confirmed[0].startswith("Upload nevertheless?\northo_june.tif is in EPSG:32632")


# ------------------------------------------------------------------------------------------------- pure


def test_what_is_refused_or_there_already_is_not_decided_about() -> None:
    refused = replace(UNCLEAR, refusal="cut.tif is cut off; copy it again.")
    there = replace(REPLACING, known=True)
    found = Recognised((refused, refused, there))
    assert (found.unclear, found.replacing, found.choices) == ((), (), ())
    shown = [text for text, _ in shown_lines(found, "i")]
    assert shown[:2] == ["cut.tif is cut off; copy it again.", "1 more file cannot be uploaded (i lists them)."]
    assert "1 result is in the project already, or queued." in shown
    assert replacement(found, "Quarry", 0.0) is None
    assert all_lines(found)[-1].endswith(": in the project already, or queued")


def test_many_results_are_counted_and_remarks_cut() -> None:
    found = Recognised((ORTHO, *(MESH,) * 4))
    shown = [text for text, _ in shown_lines(found, "i")]
    assert shown[0] == "5 results: orthomosaic, 4 meshes (i lists them)."
    assert shown[-1] == "2 more remarks (i lists them)."
    assert len(shown) == 4
    assert len(all_lines(found)) == 5 + 4


def test_the_choices_are_those_that_fit_all_or_else_any() -> None:
    other = ResultQuestion("/out/b.tif", 1, None, (ResultType.DTM, ResultType.ORTHOMOSAIC))
    assert Recognised((UNCLEAR, other)).choices == (ResultType.DTM,)
    alien = ResultQuestion("/out/c.bin", 1, None, (ResultType.MESH,))
    assert ResultType.MESH in Recognised((UNCLEAR, alien)).choices
    assert Recognised((ResultQuestion("/x", 1, None),)).choices == tuple(ResultType)
    assert Recognised((ORTHO,)).choices == ()


def test_several_replacements_are_one_question_that_names_all() -> None:
    question = replacement(Recognised((REPLACING, REPLACING, ORTHO)), "Quarry", 0.0)
    assert question is not None
    assert question[0] == "Replace 2 results?"
    assert len(question[1]) == 3 and all("ortho_may.tif" in line for line in question[1][:2])
    assert replacement(Recognised((ORTHO,)), "Quarry", 0.0) is None


def test_hostile_names_reach_no_terminal() -> None:
    bad = ResultQuestion(
        "/out/\x1b[2J\n.tif", 1, None, findings=(ResultFinding(Finding.NO_CRS),), companions=("/o/\x1b.\x07x",)
    )
    known = ResultQuestion(bad.path, 1, ResultType.DSM, replaces=ProjectResult(ResultType.DSM, "\x1b]0;x\x07"))
    for found in (Recognised((bad, known)), Recognised((known,))):
        assert all(text.isprintable() for text, _ in shown_lines(found, "i"))


async def test_ascii_terminals_get_ascii(card: Path) -> None:
    engine = Engine(ORTHO, UNCLEAR)
    async with opened(screen(card, SOUTH, refuse, **engine.options(glyphs=ASCII))) as dialog:
        await choose_card(dialog, card)
        await dialog.shows("( ) DSM")
        assert dialog.text.isascii()


def test_files_are_counted_as_recognised_and_not_by_their_names() -> None:
    by_name = PathFacts(2, 10, 3, (Skipped("/out/wall_0.jpg", "not a result"), Skipped("/out/a.txt", "x")), True)
    found = Recognised((MESH, replace(UNCLEAR, refusal="plan.tif is cut off.")))
    facts = as_recognised(by_name, found)
    assert (facts.files, facts.size, facts.left_out, facts.complete) == (5, 150_000_000, 3, True)
    assert [skipped.path for skipped in facts.listed] == ["/out/plan.tif", "/out/a.txt"]
    for unknown in (Recognised(), Recognised((MESH,), waiting=True), Recognised(refusal="no")):
        assert as_recognised(by_name, unknown) == by_name
