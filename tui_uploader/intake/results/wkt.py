"""Coordinate systems in well-known text, as in .prj files, LAS files and metadata of GDAL.

Only the horizontal system is read: its name, its EPSG code, and whether it is projected.
Sources: OGC 01-009 (WKT 1), OGC 18-010r7 (WKT 2); the names of ESRI's .prj files, which have no codes.
"""

from __future__ import annotations

import re

from tui_uploader.model.results import CoordinateSystem
from tui_uploader.text import printable, whole_number

LONGEST_WKT = 1 << 16
"""Bytes; the longest known, with their transformations, have some kilobytes."""

_LONGEST_NAME = 80
_NO_NAMES = ("unknown", "unnamed")
"""What GDAL and PROJ write for systems without a name."""
_HIGHEST_CODE = 1_000_000
_PROJECTED = re.compile(r"\b(?:PROJCS|PROJCRS|PROJECTEDCRS)\s*[\[(]", re.I)
_GEOGRAPHIC = re.compile(
    r"\b(?:GEOGCS|GEOGCRS|GEOGRAPHICCRS|GEODCRS|GEODETICCRS|GEOCCS)\s*[\[(]",
    re.I,
)
_TOKEN = re.compile(r'"((?:[^"]|"")*)"|([\[(])|([\])])|([A-Za-z_][A-Za-z_0-9]*)|([0-9]+)')
_EPSG = re.compile(r"\s*(?:urn:ogc:def:crs:)?EPSG:{1,2}([0-9]{4,6})\s*", re.I)

_UTM = re.compile(
    r"(?P<datum>WGS[ _]?(?:19)?84|ETRS[ _]?(?:19)?89|NAD[ _]?(?:19)?83)[ _]*/?[ _]*UTM[ _]zone[ _]?(?P<zone>\d{1,2})"
    r"(?P<half>[NS])?(?= *$| *\+)",
    re.I,
)
_WGS_84 = re.compile(r"(?:GCS_)?WGS[ _]?(?:19)?84", re.I)


def crs_of_wkt(text: str) -> CoordinateSystem | None:
    """The horizontal system of a WKT string; None where there is none."""
    text = text[:LONGEST_WKT]
    if alone := _EPSG.fullmatch(text):
        return CoordinateSystem(whole_number(alone[1], _HIGHEST_CODE))
    for pattern, projected in ((_PROJECTED, True), (_GEOGRAPHIC, False)):
        if found := pattern.search(text):
            name, code = _name_and_code(text, found.end())
            return named_crs(name, code, projected)
    return None


def named_crs(name: str, code: int | None, projected: bool | None) -> CoordinateSystem:
    """The system of this name, whose code is taken from well-known names if the file states none."""
    name = printable(name.strip(), _LONGEST_NAME)
    name = "" if name.casefold() in _NO_NAMES else name
    return CoordinateSystem(code if code is not None else _code_of_name(name), name, projected)


def _name_and_code(text: str, begin: int) -> tuple[str, int | None]:
    """Of the element whose content begins at `begin`: its name, and the code of its own AUTHORITY or ID."""
    name, word, depth = "", "", 1
    authority: list[str] | None = None
    for token in _TOKEN.finditer(text, begin):
        quoted, opening, closing, keyword, number = token.groups()
        if opening:
            depth += 1
            authority = [] if depth == 2 and word.upper() in ("AUTHORITY", "ID") else authority
        elif closing:
            depth -= 1
            if depth == 1 and authority is not None:
                if (code := _code(authority)) is not None:
                    return name, code
                authority = None
            if depth == 0:
                break
        elif keyword:
            word = keyword
        elif quoted is not None and depth == 1:
            name = name or quoted.replace('""', '"')
        elif authority is not None and depth == 2:
            authority.append(quoted if quoted is not None else number)
    return name, None


def _code(authority: list[str]) -> int | None:
    if len(authority) < 2 or authority[0].upper() != "EPSG":
        return None
    return whole_number(authority[1], _HIGHEST_CODE)


def _code_of_name(name: str) -> int | None:
    if _WGS_84.fullmatch(name):
        return 4326
    found = _UTM.match(name)
    if found is None:
        return None
    zone, south = int(found["zone"]), (found["half"] or "N").upper() == "S"
    datum = found["datum"].upper()
    if not 1 <= zone <= 60:
        return None
    if datum.startswith("WGS"):
        return (32700 if south else 32600) + zone if found["half"] else None
    if south:
        return None
    if datum.startswith("ETRS"):
        return 25800 + zone if 28 <= zone <= 38 else None
    return 26900 + zone if zone <= 23 else None
