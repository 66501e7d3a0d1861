"""The world of the measured app: an engine with many past uploads in its journal, and a slow connection to a store."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.photos import write_photos
from benchmarks.store import running, serving
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import deduplication, files, projects, stored_files, uploads, walked
from tui_uploader.engine.journal.tables.known_contents import Content
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.files import Proof
from tui_uploader.model.projects import MAX_IMAGES, ProjectKind
from tui_uploader.model.states import FileEvent, UploadEvent

PROGRAM = (sys.executable, "-m", "tui_uploader")
LIVE_FILES, _LIVE_SIZE = 10, 4_500_000
# Bytes per second of each connection: most of a minute per file.
_LINE_RATE = 90_000
_DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class World:
    """A user's home with a running engine, and files to send."""

    environment: Mapping[str, str]
    card: Path

    def run(self, *arguments: str) -> str:
        """The output of a command. Raises CalledProcessError."""
        command, environment = [*PROGRAM, *arguments], {**os.environ, **self.environment}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=_DEADLINE)
        return ran.stdout

    def command(self, *arguments: str) -> Any:
        """The answer of a command with `--json`."""
        return json.loads(self.run(*arguments, "--json").splitlines()[-1])

    def engine_pid(self) -> int:
        return int(self.command("engine", "status")["pid"])

    def begin_upload(self) -> None:
        """Start to upload the card, and return when all of its files are being sent."""
        self.command("upload", str(self.card), "--new", "Now", "--no-process")
        give_up = time.monotonic() + _DEADLINE
        while self.moving() < LIVE_FILES:
            if time.monotonic() > give_up:
                raise TimeoutError(f"{self.moving()} of {LIVE_FILES} files are being sent")
            time.sleep(0.2)

    def moving(self) -> int:
        """Number of files that are being sent."""
        return sum(upload["counts"]["uploading"] for upload in self.command("status")["uploads"])


@contextmanager
def world(folder: Path, past: int) -> Iterator[World]:
    """A world with `past` uploaded files in its journal."""
    home = folder / "home"
    card, first = folder / "card", folder / "first"
    write_photos(card, LIVE_FILES, _LIVE_SIZE)
    write_photos(first, 1, 100_000)
    with serving(folder / "s3", None) as store, _cloud(folder, home, store.endpoint) as environment:
        made = World(environment, card)
        made.command("upload", str(first), "--new", "First", "--no-process", "--wait")
        made.run("engine", "stop")
        asyncio.run(_add_past_uploads(next(home.rglob("journal.sqlite")), past))
        made.command("status")
        try:
            yield made
        finally:
            made.run("engine", "stop")


@contextmanager
def _cloud(folder: Path, home: Path, endpoint: str) -> Iterator[Mapping[str, str]]:
    """A cloud behind a slow connection, and the environment of a user who is signed in."""
    relay = [sys.executable, "-m", "benchmarks.slow_relay", endpoint.rpartition(":")[2], str(_LINE_RATE)]
    with running(relay) as line:
        port = _first_line(line).strip()
        cloud = [sys.executable, "-m", "benchmarks.rest_cloud", "--root", str(folder / "cloud")]
        with running([*cloud, "--endpoint", f"http://127.0.0.1:{port}"]) as service:
            address = json.loads(_first_line(service))
            yield {
                **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
                "HOME": str(home),
                "PIX4D_CLOUD_URL": address["url"],
                "PIX4D_CLIENT_ID": address["client_id"],
                "PIX4D_CLIENT_SECRET": address["client_secret"],
                "TUI_UPLOADER_NO_KEYRING": "1",
            }


def _first_line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise RuntimeError("the process has no stdout")
    return process.stdout.readline()


async def _add_past_uploads(path: Path, past: int) -> None:
    """Add `past` uploaded files in full projects, by the engine's own functions."""
    journal = Journal.open(path)
    try:
        for number in range(math.ceil(past / MAX_IMAGES)):
            images = min(MAX_IMAGES, past - number * MAX_IMAGES)
            await journal.write(partial(_upload_project, number=number, images=images))
    finally:
        await journal.close()


def _upload_project(connection: sqlite3.Connection, *, number: int, images: int) -> None:
    (account,) = connection.execute("SELECT account FROM projects LIMIT 1").fetchone()
    kind, remote = ProjectKind.IMAGES, f"past-{number}"
    project = projects.add_project(connection, account, f"Past {number}", kind, remote_id=remote)
    upload = uploads.add_sources(connection, project, ["/card"], False, time.time())
    uploads.mark_scanned(connection, upload, ["/card"])
    uploads.move_upload(connection, upload, UploadEvent.SCANNED)
    found = [Candidate(f"/card/DJI_{image:06}.JPG", 8_000_000, 1, image) for image in range(images)]
    walked.add_candidates(connection, upload, project, found)
    for row in files.unchecked(connection, upload, images, []):
        deduplication.settle_check(connection, row.id, row.candidate, Content(f"{row.id:032x}", 1))
        files.move(connection, row.id, FileEvent.PICKED)
        stored_files.mark_stored(connection, row.id, "etag", Proof.CRC32, time.time())
        stored_files.register(connection, [row.id], time.time())
    uploads.move_upload(connection, upload, UploadEvent.FINISHED, time.time())
