"""A whole day, from the card in the reader to the card that may be wiped: `python -m tests.chaos.day [--short]`.

A folder is watched before its card comes. The card is mounted, uploaded over a bad link while the engine is killed
twice, processed, and read again; a hook is told that it may be wiped, and its receipt lies on it. Then one byte of one
photo is changed. The story is printed as it happens; the exit code is 0 only if everything held.

The link is emulated where this user may do that, and else, or with `--short`, the cloud misbehaves; the card is a file
system of its own where this user may mount one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.carrier import Conditions
from benchmarks.emulated_link import emulated, impediment
from benchmarks.store import create_certificate
from tests.chaos import truth
from tests.chaos.flight import Load
from tests.chaos.machine import DEADLINE, PROGRAM, Machine
from tests.photos import another_of_equal_size, write_photo
from tests.receipts.tool import ascmhl
from tests.until import until
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.hooks import HookEvent

Say = Callable[[str], None]

_LONG = Load(photos=60, size=1_000_000)
_SHORT = Load(photos=20, size=150_000)
_BAD = Conditions(20e6, 0.25, 0.05, outages=((12.0, 8.0),))
_FAULTS = (
    "--fault=stall:route=put,probability=1,seconds=0.2",
    "--fault=drop:route=put,probability=0.2,seed=1,bytes=20000",
    "--fault=lost_reply:route=put,probability=0.1,seed=2",
    "--fault=lost_reply:route=register,probability=0.3,seed=3",
)
_KILLS = (0.2, 0.6)
"""The engine is killed when these shares of the bytes are stored."""
_PATIENCE = 300.0
_OF_CARDS = (HookEvent.CARD_SAFE, HookEvent.CARD_IMAGES_SAFE, HookEvent.CARD_NOT_SAFE)
_SETTINGS = """
[receipts]
to = "card"

[hooks]
command = ["{command}"]
"""
_HOOK = """#!/bin/sh
cat >> "{told}"
"""


class NotHeld(Exception):
    """Something that the program promises was not so."""


@dataclass
class CardReader:
    """The place where a card appears; a file system of its own where this user may mount one."""

    folder: Path
    mounted: list[Path] = field(default_factory=list)

    @property
    def point(self) -> Path:
        return self.folder / "media" / "DRONE"

    @property
    def photos(self) -> list[Path]:
        return sorted(self.point.rglob("*.JPG"))

    def prepare(self, load: Load, chance: random.Random) -> bool:
        """Write the photos to the card, which is not in the reader yet. Returns whether it is a file system."""
        self._camera.mkdir()
        self.point.mkdir(parents=True)
        own = self._mount("-t", "tmpfs", "card", at=self._camera)
        for number in range(1, load.photos + 1):
            folder = f"10{number % 2}MEDIA"
            write_photo(
                self._camera / "DCIM" / folder / f"DJI_{number:04}.JPG", int(load.size * chance.uniform(0.5, 1.5))
            )
        return own

    def insert(self) -> None:
        if not self.mounted or not self._mount("--bind", str(self._camera), at=self.point):
            self.point.rmdir()
            self._camera.rename(self.point)

    def close(self) -> None:
        for point in reversed(self.mounted):
            subprocess.run(["umount", "--lazy", str(point)], check=True)

    @property
    def _camera(self) -> Path:
        return self.folder / "camera"

    def _mount(self, *options: str, at: Path) -> bool:
        try:
            subprocess.run(["mount", *options, str(at)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
        self.mounted.append(at)
        return True


@dataclass
class Hook:
    """A program that writes down what it is told."""

    folder: Path

    @property
    def told_file(self) -> Path:
        return self.folder / "told"

    def install(self, machine: Machine) -> None:
        program = self.folder / "told.sh"
        program.write_text(_HOOK.format(told=self.told_file))
        program.chmod(0o700)
        machine.directories.config.mkdir(parents=True)
        machine.directories.settings_file.write_text(_SETTINGS.format(command=program))

    def told(self, event: HookEvent) -> list[dict[str, Any]]:
        if not self.told_file.exists():
            return []
        lines = self.told_file.read_text().splitlines(keepends=True)
        told: list[dict[str, Any]] = [json.loads(line) for line in lines if line.endswith("\n")]
        return [one for one in told if one["event"] == event]


async def live(machine: Machine, reader: CardReader, hook: Hook, load: Load, say: Say) -> None:
    """The day. Raises NotHeld, and TimeoutError when something never comes."""
    card = reader.point
    watching = asyncio.create_task(machine.watch())
    try:
        await machine.start_cloud()
        await _start_engine(machine)
        say(f"A folder is watched: {(await machine.command(*_watch(card))).splitlines()[0]}")
        reader.insert()
        before = {path: truth.digest(path) for path in reader.photos}
        size = sum(path.stat().st_size for path in before)
        say(f"A card with {len(before)} photos, {size / 1e6:.1f} MB, comes.")
        for share in _KILLS:
            await until(partial(_has_stored, machine, share * size), _PATIENCE)
            await machine.kill_engine()
            say(f"The engine is killed at {share:.0%} of the bytes, and started again.")
            await _start_engine(machine)
        await until(lambda: hook.told(HookEvent.COMPLETE), _PATIENCE)
        say(f"The hook is told: {hook.told(HookEvent.COMPLETE)[0]['message']}")
        await until(lambda: hook.told(HookEvent.PROCESSING_DONE), _PATIENCE)
        say(f"The hook is told: {hook.told(HookEvent.PROCESSING_DONE)[0]['message']}")
        await until(lambda: any(map(hook.told, _OF_CARDS)), _PATIENCE)
        _check_hook(hook, card, say)
        _check_bytes(machine, before, say)
        await _check_receipt(machine, card, say)
        await _check_changed(machine, reader, hook, say)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await machine.stop()


def _watch(card: Path) -> tuple[str, ...]:
    return ("upload", str(card), "--watch", "--name", "{card} {date}", "--quiet", "1s", "--verify-after")


def _has_stored(machine: Machine, size: float) -> bool:
    return machine.seen is not None and sum(upload.bytes.stored for upload in machine.seen.uploads) >= size


async def _start_engine(machine: Machine) -> None:
    await machine.start_engine()
    await machine.engine_listens()
    assert machine.login is not None
    async with machine.front_end() as engine:
        if machine.login.account not in [known.account for known in await engine.accounts()]:
            await engine.sign_in(SignInRequest(machine.login, keep=True, verify=False))


# ---------------------------------------------------------------------------------------------------- what must hold


def _hold(condition: object, what: str) -> None:
    if not condition:
        raise NotHeld(what)


def _check_hook(hook: Hook, card: Path, say: Say) -> None:
    unsafe = hook.told(HookEvent.CARD_NOT_SAFE) + hook.told(HookEvent.CARD_IMAGES_SAFE)
    _hold(not unsafe, f"the card is not safe: {unsafe}")
    safe = hook.told(HookEvent.CARD_SAFE)
    say(f"The hook is told: {safe[0]['message']}")
    for event in (HookEvent.COMPLETE, HookEvent.PROCESSING_DONE, HookEvent.CARD_SAFE):
        numbers = {told["id"] for told in hook.told(event)}
        _hold(len(numbers) == 1, f"the hook was told of {len(numbers)} events {event}")
    _hold(safe[0]["paths"] == [str(card)], f"the hook was told of {safe[0]['paths']}")


def _check_bytes(machine: Machine, before: dict[Path, truth.Digest], say: Say) -> None:
    contents = truth.cloud_contents(machine.cloud_root)
    there = sorted(truth.digest(path) for path in contents.images.values())
    _hold({path: truth.digest(path) for path in before} == before, "a photo on the card has changed")
    _hold(there == sorted(before.values()), "the images in the cloud are not those of the card")
    _hold(not contents.dangling, f"registered without an object: {contents.dangling}")
    _hold(contents.projects == 1, f"there are {contents.projects} projects")
    _hold(contents.starts == 1, f"processing was started {contents.starts} times")
    say(f"Compared: {len(there)} images in the cloud, byte for byte those of the card; processing started once.")


async def _check_receipt(machine: Machine, card: Path, say: Say) -> None:
    assert machine.seen is not None
    (upload,) = machine.seen.uploads
    _hold(upload.receipt, "the upload has no receipt")
    receipt = machine.folder / "receipt.json"
    await machine.command("receipt", str(upload.upload), "--output", str(receipt))
    await machine.command("receipt", "--check", str(receipt))
    for command in ("verify", "diff"):
        code, said = await asyncio.to_thread(ascmhl, command, card)
        _hold(code == 0, f"ascmhl {command} ended with {code}: {said}")
    say("The receipt is valid; `ascmhl verify` and `ascmhl diff` accept the list of checksums on the card.")


async def _check_changed(machine: Machine, reader: CardReader, hook: Hook, say: Say) -> None:
    """A photo with another content, but the same size and time, is found by all."""
    photo = reader.photos[len(reader.photos) // 2]
    before = photo.stat()
    photo.write_bytes(another_of_equal_size(photo.read_bytes()))
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "verify", str(reader.point), "--json", stdout=pipe, stderr=pipe, env=machine.environment
    )
    out, _ = await asyncio.wait_for(process.communicate(), DEADLINE)
    answer = json.loads(out)
    _hold(process.returncode == 1, f"`verify` of a changed card ended with {process.returncode}")
    _hold(not answer["safe"], "a changed card was called safe")
    _hold([one["path"] for one in answer["missing"]] == [str(photo)], f"it names {answer['missing']}")
    await until(lambda: hook.told(HookEvent.CARD_NOT_SAFE), _PATIENCE)
    code, _said = await asyncio.to_thread(ascmhl, "verify", reader.point)
    _hold(code != 0, "ascmhl did not find the changed photo")
    say(f"One photo is changed: {hook.told(HookEvent.CARD_NOT_SAFE)[0]['message']}")


# ----------------------------------------------------------------------------------------------------- surroundings


@contextlib.contextmanager
def bad_link(machine: Machine, *, short: bool, say: Say) -> Iterator[None]:
    """Put a bad link between engine and cloud."""
    why_not = "the short day" if short else impediment()
    if why_not is not None:
        say(f"The cloud misbehaves instead of a bad link: {why_not}.")
        machine.cloud_options += _FAULTS
        yield
        return
    with emulated(_BAD) as link:
        certificate = create_certificate(machine.folder, link.address)
        machine.cloud_host = link.address
        machine.cloud_options += ("--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key))
        machine.variables["TUI_UPLOADER_CA_FILE"] = str(certificate.cert)
        machine.engine_prefix = tuple(link.behind([]))
        say("A link of 20 Mbit/s with 250 ms, 5 % loss and an outage of 8 s lies between engine and cloud.")
        link.begin()
        yield


def run_day(*, short: bool, seed: int, say: Say) -> None:
    """Live a day in a folder of its own, which is removed if it held. Raises NotHeld, TimeoutError."""
    folder = Path(tempfile.mkdtemp(prefix="day-"))
    load = _SHORT if short else _LONG
    machine = Machine(folder, cloud_options=("--processing-seconds", "1"))
    reader, hook = CardReader(folder), Hook(folder)
    try:
        own = reader.prepare(load, random.Random(seed))
        say("The card is a file system of its own." if own else "The card is a folder: this user may not mount.")
        hook.install(machine)
        with bad_link(machine, short=short, say=say):
            asyncio.run(live(machine, reader, hook, load, say))
    except BaseException:
        say(f"The files are in {folder}.")
        raise
    finally:
        reader.close()
    shutil.rmtree(folder)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.day", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a small card, and a cloud that misbehaves")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sizes of the photos [default: 1]")
    arguments = parser.parse_args()
    began = time.monotonic()

    def say(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - began:6.1f} s  {line}\n")
        sys.stdout.flush()

    try:
        run_day(short=arguments.short, seed=arguments.seed, say=say)
    except (NotHeld, TimeoutError) as error:
        say(f"NOT HELD: {error or 'it took too long'}")
        return 1
    say("Everything held: the card could be wiped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
