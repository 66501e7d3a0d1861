"""A key of the main screen: what it does, when it applies, and what the key bar calls it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding

from tui_uploader.tui.subject import refusals
from tui_uploader.tui.subject.scope import CommandScope

_LONGEST_NAME = 18
"""Cells of a name in the key bar."""
_CUT = "..."


@dataclass(frozen=True)
class Key(Binding):
    """A key that knows when it applies. `id` is its name, also for `:` commands and the settings."""

    refusal: Callable[[CommandScope], str] = refusals.none
    """Why it cannot be used on this scope, as a sentence; empty: it can."""
    about: str = ""
    """`project` or `files`: what it acts on, which the key bar names."""
    changes: bool = False
    """It changes something, which a read-only screen never does."""
    words: Callable[[CommandScope], str] | None = None
    """The label where it depends on the scope."""

    def why_not(self, scope: CommandScope) -> str:
        if self.changes and scope.read_only:
            return refusals.READ_ONLY
        return self.refusal(scope)

    def when(self, scope: CommandScope) -> bool:
        return not self.why_not(scope)

    def label(self, scope: CommandScope, *, named: bool = False) -> str:
        """`pause`, or with the name of what it acts on `pause Six A`."""
        label = self.words(scope) if self.words is not None else self.description
        name = {"project": scope.name, "files": scope.files_name}.get(self.about, "") if named else ""
        return f"{label} {_clipped(name)}" if name else label


def _clipped(name: str) -> str:
    if cell_len(name) <= _LONGEST_NAME:
        return name
    return set_cell_size(name, _LONGEST_NAME - len(_CUT)).rstrip() + _CUT


def pause_words(scope: CommandScope) -> str:
    return "resume" if scope.uploads and not refusals.pauses(scope) else "pause"


def auto_words(scope: CommandScope) -> str:
    return "manual" if scope.uploads and all(upload.auto_process for upload in scope.uploads) else "automatic"


def open_words(scope: CommandScope) -> str:
    return f"show {scope.folded:,} files" if scope.folded else "details"


def retry_words(scope: CommandScope) -> str:
    failed = sum(upload.counts.failed for upload in scope.uploads)
    return f"retry {failed:,} failed" if failed else "try now"
