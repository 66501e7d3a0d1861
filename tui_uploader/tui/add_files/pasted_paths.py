"""Paths out of a paste: files dropped onto a terminal arrive as text, and every terminal writes them its own way.

Seen in the field: shell quotes (`'/a b'`, `"/a b"`), backslashes (`/a\\ b`), `file:///a%20b`, and bare names with their
blanks, all of them separated by blanks or by line breaks. Where a bare name and a list of names look alike, a blank
separates only if what follows it begins a path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

LONGEST_PASTE = 500_000
"""Characters that are looked at: some 5,000 paths. Who has more drops their folder."""

_ROOT = r"(?:/|~(?=[/ \t\r\n]|\Z)|[Ff][Ii][Ll][Ee]:/|[A-Za-z]:[\\/]|\\\\)"
_START = rf"""['"]?{_ROOT}"""
_BLANKS = re.compile(r"[ \t\r\n]+")
_ABSOLUTE = re.compile(_ROOT)
# Paths of Windows and URIs hold backslashes that escape nothing.
_LITERAL = re.compile(r"[A-Za-z]:[\\/]|\\\\|[Ff][Ii][Ll][Ee]:/")
_URI = re.compile(r"file:(?://[^/]*)?(?=/)", re.IGNORECASE)

_BARE = re.compile(rf"(?:\\[^\r\n]|[^\\ \t\r\n]|\\|[ \t]++(?![\r\n]|\Z|{_START}))+")
_BARE_LITERAL = re.compile(rf"(?:[^ \t\r\n]|[ \t]++(?![\r\n]|\Z|{_START}))+")
_ESCAPED = re.compile(r"\\([^\r\n])")
# One piece of a quoted word. A quote that is never closed ends with its line.
_PIECE = re.compile(
    r"""'(?P<single>[^']*+)'  |  "(?P<double>(?:\\.|[^"\\])*+)"  |  ['"](?P<unclosed>[^\r\n]*)
        |  \\(?P<escaped>[^\r\n])  |  (?P<plain>[^'"\\ \t\r\n]+|\\)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED_IN_DOUBLE = re.compile(r"""\\(["\\$`])""")


def bounded(text: str, limit: int = LONGEST_PASTE) -> tuple[str, bool]:
    """At most `limit` characters of a paste, ending with a whole path, and whether that left anything out."""
    if len(text) <= limit:
        return text, False
    end = max(text.rfind(separator, 0, limit) for separator in "\r\n")
    if end < 0:
        end = text.rfind(" ", 0, limit)
    return text[: max(end, 0)], True


def parsed(text: str) -> list[str]:
    """The paths in `text`, in their order, as they would be written without any quoting. Never raises.

    Bytes that are no UTF-8 come as surrogate escapes. Whether the paths exist, or are paths at all, is another
    question (`is_absolute`).
    """
    return [path for path in _paths(text) if path]


def is_absolute(path: str) -> bool:
    """It names its place from the root on, here or on a machine of another kind: so do files that were dropped."""
    return _ABSOLUTE.match(path) is not None


def _paths(text: str) -> Iterator[str]:
    position = 0
    while True:
        if blanks := _BLANKS.match(text, position):
            position = blanks.end()
        if position >= len(text):
            return
        path, position = _quoted(text, position) if text[position] in "'\"" else _bare(text, position)
        yield _local(path)


def _bare(text: str, position: int) -> tuple[str, int]:
    """A word that begins without quotes, and where it ends; quotes inside it belong to the name."""
    literal = _LITERAL.match(text, position)
    found = (_BARE_LITERAL if literal else _BARE).match(text, position)
    assert found is not None, "a word begins with something that is no blank"
    return (found[0] if literal else _ESCAPED.sub(r"\1", found[0])), found.end()


def _quoted(text: str, position: int) -> tuple[str, int]:
    """A word that begins with a quote, as a shell reads it, and where it ends."""
    pieces: list[str] = []
    while found := _PIECE.match(text, position):
        position = found.end()
        pieces.append(_meant(found))
    return "".join(pieces), position


def _meant(piece: re.Match[str]) -> str:
    text = piece[piece.lastgroup or 0]
    return text if piece.lastgroup != "double" or _LITERAL.match(text) else _ESCAPED_IN_DOUBLE.sub(r"\1", text)


def _local(path: str) -> str:
    """A `file:` address as the path that it names (RFC 8089), its host left out."""
    if address := _URI.match(path):
        return os.fsdecode(unquote_to_bytes(path[address.end() :].encode("utf-8", "surrogatepass")))
    return path
