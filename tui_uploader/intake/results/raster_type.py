"""Which type of result a raster is: decided by its bands and values; its name is a hint where these permit several.

Pure. The names are those of PIX4Dmapper (`site_dsm.tif`, `site_index_ndvi.tif`), OpenDroneMap and Metashape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui_uploader.model.results import ResultType

_ORTHOMOSAIC, _DSM, _DTM, _INDEX = ResultType.ORTHOMOSAIC, ResultType.DSM, ResultType.DTM, ResultType.INDEX

UNSIGNED, SIGNED, FLOATING = 1, 2, 3
"""Values of the tag SampleFormat; others are not told apart."""

_PALETTE = 3
_WORDS = {
    _ORTHOMOSAIC: frozenset({"ortho", "orthomosaic", "orthophoto", "orthophotomosaic", "mosaic", "rgb"}),
    _DSM: frozenset({"dsm", "surface"}),
    _DTM: frozenset({"dtm", "terrain"}),
    _INDEX: frozenset(
        {
            *("index", "ndvi", "ndre", "ndwi", "gndvi", "bndvi", "rndvi", "lci", "savi", "osavi", "msavi", "evi"),
            *("vari", "tgi", "gli", "exg", "mcari", "sipi", "reci", "cwsi"),
        }
    ),
}
_ELEVATION = frozenset({"dem", "elevation", "height", "heights"})
"""These do not tell a surface from the ground."""
_WORD = re.compile("[a-z]+")
_WITHIN = 1.0 + 1e-6


@dataclass(frozen=True, slots=True)
class Raster:
    """What the tags of a raster say about its values."""

    bands: int
    """Without those that only make pixels transparent."""
    bits: int
    """Of one value."""
    format: int = UNSIGNED
    photometric: int = 1
    range: tuple[float, float] | None = None
    """Lowest and highest known value; None: unknown."""

    @property
    def is_measured(self) -> bool:
        """Whether its values are measurements, not brightness."""
        return self.format in (SIGNED, FLOATING) or self.bits > 16


def type_of_raster(raster: Raster, name: str) -> tuple[ResultType | None, tuple[ResultType, ...]]:
    """The type, or None where it is unclear, and all types that are possible, the likeliest first."""
    choices, hints = _choices(raster), hints_of(name)
    if raster.bands >= 3 and not raster.is_measured:
        return (None if hints == (_INDEX,) else _ORTHOMOSAIC), choices
    if choices[0] is _INDEX and not hints:
        return _INDEX, choices
    # A surface whose heights are all between -1 and 1 is unlikely enough to be asked about.
    if len(hints) == 1 and hints[0] in choices and (choices[0] is not _INDEX or hints[0] is _INDEX):
        return hints[0], choices
    return None, choices


def hints_of(name: str) -> tuple[ResultType, ...]:
    """The types that a file name may mean: `site_7_dsm.tif`; empty where it says nothing."""
    words = frozenset(_WORD.findall(name.rpartition(".")[0].lower()))
    found = tuple(type for type, known in _WORDS.items() if words & known)
    # An index map is often named after the orthomosaic that it was made from.
    if _INDEX in found:
        return (_INDEX,)
    return found or ((_DSM, _DTM) if words & _ELEVATION else ())


def _choices(raster: Raster) -> tuple[ResultType, ...]:
    if raster.bands >= 3:
        return (_ORTHOMOSAIC, _INDEX)
    if raster.photometric == _PALETTE or (raster.bits <= 8 and not raster.is_measured):
        return (_ORTHOMOSAIC, _INDEX)
    if not raster.is_measured:
        return (_ORTHOMOSAIC, _DSM, _DTM, _INDEX)
    if raster.range is not None and raster.format == FLOATING:
        return (_INDEX, _DSM, _DTM) if max(map(abs, raster.range)) <= _WITHIN else (_DSM, _DTM, _INDEX)
    return (_DSM, _DTM, _INDEX)
