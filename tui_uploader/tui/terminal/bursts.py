"""Distinguish typed keys from text that was pasted without brackets.

Serial lines and the Linux console send a paste as if it were typed. Where letters are commands, such a text must not
run them. Two things are evidence of a paste:

Time. Keys that arrive within `GAP` of each other are one burst. A serial line of 9600 baud delivers a character a
millisecond; a whole screen arrives in one read. Fast typists leave about 60 ms between keys; a held key repeats each
30 ms (Dhakal et al., Observations on Typing from 136 Million Keystrokes, CHI 2018: 120 words a minute: 100 ms a key).

Content. A slow connection also delivers typed-ahead keys in one read, so a burst alone proves nothing. People type
ahead movements, one or two commands, or a command that opens a field and the text for that field. A pasted text has
the shape of a path, or more different letters than people type as commands without looking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from tui_uploader.tui.terminal.input_stream import Pasted, Piece, Sequence, Typed

GAP = 0.01
"""Seconds of silence after which a burst is over."""
LONGEST_BURST = 100_000
"""Pieces kept of one burst; the rest is dropped."""

MOVEMENTS = frozenset("jkgG 123\r\t")
"""Keys that only move or select, and may be repeated any number of times."""
OPENERS = frozenset("uC")
"""Commands that open a dialog for text, when they come first in a line."""
FILTER = "/"
"""Opens a field anywhere in a line; Enter leaves the field."""
_MOST_COMMANDS = 2
"""Different letters that still count as commands typed ahead."""
_LONGEST_LINE = 32
"""Characters that people type into a field without looking, except for a path."""

# A path at least two names deep, from the root or the home directory, or an address; with or without a quote.
_PATH = re.compile(r"""\s*['"]?(?:~?/[^/\s][^/\r\n]*/|~/|file:/|[A-Za-z]:[\\/])""", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_KEY_SEQUENCE = re.compile(r"\x1b(?:O.|\[[0-9;]*[A-HPQRSuZ~])")


class Unbracketed(msgspec.Struct, frozen=True):
    """Pasted text that arrived like keys."""

    text: str


class Burst(msgspec.Struct, frozen=True):
    """Pieces of input that arrived together."""

    pieces: tuple[Piece | Unbracketed, ...]
    hasty: bool
    """More keys than a person types in that time: none of them may answer a question."""


class Bursts:
    """Collects pieces: `add` them as they arrive; once `deadline` has passed, `take` the burst. Reads no clock."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._last = 0.0

    @property
    def deadline(self) -> float | None:
        """When the burst ends unless more arrives; at once if it cannot be the beginning of a text."""
        if not self._pieces:
            return None
        return self._last + GAP if _may_continue(self._pieces) else self._last

    def add(self, pieces: Iterable[Piece], now: float) -> None:
        left = LONGEST_BURST - len(self._pieces)
        arrived = list(pieces)
        if arrived:
            self._pieces += arrived[:left]
            self._last = now

    def take(self, now: float) -> list[Piece]:
        """The pieces of a burst that has ended; empty before."""
        if self.deadline is None or now < self.deadline:
            return []
        pieces, self._pieces = self._pieces, []
        return pieces


def _may_continue(pieces: list[Piece]) -> bool:
    """Whether a text may continue. Bursts of movements end at once, so that scrolling has no delay."""
    return isinstance(pieces[-1], Typed) and not all(
        isinstance(piece, Typed) and piece.character in MOVEMENTS for piece in pieces
    )


def judged(pieces: Iterable[Piece], *, in_field: bool) -> Burst:
    """Mark the pasted texts in a burst. `in_field`: the focus is in a text field, where nothing can go wrong."""
    arrived = list(pieces)
    hasty = sum(map(_is_key, arrived)) > 1
    if in_field or not hasty:
        return Burst(tuple(arrived), hasty)
    found: list[Piece | Unbracketed] = []
    for typed, group in groupby(arrived, lambda piece: isinstance(piece, Typed)):
        run = list(group)
        text = "".join(piece.character for piece in run if isinstance(piece, Typed))
        if typed and is_text(text):
            found.append(Unbracketed(text))
        else:
            found += run
    return Burst(tuple(found), hasty)


def _is_key(piece: Piece) -> bool:
    """Whether a piece is a key; mouse reports and answers of the terminal are not."""
    return not isinstance(piece, Pasted) and (
        not isinstance(piece, Sequence) or _KEY_SEQUENCE.fullmatch(piece.text) is not None
    )


def is_text(run: str) -> bool:
    """Whether characters that arrived together are pasted text rather than commands."""
    if _PATH.match(run):
        return True
    lines = list(_lines_of_commands(run))
    if any(len(field) > _LONGEST_LINE and not _PATH.match(field) for _, field in lines):
        return True
    commands = {letter.lower() for letters, _ in lines for letter in letters if letter not in MOVEMENTS}
    return len(commands) > _MOST_COMMANDS


def _lines_of_commands(run: str) -> Iterator[tuple[str, str]]:
    """For each line: the keys that are commands, and the text for a field that they open.

    Ends at the first key with Ctrl, which may open anything.
    """
    for line in re.split(r"[\r\n]", _CONTROL.split(run, maxsplit=1)[0]):
        start = len(line) - len(line.lstrip("".join(MOVEMENTS)))
        if line[start : start + 1] in OPENERS:
            yield "", line[start + 1 :]
        else:
            letters, _, field = line.partition(FILTER)
            yield letters, field
