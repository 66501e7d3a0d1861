"""The facts of a photo in words, beside an image and in a file's details. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from rich.cells import cell_len

from tui_uploader.model.files import FileItem, PhotoFacts
from tui_uploader.model.states import FileStatus
from tui_uploader.text import byte_count
from tui_uploader.tui.lines.columns import cell_text, clipped_name, wrapped
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.tui.pictures.parts import Part
from tui_uploader.wording.files import shown_status

_LABEL = 9
"""Cells of a label in the column beside a picture."""
_MOST_REASON = 4
"""Lines of the reason why a file waits or failed."""
_BETWEEN = "   "


def photo_lines(facts: PhotoFacts) -> list[tuple[str, str]]:
    """Label and text of each fact that there is."""
    every = (
        ("Pixels", f"{facts.width:,} x {facts.height:,}" if facts.width and facts.height else ""),
        ("Camera", facts.camera or ""),
        ("Taken", (facts.taken_at or "").replace("T", " ")),
        ("Exposure", exposure_words(facts)),
        ("Position", position_words(facts)),
    )
    return [(label, text) for label, text in every if text]


def exposure_words(facts: PhotoFacts) -> str:
    """`1/800 s, f/5.6, ISO 100, 8.8 mm`."""
    every = (
        None if facts.exposure is None else f"{_seconds(facts.exposure)} s",
        None if facts.aperture is None else f"f/{facts.aperture:.3g}",
        None if facts.iso is None else f"ISO {facts.iso}",
        None if facts.focal_length is None else f"{facts.focal_length:.4g} mm",
    )
    return ", ".join(text for text in every if text is not None)


def _seconds(exposure: float) -> str:
    """As cameras show it: a fraction below half a second."""
    return f"{exposure:.3g}" if exposure >= 0.5 else f"1/{round(1 / exposure)}"


def position_words(facts: PhotoFacts) -> str:
    """`46.602100 S 6.551400 W, 612 m`."""
    if facts.latitude is None or facts.longitude is None:
        return ""
    halves = ("S" if facts.latitude < 0 else "N", "W" if facts.longitude < 0 else "E")
    place = f"{abs(facts.latitude):.6f} {halves[0]} {abs(facts.longitude):.6f} {halves[1]}"
    return place if facts.altitude is None else f"{place}, {facts.altitude:.0f} m"


def state_spans(item: FileItem, glyphs: Glyphs) -> list[Span]:
    """`✗ failed  251 KB`."""
    status = shown_status(item)
    return [Span(f" {glyphs.statuses[status]} {status}", status), Span(f"  {byte_count(item.size)}")]


def fact_column(item: FileItem, facts: PhotoFacts | None, trouble: str, width: int, glyphs: Glyphs) -> list[list[Span]]:
    """The lines beside a picture, each of at most `width` cells. `facts`: None while they are asked for; `trouble`: why
    they cannot be had."""
    folder = clipped_name(cell_text(PurePosixPath(item.path).parent.name), max(4, width - 26), glyphs.cut)
    lines = [[*state_spans(item, glyphs), Span(f"  {folder}", "muted")]]
    lines += [[Span(f" {line}", style)] for line, style in _reasons(item, trouble, width - 1)]
    lines.append([])
    for label, text, style in _labelled(item, facts):
        for number, piece in enumerate(wrapped(text, width - _LABEL - 1, most=3)):
            lines.append([Span(f" {label if not number else '':<{_LABEL}}", "muted"), Span(piece, style)])
    return lines


def fact_lines(item: FileItem, facts: PhotoFacts | None, trouble: str, width: int, most: int) -> list[list[Span]]:
    """The same in at most `most` lines below a picture: what does not fit is left out, so that nothing is cut."""
    pieces = [Span(line, style) for line, style in _reasons(item, trouble, width - 2)]
    lines = [[Span(" "), piece] for piece in pieces[: most - 1]]
    line: list[Span] = []
    for label, text, style in _labelled(item, facts):
        said = f"{label} {text}" if label in _NEED_LABEL else text
        taken = sum(cell_len(span.text) for span in line)
        if line and taken + len(_BETWEEN) + cell_len(said) > width:
            lines.append(line)
            line = []
            if len(lines) >= most:
                break
        if cell_len(said) < width:
            line += [Span(_BETWEEN if line else " "), Span(said, style)]
    if line and len(lines) < most:
        lines.append(line)
    return lines


_NEED_LABEL = frozenset({"Height", "Gimbal"})


def _reasons(item: FileItem, trouble: str, width: int) -> Iterable[tuple[str, str]]:
    """Why the file waits, failed or is a duplicate, and what is wrong with its facts, in lines."""
    texts = [(item.reason, "warning" if item.status is FileStatus.FAILED else "muted")] if item.reason else []
    if trouble and item.status is not FileStatus.FAILED:
        texts.append((trouble, "muted"))
    for text, style in texts:
        yield from ((line, style) for line in wrapped(cell_text(text), width, most=_MOST_REASON))


def _labelled(item: FileItem, facts: PhotoFacts | None) -> list[tuple[str, str, str]]:
    """Label, text and style of each fact, the most needed first."""
    if facts is None:
        return []
    lines = [(label, cell_text(text), "") for label, text in photo_lines(facts)]
    if item.height is not None:
        lines.append(("Height", f"{item.height:.0f} m above take-off", ""))
    if item.located is False or (facts.width is not None and facts.latitude is None):
        lines.insert(0, ("Position", "no position", "warning"))
    return lines


def zoom_words(part: Part, dots: tuple[int, int]) -> str:
    """`1:1, 120 x 66 of 5,280 x 3,956 pixels`."""
    full = f"{part.full[0]:,} x {part.full[1]:,} pixels"
    if not part.zoom:
        return f"{full} in {dots[0]:,} x {dots[1]:,} dots"
    left, top, right, bottom = part.box
    return f"1:{part.zoom}, {right - left:,} x {bottom - top:,} of {full}"


def end_words(part: Part) -> str:
    """What stands on the line at which the readable part of a file ends."""
    rows = f"{part.rows or 0:,} of {part.full[1]:,} rows"
    return f"the file ends here, {rows}" if part.cut_off else f"nothing can be read from here on, {rows}"
