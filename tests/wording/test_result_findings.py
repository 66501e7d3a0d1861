"""What a check found is said about the result by name, safely, and with what to do."""

from __future__ import annotations

import pytest

from tui_uploader.model.results import CoordinateSystem, Finding, ResultFinding
from tui_uploader.wording.result_findings import crs_words, finding_sentence

HOSTILE = "\x1b]0;a\x07\u202e" + "x" * 5000


@pytest.mark.parametrize("what", Finding)
@pytest.mark.parametrize("names", [(), ("a.mtl",), (HOSTILE,) * 70_000])
@pytest.mark.parametrize("detail", ["", "7000000000", HOSTILE[:900], "٣", "9" * 400])
def test_every_finding_has_a_sentence_that_is_safe(what: Finding, names: tuple[str, ...], detail: str) -> None:
    said = finding_sentence("map\x1b[2J.tif", ResultFinding(what, names, detail))
    assert r"map\x1b[2J.tif" in said
    assert said.isprintable()
    assert len(said) < 2500


def test_sentences_name_files_and_what_to_do() -> None:
    missing = ResultFinding(Finding.COMPANIONS_MISSING, ("a.mtl", "b.jpg", "c.jpg", "d.jpg", "e.jpg"))
    assert finding_sentence("quarry.obj", missing) == (
        "quarry.obj needs a.mtl, b.jpg, c.jpg and 2 more, which are not there. Copy them beside it, or the result is "
        "shown without them."
    )
    large = ResultFinding(Finding.TOO_LARGE_TO_TILE, detail="7200000000")
    assert "with its 7.20 GB may be too large" in finding_sentence("ortho.tif", large)
    other = ResultFinding(Finding.OTHER_CRS, ("dsm.tif", "EPSG:2056"), "EPSG:32632")
    assert finding_sentence("ortho.tif", other).startswith(
        "ortho.tif is in EPSG:32632, but dsm.tif is in EPSG:2056. All results of a project need the same"
    )


@pytest.mark.parametrize(
    ("crs", "said"),
    [
        (None, "no coordinate system"),
        (CoordinateSystem(32632, "WGS 84 / UTM zone 32N", True), "EPSG:32632 (WGS 84 / UTM zone 32N)"),
        (CoordinateSystem(2056), "EPSG:2056"),
        (CoordinateSystem(None, "Quarry\x1b grid"), r"Quarry\x1b grid"),
        (CoordinateSystem(), "a coordinate system without a name"),
    ],
)
def test_a_coordinate_system_in_words(crs: CoordinateSystem | None, said: str) -> None:
    assert crs_words(crs) == said


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (CoordinateSystem(32632), CoordinateSystem(32633), True),
        (CoordinateSystem(32632, "a"), CoordinateSystem(32632, "b"), False),
        (CoordinateSystem(32632, projected=True), CoordinateSystem(None, projected=False), True),
        (CoordinateSystem(None, "a", True), CoordinateSystem(None, "b", True), False),
        (CoordinateSystem(32632, projected=True), CoordinateSystem(), False),
    ],
)
def test_systems_differ_only_where_that_is_certain(
    one: CoordinateSystem, other: CoordinateSystem, differ: bool
) -> None:
    assert one.differs_from(other) is differ
    assert other.differs_from(one) is differ
