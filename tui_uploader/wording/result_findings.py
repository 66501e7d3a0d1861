"""Sentences about what a check of a processed result found: what it means for the result, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tui_uploader.model.results import CoordinateSystem, Finding, ResultFinding
from tui_uploader.text import byte_count, counted, printable, whole_number

_SHOWN_NAMES = 3
_LONGEST_NAME = 60
_MOST = 10**18


def finding_sentence(name: str, finding: ResultFinding) -> str:
    """One or two sentences about the result of this name, safe for a terminal."""
    return _SENTENCES[finding.what](printable(name, _LONGEST_NAME), finding)


def crs_words(crs: CoordinateSystem | None) -> str:
    """`EPSG:32632 (WGS 84 / UTM zone 32N)`, safe for a terminal."""
    return "no coordinate system" if crs is None else printable(crs.label, 2 * _LONGEST_NAME)


def _listed(names: Sequence[str]) -> str:
    """`a.mtl, b.jpg and 4 more`."""
    shown = [printable(name, _LONGEST_NAME) for name in names[:_SHOWN_NAMES]]
    if rest := len(names) - len(shown):
        return f"{', '.join(shown)} and {rest:,} more"
    return " and ".join(shown) if len(shown) < 3 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _no_crs(name: str, _: ResultFinding) -> str:
    return (
        f"{name} states no coordinate system, so the cloud may not place it on the map. "
        "Export it with its coordinate system, or put its .prj beside it."
    )


def _no_position(name: str, _: ResultFinding) -> str:
    return (
        f"{name} does not state where it lies, so the cloud cannot place it on the map. "
        "Export it as a GeoTIFF, or put its .tfw beside it."
    )


def _geographic(name: str, finding: ResultFinding) -> str:
    return (
        f"{name} is in degrees ({printable(finding.detail, _LONGEST_NAME)}). PIX4Dcloud advises a projected coordinate "
        "system, such as UTM: lengths and areas are measured in it."
    )


def _other_crs(name: str, finding: ResultFinding) -> str:
    other, system = (*finding.names, "", "")[:2]
    return (
        f"{name} is in {printable(finding.detail, _LONGEST_NAME)}, but {printable(other, _LONGEST_NAME)} is in "
        f"{printable(system, _LONGEST_NAME)}. All results of a project need the same coordinate system; otherwise they "
        "do not lie on each other."
    )


def _several_layers(name: str, _: ResultFinding) -> str:
    return f"{name} has several layers of full size. The cloud takes one: export it as a GeoTIFF with a single layer."


def _too_large(name: str, finding: ResultFinding) -> str:
    size = whole_number(finding.detail, _MOST)
    shown = f" with its {byte_count(size)}" if size else ""
    return (
        f"{name}{shown} may be too large: above about 6 GB, PIX4Dcloud is reported to fail when it cuts an orthomosaic "
        "into tiles. Export it in several pieces or at a lower resolution if that happens."
    )


def _missing(name: str, finding: ResultFinding) -> str:
    several = len(finding.names) > 1
    return (
        f"{name} needs {_listed(finding.names)}, which {'are' if several else 'is'} not there. Copy "
        f"{'them' if several else 'it'} beside it, or the result is shown without {'them' if several else 'it'}."
    )


def _outside(name: str, finding: ResultFinding) -> str:
    several = len(finding.names) > 1
    return (
        f"{name} names {_listed(finding.names)}, which {'lie' if several else 'lies'} outside its own folder. "
        f"{'They are' if several else 'It is'} not uploaded. Export the mesh again with its textures beside it."
    )


def _unusable(name: str, finding: ResultFinding) -> str:
    return f"{_listed(finding.names)} of {name} cannot be uploaded: {printable(finding.detail)}"


def _unknown(name: str, finding: ResultFinding) -> str:
    number = whole_number(finding.detail, _MOST) or 0
    return f"{name} names more than {counted(number, 'file')}; those after them are not looked for."


def _no_materials(name: str, _: ResultFinding) -> str:
    return f"{name} names no materials (.mtl), so it is shown without texture."


def _may_be_cut_off(name: str, finding: ResultFinding) -> str:
    return f"{name} may be cut off: {printable(finding.detail)}. Compare it with the original, or copy it again."


def _points_differ(name: str, finding: ResultFinding) -> str:
    number = whole_number(finding.detail, _MOST) or 0
    return (
        f"{name} is longer than the {counted(number, 'point')} that its header states. "
        "Programs show only those; if points are missing there, export it again."
    )


def _name_differs(name: str, finding: ResultFinding) -> str:
    return f"The name of {name} says {printable(finding.detail.upper(), 20)}, but its content is of another type."


def _not_listed(name: str, finding: ResultFinding) -> str:
    return f"{name}: {printable(finding.detail, 20)} is not in PIX4Dcloud's list of results; other clouds take it."


_SENTENCES: Mapping[Finding, Callable[[str, ResultFinding], str]] = {
    Finding.NO_CRS: _no_crs,
    Finding.NO_POSITION: _no_position,
    Finding.GEOGRAPHIC: _geographic,
    Finding.OTHER_CRS: _other_crs,
    Finding.SEVERAL_LAYERS: _several_layers,
    Finding.TOO_LARGE_TO_TILE: _too_large,
    Finding.COMPANIONS_MISSING: _missing,
    Finding.COMPANIONS_OUTSIDE: _outside,
    Finding.COMPANIONS_UNUSABLE: _unusable,
    Finding.COMPANIONS_UNKNOWN: _unknown,
    Finding.NO_MATERIALS: _no_materials,
    Finding.MAY_BE_CUT_OFF: _may_be_cut_off,
    Finding.POINTS_DIFFER: _points_differ,
    Finding.NAME_DIFFERS: _name_differs,
    Finding.NOT_LISTED: _not_listed,
}
