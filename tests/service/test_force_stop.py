"""`engine stop --force` stops an engine that hangs, and no other process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from msgspec.structs import replace

from tests.cli.world import quick
from tests.service.conftest import ROOT, Spawner
from tui_uploader.codec import to_json
from tui_uploader.errors import EngineUnreachable
from tui_uploader.service.force_stop import ForcedStop, doubt_about, end_by_force
from tui_uploader.service.instance import LockHolder, lock_holder, make_folders_private, read_holder
from tui_uploader.service.process_identity import Process, describe_process, read_ps
from tui_uploader.settings import Directories

ENGINE = LockHolder(4711, started="12345")
UID = 1000


@pytest.mark.parametrize(
    ("engine", "process", "doubt"),
    [
        (ENGINE, Process(UID, "12345", is_engine=True), None),
        (LockHolder(4711, "0.1.0"), Process(UID, "12345", is_engine=True), None),  # an engine of the previous version
        (LockHolder(), None, "does not name its process"),
        (LockHolder(0), Process(UID, "12345", is_engine=True), "does not name its process"),
        (LockHolder(-1), Process(UID, "12345", is_engine=True), "does not name its process"),
        (LockHolder(1), Process(UID, "12345", is_engine=True), "does not name its process"),
        (ENGINE, None, "has no process 4711"),
        (ENGINE, Process(0, "12345", is_engine=True), "belongs to root"),
        (ENGINE, Process(UID, "12346", is_engine=True), "is not the one that took the lock"),
        (ENGINE, Process(UID, "12345", is_engine=False), "does not hold the engine's lock"),
    ],
)
def test_doubt_about_a_process(engine: LockHolder, process: Process | None, doubt: str | None) -> None:
    found = doubt_about(engine, process, UID)
    assert found is None if doubt is None else doubt in str(found)


@pytest.mark.parametrize(
    ("line", "process"),
    [
        (
            "  501 Sat Nov 28 16:04:19 2026     /opt/python -P -m tui_uploader.service.daemon --ready-fd 7",
            Process(501, "Sat Nov 28 16:04:19 2026", is_engine=True),
        ),
        ("501 Sat Nov  8 06:04:19 2026 vim notes.txt", Process(501, "Sat Nov 8 06:04:19 2026", is_engine=False)),
        ("", None),
        ("output of an unknown ps", None),
    ],
)
def test_parsing_ps(line: str, process: Process | None) -> None:
    assert read_ps(line) == process


async def test_a_suspended_engine_stops_cleanly(spawner: Spawner, directories: Directories) -> None:
    async with spawner.connect():
        pid = spawner.pid
    os.kill(pid, signal.SIGSTOP)
    done = quick("engine", "stop", "--force", "--json")
    assert (done.code, json.loads(done.out)) == (0, {"pid": pid, "killed": False})
    assert lock_holder(directories) is None
    assert "signal SIGTERM" in directories.log.read_text()
    again = quick("engine", "stop", "--force")
    assert again.code == 6
    assert "The upload engine is not running" in again.err


def test_an_engine_that_hangs_is_killed(directories: Directories) -> None:
    make_folders_private(directories)
    program = (
        "import signal, sys; from tui_uploader.service.instance import sole_instance;"
        "from tui_uploader.settings import Directories; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "with sole_instance(Directories.of_user(), '1'): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as hung:
        assert hung.stdout is not None
        assert hung.stdout.readline() == b"held\n"
        assert end_by_force(directories, grace=0.1) == ForcedStop(hung.pid, killed=True)
        assert hung.wait() == -signal.SIGKILL


def test_another_process_that_the_lock_names_is_left_alone(directories: Directories) -> None:
    make_folders_private(directories)
    program = (
        "import sys; from tui_uploader.service.instance import sole_instance;"
        "from tui_uploader.settings import Directories\n"
        "with sole_instance(Directories.of_user(), '1'): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as engine:
        assert engine.stdout is not None
        engine.stdout.readline()
        # Started only now: processes that start within one clock tick of the kernel have the same start time.
        with subprocess.Popen(["sleep", "60"]) as innocent:
            engine_lock = read_holder(directories.lock.read_bytes())
            process = describe_process(innocent.pid)
            assert process is not None
            for altered, doubt in (
                (replace(engine_lock, pid=innocent.pid), "is not the one"),
                (replace(engine_lock, pid=innocent.pid, started=process.started), "does not hold the engine's lock"),
                (replace(engine_lock, host="another-machine"), "on the computer another-machine"),
                (replace(engine_lock, boot="another boot"), "on the computer"),
            ):
                directories.lock.write_text(f"{to_json(altered)}\n")
                with pytest.raises(EngineUnreachable, match=doubt):
                    end_by_force(directories, grace=0.0)
            assert (innocent.poll(), engine.poll()) == (None, None)
            innocent.kill()
        engine.kill()
