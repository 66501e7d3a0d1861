"""The engine as a process: spawned, shared, killed, stopped, and idle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.service.conftest import ROOT, Spawner, alive, eventually, eventually_async
from tui_uploader.errors import (
    EngineUnreachable,
    EngineVersionDiffers,
    EngineWillNotStart,
    JournalTooNew,
    UploaderError,
)
from tui_uploader.model.accounts import Login, SignInRequest
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import NewProject
from tui_uploader.model.uploads import AddRequest
from tui_uploader.ownership import private
from tui_uploader.service.client import EngineClient
from tui_uploader.service.instance import lock_holder, make_folders_private, read_holder
from tui_uploader.service.spawn import reachable, start_engine
from tui_uploader.settings import Directories

FLIGHT = AddRequest(("/card/a.jpg",), NewProject("North field"))
SECRET = "a-very-secret-secret"

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


async def follow(client: EngineClient, seen: asyncio.Queue[EngineStatus]) -> None:
    async for status in client.changes():
        seen.put_nowait(status)


async def test_two_front_ends_share_a_private_engine_that_outlives_both_and_a_hang_up(
    spawner: Spawner, directories: Directories
) -> None:
    async with spawner.connect() as one, spawner.connect() as other:
        upload = await one.add(FLIGHT)
        changes = other.changes()
        assert (await anext(changes)).uploads == (upload,)
        await other.pause(upload.upload)
        assert (await one.engine()).pid == (await other.engine()).pid != os.getpid()
        await changes.aclose()
        assert mode(directories.socket) == mode(directories.log) == mode(directories.lock) == 0o600
        assert mode(directories.socket.parent) == mode(directories.state) == mode(directories.data) == 0o700
        os.kill(spawner.pid, signal.SIGHUP)
    assert spawner.started == 1
    async with spawner.connect(spawn=False) as later:
        assert len((await later.status()).uploads) == 1


async def test_front_ends_that_connect_at_once_get_one_engine(spawner: Spawner) -> None:
    async def pid() -> int:
        async with spawner.connect() as client:
            return (await client.engine()).pid

    assert set(await asyncio.gather(*(pid() for _ in range(4)))) == {spawner.pid}


@on_linux
async def test_shows_no_secret_and_keeps_no_terminal_and_no_folder(
    spawner: Spawner, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIX4D_CLIENT_ID", "an-id")
    monkeypatch.setenv("PIX4D_CLIENT_SECRET", SECRET)
    async with spawner.connect() as client:
        await client.sign_in(SignInRequest(Login("https://cloud.example", "an-id", SECRET)))
        answers = repr((await client.accounts(), await client.status()))
        engine = Path("/proc") / str(spawner.pid)
        visible = (engine / "cmdline").read_bytes() + (engine / "environ").read_bytes()
        assert SECRET.encode() not in visible
        assert b"PIX4D_CLIENT_ID" not in visible
        assert SECRET not in answers + directories.log.read_text()
        assert (engine / "cwd").readlink() == Path("/")
        outputs = [(engine / "fd" / str(number)).readlink() for number in range(3)]
        assert outputs == [Path("/dev/null"), directories.log, directories.log]
        assert os.getsid(spawner.pid) == spawner.pid


async def test_a_killed_engine_is_replaced(spawner: Spawner, directories: Directories) -> None:
    async with spawner.connect() as client:
        first = spawner.pid
        seen: asyncio.Queue[EngineStatus] = asyncio.Queue()
        streaming = asyncio.create_task(follow(client, seen))
        await seen.get()
        os.kill(first, signal.SIGKILL)
        with pytest.raises(EngineUnreachable, match="stopped before it answered"):
            await streaming
        assert directories.socket.is_socket()
        assert read_holder(directories.lock.read_bytes()).pid == first
    async with spawner.connect() as client:
        assert (await client.engine()).pid == spawner.pid != first


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_cleanly(spawner: Spawner, directories: Directories, number: signal.Signals) -> None:
    async with spawner.connect() as client:
        seen: asyncio.Queue[EngineStatus] = asyncio.Queue()
        streams = [asyncio.create_task(follow(client, seen)) for _ in range(3)]
        for _ in streams:
            await seen.get()
        slow = asyncio.create_task(client.project("a slow answer"))
        await seen.get()
        pid = spawner.pid
        os.kill(pid, number)
        await asyncio.gather(*streams)
        with pytest.raises(EngineUnreachable, match="stopped before it could answer"):
            await slow
    eventually(lambda: lock_holder(directories) is None, "the lock is free")
    assert not directories.socket.exists()
    assert f"signal {number.name}" in directories.log.read_text()
    eventually(lambda: not alive(pid), "the process has ended")


async def test_a_front_end_that_does_not_read_cannot_delay_its_stop(spawner: Spawner, directories: Directories) -> None:
    async with spawner.connect() as client:
        for number in range(50):
            await client.add(AddRequest((f"/{number}.jpg",), NewProject("n" * 500)))
        _, writer = await asyncio.open_unix_connection(directories.socket, limit=1)
        writer.write(b"GET /v1/events HTTP/1.1\r\nhost: engine\r\n\r\n")
        for number in range(200):
            await client.set_auto_process(1, number % 2 == 0)
        await client.stop()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_stop_returns_when_it_has_ended(spawner: Spawner, directories: Directories) -> None:
    async with spawner.connect() as client:
        await client.stop()
        assert lock_holder(directories) is None
        with pytest.raises(EngineUnreachable, match="The upload engine is not running"):
            await client.status()
    async with spawner.connect() as client:
        assert (await client.status()).uploads == ()


async def test_a_stopping_engine_is_waited_for_and_replaced(spawner: Spawner, directories: Directories) -> None:
    spawner.environment["STAND_IN_CLOSING_SECONDS"] = "0.5"
    async with spawner.connect() as client:
        stopping_pid = spawner.pid
        os.kill(stopping_pid, signal.SIGTERM)
        async with spawner.connect() as next_one:
            assert (await next_one.engine()).pid == spawner.pid != stopping_pid
        stopping = asyncio.create_task(client.stop())
        await eventually_async(lambda: not reachable(directories), "it no longer listens")
        with pytest.raises(EngineUnreachable, match="The upload engine is not running"):
            async with spawner.connect(spawn=False):
                pass
        await stopping


async def test_stops_when_idle(spawner: Spawner, directories: Directories) -> None:
    spawner.environment["TUI_UPLOADER_IDLE_EXIT"] = "0.5"
    async with spawner.connect():
        pass
    eventually(lambda: lock_holder(directories) is None, "the engine has stopped")
    assert "neither work nor a front end for 0.5 s" in directories.log.read_text()


async def test_another_version_is_reported_and_restarted_on_request(spawner: Spawner) -> None:
    spawner.environment["STAND_IN_VERSION"] = "0.0.9"
    with pytest.raises(EngineVersionDiffers, match=r"version 0\.0\.9"):
        async with spawner.connect():
            pass
    old = spawner.pid
    del spawner.environment["STAND_IN_VERSION"]
    async with spawner.connect(restart_other_version=True) as client:
        assert (await client.engine()).pid == spawner.pid != old


async def test_a_second_engine_reports_the_first(spawner: Spawner, directories: Directories) -> None:
    async with spawner.connect():
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.service.stand_in_engine", cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await second.communicate()
        assert second.returncode == 6
        assert errors.decode() == f"tui-uploader: The engine is already running (process {spawner.pid}).\n"


def test_in_the_foreground_it_logs_to_the_terminal_and_stops_on_ctrl_c(directories: Directories) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.service.stand_in_engine"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as engine:
        eventually(lambda: reachable(directories), "it listens")
        assert engine.stderr is not None
        assert f"process {engine.pid}, opened its journal" in engine.stderr.readline()
        engine.send_signal(signal.SIGINT)
        assert "Engine stops: signal SIGINT" in engine.stderr.read()
    assert engine.returncode == 0


async def test_a_hung_engine_is_named(spawner: Spawner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_uploader.service.client.GREETING_PATIENCE", 0.3)
    async with spawner.connect():
        pass
    os.kill(spawner.pid, signal.SIGSTOP)
    with pytest.raises(
        EngineUnreachable, match=rf"process {spawner.pid}\) does not answer .* `tui-uploader engine stop --force`"
    ):
        async with spawner.connect():
            pass


# -------------------------------------------------------------------------------------------- failed starts


def a_file_as_state_folder(directories: Directories) -> None:
    directories.state.parent.mkdir(parents=True)
    directories.state.write_text("blocking")


def a_file_at_the_socket(directories: Directories) -> None:
    private(directories.socket.parent)
    directories.socket.write_text("blocking")


def a_folder_for_a_log(directories: Directories) -> None:
    directories.log.mkdir(parents=True)


def a_later_journal(directories: Directories) -> None:
    make_folders_private(directories)
    (directories.data / "journal-of-tomorrow").touch()


def a_broken_settings_file(directories: Directories) -> None:
    directories.config.mkdir(parents=True)
    directories.settings_file.write_text("idle_exit = [")


@pytest.mark.parametrize(
    ("spoil", "kind", "sentence"),
    [
        (a_file_as_state_folder, EngineWillNotStart, "state/tui-uploader"),
        (a_file_at_the_socket, EngineWillNotStart, r"engine\.sock is not a socket"),
        (a_folder_for_a_log, EngineWillNotStart, r"cannot write its log .*engine\.log"),
        (a_later_journal, JournalTooNew, "update tui-uploader"),
        (a_broken_settings_file, UploaderError, r"config\.toml is not valid TOML"),
    ],
)
async def test_reports_why_it_cannot_start(
    spawner: Spawner,
    directories: Directories,
    spoil: Callable[[Directories], None],
    kind: type[UploaderError],
    sentence: str,
) -> None:
    spoil(directories)
    with pytest.raises(kind, match=sentence) as raised:
        async with spawner.connect():
            pass
    assert "\n" not in str(raised.value)
    assert lock_holder(directories) is None
    assert not directories.socket.is_socket()


async def test_a_path_too_long_for_a_socket_is_replaced(
    spawner: Spawner, directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", os.fspath(directories.data / ("d" * 120)))
    monkeypatch.setenv("TMPDIR", os.fspath(private(directories.data / "a")))
    monkeypatch.setattr(tempfile, "tempdir", None)
    spawner.directories = Directories.of_user()
    async with spawner.connect() as client:
        path = Path((await client.engine()).socket)
        assert path.is_relative_to(directories.data / "a")
        monkeypatch.setenv("TMPDIR", os.fspath(private(directories.data / "b")))
        monkeypatch.setattr(tempfile, "tempdir", None)
        async with EngineClient.connect(Directories.of_user(), spawn=False) as of_another_session:
            assert Path((await of_another_session.engine()).socket) == path
        await client.stop()
    assert not path.parent.exists()


async def test_a_full_disk_does_not_prevent_its_start(spawner: Spawner, directories: Directories) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # EFBIG instead of the ENOSPC of a full disk
    try:
        async with spawner.connect() as client:
            info = await client.engine()
            assert directories.lock.stat().st_size == directories.log.stat().st_size == 0
            await client.stop()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    eventually(lambda: not alive(info.pid), "the process has ended")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("raise SystemExit('no \\x1b[2J module')", r"exited before it was ready \(no \\x1b\[2J module\)"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("", "no output"),
        ("import sys; sys.stderr.write('{}\\n[]\\n7\\n')", r"exited before it was ready \(7\)"),
        ("import time; time.sleep(60)", r"was not ready within 0\.3 s"),
    ],
)
def test_the_last_output_of_a_failed_start_is_shown(directories: Directories, program: str, sentence: str) -> None:
    patience = 0.3 if "sleep" in program else 15.0
    with pytest.raises(EngineWillNotStart, match=sentence):
        start_engine(directories, command=(sys.executable, "-c", program), patience=patience)


def test_a_missing_program_is_named(directories: Directories) -> None:
    with pytest.raises(EngineWillNotStart, match=r"cannot run /nowhere/python \(No such file or directory\)"):
        start_engine(directories, command=("/nowhere/python",))


def test_nothing_is_imported_from_the_folder_it_is_started_in(
    directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asyncio.py").write_text("raise SystemExit('code from the memory card')")
    (tmp_path / "uvicorn.py").write_text("raise SystemExit('code from the memory card')")
    monkeypatch.chdir(tmp_path)
    a_file_as_state_folder(directories)  # so that it exits right after its imports
    with pytest.raises(EngineWillNotStart, match=r"cannot use .*state/tui-uploader"):
        start_engine(directories)


def test_its_report_is_a_line_of_json(directories: Directories) -> None:
    a_file_as_state_folder(directories)
    ours, theirs = os.pipe()
    with os.fdopen(ours) as answers:
        command = [sys.executable, "-m", "tui_uploader.service.daemon", "--ready-fd", str(theirs)]
        ended = subprocess.run(command, pass_fds=(theirs,), capture_output=True, timeout=30, check=False)
        os.close(theirs)
        report = json.loads(answers.read())
    assert (ended.returncode, ended.stdout, ended.stderr) == (6, b"", b"")
    assert report["outcome"] == "failed"
    assert report["failure"]["kind"] == "EngineWillNotStart"
