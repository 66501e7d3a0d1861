"""An engine whose lock or socket is removed under it is found again, or leaves."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

from tests.service.conftest import eventually_async
from tests.service.stand_in import StandInManager
from tui_uploader.errors import EngineUnreachable
from tui_uploader.model import AddRequest, NewProject
from tui_uploader.service import lifetime
from tui_uploader.service.client import EngineClient
from tui_uploader.service.instance import holder
from tui_uploader.settings import Directories


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine looks often; it has to be asked for before the engine."""
    monkeypatch.setattr(lifetime, "WATCH_SECONDS", 0.02)


async def test_a_removed_socket_is_made_again_and_streams_go_on(
    watch: None, manager: StandInManager, client: EngineClient, directories: Directories
) -> None:
    changes = client.changes()
    await anext(changes)
    for _ in range(2):
        shutil.rmtree(directories.socket.parent)
        # Says that an engine runs although nobody listens for a moment.
        async with EngineClient.connect(directories, spawn=False) as newcomer:
            info = await newcomer.engine()
            assert (info.pid, info.socket) == (os.getpid(), os.fspath(directories.socket))
            upload = await newcomer.add(AddRequest(("/card/a.jpg",), NewProject("North")))
        assert upload in (await anext(changes)).uploads
    await changes.aclose()


async def test_a_folder_that_was_opened_to_others_is_not_trusted_any_more(
    client: EngineClient, directories: Directories
) -> None:
    await client.status()
    directories.socket.parent.chmod(0o755)
    with pytest.raises(EngineUnreachable, match="cannot be trusted"):
        await client.status()
    directories.socket.parent.chmod(0o700)
    await client.status()


async def test_a_removed_lock_is_taken_anew_while_the_journal_is_there(
    watch: None, manager: StandInManager, client: EngineClient, directories: Directories
) -> None:
    directories.journal.touch()
    directories.lock.unlink()
    await eventually_async(lambda: holder(directories) is not None, "the lock is held again")
    assert (await client.engine()).pid == os.getpid()
    assert not manager.closed


async def test_an_engine_without_lock_and_journal_leaves(
    watch: None, manager: StandInManager, directories: Directories
) -> None:
    directories.lock.unlink()
    await eventually_async(lambda: manager.closed, "the engine has left")


async def test_a_socket_that_cannot_be_made_again_is_tried_until_it_can(
    watch: None, manager: StandInManager, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(directories.data / "nowhere"))
    shutil.rmtree(directories.socket.parent)
    directories.socket.parent.touch()  # in the place of the folder
    await eventually_async(lambda: "cannot be made again" in directories.log.read_text(), "the log tells of it")
    directories.socket.parent.unlink()
    async with EngineClient.connect(directories, spawn=False) as client:
        assert (await client.engine()).pid == os.getpid()
    assert directories.log.read_text().count("cannot be made again") == 1
