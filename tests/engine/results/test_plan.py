"""What a request for results needs the user to decide, by table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tui_uploader.engine.results.plan import Standing, check_agreed, plan
from tui_uploader.errors import (
    CrsDiffers,
    NotPossibleNow,
    ResultExists,
    ResultTypeUnclear,
    UploaderError,
    UsageError,
)
from tui_uploader.intake.results.survey import SurveyedResult
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.projects import NewProject
from tui_uploader.model.results import CoordinateSystem, ProjectResult, ResultType
from tui_uploader.model.uploads import AddRequest

ORTHO, DSM, DTM, MESH = ResultType.ORTHOMOSAIC, ResultType.DSM, ResultType.DTM, ResultType.MESH
UTM, LV = CoordinateSystem(32632), CoordinateSystem(2056)


def seen(
    name: str,
    kind: ResultType | None = ORTHO,
    choices: Sequence[ResultType] = (ORTHO,),
    crs: CoordinateSystem | None = UTM,
) -> SurveyedResult:
    return SurveyedResult(Candidate(f"/out/{name}", 5_000_000, 1, 2), kind, tuple(choices), (), crs, ())


def standing(name: str, kind: ResultType = ORTHO, **more: Any) -> Standing:
    return Standing(ProjectResult(kind, name, 4_000_000, None, more.pop("crs", UTM)), path=f"/out/{name}", **more)


UNCLEAR = seen("plan.tif", None, (DSM, DTM))
SAME = frozenset({"/out/ortho.tif"})


@pytest.mark.parametrize(
    ("surveyed", "project", "options", "refused"),
    [
        ([seen("ortho.tif")], [], {}, None),
        ([seen("ortho.tif"), seen("a.tif", DSM, [DSM])], [standing("s.obj", MESH)], {}, None),
        ([UNCLEAR], [], {}, ResultTypeUnclear),
        ([UNCLEAR], [], {"result_type": DTM}, None),
        ([UNCLEAR], [], {"result_type": MESH}, UsageError),
        ([seen("a.tif"), seen("b.tif")], [], {"replace": True}, UsageError),
        ([seen("ortho.tif")], [standing("old.tif")], {}, ResultExists),
        ([seen("ortho.tif")], [standing("old.tif")], {"replace": True}, None),
        ([seen("ortho.tif")], [standing("old.tif", DSM)], {}, None),
        ([seen("ortho.tif")], [standing("ortho.tif", same=SAME)], {}, None),
        ([seen("ortho.tif")], [standing("old.tif", queued=True)], {"replace": True}, NotPossibleNow),
        ([seen("ortho.tif")], [standing("ortho.tif", queued=True)], {}, None),
        # Queued, and meanwhile another one is in its place.
        ([seen("ortho.tif")], [standing("old.tif"), standing("ortho.tif", queued=True, same=SAME)], {}, ResultExists),
        (
            [seen("ortho.tif")],
            [standing("old.tif"), standing("ortho.tif", queued=True, same=SAME, agreed=True)],
            {},
            None,
        ),
        ([seen("ortho.tif", crs=LV)], [standing("s.obj", DSM)], {"replace": True}, CrsDiffers),
        ([seen("ortho.tif", crs=LV)], [standing("old.tif")], {"replace": True}, CrsDiffers),
        ([seen("ortho.tif", crs=LV)], [standing("old.tif")], {"replace": True, "other_crs": True}, None),
        ([seen("ortho.tif", crs=None)], [standing("s.tif", DSM)], {}, None),
    ],
)
def test_what_has_to_be_decided(
    surveyed: list[SurveyedResult],
    project: list[Standing],
    options: dict[str, Any],
    refused: type[UploaderError] | None,
) -> None:
    request = AddRequest(("/out",), NewProject("Quarry"), **options)

    def check() -> None:
        check_agreed(plan(surveyed, project, request.result_type), project, request, "Quarry")

    if refused is None:
        check()
    else:
        with pytest.raises(refused) as raised:
            check()
        assert type(raised.value) is refused


@pytest.mark.parametrize(
    ("surveyed", "chosen", "types"),
    [
        ([seen("a.tif", ORTHO, [ORTHO, DSM])], DSM, [DSM]),
        ([seen("a.tif", ORTHO, [ORTHO, DSM]), UNCLEAR], DSM, [ORTHO, DSM]),
        ([seen("s.obj", MESH, [MESH]), UNCLEAR], DTM, [MESH, DTM]),
        ([UNCLEAR], None, [None]),
    ],
)
def test_a_chosen_type_is_that_of_what_is_unclear(
    surveyed: list[SurveyedResult], chosen: ResultType | None, types: list[ResultType | None]
) -> None:
    assert [each.question.type for each in plan(surveyed, [], chosen)] == types


def test_what_would_be_replaced_is_named() -> None:
    old = standing("ortho_may.tif")
    (planned,) = plan([seen("ortho_june.tif")], [old], None)
    assert planned.question.replaces == old.result
    with pytest.raises(ResultExists) as raised:
        check_agreed([planned], [old], AddRequest(("/out",), NewProject("x")), "Quarry")
    assert str(raised.value) == (
        "Quarry has an orthomosaic already: ortho_may.tif (4.00 MB). ortho_june.tif (5.00 MB) would take its place. "
        "Nothing was queued. To replace it, add --replace."
    )
