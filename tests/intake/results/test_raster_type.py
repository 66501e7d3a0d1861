"""Bands and values decide the type of a raster; its name only where they permit several."""

from __future__ import annotations

import pytest

from tui_uploader.intake.results.raster_type import FLOATING, SIGNED, UNSIGNED, Raster, hints_of, type_of_raster
from tui_uploader.model.results import ResultType

ORTHO, DSM, DTM, INDEX = ResultType.ORTHOMOSAIC, ResultType.DSM, ResultType.DTM, ResultType.INDEX
RGB = Raster(3, 8)
FLOATS = Raster(1, 32, FLOATING)
HEIGHTS = Raster(1, 32, FLOATING, range=(212.5, 431.0))
RATIOS = Raster(1, 32, FLOATING, range=(-0.4, 0.93))
GREY = Raster(1, 8)
COLOURS = Raster(1, 8, photometric=3)


@pytest.mark.parametrize(
    ("raster", "name", "expected"),
    [
        (RGB, "site.tif", ORTHO),
        (Raster(4, 16), "site.tif", ORTHO),
        (Raster(6, 16), "site.tif", ORTHO),
        (RGB, "site_dsm.tif", ORTHO),  # a coloured picture of the heights
        (RGB, "site_ndvi.tif", None),  # a coloured index map, or an orthomosaic beside one
        (RGB, "ortho_for_index.tif", None),
        (Raster(3, 32, FLOATING), "site.tif", None),
        (Raster(3, 32, FLOATING), "site_ortho.tif", ORTHO),
        (FLOATS, "site.tif", None),
        (FLOATS, "site_dsm.tif", DSM),
        (FLOATS, "Site-DTM_2.tiff", DTM),
        (FLOATS, "site.dem.tif", None),
        (FLOATS, "dsm_and_dtm.tif", None),
        (FLOATS, "site_ortho.tif", None),
        (FLOATS, "site_index_ndvi.tif", INDEX),
        (FLOATS, "wisdsmart.tif", None),
        (HEIGHTS, "site.tif", None),
        (HEIGHTS, "site_dsm.tif", DSM),
        (HEIGHTS, "site_vari.tif", INDEX),  # some indices have larger values
        (RATIOS, "site.tif", INDEX),
        (RATIOS, "site_ndre.tif", INDEX),
        (RATIOS, "site_dsm.tif", None),
        (Raster(1, 16, SIGNED), "site_dtm.tif", DTM),
        (Raster(1, 16, SIGNED), "site.tif", None),
        (GREY, "site.tif", None),
        (GREY, "site_ortho.tif", ORTHO),
        (GREY, "ndvi.tif", INDEX),
        (GREY, "site_dsm.tif", None),  # heights do not fit in a byte
        (COLOURS, "site.tif", None),
        (Raster(1, 16), "site_dsm.tif", DSM),
        (Raster(1, 32, UNSIGNED), "site_dsm.tif", DSM),
    ],
)
def test_the_type_of_a_raster(raster: Raster, name: str, expected: ResultType | None) -> None:
    type, choices = type_of_raster(raster, name)
    assert type is expected
    assert expected is None or expected in choices


@pytest.mark.parametrize(
    ("raster", "choices"),
    [
        (RGB, (ORTHO, INDEX)),
        (GREY, (ORTHO, INDEX)),
        (COLOURS, (ORTHO, INDEX)),
        (Raster(1, 16), (ORTHO, DSM, DTM, INDEX)),
        (FLOATS, (DSM, DTM, INDEX)),
        (HEIGHTS, (DSM, DTM, INDEX)),
        (RATIOS, (INDEX, DSM, DTM)),
    ],
)
def test_what_a_user_may_choose_from(raster: Raster, choices: tuple[ResultType, ...]) -> None:
    assert type_of_raster(raster, "x.tif")[1] == choices


def test_hints() -> None:
    assert hints_of("a_dem.tif") == (DSM, DTM)
    assert hints_of("dsm") == ()  # without an ending there is no stem
    assert hints_of("ortho_ndvi.tif") == (INDEX,)
    assert hints_of("") == ()
