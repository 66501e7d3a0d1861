"""A local cloud and the program as real processes, with files to send from one to the other."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_uploader.cli.main import run
from tui_uploader.service.instance import lock_holder
from tui_uploader.settings import Directories

PROGRAM = (sys.executable, "-m", "tui_uploader")
_DEADLINE = 60.0


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its answer, which has to be one line."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def json_lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud, as `cloud serve --json` reports it."""

    url: str
    client_id: str
    client_secret: str
    root: Path

    @property
    def login(self) -> Mapping[str, str]:
        return {
            "PIX4D_CLOUD_URL": self.url,
            "PIX4D_CLIENT_ID": self.client_id,
            "PIX4D_CLIENT_SECRET": self.client_secret,
        }

    def objects(self) -> dict[str, bytes]:
        """Its objects, by name in the project."""
        return {path.name: path.read_bytes() for path in (self.root / "objects").rglob("*") if path.is_file()}

    def stored(self) -> int:
        """How many objects it holds."""
        return sum(path.is_file() for path in (self.root / "objects").rglob("*"))

    def modified(self) -> dict[str, int]:
        """When each object was last written, in nanoseconds."""
        return {path.name: path.stat().st_mtime_ns for path in (self.root / "objects").rglob("*") if path.is_file()}


@contextmanager
def serving(root: Path, *options: str) -> Iterator[LocalCloud]:
    process = subprocess.Popen(
        [*PROGRAM, "cloud", "serve", "--json", "--port", "0", "--root", str(root), *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield LocalCloud(said["url"], said["client_id"], said["client_secret"], Path(said["root"]))
    finally:
        process.terminate()
        process.communicate(timeout=_DEADLINE)


_COMMANDS: list[subprocess.Popen[str]] = []
"""The commands that a test has started."""


def started(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A running command with a pipe as stdin. Signals end it, even if the tests run in the background of a shell."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGINT)}
    try:
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    _COMMANDS.append(process)
    return process


def end_commands() -> None:
    """Kill the commands that a failed test left running, and close their pipes."""
    for process in _COMMANDS:
        with process:
            process.kill()
    _COMMANDS.clear()


def finished(process: subprocess.Popen[str], typed: str = "") -> Finished:
    out, err = process.communicate(typed, timeout=_DEADLINE)
    return Finished(process.returncode, out, err)


def command(*arguments: str, typed: str = "", **environment: str) -> Finished:
    return finished(started(*arguments, **environment), typed)


def engine_pid() -> int:
    found = lock_holder(Directories.of_user())
    assert found is not None and found.pid is not None, "no engine holds the lock"
    return found.pid


def kill_engine() -> None:
    """Kill the engine, as a crash would; do nothing if none runs."""
    found = lock_holder(Directories.of_user())
    if found is not None and found.pid is not None:
        os.kill(found.pid, signal.SIGKILL)


def upload_of(card: Path, *options: str) -> tuple[str, ...]:
    return ("upload", str(card), "--new", "Quarry", "--json", *options)


def contents(photos: Iterable[Path]) -> dict[str, bytes]:
    return {photo.name: photo.read_bytes() for photo in photos}


def quick(*arguments: str) -> Finished:
    """A command run in this process, which is faster: for tests that are not about processes or streams."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    return Finished(code, out.getvalue(), err.getvalue())
