"""What verifications ask the journal costs the same with many files of uploads as with few."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest

from tui_uploader.engine.journal.tables import verified
from tui_uploader.model.verification import Finding


class Explained:
    """A connection that notes how SQLite carries out what it is asked."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.row_factory = sqlite3.Row
        schema = resources.files("tui_uploader.engine.journal").joinpath("schema.sql")
        self.connection.executescript(schema.read_text(encoding="utf-8"))
        self.steps: list[str] = []

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        plan = self.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        self.steps += [row["detail"] for row in plan]
        return self.connection.execute(statement, values)


QUESTIONS: dict[str, tuple[Callable[[Any], object], set[str]]] = {
    "contents": (lambda c: verified.holders(c, ["a", "b"]), {"files_by_content", "delivered_by_content"}),
    "paths": (lambda c: verified.holders_at(c, ["/a"]), {"files_by_path"}),
    "still registered": (lambda c: verified.undeliver(c, 1, "x"), {"files_by_content", "delivered_by_content"}),
    "next": (lambda c: verified.unjudged(c, 1, "/a", 5, unread_only=True), set()),
    "known": (lambda c: verified.known(c, 1, ["/a"]), set()),
    "window": (lambda c: verified.window(c, 1, Finding.OTHER, "/a", 0, 5), set()),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_all_files(question: str) -> None:
    ask, indexes = QUESTIONS[question]
    explained = Explained()
    ask(explained)
    assert explained.steps
    scanned = [step for step in explained.steps if step.startswith("SCAN") and step != "SCAN u"]
    assert scanned == []
    used = {index for step in explained.steps for index in indexes if f"INDEX {index} " in step}
    assert used == indexes
