"""Tell keys that a person typed from text that was pasted without brackets.

A serial line and the Linux console send a paste as if it were typed. Where letters are commands, such a text must not
be obeyed. Two things are evidence of a paste:

Time. Keys that arrive within `GAP` of each other are one burst. A serial line of 9600 baud brings a character a
millisecond, a whole screen comes in one read. Fast typists leave some 60 ms between keys, a held key repeats each 30 ms
(Dhakal et al., Observations on Typing from 136 Million Keystrokes, CHI 2018: 120 words a minute are 100 ms a key).

Content. A slow line delivers what was typed ahead in one read too, so a burst alone proves nothing. Typed ahead are
movements, one or two commands, and a command that opens a field with what goes into the field. A text has the shape of
a path, or more different letters than anybody types as commands without looking.
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
"""Pieces that are kept of one burst; what comes behind them is dropped."""

MOVEMENTS = frozenset("jkgG 123\r\t")
"""Keys that may be repeated at will: they move or select, and change nothing."""
OPENERS = frozenset("un")
"""Commands that open a dialog in which the next keys are text, where they come first."""
FILTER = "/"
"""Opens a field wherever it comes; Enter leaves the field."""
_MOST_COMMANDS = 2
"""Different letters that may be commands typed ahead."""
_LONGEST_LINE = 32
"""Characters that somebody types into a field without looking, save for a path."""

# At least two names deep, from the root or the home directory on, or an address; with or without a quote.
_PATH = re.compile(r"""\s*['"]?(?:~?/[^/\s][^/\r\n]*/|~/|file:/|[A-Za-z]:[\\/])""", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_KEY_SEQUENCE = re.compile(r"\x1b(?:O.|\[[0-9;]*[A-HPQRSuZ~])")


class Unbracketed(msgspec.Struct, frozen=True):
    """A text that arrived like keys, and is none."""

    text: str


class Burst(msgspec.Struct, frozen=True):
    """Pieces of input that arrived together."""

    pieces: tuple[Piece | Unbracketed, ...]
    hasty: bool
    """More keys than a person presses in that time: no question may be answered by one of them."""


class Bursts:
    """`add` pieces as they arrive; when `deadline` has passed without more, `take` the burst. Reads no clock."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._last = 0.0

    @property
    def deadline(self) -> float | None:
        """When the burst is over if nothing comes before; at once if it cannot be the beginning of a text."""
        if not self._pieces:
            return None
        return self._last + GAP if _may_go_on(self._pieces) else self._last

    def add(self, pieces: Iterable[Piece], now: float) -> None:
        room = LONGEST_BURST - len(self._pieces)
        arrived = list(pieces)
        if arrived:
            self._pieces += arrived[:room]
            self._last = now

    def take(self, now: float) -> list[Piece]:
        """The pieces of the burst that is over; nothing before its end."""
        if self.deadline is None or now < self.deadline:
            return []
        pieces, self._pieces = self._pieces, []
        return pieces


def _may_go_on(pieces: list[Piece]) -> bool:
    """Movements alone are obeyed at once, so that scrolling does not wait."""
    return isinstance(pieces[-1], Typed) and not all(
        isinstance(piece, Typed) and piece.character in MOVEMENTS for piece in pieces
    )


def judged(pieces: Iterable[Piece], *, in_field: bool) -> Burst:
    """What a burst means. `in_field`: letters are text where the focus is, and nothing can go wrong."""
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
    """Reports of the mouse and answers of the terminal are none."""
    return not isinstance(piece, Pasted) and (
        not isinstance(piece, Sequence) or _KEY_SEQUENCE.fullmatch(piece.text) is not None
    )


def is_text(run: str) -> bool:
    """Whether characters that arrived together are a text, where letters are commands."""
    if _PATH.match(run):
        return True
    lines = list(_lines_of_commands(run))
    if any(len(field) > _LONGEST_LINE and not _PATH.match(field) for _, field in lines):
        return True
    commands = {letter.lower() for letters, _ in lines for letter in letters if letter not in MOVEMENTS}
    return len(commands) > _MOST_COMMANDS


def _lines_of_commands(run: str) -> Iterator[tuple[str, str]]:
    """For each line its keys that are commands, and what goes into a field that they open.

    Only up to the first key with Ctrl, which opens what it will.
    """
    for line in re.split(r"[\r\n]", _CONTROL.split(run, maxsplit=1)[0]):
        start = len(line) - len(line.lstrip("".join(MOVEMENTS)))
        if line[start : start + 1] in OPENERS:
            yield "", line[start + 1 :]
        else:
            letters, _, field = line.partition(FILTER)
            yield letters, field
