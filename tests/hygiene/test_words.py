"""Names and sentences use the words of the field: riddles and private words of former versions stay away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("tui_uploader", "tests", "benchmarks", "screenshots", "docs")
ENDINGS = {".py", ".md", ".sql", ".tcss"}
RECORDS = {"journal-1.sql", "journal-2.sql", Path(__file__).name}
"""Journals of former formats keep the words of their day."""

PRIVATE_WORDS = re.compile(
    r"\b(rooms?|furnish\w*|valves?|pulses?|setbacks?|vitals|knock\w*|orphan\w*|desks?|pass_?office|storage[ _]keys?)\b",
    re.I,
)
RIDDLES = re.compile(
    r"\b(somebody|nobody|whoever|by (itself|themselves)|(?<!there )(?-i:(is|are) none)|goes on|stands? still"
    r"|not to be had|be talked to|takes? (it|them) back|taken back|what was offered)\b",
    re.I,
)


def texts() -> Iterator[Path]:
    yield from (path for path in ROOT.glob("*.md") if path.name not in RECORDS)
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in ENDINGS and path.name not in RECORDS:
                yield path


def found(words: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in words.finditer(line)
    ]


def test_no_private_words() -> None:
    assert found(PRIVATE_WORDS) == []


def test_no_riddles() -> None:
    assert found(RIDDLES) == []
