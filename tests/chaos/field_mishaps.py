"""Mishaps of memory cards, addresses and clouds in the field during an upload."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.chaos import truth
from tests.chaos.flight import Flight
from tests.chaos.machine import DEADLINE, Machine
from tests.chaos.mishaps import Mishap, is_complete
from tests.photos import write_flight
from tests.until import until
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.projects import ExistingProject, NewProject
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import AddRequest


async def card_swapped(machine: Machine, flight: Flight, chance: random.Random) -> None:
    """Replace the card when all its files have arrived; names, sizes and times of the files stay the same."""
    await until(lambda: is_complete(machine), DEADLINE)
    flight.swap()
    async with machine.front_end() as engine:
        (upload,) = (await engine.status()).uploads
        await engine.add(AddRequest((str(flight.folder),), ExistingProject(upload.project or upload.project_name)))
    machine.seen = None


def card_remounted(times: int) -> Mishap:
    """Remount the card with other inode numbers, as on FAT and exFAT."""

    async def mishap(machine: Machine, flight: Flight, chance: random.Random) -> None:
        again = machine.card.with_name("card-mounted-again")
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            await asyncio.to_thread(shutil.copytree, machine.card, again)
            machine.card.rename(machine.card.with_name("card-before"))
            await asyncio.sleep(chance.uniform(0.1, 0.5))
            again.rename(machine.card)
            shutil.rmtree(machine.card.with_name("card-before"))

    return mishap


async def file_still_written(machine: Machine, flight: Flight, chance: random.Random) -> None:
    """Upload while a file is still being copied: its space is allocated, and two thirds of it are zeros."""
    finish = flight.begin_copy("DJI_0999.TIF")
    async with machine.front_end() as engine:
        (upload,) = (await engine.status()).uploads
        await engine.add(AddRequest((str(flight.folder),), ExistingProject(upload.project or upload.project_name)))
    await asyncio.sleep(chance.uniform(1.0, 3.0))
    finish()


def address_changed(times: int) -> Mishap:
    """Move the cloud to another address; its name stays the same."""

    async def mishap(machine: Machine, flight: Flight, chance: random.Random) -> None:
        for number in range(times):
            await asyncio.sleep(chance.uniform(0.3, 1.0))
            await machine.kill_cloud()
            machine.cloud_host = f"127.0.0.{3 + number}"
            machine.hosts.write_text(machine.cloud_host)
            await machine.start_cloud()

    return mishap


async def other_cloud_stalls(machine: Machine, flight: Flight, chance: random.Random) -> None:
    """Stall a second cloud, which accepts connections but does not answer, until the first upload is complete."""
    other = Machine(machine.folder / "other", machine.profile, ("--processing-seconds", "300"))
    other.folder.mkdir()
    photos = write_flight(other.card, 8)
    await other.start_cloud()
    await other.kill_cloud()
    assert other.login is not None
    try:
        async with _silent_server(other.cloud_port), machine.front_end() as engine:
            await engine.sign_in(SignInRequest(other.login, verify=False))
            await engine.add(AddRequest((os.fspath(other.card),), NewProject("Second"), account=other.login.account))
            await until(lambda: _complete(machine, "Quarry"), DEADLINE)
            assert not _complete(machine, "Second")
        await other.start_cloud()
        await until(lambda: _complete(machine, "Second"), DEADLINE)
        arrived = {truth.digest(path) for path in truth.cloud_contents(other.cloud_root).images.values()}
        assert arrived == {truth.digest(path) for path in photos}, "the second cloud's photos did not arrive"
    finally:
        await other.stop()


def _complete(machine: Machine, project: str) -> bool:
    uploads = machine.seen.uploads if machine.seen else ()
    return any(upload.project_name == project and upload.state is UploadState.COMPLETE for upload in uploads)


@asynccontextmanager
async def _silent_server(port: int) -> AsyncIterator[None]:
    stopped = asyncio.Event()

    async def keep_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()
        writer.close()

    async with await asyncio.start_server(keep_open, "127.0.0.1", port):
        yield
        stopped.set()
