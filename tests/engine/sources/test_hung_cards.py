"""A memory card hangs during an upload: its files wait, everything else continues, and the engine can be stopped.

No machine has a card that hangs on request; the tests replace system calls on its files by calls that do not return.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import SETTINGS, World, add, files_by_name, settled, when
from tests.photos import write_flight
from tests.until import until
from tui_uploader.cloud.contract import RemoteProject
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.errors import SourceUnreadable
from tui_uploader.intake.volumes import Volume
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import Login, SignInRequest
from tui_uploader.model.states import FileStage
from tui_uploader.model.uploads import Counts

ON_CARD, ELSEWHERE = 40, 6


@dataclass
class Card:
    """A card that hangs from `hang` to `put_back`."""

    folder: Path
    call: str = ""
    """The function of `os` that hangs."""
    after: str = ""
    """It hangs once this function was called; empty: at once."""
    answers: threading.Event = field(default_factory=threading.Event)
    hung: int = 0

    def __post_init__(self) -> None:
        self.answers.set()

    def hang(self, call: str, after: str = "") -> None:
        self.call, self.after = call, after
        self.answers.clear()

    def put_back(self) -> None:
        self.answers.set()

    def wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            if self.after == name and self._is_meant(name, *args, **more):
                self.after = ""
            hangs = self.call == name and not self.after and not self.answers.is_set()
            if hangs and self._is_meant(name, *args, **more):
                self.hung += 1
                assert self.answers.wait(60)
            return real(*args, **more)

        return call

    def _is_meant(self, name: str, *args: Any, dir_fd: int | None = None) -> bool:
        path = args[0]
        if isinstance(path, int):  # sendfile: to, from
            opened = Path(f"/proc/self/fd/{args[1] if name == 'sendfile' else path}")
            path = opened.readlink() if opened.is_symlink() else ""
        elif dir_fd is not None:
            path = Path(f"/proc/self/fd/{dir_fd}").readlink() / path
        return os.fsdecode(path).startswith(str(self.folder))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))
    write_flight(tmp_path / "hangs", ON_CARD)
    for number, photo in enumerate(write_flight(world.card, ELSEWHERE)):
        photo.rename(photo.with_name(f"OTHER_{number:04}.JPG"))
    mounts = [Volume("/", "1"), Volume(str(tmp_path / "hangs"), "2"), Volume(str(world.card), "3")]
    monkeypatch.setattr("tui_uploader.intake.volumes.volumes_in", lambda _: mounts)
    monkeypatch.setattr("tui_uploader.engine.sources.threads.HANGS_AFTER", 0.3)
    monkeypatch.setattr("tui_uploader.engine.sources.open._FSTAT_SECONDS", 0.2)
    monkeypatch.setattr("tui_uploader.engine.sources.modified._SECONDS_PER_BATCH", 0.2)
    monkeypatch.setattr("tui_uploader.engine.pipeline.check._ORDER_SECONDS", 0.2)
    monkeypatch.setattr("tui_uploader.engine.pipeline.walk._TURN_SECONDS", 0.2)
    monkeypatch.setattr("tui_uploader.engine.pipeline.enqueue._WALK_SECONDS", 0.2)
    monkeypatch.setattr("tui_uploader.cloud.http.pool._RELEASE_SECONDS", 0.2)
    return world


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    card = Card(tmp_path / "hangs")
    for name in ("open", "fstat", "sendfile", "close", "scandir"):
        monkeypatch.setattr(os, name, card.wrapped(name, getattr(os, name)))
    yield card
    card.put_back()


@pytest.mark.parametrize("call", ["scandir", "open"])
async def test_a_card_that_hangs_when_it_is_walked_or_read_delays_no_file_of_another(
    world: World, card: Card, call: str
) -> None:
    """Both cards are in one upload, and the one that hangs was added first."""
    async with world.cloud_running(), world.engine() as manager:
        card.hang(call)
        upload = await add(manager, world.folder / "hangs", auto_process=False)
        assert (await add(manager, world.card, auto_process=False)).upload == upload.upload
        found = await when(manager, upload.upload, lambda status: status.counts.uploaded == ELSEWHERE, 15.0)
        assert found.counts.failed == 0 and card.hung
        await manager.sign_in(SignInRequest(world.login()))
        card.put_back()
        done = await settled(manager, upload.upload)
        assert done.counts == Counts(uploaded=ON_CARD + ELSEWHERE)


async def test_a_request_for_facts_does_not_wait_for_a_card_that_hangs(
    world: World, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_uploader.engine.sources.photo._MOST_SECONDS", 0.2)
    async with world.cloud_running(), world.engine() as manager:
        upload = (await add(manager, world.folder / "hangs", world.card, auto_process=False)).upload
        await settled(manager, upload)
        files = await files_by_name(manager, upload)
        card.hang("open")
        for _ in range(2):  # the first asks the card; by the second it is known to hang
            with pytest.raises(SourceUnreadable, match=r"DJI_0001\.JPG cannot be read now: .* does not respond"):
                await manager.queries.photo_facts(upload, files["DJI_0001.JPG"].id)
            await until(lambda: world.silent_disks)
        assert (await manager.queries.photo_facts(upload, files["OTHER_0001.JPG"].id)).width
        card.put_back()


@pytest.mark.parametrize("call", ["open", "sendfile"])
async def test_a_card_that_hangs_while_it_is_sent_keeps_no_stream(world: World, card: Card, call: str) -> None:
    checked = asyncio.Event()

    class Late(Pix4dCloud):
        """Makes no project until all files were checked, so that the card hangs exactly when they are to be sent."""

        async def create_project(self, name: str) -> RemoteProject:
            await checked.wait()
            return await super().create_project(name)

    def late(login: Login) -> Pix4dCloud:
        return Late(login, SETTINGS)

    world.make_cloud = late
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.folder / "hangs", auto_process=False)
        await add(manager, world.card, auto_process=False)
        summary = world.journal
        await until(lambda: not summary.summary.files(upload.upload, FileStage.FOUND))
        card.hang(call)
        checked.set()
        found = await when(manager, upload.upload, lambda status: status.counts.uploaded == ELSEWHERE, 15.0)
        assert found.counts.failed == 0 and card.hung
        await until(lambda: world.silent_disks)
        await manager.sign_in(SignInRequest(world.login()))
        waiting = (await files_by_name(manager, upload.upload))["DJI_0040.JPG"]
        assert waiting.reason is not None and "does not respond" in waiting.reason
        status = await when(manager, upload.upload, lambda status: status.notice)
        assert status.notice is not None and f"{card.folder} does not respond" in status.notice.message
        assert not status.notice.needs_person
        card.put_back()
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=ON_CARD + ELSEWHERE), None)
        assert not world.silent_disks


@pytest.mark.parametrize("call", ["open", "fstat", "sendfile", "close"])
async def test_the_engine_closes_while_a_card_hangs(world: World, card: Card, call: str) -> None:
    async with world.cloud_running():
        async with asyncio.timeout(20), world.engine() as manager:
            card.hang(call)
            upload = await add(manager, world.folder / "hangs", auto_process=False)
            await until(lambda: card.hung)
        card.put_back()
        async with world.engine() as manager:
            done = await settled(manager, upload.upload)
            assert done.counts == Counts(uploaded=ON_CARD)


@pytest.mark.parametrize("call", ["fstat", "close"])
async def test_a_card_that_hangs_once_its_bytes_are_sent_stops_nothing_else(
    world: World, card: Card, call: str
) -> None:
    """The sent bytes are proven, so they count."""
    async with world.cloud_running(), world.engine() as manager:
        card.hang(call, after="sendfile")
        upload = await add(manager, world.folder / "hangs", auto_process=False)
        await until(lambda: card.hung)
        await add(manager, world.card, auto_process=False)
        found = await when(manager, upload.upload, lambda status: status.counts.uploaded > ELSEWHERE, 15.0)
        assert found.counts.failed == 0
        card.put_back()
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=ON_CARD + ELSEWHERE), None)
