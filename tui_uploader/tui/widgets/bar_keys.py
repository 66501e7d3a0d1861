"""Which keys the key bar shows: those that apply now, the most used first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from textual.binding import Binding

from tui_uploader.tui.key import Key
from tui_uploader.tui.keys import keys_of
from tui_uploader.tui.subject.scope import CommandScope

_BY_USE: Mapping[str, Sequence[str]] = {
    "projects": (
        "open",
        "results",
        "process",
        "upload",
        "pause",
        "filter",
        "create",
        "retry",
        "undo",
        "cancel",
        "address",
    ),
    "files": ("upload", "filter", "status", "select", "process", "retry", "remove", "pause", "undo", "sort", "view"),
    "selected": ("remove", "retry-files", "copy-all", "range", "invert", "all", "view", "upload", "filter"),
    "uploads": (
        "open",
        "process",
        "pause",
        "retry",
        "cancel",
        "verify",
        "dismiss",
        "undo",
        "automatic",
        "hide",
        "bandwidth",
    ),
}
"""The keys that the bar of each pane shows first, by name."""
_LAST = ("help", "quit")
_NOT_IN_BAR = ("files", "uploads", "previous", "fold")
"""Found at once without the bar, which shows others instead."""


class BarKey(NamedTuple):
    """A key with its label in the key bar."""

    key: Binding
    label: str


@cache
def _by_use(pane: str, selected: bool, engine_runs: bool) -> tuple[Key, ...]:
    """The keys of the pane, the most used first, help and quit last."""
    order = _BY_USE.get("selected" if selected and pane == "files" else pane, ())
    if not engine_runs:
        order = ("engine", *order)

    def rank(key: Key) -> tuple[int, int]:
        if key.id in _LAST:
            return (2, _LAST.index(key.id))
        return (0, order.index(key.id)) if key.id in order else (1, 0)

    return tuple(sorted((key for key in keys_of(pane) if key.id not in _NOT_IN_BAR), key=rank))


def bar_keys(scope: CommandScope) -> tuple[BarKey, ...]:
    """The keys that apply now, the most used first, help and quit last. The first about a thing names it."""
    shown: list[BarKey] = []
    named = set()
    for key in _by_use(scope.pane, scope.selected, scope.engine_runs):
        if key.when(scope):
            shown.append(BarKey(key, key.label(scope, named=key.about not in named or key.id == "process")))
            named.add(key.about)
    return tuple(shown)
