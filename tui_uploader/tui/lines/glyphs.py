"""The symbols of the screen, in two sets: one cell wide in every terminal, and plain ASCII.

The shape alone shows the meaning; colour only repeats it. No shape has an ambiguous width (Unicode UAX #11): those take
two cells in East Asian settings and break columns, which rules out box drawing, blocks and the ellipsis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts
from tui_uploader.wording.files import ASCII_GLYPHS, GLYPHS


class Span(NamedTuple):
    """A piece of a line. Its text is ours, or went through `columns.cell_text`."""

    text: str
    style: str = ""
    """Name of a style (see `spans.py`); empty: the line's own."""


class Glyphs(msgspec.Struct, frozen=True):
    """One set of shapes, each one cell wide."""

    statuses: Mapping[FileStatus, str]
    states: Mapping[UploadState, str]
    processing: Mapping[ProcessingState, str]
    cursor: str
    mark: str
    cut: str
    """Marks the missing end of a clipped text."""
    yes: str
    results: str
    """Marks a project of results."""
    watch: str
    """Marks a watched folder."""
    ascending: str
    descending: str
    registered: str
    stored: str
    sent: str
    ahead: str
    """Cells of a bar: bytes registered, stored, sent, and not sent yet."""


UNICODE = Glyphs(
    statuses=GLYPHS,
    states={
        UploadState.PREPARING: "⟳",
        UploadState.ACTIVE: "⇡",
        UploadState.PAUSED: "⏸",
        UploadState.COMPLETE: "✓",
        UploadState.CANCELLED: "⊘",
    },
    processing={
        ProcessingState.NOT_STARTED: " ",
        ProcessingState.SUBMITTED: "▸",
        ProcessingState.WAITING: "∙",
        ProcessingState.PROCESSING: "⟳",
        ProcessingState.DONE: "✓",
        ProcessingState.FAILED: "✗",
    },
    cursor="›",
    mark="✚",
    cut="⋯",
    yes="✓",
    results="⊞",
    watch="◉",
    ascending="▴",
    descending="▾",
    registered="⣿",
    stored="⣶",
    sent="⣤",
    ahead="⣀",
)

ASCII = Glyphs(
    statuses=ASCII_GLYPHS,
    states={
        UploadState.PREPARING: "~",
        UploadState.ACTIVE: "^",
        UploadState.PAUSED: "|",
        UploadState.COMPLETE: "+",
        UploadState.CANCELLED: "-",
    },
    processing={
        ProcessingState.NOT_STARTED: " ",
        ProcessingState.SUBMITTED: ">",
        ProcessingState.WAITING: ".",
        ProcessingState.PROCESSING: "~",
        ProcessingState.DONE: "+",
        ProcessingState.FAILED: "x",
    },
    cursor=">",
    mark="*",
    cut="~",
    yes="y",
    results="#",
    watch="o",
    ascending="^",
    descending="v",
    registered="#",
    stored="=",
    sent="-",
    ahead=".",
)

_ORNAMENT = str.maketrans({"·": "|", "–": "-", "…": "~", "→": ">", "×": "x"})


def glyph_set(ascii_only: bool) -> Glyphs:
    return ASCII if ascii_only else UNICODE


def without_ornament(text: str) -> str:
    """`text` with the typographic characters of `text.py` as ASCII: they are of ambiguous width."""
    return text.translate(_ORNAMENT)


def bar(volume: ByteCounts, width: int, glyphs: Glyphs) -> tuple[Span, ...]:
    """Registered, stored and sent bytes in `width` cells. A cell is filled only when all its bytes are."""
    if volume.total <= 0:
        return (Span(glyphs.ahead * width, "ahead"),)

    def cells(number: int) -> int:
        return min(width, max(0, number) * width // volume.total)

    registered = cells(volume.registered)
    stored = max(registered, cells(volume.stored))
    sent = max(stored, cells(volume.sent))
    runs = (
        Span(glyphs.registered * registered, "registered"),
        Span(glyphs.stored * (stored - registered), "stored"),
        Span(glyphs.sent * (sent - stored), "sent"),
        Span(glyphs.ahead * (width - sent), "ahead"),
    )
    return tuple(run for run in runs if run.text)
