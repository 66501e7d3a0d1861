"""Words about processed results."""

from __future__ import annotations

from datetime import datetime

import pytest

from tui_uploader.model.results import ProjectResult, ResultQuestion, ResultType
from tui_uploader.wording.results import (
    composed_of,
    recognised,
    replace_question,
    replace_stakes,
    result_facts,
    type_words,
    unclear_question,
)

NOW = datetime(2026, 6, 20, 9, 0).timestamp()
MAY = datetime(2026, 5, 12, 14, 20).timestamp()
OLD = ProjectResult(ResultType.ORTHOMOSAIC, "ortho_may.tif", 2_100_000_000, MAY)


def question(name: str = "ortho_june.tif", **known: object) -> ResultQuestion:
    given = {"size": 2_300_000_000, "type": ResultType.ORTHOMOSAIC} | known
    return ResultQuestion(path=f"/out/{name}", **given)  # type: ignore[arg-type]


def test_the_replace_question_names_both() -> None:
    assert replace_question(question(replaces=OLD), "Quarry", NOW) == (
        "Replace ortho_may.tif (2.10 GB, 12 May) by ortho_june.tif (2.30 GB) in Quarry?"
    )


def test_the_replace_question_says_the_year_of_another_year_and_leaves_out_what_is_unknown() -> None:
    long_ago = ProjectResult(ResultType.MESH, "a.obj", 5_000_000, datetime(2024, 5, 12).timestamp())
    assert "(5.00 MB, 12 May 2024)" in replace_question(question(replaces=long_ago), "Quarry", NOW)
    unknown = ProjectResult(ResultType.MESH, "a.obj")
    assert replace_question(question(replaces=unknown), "Q", NOW).startswith("Replace a.obj by ")


def test_nothing_is_asked_where_nothing_is_replaced() -> None:
    assert replace_question(question(), "Quarry", NOW) == ""


def test_names_from_outside_are_made_printable() -> None:
    hostile = ProjectResult(ResultType.MESH, "\x1b[31ma\n.obj")
    said = replace_question(question("\x1b]0;b\n.tif", replaces=hostile), "\x1b[2JQ", NOW)
    assert said.isprintable()


def test_the_stakes_count_what_is_replaced() -> None:
    assert replace_stakes([question(replaces=OLD), question()]).startswith("The old one is no longer")
    assert replace_stakes([question(replaces=OLD)] * 2).startswith("The old ones are no longer")


def test_a_mesh_is_named_with_what_belongs_to_it() -> None:
    companions = [f"/out/t{number}.jpg" for number in range(12)] + ["/out/quarry.mtl"]
    assert composed_of("/out/quarry.obj", companions) == "quarry.obj + 1 .mtl + 12 textures"
    mesh = ResultQuestion("/out/quarry.obj", 150_000_000, ResultType.MESH, companions=("/out/quarry.mtl",))
    assert recognised(mesh) == "mesh: quarry.obj + 1 .mtl, 150 MB"


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ([ResultType.MESH, ResultType.ORTHOMOSAIC], "orthomosaic, mesh"),
        ([ResultType.MESH] * 2 + [ResultType.DSM] * 3, "3 DSMs, 2 meshes"),
        ([ResultType.INDEX] * 2 + [None], "2 index maps, 1 not recognised"),
        ([], ""),
    ],
)
def test_types_are_counted(types: list[ResultType | None], words: str) -> None:
    assert type_words(types) == words


def test_what_is_unclear_is_asked_with_what_fits() -> None:
    unclear = question("plan.tif", type=None, choices=(ResultType.DSM, ResultType.DTM, ResultType.INDEX))
    assert unclear_question(unclear) == "What is plan.tif? Its content fits a DSM, a DTM or an index map."
    assert unclear_question(question("plan.tif", type=None)) == "What is plan.tif?"


def test_a_result_of_another_machine_has_no_time() -> None:
    assert result_facts(OLD, NOW) == ("orthomosaic", "ortho_may.tif", "2.10 GB", "on 12 May at 14:20")
    assert result_facts(ProjectResult(ResultType.MESH, "a.obj"), NOW) == ("mesh", "a.obj", "", "")
