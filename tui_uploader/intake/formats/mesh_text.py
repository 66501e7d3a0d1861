"""Whether a text is a mesh (OBJ) or its materials (MTL): told by what it says, never by its name.

Any text could carry such a name, by a link or by mistake: a private key, a list of passwords. A text counts as a mesh
when only statements of that format come before its first vertex, and as materials when its first statement begins one.
Formats: Wavefront's "Object Files" and "Material Library File", appendix B of the Advanced Visualizer manual.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

MOST_READ = 4 << 20
"""Bytes in which the first vertex or material has to come; exporters put a comment of some kilobytes before it."""

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t"
_NUMBER = rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?nan|[+-]?inf"
_VERTEX = re.compile(rb"(?:vn?(?:[ \t]+(?:%b)){3,8}|vt(?:[ \t]+(?:%b)){1,3})" % (_NUMBER, _NUMBER))
_BEFORE_VERTICES = re.compile(rb"(?:mtllib|usemtl|maplib|usemap|o|g)(?:[ \t]+.+)?|s[ \t]+(?:off|on|\d+)|lod[ \t]+\d+")
"""Libraries, names, groups and smoothing: what may come before the first vertex."""
_MATERIAL = re.compile(rb"newmtl(?:[ \t]+.+)?")


class NotMesh(ValueError):
    """The text is something else; the words say what, after the name of the file."""


def check_mesh(file: BinaryIO) -> None:
    """Read from where the file stands to its first vertex. Raises NotMesh, OSError."""
    for statement in _statements(file):
        if _VERTEX.fullmatch(statement):
            return
        if not _BEFORE_VERTICES.fullmatch(statement):
            raise NotMesh("is not a mesh (OBJ), although its name says so: it holds other text")
    raise NotMesh("is not a mesh (OBJ), although its name says so: it has no vertices")


def check_materials(file: BinaryIO) -> None:
    """Read from where the file stands to its first material. Raises NotMesh, OSError."""
    for statement in _statements(file):
        if _MATERIAL.fullmatch(statement):
            return
        raise NotMesh("is not a list of materials (MTL), although its name says so: it holds other text")
    raise NotMesh("is not a list of materials (MTL), although its name says so: it has no materials")


def _statements(file: BinaryIO) -> Iterator[bytes]:
    """Lines without comments, blank ones and the blanks around them; at most `MOST_READ` bytes are read."""
    left = MOST_READ
    first = True
    while left > 0 and (line := file.readline(left)):
        left -= len(line)
        if b"\0" in line:
            raise NotMesh("is not in plain text (it may be in UTF-16); export it as ASCII or UTF-8")
        for piece in (line.removeprefix(_BOM) if first else line).splitlines():
            statement = piece.strip(_BLANK)
            if statement and not statement.startswith(b"#"):
                yield statement
        first = False
