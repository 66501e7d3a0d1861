"""Send the terminal only the cells that changed.

Textual repaints regions: when one number of a row changes, it writes the whole row again, colours included. On a slow
connection those bytes make the screen late. So its updates are painted on a canvas here, and only the difference
between that canvas and the terminal's content is sent. While the terminal is busy nothing is sent; the canvas keeps
changing, and the difference that is sent afterwards skips the states in between.

The driver calls `install`; an app needs nothing but `App(driver_class=driver_class(…))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console, RenderableType
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip

from tui_uploader.tui.terminal.capabilities import ascii_lookalike

_REST_OF_WIDE = ""
"""The glyph of the second cell of a wide one."""

# SGR parameters (ECMA-48, 8.3.117), by the name of the property of rich's Style.
_ATTRIBUTES = (
    ("bold", "1"),
    ("dim", "2"),
    ("italic", "3"),
    ("underline", "4"),
    ("reverse", "7"),
    ("strike", "9"),
    ("underline2", "21"),
    ("overline", "53"),
)
_SEEN_ON_BLANKS = frozenset({"4", "7", "9", "21", "53"})
# Bytes of a step to the right: `ESC [ n C`.
_STEP_BYTES = 4
_DEFAULT_FOREGROUND, _DEFAULT_BACKGROUND = "39", "49"


class Pen(msgspec.Struct, frozen=True):
    """The look of a cell, as SGR parameters."""

    foreground: str = ""
    background: str = ""
    attributes: frozenset[str] = frozenset()

    @property
    def on_blank(self) -> Pen:
        """The simplest pen that draws a blank cell just like this one."""
        seen = self.attributes & _SEEN_ON_BLANKS
        return Pen(self.foreground if seen else "", self.background, seen)


PLAIN = Pen()


class Canvas:
    """A screen of cells, row by row: the glyph and the pen of each."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.glyphs = [[" "] * width for _ in range(height)]
        self.pens = [[PLAIN] * width for _ in range(height)]

    def paint(self, x: int, y: int, glyphs: list[str], pen: Pen) -> None:
        """Draw from (`x`, `y`) to the right, clipped at the edges."""
        if not 0 <= y < self.height or not 0 <= x < self.width:
            return
        row, pens, space = self.glyphs[y], self.pens[y], self.width - x
        if len(glyphs) > space:
            halved = glyphs[space] == _REST_OF_WIDE
            glyphs = [*glyphs[: space - 1], " "] if halved else glyphs[:space]
        end = x + len(glyphs)
        if row[x] == _REST_OF_WIDE:
            row[x - 1] = " "
        if end < self.width and row[end] == _REST_OF_WIDE:
            row[end] = " "
        row[x:end] = glyphs
        blank = _blank_pen(pen)
        pens[x:end] = [blank if glyph == " " else pen for glyph in glyphs] if " " in glyphs else [pen] * len(glyphs)

    def copy_row(self, y: int, other: Canvas) -> None:
        self.glyphs[y] = other.glyphs[y].copy()
        self.pens[y] = other.pens[y].copy()


@lru_cache(maxsize=1024)
def _blank_pen(pen: Pen) -> Pen:
    return pen.on_blank


@lru_cache(maxsize=4096)
def pen_of(style: Style | None, colors: ColorSystem | None) -> Pen:
    """The pen for a style of rich; without `colors` it has no colour. Links are left out: multiplexers drop them."""
    if style is None:
        return PLAIN
    foreground = background = ""
    if colors is not None:
        if style.color is not None and not style.color.is_default:
            foreground = ";".join(style.color.downgrade(colors).get_ansi_codes(foreground=True))
        if style.bgcolor is not None and not style.bgcolor.is_default:
            background = ";".join(style.bgcolor.downgrade(colors).get_ansi_codes(foreground=False))
    attributes = frozenset(code for name, code in _ATTRIBUTES if getattr(style, name))
    return Pen(foreground, background, attributes)


def glyphs_of(text: str, *, ascii_only: bool = False) -> list[str]:
    """`text` cell by cell: wide glyphs take two, combining marks join the glyph before, control codes are dropped.

    A combining mark at the very beginning is dropped too.
    """
    if text.isascii() and text.isprintable():
        return list(text)
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        glyph = "".join(character for character in text[start:end] if not _is_control(character))
        if width == 0:
            if cells and not ascii_only:
                at = -1 if cells[-1] != _REST_OF_WIDE else -2
                cells[at] += glyph
        elif ascii_only:
            cells += ascii_lookalike(glyph, width)
        else:
            cells += [glyph, _REST_OF_WIDE][:width]
    return cells


def _is_control(character: str) -> bool:
    code = ord(character)
    return code < 0x20 or 0x7F <= code < 0xA0


def _is_wide(glyphs: list[str], x: int) -> bool:
    return x + 1 < len(glyphs) and glyphs[x + 1] == _REST_OF_WIDE


def changes(shown: Canvas | None, wanted: Canvas) -> str:
    """The codes that change a terminal from `shown` to `wanted`; None: nothing is known of the terminal's content.

    Assumes the plain pen at the beginning, and restores it at the end.
    """
    encoder = _Encoder()
    for y in range(wanted.height):
        for start, end in changed_spans(shown, wanted, y):
            encoder.draw(wanted, y, start, end)
    return encoder.finished()


def changed_spans(shown: Canvas | None, wanted: Canvas, y: int) -> Iterator[tuple[int, int]]:
    """Start and end columns in row `y` that have to be drawn; a wide glyph is never cut."""
    glyphs, pens = wanted.glyphs[y], wanted.pens[y]
    if shown is None:
        yield 0, wanted.width
        return
    old_glyphs, old_pens = shown.glyphs[y], shown.pens[y]
    if glyphs == old_glyphs and pens == old_pens:
        return
    start = end = -1
    for x in range(wanted.width):
        if glyphs[x] == old_glyphs[x] and pens[x] == old_pens[x]:
            continue
        first = x - 1 if glyphs[x] == _REST_OF_WIDE else x
        last = x + 2 if _is_wide(glyphs, x) else x + 1
        if start < 0:
            start = first
        elif first > end and not _is_cheaper_drawn(wanted, y, end, first):
            yield start, end
            start = first
        end = max(end, last)
    yield start, end


def _is_cheaper_drawn(wanted: Canvas, y: int, start: int, end: int) -> bool:
    """Whether drawing the unchanged cells between two changes takes fewer bytes than stepping over them."""
    return (
        end - start <= _STEP_BYTES
        and len(set(wanted.pens[y][start - 1 : end + 1])) == 1
        and all(len(glyph) == 1 and glyph.isascii() for glyph in wanted.glyphs[y][start:end])
    )


class _Encoder:
    """Encodes cells, and keeps track of the cursor and the pen."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._pen = PLAIN
        self._cursor: tuple[int, int] | None = None

    def draw(self, canvas: Canvas, y: int, start: int, end: int) -> None:
        glyphs, pens = canvas.glyphs[y], canvas.pens[y]
        x = start
        while x < end:
            self._go_to(x, y)
            self._take(pens[x], blank=glyphs[x] == " ")
            stop = x + 1
            while stop < end and self._continues(glyphs, pens, stop):
                stop += 1
            self._written.append("".join(glyphs[x:stop]))
            lost = stop == canvas.width or _is_uncertain(_glyph_before(glyphs, stop))
            self._cursor = None if lost else (stop, y)
            x = stop

    def finished(self) -> str:
        if self._pen != PLAIN:
            self._written.append("\x1b[m")
            self._pen = PLAIN
        return "".join(self._written)

    def _continues(self, glyphs: list[str], pens: list[Pen], x: int) -> bool:
        """Whether the cell at `x` can be written right after the cell before, with the same pen."""
        if glyphs[x] == _REST_OF_WIDE:
            return True
        if _is_uncertain(_glyph_before(glyphs, x)):
            return False
        return pens[x] == self._pen or (glyphs[x] == " " and pens[x] == _blank_pen(self._pen))

    def _go_to(self, x: int, y: int) -> None:
        if self._cursor == (x, y):
            return
        if self._cursor is not None and self._cursor[1] == y and x > self._cursor[0]:
            step = x - self._cursor[0]
            self._written.append(f"\x1b[{step}C" if step > 1 else "\x1b[C")
        else:
            self._written.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        self._cursor = (x, y)

    def _take(self, pen: Pen, *, blank: bool) -> None:
        if blank and not self._pen.attributes & _SEEN_ON_BLANKS and not pen.attributes:
            # A blank shows no foreground: keep it for the text that follows.
            pen = Pen(self._pen.foreground, pen.background, self._pen.attributes)
        if pen != self._pen:
            self._written.append(pen_change(self._pen, pen))
            self._pen = pen


@lru_cache(maxsize=4096)
def pen_change(old: Pen, new: Pen) -> str:
    """The shortest SGR code that changes one pen into another."""
    if new == old:
        return ""
    if new == PLAIN:
        return "\x1b[m"
    every = [part for part in (*sorted(new.attributes), new.foreground, new.background) if part]
    whole = f"\x1b[;{';'.join(every)}m"
    if old.attributes - new.attributes:
        return whole
    parts = sorted(new.attributes - old.attributes)
    if new.foreground != old.foreground:
        parts.append(new.foreground or _DEFAULT_FOREGROUND)
    if new.background != old.background:
        parts.append(new.background or _DEFAULT_BACKGROUND)
    return min(f"\x1b[{';'.join(parts)}m", whole, key=len)


def _glyph_before(glyphs: list[str], x: int) -> str:
    return glyphs[x - 1] or glyphs[x - 2]


def _is_uncertain(glyph: str) -> bool:
    """Whether terminals disagree about the width of a glyph, so that the cursor must be placed again after it."""
    return len(glyph) > 1 or glyph > "\uffff"


class CellUpdate(CompositorUpdate):
    """The update that Textual displays instead of its own."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def render_segments(self, console: Console) -> str:
        return self._frames.taken()


class Frames:
    """The content that an app wants to show, and the content of its terminal."""

    def __init__(self, app: App[Any], is_ready: Callable[[], bool], *, ascii_only: bool = False) -> None:
        self._app = app
        self._display = app._display
        self._is_ready = is_ready
        self._ascii_only = ascii_only
        self._wanted = Canvas(0, 0)
        self._shown: Canvas | None = None
        self._colors = None if app.no_color else COLOR_SYSTEMS[app.console.color_system or "truecolor"]

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the frame that was painted last."""
        return self._wanted.width, self._wanted.height

    def display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Replaces App._display: paint `renderable`, and send the changes if the terminal is ready for them."""
        if isinstance(renderable, LayoutUpdate):
            self._paint_layout(renderable)
        elif isinstance(renderable, ChopsUpdate):
            self._paint_chops(renderable)
        elif renderable is not None:  # something draws past the canvas
            self.forget()
            self._display(screen, renderable)
            return
        update = CellUpdate(self) if self._is_changed() and self._is_ready() else None
        self._display(screen, update)  # type: ignore[arg-type]  # accepts any CompositorUpdate, but is not typed so

    def flush(self) -> None:
        """Send the changes that came while the terminal was busy."""
        if self._app.is_running and self._app.screen_stack:
            self.display(self._app.screen, None)

    def forget(self) -> None:
        """Assume nothing about the terminal's content: the next frame is a full one."""
        self._shown = None

    def repaint(self) -> None:
        """Send everything again."""
        self.forget()
        self.flush()

    def taken(self) -> str:
        """The codes to write now; from then on their cells count as shown."""
        wanted = self._wanted
        written = changes(self._shown, wanted)
        if self._shown is None:
            self._shown = Canvas(wanted.width, wanted.height)
        for y in range(wanted.height):
            self._shown.copy_row(y, wanted)
        return written

    def _is_changed(self) -> bool:
        shown, wanted = self._shown, self._wanted
        if not wanted.height:
            return False
        return shown is None or shown.glyphs != wanted.glyphs or shown.pens != wanted.pens

    def _paint_layout(self, update: LayoutUpdate) -> None:
        region = update.region
        if (region.right, region.bottom) != self.size:
            self._wanted = Canvas(region.right, region.bottom)
            self.forget()
        for y, line in enumerate(update.strips, region.y):
            x = region.x
            for strip in line:
                x = self._paint_strip(x, y, strip)

    def _paint_chops(self, update: ChopsUpdate) -> None:
        """Paint whole chops even where a part has changed: the edge of that part may be within a wide glyph."""
        for y, start, end in update.spans:
            if y >= len(update.chops):
                continue
            for (x, strip), stop in zip(update.chops[y].items(), update.chop_ends[y], strict=False):
                if strip is not None and x < end and stop > start:
                    self._paint_strip(x, y, strip)

    def _paint_strip(self, x: int, y: int, strip: Strip) -> int:
        for text, style, _control in strip:
            glyphs = glyphs_of(text, ascii_only=self._ascii_only)
            self._wanted.paint(x, y, glyphs, pen_of(style, self._colors))
            x += len(glyphs)
        return x


def install(app: App[Any], is_ready: Callable[[], bool], *, ascii_only: bool = False) -> Frames:
    """Make `app` display through the returned Frames, which send nothing until `is_ready()`.

    The caller must call `flush` once a terminal that was not ready is ready again.
    """
    frames = Frames(app, is_ready, ascii_only=ascii_only)
    app._display = frames.display  # type: ignore[method-assign]
    return frames
