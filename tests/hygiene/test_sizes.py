"""Files, functions and classes stay small enough to be read in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "tui_uploader").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST_FILE, LONGEST_TEST_FILE = 400, 500
LONGEST_FUNCTION = 50
MOST_METHODS = 25


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From `def` to the last line, the docstring aside."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno:
        lines -= first.end_lineno - first.lineno + 1
    return lines


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, FUNCTIONS))


def too_long(paths: Iterable[Path], most: int) -> dict[str, int]:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    return {name: length for name, length in lengths.items() if length > most}


def test_a_file_can_be_read_in_one_go() -> None:
    assert too_long(SOURCES, LONGEST_FILE) == {}
    assert too_long(TESTS, LONGEST_TEST_FILE) == {}


def test_functions_fit_on_a_screen() -> None:
    lengths = {f"{shown(path)}::{each.name}": lines_of_code(each) for path in SOURCES for each in functions(path)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_classes_do_one_thing() -> None:
    counts = {
        f"{shown(path)}::{node.name}": sum(isinstance(each, FUNCTIONS) for each in node.body)
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: count for name, count in counts.items() if count > MOST_METHODS} == {}


def test_a_file_says_why_it_exists() -> None:
    silent = [shown(path) for path in SOURCES if path.name != "__init__.py" and not ast.get_docstring(tree(path))]
    assert silent == []


def test_packages_hide_nothing_in_their_init() -> None:
    """A docstring may stand there, and nothing else."""
    inits = [path for path in SOURCES + TESTS if path.name == "__init__.py"]
    assert [shown(path) for path in inits if tree(path).body[1:] or _code_in(tree(path))] == []


def _code_in(module: ast.Module) -> bool:
    return bool(module.body) and ast.get_docstring(module) is None
