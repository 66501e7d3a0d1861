"""An engine whose lock or socket file is removed creates it again, or stops."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

from tests.service.conftest import eventually_async
from tests.service.stand_in import StandInManager
from tui_uploader.errors import EngineUnreachable
from tui_uploader.model.projects import NewProject
from tui_uploader.model.uploads import AddRequest
from tui_uploader.service import lifetime
from tui_uploader.service.client import EngineClient
from tui_uploader.service.instance import lock_holder
from tui_uploader.settings import Directories


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short checks of the files; request it before the engine."""
    monkeypatch.setattr(lifetime, "WATCH_SECONDS", 0.02)


async def test_a_removed_socket_is_created_again_and_streams_continue(
    watch: None, manager: StandInManager, client: EngineClient, directories: Directories
) -> None:
    changes = client.changes()
    await anext(changes)
    for _ in range(2):
        shutil.rmtree(directories.socket.parent)
        # Waits, for the lock is held although nothing listens for a moment.
        async with EngineClient.connect(directories, spawn=False) as newcomer:
            info = await newcomer.engine()
            assert (info.pid, info.socket) == (os.getpid(), os.fspath(directories.socket))
            upload = await newcomer.add(AddRequest(("/card/a.jpg",), NewProject("North")))
        assert upload in (await anext(changes)).uploads
    await changes.aclose()


async def test_a_folder_opened_to_others_is_no_longer_trusted(client: EngineClient, directories: Directories) -> None:
    await client.status()
    directories.socket.parent.chmod(0o755)
    with pytest.raises(EngineUnreachable, match=r"Cannot trust"):
        await client.status()
    directories.socket.parent.chmod(0o700)
    await client.status()


async def test_a_removed_lock_is_taken_again_while_the_journal_exists(
    watch: None, manager: StandInManager, client: EngineClient, directories: Directories
) -> None:
    directories.journal.touch()
    directories.lock.unlink()
    await eventually_async(lambda: lock_holder(directories) is not None, "the lock is held again")
    assert (await client.engine()).pid == os.getpid()
    assert not manager.closed


async def test_an_engine_without_lock_and_journal_stops(
    watch: None, manager: StandInManager, directories: Directories
) -> None:
    directories.lock.unlink()
    await eventually_async(lambda: manager.closed, "the engine has stopped")


async def test_creating_the_socket_again_is_retried_and_logged_once(
    watch: None, manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(directories.data / "nowhere"))
    shutil.rmtree(directories.socket.parent)
    directories.socket.parent.touch()  # blocks the path of the folder
    await eventually_async(lambda: "cannot be created again" in directories.log.read_text(), "the log reports it")
    directories.socket.parent.unlink()
    async with EngineClient.connect(directories, spawn=False) as client:
        assert (await client.engine()).pid == os.getpid()
    assert directories.log.read_text().count("cannot be created again") == 1
