"""Sent cell by cell, the screen is the one that Textual wanted to show.

The judge is pyte: one screen is given what Textual itself writes for a frame, another one our differences.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip

from tui_uploader.tui.terminal.cell_diff import (
    PLAIN,
    Canvas,
    Frames,
    Pen,
    changed_spans,
    changes,
    glyphs_of,
    pen_change,
    pen_of,
)


class DisplayedApp(App[None]):
    """Keeps what would be written. The first screen argument is of no use to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def _display(self, screen: Screen[Any], renderable: object) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.written.append(renderable.render_segments(self.console))


class Terminal:
    """A pyte screen that is written to, as Textual leaves it: without wrapping."""

    def __init__(self, width: int, height: int) -> None:
        self.screen = pyte.Screen(width, height)
        self.screen.reset_mode(7, private=True)
        self.stream = pyte.Stream(self.screen)

    def cells(self) -> list[list[tuple[object, ...]]]:
        return [[_seen(self.screen.buffer[y][x]) for x in range(self.screen.columns)] for y in range(self.screen.lines)]


def _seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    """The visible part of a cell: a blank has no foreground or weight, unless it is underlined."""
    lines = (cell.underscore, cell.strikethrough, cell.reverse)
    if cell.data == " " and not any(lines):
        return (" ", cell.bg)
    if cell.data == " ":
        return (" ", cell.fg, cell.bg, lines)
    return (cell.data, cell.fg, cell.bg, cell.bold, cell.italics, lines)


_STYLES: list[Style | None] = [
    None,
    Style(),
    Style(color="red"),
    Style(color="#102030", bgcolor="#ffeedd"),
    Style(bgcolor="#102030", bold=True),
    Style(color="bright_blue", bgcolor="blue", italic=True, underline=True),
    Style(reverse=True, strike=True),
    Style(color="color(100)", bold=True, italic=True),
    Style(color="default", bgcolor="default"),
]
_TEXTS = st.text(alphabet="ab  │é字漢e\u0301\N{GRINNING FACE}\x07\x1b", max_size=6)
_ROWS = st.lists(st.tuples(_TEXTS, st.sampled_from(_STYLES)), max_size=5)


def strip_of(row: Iterable[tuple[str, Style | None]], width: int) -> Strip:
    # Textual's own output passes control codes on; only ours takes them away, so the judge must not see them.
    clean = [(text.replace("\x07", "").replace("\x1b", ""), style) for text, style in row]
    return with_marks_on_letters(Strip([Segment(text, style) for text, style in clean]).adjust_cell_length(width))


def with_marks_on_letters(strip: Strip) -> Strip:
    """A mark apart from its letter is not drawn by us; terminals may draw it on whatever was written before."""
    return Strip([Segment(text.lstrip("\u0301"), style) for text, style, _ in strip])


@dataclass
class Whole:
    """A frame of any size, painted in one go."""

    rows: list[list[tuple[str, Style | None]]]
    width: int


@dataclass
class Part:
    """A stretch of one row, painted over the frame before."""

    row: int
    start: int
    length: int
    cut: int
    text: list[tuple[str, Style | None]]


_WHOLES = st.builds(Whole, rows=st.lists(_ROWS, min_size=1, max_size=4), width=st.integers(1, 12))
_PARTS = st.builds(
    Part, row=st.integers(0, 3), start=st.integers(0, 11), length=st.integers(1, 6), cut=st.integers(1, 11), text=_ROWS
)
_STEPS = st.lists(st.one_of(_WHOLES, _PARTS, _PARTS, st.sampled_from(["busy", "ready", "forget"])), max_size=12)


class Session:
    """An app whose frames go through ours to a terminal."""

    def __init__(self) -> None:
        self.app = DisplayedApp()
        self.screen = Screen[None]()
        self.is_ready = True
        self.frames = Frames(self.app, lambda: self.is_ready)
        self.terminal = Terminal(1, 1)
        self.shown: list[Strip] = []

    def show(self, strips: list[Strip], width: int) -> None:
        if (width, len(strips)) != (self.terminal.screen.columns, self.terminal.screen.lines):
            self.terminal = Terminal(width, len(strips))
            self.app.written.clear()
        self.shown = strips
        self.display(LayoutUpdate([[strip] for strip in strips], Region(0, 0, width, len(strips))))

    def show_part(self, part: Part) -> None:
        if part.row >= len(self.shown):
            return
        width, old = self.terminal.screen.columns, self.shown[part.row]
        start, end = min(part.start, width), min(part.start + part.length, width)
        middle = strip_of(part.text, end - start) if end > start else Strip([])
        new = Strip.join([old.crop(0, start), middle, old.crop(end, width)]).adjust_cell_length(width)
        cut = min(part.cut, width)
        left, right = (with_marks_on_letters(each) for each in (new.crop(0, cut), new.crop(cut, width)))
        self.shown[part.row] = Strip.join([left, right])
        chops: list[dict[int, Strip | None]] = [{0: None, cut: None} for _ in self.shown]
        chops[part.row] = {0: left, cut: right} if cut < width else {0: left}
        # A cut through a wide glyph has changed the cells at the cut as well.
        spans = [(part.row, max(0, min(start, cut) - 2), min(width, max(end, cut) + 2))]
        self.display(ChopsUpdate(chops, spans, [[cut, width] for _ in self.shown]))

    def display(self, update: LayoutUpdate | ChopsUpdate) -> None:
        self.frames.display(self.screen, update)
        self.write()

    def write(self) -> None:
        for each in self.app.written:
            self.terminal.stream.feed(each)
        self.app.written.clear()

    def settle(self) -> None:
        """Send the changes that were held back: the terminal is ready again."""
        self.is_ready = True
        self.frames.display(self.screen, None)
        self.write()


@settings(deadline=None, max_examples=120)
@given(_WHOLES, _STEPS)
def test_the_difference_gives_the_same_screen_as_a_whole_frame(first: Whole, steps: list[Whole | Part | str]) -> None:
    session = Session()
    for step in [first, *steps]:
        match step:
            case Whole(rows, width):
                session.show([strip_of(row, width) for row in rows], width)
            case Part():
                session.show_part(step)
            case "busy":
                session.is_ready = False
            case "ready":
                session.settle()
            case _:
                session.frames.forget()
    session.settle()
    width, height = session.terminal.screen.columns, session.terminal.screen.lines
    judge = Terminal(width, height)
    full = LayoutUpdate([[strip] for strip in session.shown], Region(0, 0, width, height))
    judge.stream.feed(full.render_segments(session.app.console).replace("\n", "\r\n"))
    assert session.terminal.cells() == judge.cells()


def painted(*rows: str, pen: Pen = PLAIN) -> Canvas:
    canvas = Canvas(len(glyphs_of(rows[0])), len(rows))
    for y, row in enumerate(rows):
        canvas.paint(0, y, glyphs_of(row), pen)
    return canvas


RED = Pen("31")
ON_BLUE = Pen("37", "44")


@pytest.mark.parametrize(
    ("shown", "wanted", "written"),
    [
        (painted("same"), painted("same"), ""),
        (painted("12 %"), painted("13 %"), "\x1b[1;2H3"),
        (painted("ab", "cd"), painted("ab", "cx"), "\x1b[2;2Hx"),
        (painted("ab", "cd"), painted("ab", "xd"), "\x1b[2Hx"),
        (painted("a bc d"), painted("x bc y"), "\x1b[1Hx bc y"),
        (painted("a______________d"), painted("x______________y"), "\x1b[1Hx\x1b[14Cy"),
        (painted("a│││d"), painted("x│││y"), "\x1b[1Hx\x1b[3Cy"),
        (painted("ab"), painted("ab", pen=RED), "\x1b[1H\x1b[31mab\x1b[m"),
        (painted("a字b"), painted("a漢b"), "\x1b[1;2H漢"),
        (painted("a字b"), painted("axyb"), "\x1b[1;2Hxy"),
        (painted("a字b"), painted("aa字"), "\x1b[1;2Ha字"),
        (painted("字"), painted("字", pen=RED), "\x1b[1H\x1b[31m字\x1b[m"),
        (painted("ae\u0301b"), painted("aeb"), "\x1b[1;2He"),
        (painted("   "), painted("   ", pen=RED), ""),
        (painted("   "), painted("   ", pen=ON_BLUE), "\x1b[1H\x1b[44m   \x1b[m"),
        (painted("....."), painted("a b c", pen=RED), "\x1b[1H\x1b[31ma b c\x1b[m"),
        (None, painted("ab", "cd"), "\x1b[1Hab\x1b[2Hcd"),
    ],
)
def test_a_change_takes_as_few_bytes_as_possible(shown: Canvas | None, wanted: Canvas, written: str) -> None:
    assert changes(shown, wanted) == written


@pytest.mark.parametrize("glyph", ["\N{GRINNING FACE}", "👩\u200d👧", "❤\ufe0f", "e\u0301"])
def test_after_a_glyph_of_uncertain_width_the_cursor_is_placed_again(glyph: str) -> None:
    width = len(glyphs_of(glyph))
    assert changes(None, painted(glyph + "b")) == f"\x1b[1H{glyph}\x1b[1;{width + 1}Hb"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (PLAIN, PLAIN, ""),
        (RED, PLAIN, "\x1b[m"),
        (PLAIN, RED, "\x1b[31m"),
        (RED, ON_BLUE, "\x1b[37;44m"),
        (ON_BLUE, Pen("37"), "\x1b[49m"),
        (Pen("38;2;1;2;3", "48;2;4;5;6"), Pen("", "48;2;4;5;6"), "\x1b[39m"),
        (Pen("31", "", frozenset("1")), Pen("31", "", frozenset("14")), "\x1b[4m"),
        (Pen("31", "", frozenset("1")), RED, "\x1b[;31m"),
    ],
)
def test_pen_changes_are_short(old: Pen, new: Pen, code: str) -> None:
    assert pen_change(old, new) == code


@pytest.mark.parametrize(
    ("style", "colors", "pen"),
    [
        (None, ColorSystem.TRUECOLOR, PLAIN),
        (Style(color="#010203"), ColorSystem.TRUECOLOR, Pen("38;2;1;2;3")),
        (Style(color="#ff0000"), ColorSystem.STANDARD, Pen("31")),
        (Style(color="#ff0000", bgcolor="blue", bold=True), None, Pen("", "", frozenset("1"))),
        (Style(bgcolor="default", reverse=True), ColorSystem.TRUECOLOR, Pen("", "", frozenset("7"))),
        (Style(blink=True, link="http://localhost"), ColorSystem.TRUECOLOR, PLAIN),
    ],
)
def test_styles_become_pens(style: Style | None, colors: ColorSystem | None, pen: Pen) -> None:
    assert pen_of(style, colors) == pen


@pytest.mark.parametrize(
    ("text", "ascii_only", "glyphs"),
    [
        ("ab", False, ["a", "b"]),
        ("字b", False, ["字", "", "b"]),
        ("字b", True, ["?", "?", "b"]),
        ("e\u0301x", False, ["e\u0301", "x"]),
        ("字\u0301x", False, ["字\u0301", "", "x"]),
        ("\u0301x", False, ["x"]),
        ("a\x1b[31mb", False, ["a", "[", "3", "1", "m", "b"]),
        ("a\x9b1mb", False, ["a", "1", "m", "b"]),
        ("│é✓…", True, ["|", "e", "+", "."]),
        ("", False, []),
    ],
)
def test_text_becomes_cells(text: str, ascii_only: bool, glyphs: list[str]) -> None:
    assert glyphs_of(text, ascii_only=ascii_only) == glyphs


@pytest.mark.parametrize(
    ("x", "text", "row"),
    [
        (0, "字x", "字x "),
        (3, "字", "ab  "),
        (2, "字x", "ab字"),
        (-1, "x", "ab  "),
        (9, "x", "ab  "),
    ],
)
def test_painting_ends_at_the_edges(x: int, text: str, row: str) -> None:
    canvas = painted("ab  ")
    canvas.paint(x, 0, glyphs_of(text), PLAIN)
    canvas.paint(0, 5, ["x"], PLAIN)
    assert "".join(canvas.glyphs[0]) == row


@pytest.mark.parametrize(("x", "row"), [(1, "ax b"), (2, "a xb")])
def test_painting_over_half_a_wide_glyph_blanks_the_other_half(x: int, row: str) -> None:
    canvas = painted("a字b")
    canvas.paint(x, 0, ["x"], PLAIN)
    assert "".join(canvas.glyphs[0]) == row


def test_a_wide_glyph_is_never_cut() -> None:
    shown, wanted = painted("a字b"), painted("a字b")
    wanted.pens[0][2] = RED
    assert list(changed_spans(shown, wanted, 0)) == [(1, 3)]


def test_nothing_is_written_when_nothing_changed() -> None:
    session = Session()
    session.show([strip_of([("abc", None)], 3)], 3)
    session.app.written.clear()
    session.frames.display(session.screen, LayoutUpdate([[strip_of([("abc", None)], 3)]], Region(0, 0, 3, 1)))
    assert session.app.written == []


def test_frames_for_a_busy_terminal_are_skipped() -> None:
    session = Session()
    session.show([strip_of([("000", None)], 3)], 3)
    session.is_ready = False
    for number in range(100):
        session.show([strip_of([(f"{number:03}", None)], 3)], 3)
    session.show([strip_of([("001", None)], 3)], 3)
    session.is_ready = True
    session.frames.display(session.screen, None)
    assert session.app.written == ["\x1b[1;3H1"]


def test_without_color_no_color_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    session = Session()
    style = Style(color="red", bgcolor="#112233", bold=True)
    session.frames.display(session.screen, LayoutUpdate([[strip_of([("abc", style)], 3)]], Region(0, 0, 3, 1)))
    assert session.app.written == ["\x1b[1H\x1b[1mabc\x1b[m"]
