"""Parse the paths in a paste: files dropped onto a terminal arrive as text, quoted differently by each terminal.

Seen in the field: shell quotes (`'/a b'`, `"/a b"`), backslashes (`/a\\ b`), `file:///a%20b`, and bare names with
spaces, separated by spaces or line breaks. A space after a bare name separates only if a path starts behind it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

LONGEST_PASTE = 500_000
"""Characters of a paste that are parsed, about 5,000 paths. For more files the user drops their folder."""

_ROOT = r"(?:/|~(?=[/ \t\r\n]|\Z)|[Ff][Ii][Ll][Ee]:/|[A-Za-z]:[\\/]|\\\\)"
_START = rf"""['"]?{_ROOT}"""
_BLANKS = re.compile(r"[ \t\r\n]+")
_ABSOLUTE = re.compile(_ROOT)
# In Windows paths and URIs a backslash escapes nothing.
_LITERAL = re.compile(r"[A-Za-z]:[\\/]|\\\\|[Ff][Ii][Ll][Ee]:/")
_URI = re.compile(r"file:(?://[^/]*)?(?=/)", re.IGNORECASE)

_BARE = re.compile(rf"(?:\\[^\r\n]|[^\\ \t\r\n]|\\|[ \t]++(?![\r\n]|\Z|{_START}))+")
_BARE_LITERAL = re.compile(rf"(?:[^ \t\r\n]|[ \t]++(?![\r\n]|\Z|{_START}))+")
_ESCAPED = re.compile(r"\\([^\r\n])")
# One piece of a quoted word. An unclosed quote ends with its line.
_PIECE = re.compile(
    r"""'(?P<single>[^']*+)'  |  "(?P<double>(?:\\.|[^"\\])*+)"  |  ['"](?P<unclosed>[^\r\n]*)
        |  \\(?P<escaped>[^\r\n])  |  (?P<plain>[^'"\\ \t\r\n]+|\\)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED_IN_DOUBLE = re.compile(r"""\\(["\\$`])""")


def cut_paste(text: str, limit: int = LONGEST_PASTE) -> tuple[str, bool]:
    """At most `limit` characters of a paste, cut between two paths, and whether anything was cut."""
    if len(text) <= limit:
        return text, False
    end = max(text.rfind(separator, 0, limit) for separator in "\r\n")
    if end < 0:
        end = text.rfind(" ", 0, limit)
    return text[: max(end, 0)], True


def parse_paths(text: str) -> list[str]:
    """The paths in `text`, in order and without quoting. Never raises.

    Bytes that are not UTF-8 come as surrogate escapes. The paths need not exist, nor be paths (see `is_absolute`).
    """
    return [path for path in _words(text) if path]


def is_absolute(path: str) -> bool:
    """Whether `path` is absolute, also in the notation of another system; dropped files always are."""
    return _ABSOLUTE.match(path) is not None


def _words(text: str) -> Iterator[str]:
    position = 0
    while True:
        if blanks := _BLANKS.match(text, position):
            position = blanks.end()
        if position >= len(text):
            return
        path, position = _quoted(text, position) if text[position] in "'\"" else _bare(text, position)
        yield _without_scheme(path)


def _bare(text: str, position: int) -> tuple[str, int]:
    """An unquoted word, and where it ends; quotes inside it belong to the name."""
    literal = _LITERAL.match(text, position)
    found = (_BARE_LITERAL if literal else _BARE).match(text, position)
    assert found is not None, "a word does not begin with a blank"
    return (found[0] if literal else _ESCAPED.sub(r"\1", found[0])), found.end()


def _quoted(text: str, position: int) -> tuple[str, int]:
    """A word that begins with a quote, read as a shell does, and where it ends."""
    pieces: list[str] = []
    while found := _PIECE.match(text, position):
        position = found.end()
        pieces.append(_unquoted(found))
    return "".join(pieces), position


def _unquoted(piece: re.Match[str]) -> str:
    text = piece[piece.lastgroup or 0]
    return text if piece.lastgroup != "double" or _LITERAL.match(text) else _ESCAPED_IN_DOUBLE.sub(r"\1", text)


def _without_scheme(path: str) -> str:
    """The path of a `file:` URI (RFC 8089) without its host; other text unchanged."""
    if prefix := _URI.match(path):
        return os.fsdecode(unquote_to_bytes(path[prefix.end() :].encode("utf-8", "surrogatepass")))
    return path
