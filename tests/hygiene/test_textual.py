"""Only `tui/terminal` uses Textual's private names: an update of Textual can then break nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.hygiene.test_sizes import ROOT, shown, tree

TUI = ROOT / "tui_uploader" / "tui"
SOURCES = sorted(path for path in TUI.rglob("*.py") if TUI / "terminal" not in path.parents)

OF_TUPLES = {"_replace", "_asdict"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in OF_TUPLES


def own_names(path: Path) -> Iterator[str]:
    """Private names that a file defines: functions, classes, variables and attributes of `self`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def used_names(path: Path) -> Iterator[tuple[str, int]]:
    """Private names that a file imports from elsewhere or takes from an object, and the line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and is_private(node.attr):
            yield node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom):
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from ((name, node.lineno) for name in names if is_private(name))


def test_private_names_of_textual_are_used_in_one_folder() -> None:
    own = {name for path in SOURCES for name in own_names(path)}
    foreign = [f"{shown(path)}:{line} {name}" for path in SOURCES for name, line in used_names(path) if name not in own]
    assert foreign == []


def test_the_check_sees_what_it_is_for() -> None:
    terminal = {name for path in (TUI / "terminal").glob("*.py") for name, _ in used_names(path)}
    assert {"_compositor", "_xterm_parser", "_driver", "_parent"} <= terminal
