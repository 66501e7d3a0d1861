"""The coordinate system in the keys of a GeoTIFF, which LAS files use, too.

Source: OGC GeoTIFF Standard 1.1 (19-008r4), 7.1 (keys) and annex B (their numbers).
"""

from __future__ import annotations

from collections.abc import Sequence

from tui_uploader.intake.results.wkt import crs_of_wkt, named_crs
from tui_uploader.model.results import CoordinateSystem

MOST_KEYS = 1024

_MODEL, _CITATION, _GEODETIC, _GEODETIC_CITATION = 1024, 1026, 2048, 2049
_PROJECTED, _PROJECTED_CITATION = 3072, 3073
_MODEL_PROJECTED, _MODEL_GEOGRAPHIC = 1, 2
_MODELS = (_MODEL_PROJECTED, _MODEL_GEOGRAPHIC, 3)
"""3: coordinates from the centre of the earth."""
_LOWEST_CODE = 1024
_USER_DEFINED = 32767
_IN_TEXTS = 34737
"""The value of a key is in the tag (or LAS record) of this number."""
_PREFIXES = ("PCS Name", "GCS Name", "ESRI PE String")


def crs_of_keys(keys: Sequence[int], texts: str) -> CoordinateSystem | None:
    """The system that the directory of keys states; None where it states none.

    `keys`: the numbers of the directory, from its header on; `texts`: the texts that keys point into.
    """
    found = _keys(keys, texts)
    model = found.get(_MODEL)
    if model not in _MODELS and (_PROJECTED in found or _PROJECTED_CITATION in found):
        model = _MODEL_PROJECTED
    if model not in _MODELS and (_GEODETIC in found or _GEODETIC_CITATION in found):
        model = _MODEL_GEOGRAPHIC
    if model == _MODEL_PROJECTED:
        return _system(found, _PROJECTED, _PROJECTED_CITATION, projected=True)
    return _system(found, _GEODETIC, _GEODETIC_CITATION, projected=False if model == _MODEL_GEOGRAPHIC else None)


def _system(found: dict[int, int | str], key: int, citation: int, *, projected: bool | None) -> CoordinateSystem | None:
    code = found.get(key)
    known = code if isinstance(code, int) and _LOWEST_CODE <= code < _USER_DEFINED else None
    cited = next((text for each in (citation, _CITATION) if isinstance(text := found.get(each), str) and text), "")
    described = crs_of_wkt(cited)
    if described is not None and known is None:
        return described
    if known is None and code != _USER_DEFINED and not cited:
        return None
    return named_crs(_plain(cited) if described is None else described.name, known, projected)


def _keys(keys: Sequence[int], texts: str) -> dict[int, int | str]:
    """Numbers and texts by key."""
    if len(keys) < 4:
        return {}
    found: dict[int, int | str] = {}
    for index in range(min(keys[3], MOST_KEYS, len(keys) // 4 - 1)):
        key, where, count, value = keys[4 + 4 * index : 8 + 4 * index]
        if where == 0:
            found.setdefault(key, value)
        elif where == _IN_TEXTS:
            found.setdefault(key, texts[value : value + count].rstrip("|\0"))
    return found


def _plain(cited: str) -> str:
    """`WGS 84 / UTM zone 32N` from `PCS Name = WGS 84 / UTM zone 32N|…`, as ESRI's programs write it."""
    for piece in cited.split("|"):
        before, equals, name = piece.partition("=")
        if equals and before.strip() in _PREFIXES:
            return name.strip()
    return cited.partition("|")[0].strip()
