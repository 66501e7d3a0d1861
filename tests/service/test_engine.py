"""The real engine as a process, spawned as by front ends."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.service.conftest import Spawner, eventually
from tui_uploader.errors import JournalTooNew, NoSuchUpload, UsageError
from tui_uploader.model.engine import LinkState
from tui_uploader.model.files import FileQuery
from tui_uploader.service.client import EngineClient
from tui_uploader.service.instance import lock_holder
from tui_uploader.service.spawn import start_engine
from tui_uploader.settings import Directories


@pytest.fixture
def real(spawner: Spawner, monkeypatch: pytest.MonkeyPatch) -> Spawner:
    """Stops the engine that a test leaves running."""
    monkeypatch.setenv("TUI_UPLOADER_NO_KEYRING", "1")
    return spawner


async def test_starts_answers_and_stops(
    real: Spawner, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(os.environ["HOME"]))
    async with EngineClient.connect(directories) as client:
        info = await client.engine()
        assert (info.pid, info.version, info.uploads) == (real.pid, (await client.status()).version, 0)
        changes = client.changes()
        assert (await anext(changes)).link.state is LinkState.UNKNOWN
        assert await client.accounts() == ()
        with pytest.raises(NoSuchUpload):
            await client.upload(1)
        with pytest.raises((UsageError, NoSuchUpload)):
            await client.files(1, FileQuery(limit=1_000_000))
        await client.stop()
        assert [status async for status in changes] == []
    assert directories.journal.exists()
    assert "Traceback" not in directories.log.read_text()


async def test_starts_again_after_a_kill(real: Spawner, directories: Directories) -> None:
    start_engine(directories)
    first = real.pid
    os.kill(first, signal.SIGKILL)
    eventually(lambda: lock_holder(directories) is None, "the engine has ended")
    async with EngineClient.connect(directories) as client:
        assert (await client.engine()).pid != first
        await client.stop()


async def test_a_journal_of_a_later_version_is_reported(real: Spawner, directories: Directories) -> None:
    start_engine(directories)
    async with EngineClient.connect(directories, spawn=False) as client:
        await client.stop()
    with sqlite3.connect(directories.journal) as journal:
        journal.execute("PRAGMA user_version = 1000000")
    journal.close()
    with pytest.raises(JournalTooNew):
        start_engine(directories)
