"""What a mesh (OBJ) and its materials (MTL) tell: the files that they name, and whether the mesh seems whole.

A mesh may have a hundred gigabytes: its beginning, where exporters name the materials, and its end are read. Formats:
Wavefront's "Object Files" and "Material Library File", appendix B of the Advanced Visualizer manual.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

from tui_uploader.intake.formats.mesh_text import MAX_READ, NotMesh, check_materials, check_mesh
from tui_uploader.intake.results.facts import Damaged, NotUsable, ResultFacts
from tui_uploader.model.results import Finding, ResultFinding, ResultType

MOST_REFERENCES = 2000
"""Files that are looked for; a mesh of a large site has some hundred textures."""

_HEAD = 1 << 18
"""Bytes after the first vertex, before which nearly all exporters name the materials."""
_TAIL = 1 << 16
_ZEROS = 64
"""Some programs end a text with one; so many at the end are not of any text."""
_LIBRARY = re.compile(rb"^[ \t]*mtllib[ \t]+([^\r\n]+)", re.M)
_TEXTURE = re.compile(rb"^[ \t]*(?:map_(?!aat)\w+|bump|disp|decal|refl|norm)[ \t]+([^\r\n]+)", re.M | re.I)
_OPTION = re.compile(
    rb"-(?:(?:blendu|blendv|cc|clamp|imfchan|texres|type|bm|boost)[ \t]+\S+|mm[ \t]+\S+[ \t]+\S+"
    rb"|[ost](?:[ \t]+[-+.\d][-+.\deE]*){1,3})[ \t]+",
    re.I,
)
_VERTEX_AT_END = re.compile(rb"v[tnp]?[ \t]")
_FACE = re.compile(rb"^[ \t]*(?:f|l|p|curv2?|surf|fo)[ \t]", re.M)


def mesh_facts(file: BinaryIO, size: int) -> ResultFacts:
    """Read both ends of an OBJ file of `size` bytes. Raises NotUsable, OSError."""
    file.seek(0)
    try:
        check_mesh(file)
    except NotMesh as error:
        raise NotUsable(f"{error}; export it again, or leave it out") from error
    first_vertex = file.tell()
    file.seek(0)
    head = _lines(file.read(first_vertex + _HEAD))
    libraries = tuple(dict.fromkeys(name for found in _LIBRARY.findall(head) for name in _library_names(found)))
    findings = () if libraries else (ResultFinding(Finding.NO_MATERIALS),)
    return ResultFacts(
        (ResultType.MESH,),
        ResultType.MESH,
        states_crs=False,
        findings=(*findings, *_findings_at_end(file, size, head)),
        references=libraries[:MOST_REFERENCES],
    )


def texture_names(file: BinaryIO) -> tuple[str, ...]:
    """The textures that a list of materials names, in its order, each once: one more than are looked for at most.

    Raises NotUsable, OSError.
    """
    file.seek(0)
    try:
        check_materials(file)
    except NotMesh as error:
        raise NotUsable(f"{error}; export it again") from error
    file.seek(0)
    found: dict[str, None] = {}
    for statement in _TEXTURE.finditer(_lines(file.read(MAX_READ))):
        found[os.fsdecode(_without_options(statement[1]))] = None
        if len(found) > MOST_REFERENCES:
            break
    found.pop("", None)
    return tuple(found)


def _lines(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _library_names(stated: bytes) -> Iterator[str]:
    """The statement may name several files; some exporters write one name with spaces."""
    stated = stated.strip().strip(b'"')
    pieces = stated.split()
    if len(pieces) > 1 and all(piece.lower().endswith(b".mtl") for piece in pieces):
        yield from map(os.fsdecode, pieces)
    elif stated:
        yield os.fsdecode(stated)


def _without_options(stated: bytes) -> bytes:
    at = 0
    while option := _OPTION.match(stated, at):
        at = option.end()
    return stated[at:].strip().strip(b'"')


def _findings_at_end(file: BinaryIO, size: int, head: bytes) -> Iterator[ResultFinding]:
    """Raises Damaged."""
    file.seek(max(0, size - _TAIL))
    raw = file.read(_TAIL)
    if not any(raw[-_ZEROS:]):
        raise Damaged("is damaged: it ends with zeros")
    tail = _lines(raw)
    statements = [line.strip() for line in tail.split(b"\n") if line.strip() and not line.lstrip().startswith(b"#")]
    last = statements[-1] if statements else b""
    if not tail.endswith(b"\n") and not _is_whole(last):
        yield ResultFinding(Finding.MAY_BE_CUT_OFF, detail="its last line is incomplete")
    elif _VERTEX_AT_END.match(last) and not (_FACE.search(tail) or _FACE.search(head)):
        yield ResultFinding(Finding.MAY_BE_CUT_OFF, detail="it ends among its vertices, before the faces")


def _is_whole(statement: bytes) -> bool:
    """Whether the last line of a file can be the whole statement: `f 1/1 2/2` and `v 1.5` cannot."""
    keyword, *values = statement.split()
    if keyword == b"v":
        return len(values) >= 3
    if keyword != b"f":
        return True
    return len(values) >= 3 and len({each.count(b"/") for each in values}) == 1 and values[-1][-1:].isdigit()
