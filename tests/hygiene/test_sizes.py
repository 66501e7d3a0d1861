"""Files, functions and classes stay small enough to be read in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "tui_uploader").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST_FILE, LONGEST_TEST_FILE = 400, 500
LONGEST_FUNCTION = 50
MOST_METHODS = 25

LONGER_FILES = {
    "tui_uploader/model.py": 600,  # the vocabulary on one page; most of its lines say what a field means
}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


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
    yield from (node for node in ast.walk(tree(path)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGER_FILES.get(shown(path), LONGEST_FILE)


@pytest.mark.parametrize("path", TESTS, ids=shown)
def test_a_file_of_tests_can_be_read_in_one_go(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_TEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_functions_fit_on_a_screen(path: Path) -> None:
    too_long = {each.name: lines_of_code(each) for each in functions(path) if lines_of_code(each) > LONGEST_FUNCTION}
    assert not too_long


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_classes_do_one_thing(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))]
            assert len(methods) <= MOST_METHODS, node.name


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "__init__.py"], ids=shown)
def test_a_file_says_why_it_exists(path: Path) -> None:
    assert ast.get_docstring(tree(path))


@pytest.mark.parametrize(
    "path", [path for path in SOURCES + TESTS if path.name == "__init__.py"], ids=lambda path: shown(path.parent)
)
def test_packages_hide_nothing_in_their_init(path: Path) -> None:
    assert path.read_bytes() == b""
