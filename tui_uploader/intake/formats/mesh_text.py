"""Recognise a mesh (OBJ) or its materials (MTL) by content, never by name.

Any text could have such a name, by a link or by mistake: a private key, a list of passwords. A text is a mesh if only
statements of that format precede its first vertex, and a list of materials if its first statement begins one.
Formats: Wavefront's "Object Files" and "Material Library File", appendix B of the Advanced Visualizer manual.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

MAX_READ = 4 << 20
"""The first vertex or material must be within so many bytes; exporters write a comment of some kilobytes before it."""

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t"
_NUMBER = rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?nan|[+-]?inf"
_VERTEX = re.compile(rb"(?:vn?(?:[ \t]+(?:%b)){3,8}|vt(?:[ \t]+(?:%b)){1,3})" % (_NUMBER, _NUMBER))
_BEFORE_VERTICES = re.compile(rb"(?:mtllib|usemtl|maplib|usemap|o|g)(?:[ \t]+.+)?|s[ \t]+(?:off|on|\d+)|lod[ \t]+\d+")
"""Statements allowed before the first vertex: libraries, names, groups and smoothing."""
_MATERIAL = re.compile(rb"newmtl(?:[ \t]+.+)?")


class NotMesh(ValueError):
    """The text is something else; the message follows the file's name."""


def check_mesh(file: BinaryIO) -> None:
    """Read from the current position to the first vertex. Raises NotMesh, OSError."""
    for statement in _statements(file):
        if _VERTEX.fullmatch(statement):
            return
        if not _BEFORE_VERTICES.fullmatch(statement):
            raise NotMesh("is not a mesh (OBJ), although its name says so: it contains other text")
    raise NotMesh("is not a mesh (OBJ), although its name says so: it has no vertices")


def check_materials(file: BinaryIO) -> None:
    """Read from the current position to the first material. Raises NotMesh, OSError."""
    for statement in _statements(file):
        if _MATERIAL.fullmatch(statement):
            return
        raise NotMesh("is not a list of materials (MTL), although its name says so: it contains other text")
    raise NotMesh("is not a list of materials (MTL), although its name says so: it has no materials")


def _statements(file: BinaryIO) -> Iterator[bytes]:
    """Lines that are neither blank nor comments, stripped; at most `MAX_READ` bytes are read."""
    left = MAX_READ
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
