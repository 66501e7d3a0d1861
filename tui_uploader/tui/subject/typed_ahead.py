"""Which keys wait while an answer of the engine decides what they are about. Pure."""

from __future__ import annotations

NEVER_KEPT = frozenset(("q", "ctrl+c", "ctrl+l", "ctrl+z"))
"""Keys that work at once, whatever the app waits for."""
ABOUT_NO_ROW = NEVER_KEPT.union(
    ("up", "down", "pageup", "pagedown", "home", "end", "j", "k", "g", "G", "ctrl+u", "ctrl+d", "ctrl+b", "ctrl+f"),
    ("1", "2", "3", "h", "l", "tab", "shift+tab", "slash", "f", "escape", "w", "plus", "question_mark", "f1"),
    ("ctrl+p", "u", "C", "E", "L", "b", "e"),
)
"""Keys that need not wait until the row under the cursor is known."""


def must_wait(key: str, *, answer_due: bool, row_unknown: bool) -> bool:
    """`answer_due`: rows or selection are about to change; `row_unknown`: they are right, but not all known yet."""
    if answer_due:
        return key not in NEVER_KEPT
    return row_unknown and key not in ABOUT_NO_ROW
