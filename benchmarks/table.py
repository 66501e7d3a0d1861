"""Tables that are readable in a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """The result of a benchmark."""

    title: str
    description: str
    """How it was measured, in a sentence or two."""
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.heads, *self.rows, strict=True)]
        ruler = ["-" * width if index == 0 else "-" * (width - 1) + ":" for index, width in enumerate(widths)]
        lines = [_line(row, widths) for row in (self.heads, ruler, *self.rows)]
        return "\n".join([f"## {self.title}", "", self.description, "", *lines, ""])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    aligned = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(aligned)} |"
