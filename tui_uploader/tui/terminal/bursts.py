"""Distinguish typed keys from text that was pasted without brackets.

Where letters are commands, a pasted text must not run them. Most terminals put brackets around a paste; serial lines,
the Linux console and some programs between do not, and a dropped file may arrive as if it were typed. The rule:

1. Keys that arrive within `GAP` of each other are one burst; a long one lasts until `LONG_GAP` of silence. A serial
   line of 9600 baud delivers a character a millisecond; a whole screen arrives in one read. Fast typists leave about
   60 ms between keys; a held key repeats each 30 ms (Dhakal et al., Observations on Typing from 136 Million Keystrokes,
   CHI 2018: 120 words a minute: 100 ms a key). Keys that are typed one by one are never a paste, nor those that a fast
   typist can have typed while the app was busy and read nothing.
2. A burst that begins with a path is a paste, and so is a list of paths in a text field.
3. A slow connection also delivers typed-ahead keys in one read, so a burst alone proves nothing. If the terminal is
   known to put brackets around pastes, because it said so or did so, everything else is typed.
4. Otherwise the content decides. People type ahead movements, one or two commands, or a command that opens a field and
   the text for it; after the command for adding files, everything is text for its dialog. More different letters than
   that, where letters are commands, are a paste.

The limits: without an answer from the terminal, three different commands that arrive in one read are taken for a paste;
they do nothing, and the user is told. A pasted text of one or two letters runs commands; so does one that begins like a
filter and has a command in its next line. Neither can answer a question: keys of a burst are `hasty`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

import msgspec

from tui_uploader.tui.terminal.input_stream import Pasted, Piece, Sequence, Typed

GAP = 0.01
"""Seconds of silence after which a burst is over."""
LONG_GAP = 0.1
"""The same for a burst of more than `_LONG` keys: the end of a paste that a busy line delivers late is no command."""
_FASTEST = 0.06
"""Seconds that a fast typist leaves between keys."""
_LONG = 32
LONGEST_BURST = 2_000_000
"""Pieces kept of one burst: 4,000 paths of 500 characters; the rest is dropped."""

MOVEMENTS = frozenset("jkgG 123\r\t")
"""Keys that only move or select, and may be repeated any number of times."""
OPENERS = frozenset("uC")
"""Commands that open a dialog for text, when they come first in a line."""
_FILES_DIALOG = "u"
"""The opener whose dialog takes several lines. It uploads nothing for keys that arrive together."""
FIELDS = frozenset("/:")
"""Open a field anywhere in a line; Enter leaves the field."""
_MOST_COMMANDS = 2
"""Different letters that still count as commands typed ahead."""
_LONGEST_LINE = 200
"""Characters that people type into a field without looking, except for a path."""
_MOST_LINES = 6
"""Lines that people type into fields without looking."""

# A path at least two names deep, from the root or the home directory, or an address; with or without a quote.
_PATH = re.compile(r"""\s*['"]?(?:~?/[^/\s][^/\r\n]*/|~/|file:/|[A-Za-z]:[\\/])""", re.IGNORECASE)
_NEXT_PATH = re.compile(r"[ \t\r\n]+" + _PATH.pattern, re.IGNORECASE)
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
        self.seconds = 0.0
        """In which the keys of the burst may have been typed, because the input was not read meanwhile."""
        self._pieces: list[Piece] = []
        self._last = 0.0

    @property
    def deadline(self) -> float | None:
        """When the burst ends unless more arrives; at once if it cannot be the beginning of a text."""
        if not self._pieces:
            return None
        if not _may_continue(self._pieces):
            return self._last
        return self._last + (GAP if len(self._pieces) <= _LONG else LONG_GAP)

    def add(self, pieces: Iterable[Piece], now: float, unread: float = 0.0) -> None:
        """`unread`: seconds for which they may have waited to be read."""
        left = LONGEST_BURST - len(self._pieces)
        arrived = list(pieces)
        if arrived:
            self.seconds = unread if not self._pieces else self.seconds + unread
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


def judged(pieces: Iterable[Piece], *, in_field: bool, brackets: bool = False, seconds: float = 0.0) -> Burst:
    """Mark the pasted texts in a burst.

    `in_field`: the focus is in a text field. `brackets`: the terminal is known to put brackets around pastes.
    `seconds`: in which the keys may have been typed.
    """
    arrived = list(pieces)
    keys = sum(map(_is_key, arrived))
    hasty = keys > 1
    if not hasty:
        return Burst(tuple(arrived), hasty)
    typed_now = brackets or keys <= 1 + seconds / _FASTEST
    is_paste = is_list_of_paths if in_field else begins_with_path if typed_now else is_text
    found: list[Piece | Unbracketed] = []
    for typed, group in groupby(arrived, lambda piece: isinstance(piece, Typed)):
        run = list(group)
        text = "".join(piece.character for piece in run if isinstance(piece, Typed))
        if typed and is_paste(text):
            found.append(Unbracketed(text))
        else:
            found += run
    return Burst(tuple(found), hasty)


def _is_key(piece: Piece) -> bool:
    """Whether a piece is a key; mouse reports and answers of the terminal are not."""
    return not isinstance(piece, Pasted) and (
        not isinstance(piece, Sequence) or _KEY_SEQUENCE.fullmatch(piece.text) is not None
    )


def begins_with_path(run: str) -> bool:
    return _PATH.match(run) is not None


def is_list_of_paths(run: str) -> bool:
    """Whether characters that arrived together are several paths: one path in a field is what people type there."""
    return begins_with_path(run) and _NEXT_PATH.search(run) is not None


def is_text(run: str) -> bool:
    """Whether characters that arrived together are pasted text rather than commands."""
    if begins_with_path(run):
        return True
    typed = _CONTROL.split(run, maxsplit=1)[0]  # a key with Ctrl may open anything
    commands, texts = _commands_and_texts(typed)
    if len(texts) > _MOST_LINES or any(len(text) > _LONGEST_LINE and not begins_with_path(text) for text in texts):
        return True
    return len({letter.lower() for letter in commands if letter not in MOVEMENTS}) > _MOST_COMMANDS


def _commands_and_texts(run: str) -> tuple[str, list[str]]:
    """The keys that are commands, and the lines of text for fields and dialogs that they open."""
    commands, texts = "", list[str]()
    lines = re.split(r"[\r\n]", run)
    for number, line in enumerate(lines):
        keys = line.lstrip("".join(MOVEMENTS))
        if keys[:1] == _FILES_DIALOG:
            return commands, [*texts, keys[1:], *lines[number + 1 :]]
        if keys[:1] in OPENERS:
            texts.append(keys[1:])
            continue
        end = next((at for at, key in enumerate(line) if key in FIELDS), len(line))
        commands += line[:end]
        texts += [line[end + 1 :]] if end < len(line) else []
    return commands, texts
