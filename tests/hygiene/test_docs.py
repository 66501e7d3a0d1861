"""What the documents name has to be there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
_FILE = re.compile(r"`([\w/]+/|[\w/]+\.(?:py|sql|md))`")
_LINK = re.compile(r"\]\(([^)#\s]+)")


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_tests_that_documents_name_exist() -> None:
    named = {match for document in DOCUMENTS for match in _TEST.findall(document.read_text(encoding="utf-8"))}
    assert named
    missing = [
        f"{path}::{function}"
        for path, function in sorted(named)
        if not (ROOT / path).is_file() or (function and function not in functions_of(ROOT / path))
    ]
    assert missing == []


def test_files_that_the_architecture_names_exist() -> None:
    """Paths are relative to the root or to the package."""
    named = {
        name
        for document in (ROOT / "docs" / "architecture.md", ROOT / "docs" / "contributing.md")
        for name in _FILE.findall(document.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert [
        name for name in sorted(named) if not any((at / name).exists() for at in (ROOT, ROOT / "tui_uploader"))
    ] == []


def test_links_between_documents_lead_somewhere() -> None:
    dead = [
        f"{document.name}: {target}"
        for document in DOCUMENTS
        for target in _LINK.findall(document.read_text(encoding="utf-8"))
        if "://" not in target and not (document.parent / target).exists()
    ]
    assert dead == []
