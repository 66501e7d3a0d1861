"""A journal in a temporary file, with a project and an upload."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.summary import read_summary


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = Journal.open(tmp_path / "data" / "journal.sqlite")
    yield opened
    await opened.close()


@pytest.fixture
async def harness(journal: Journal) -> AsyncIterator[JournalHarness]:
    harness = JournalHarness(journal)
    await harness.begin()
    yield harness
    assert journal.summary == await journal.read(read_summary), (
        "kept up to date change by change, it is that of all rows"
    )
