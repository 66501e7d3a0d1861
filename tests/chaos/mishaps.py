"""Mishaps during an upload. Each has ended when it returns; the engine has to recover from it."""

from __future__ import annotations

import asyncio
import random
import resource
from collections.abc import Awaitable, Callable

from tests.chaos.flight import Flight
from tests.chaos.machine import EngineDied, Machine
from tests.until import until
from tui_uploader.model.states import UploadState
from tui_uploader.service.socket_file import listening

Mishap = Callable[[Machine, Flight, random.Random], Awaitable[None]]

_LONGEST_LIFE = 1.6
"""Most seconds from the start of an engine to its kill: from before it is ready to the middle of its work."""


def engine_killed(times: int) -> Mishap:
    """Kill and restart the engine at random instants: once, then until the upload is complete."""

    async def mishap(machine: Machine, flight: Flight, chance: random.Random) -> None:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.0, _LONGEST_LIFE))
            if machine.kills and is_complete(machine):
                return
            await machine.kill_engine()
            await machine.start_engine()

    return mishap


def cloud_killed(times: int) -> Mishap:
    async def mishap(machine: Machine, flight: Flight, chance: random.Random) -> None:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.3, 1.5))
            await machine.kill_cloud()
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            await machine.start_cloud()

    return mishap


def rebooted(times: int) -> Mishap:
    """Kill engine and cloud at once, as a power cut does: neither notices the end of the other."""

    async def mishap(machine: Machine, flight: Flight, chance: random.Random) -> None:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.2, _LONGEST_LIFE))
            await asyncio.gather(machine.kill_engine(), machine.kill_cloud())
            first, second = chance.sample((machine.start_engine, machine.start_cloud), 2)
            await first()
            await asyncio.sleep(chance.uniform(0.0, 1.0))
            await second()

    return mishap


def disk_filled(times: int) -> Mishap:
    """Keep all files of the engine from growing for a while, its journal and log included.

    An engine that is just starting may fail; then it is started again.
    """

    async def mishap(machine: Machine, flight: Flight, chance: random.Random) -> None:
        for _ in range(times):
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            started = listening(machine.directories.socket)
            soft, hard = resource.prlimit(machine.engine_pid, resource.RLIMIT_FSIZE)
            resource.prlimit(machine.engine_pid, resource.RLIMIT_FSIZE, (0, hard))
            await asyncio.sleep(chance.uniform(1.0, 3.0))
            if machine.engine_runs:
                resource.prlimit(machine.engine_pid, resource.RLIMIT_FSIZE, (soft, hard))
            elif started:
                raise EngineDied("The engine exited when its disk was full.")
            else:
                await machine.start_engine()

    return mishap


def card_pulled(times: int) -> Mishap:
    """Remove the card's folder for a while, or leave it empty like a mount point without a card."""

    async def mishap(machine: Machine, flight: Flight, chance: random.Random) -> None:
        away = machine.card.with_name("removed-card")
        for number in range(times):
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            machine.card.rename(away)
            if number % 2:
                machine.card.mkdir()
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            if number % 2:
                machine.card.rmdir()
            away.rename(machine.card)

    return mishap


def files_touched(changed: int, removed: int) -> Mishap:
    """Change or remove files at the end of the queue, not sent yet, and change one that is being sent."""

    async def mishap(machine: Machine, flight: Flight, chance: random.Random) -> None:
        await until(lambda: _uploaded_bytes(machine) > 0, 30)
        last = flight.paths[-changed - removed :]
        chance.shuffle(last)
        for path in last[:changed]:
            flight.change(path, chance)
        for path in last[changed:]:
            flight.remove(path)
        flight.change(flight.paths[0], chance, perhaps_too_late=True)

    return mishap


def is_complete(machine: Machine) -> bool:
    uploads = machine.seen.uploads if machine.seen else ()
    return bool(uploads) and all(upload.state is UploadState.COMPLETE for upload in uploads)


def _uploaded_bytes(machine: Machine) -> int:
    return sum(upload.bytes.stored for upload in machine.seen.uploads) if machine.seen else 0
