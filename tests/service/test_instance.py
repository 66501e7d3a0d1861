"""The lock: one engine per journal, found from every environment, and errors when it cannot be taken."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from tui_uploader.codec import to_json
from tui_uploader.errors import EngineUnreachable, EngineWillNotStart
from tui_uploader.ownership import private
from tui_uploader.service.client import EngineClient
from tui_uploader.service.instance import (
    EngineAlreadyRunning,
    LockHolder,
    engine_log_path,
    engine_socket_path,
    lock_holder,
    make_folders_private,
    read_holder,
    sole_instance,
)
from tui_uploader.service.process_identity import describe_process, this_machine
from tui_uploader.settings import Directories


@pytest.fixture
def made(directories: Directories) -> Directories:
    make_folders_private(directories)
    return directories


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_one_process_holds_the_lock(made: Directories) -> None:
    with sole_instance(made, "1.2.3"):
        with pytest.raises(EngineAlreadyRunning, match=f"process {os.getpid()}"), sole_instance(made, "1.2.3"):
            pass
        found = lock_holder(made)
        assert found is not None
        assert (found.pid, found.version, found.elsewhere) == (os.getpid(), "1.2.3", False)
        assert (found.host, found.log) == (this_machine().host, os.fspath(made.log))
        ourselves = describe_process(os.getpid())
        assert ourselves is not None and found.started == ourselves.started
    assert lock_holder(made) is None


def test_a_leftover_lock_file_locks_nothing(made: Directories) -> None:
    made.lock.write_text("4711 0.0.1\nand much more of it\n")
    assert lock_holder(made) is None
    with sole_instance(made, "1.2.3"):
        assert read_holder(made.lock.read_bytes()) == lock_holder(made)


@pytest.mark.parametrize("text", ["", "garbage", "\x1b[2J 1", "-1 x", "²"])
def test_a_damaged_lock_file_names_no_process(made: Directories, text: str) -> None:
    with sole_instance(made, "1.2.3"):
        made.lock.write_text(text)
        found = lock_holder(made)
        assert found is not None
        assert found.pid is None
        assert found.named == "another process"


def test_the_lock_notices_that_its_file_was_replaced(made: Directories) -> None:
    with sole_instance(made, "1.2.3") as lock:
        seen = [lock.intact]
        made.lock.rename(made.lock.with_suffix(".old"))
        seen.append(lock.intact)
        made.lock.touch()
        seen.append(lock.intact)
    assert seen == [True, False, False]


def test_a_lock_that_cannot_be_created_is_an_error(made: Directories) -> None:
    made.lock.mkdir()
    refused = pytest.raises(EngineWillNotStart, match=r"cannot use .*engine\.lock \(Is a directory\)")
    with refused, sole_instance(made, "1"):
        pass


def test_the_lock_follows_no_link(made: Directories) -> None:
    made.lock.symlink_to(made.state / "elsewhere")
    with pytest.raises(EngineWillNotStart), sole_instance(made, "1"):
        pass
    assert not (made.state / "elsewhere").exists()


def test_existing_folders_are_made_private(directories: Directories) -> None:
    directories.state.mkdir(parents=True, mode=0o755)
    make_folders_private(directories)
    assert [mode(folder) for folder in (directories.state, directories.data)] == [0o700] * 2


def test_an_unusable_home_is_named(directories: Directories) -> None:
    directories.data.parent.parent.mkdir(exist_ok=True)
    directories.data.parent.write_text("a file where a folder should be")
    with pytest.raises(EngineWillNotStart, match=r"cannot use .*tui-uploader \((Not a directory|File exists)\)"):
        make_folders_private(directories)


@pytest.mark.skipif(os.getuid() == 0, reason="root can write everywhere")
def test_a_read_only_home_is_named(directories: Directories) -> None:
    home = Path(os.environ["HOME"])
    home.chmod(0o500)
    try:
        with pytest.raises(EngineWillNotStart, match="Permission denied"):
            make_folders_private(directories)
    finally:
        home.chmod(0o700)


def test_folders_of_another_user_are_refused(directories: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folders_private(directories)
    another_user = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: another_user)
    with pytest.raises(EngineWillNotStart, match=r"Cannot start the engine\. .* belongs to "):
        make_folders_private(directories)


# --------------------------------------------------------------------------------- found from every environment


@contextmanager
def locked(path: Path, text: str) -> Iterator[None]:
    """Another process holds the lock; its file contains `text`."""
    path.write_text(text)
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_lock_socket_and_log_are_found_by_the_journal_only(made: Directories, tmp_path: Path) -> None:
    of_cron = replace(made, state=tmp_path / "other", socket=tmp_path / "other" / "engine.sock")
    with sole_instance(made, "1.2.3") as lock:
        lock.announce(made.socket)
        assert lock_holder(of_cron) == lock_holder(made)
        assert (engine_socket_path(of_cron), engine_log_path(of_cron)) == (made.socket, made.log)
        private(of_cron.state)
        with pytest.raises(EngineAlreadyRunning), sole_instance(of_cron, "1.2.3"):
            pass
    assert engine_socket_path(of_cron) == of_cron.socket  # for a future engine
    assert engine_log_path(of_cron) == made.log  # of the last engine


def test_an_engine_of_the_previous_version_prevents_a_second_one(made: Directories) -> None:
    with locked(made.earlier_lock, "4711 0.1.0\n"):
        assert lock_holder(made) == LockHolder(4711, "0.1.0", socket=os.fspath(made.earlier_socket))
        assert engine_socket_path(made) == made.earlier_socket
        with pytest.raises(EngineAlreadyRunning, match="process 4711"), sole_instance(made, "1.2.3"):
            pass
    with sole_instance(made, "1.2.3"):
        pass


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"pid":4711,"host":"a","socket":"/s"}', LockHolder(4711, host="a", socket="/s")),
        (b'{"pid":4711,"of a later version":[1]}', LockHolder(4711)),
        (b"4711 0.1.0", LockHolder(4711, "0.1.0")),
        (b"4711", LockHolder(4711, "")),
        (b"9" * 5000, LockHolder()),
        (b'{"pid":4711,"host":"a","so', LockHolder()),
        (b'{"pid":"4711"}', LockHolder()),
        (b"[4711]", LockHolder()),
        (b"\xff\xfe", LockHolder()),
        (b"", LockHolder()),
    ],
)
def test_parsing_a_lock_file(text: bytes, expected: LockHolder) -> None:
    assert read_holder(text) == expected


@pytest.mark.parametrize(
    ("host", "boot", "elsewhere"),
    [
        ("ours", "ours", False),
        ("ours", "theirs", True),
        ("theirs", "ours", True),
        ("theirs", None, True),
        ("ours", None, False),
        (None, None, False),
    ],
)
def test_recognises_an_engine_on_another_computer(host: str | None, boot: str | None, elsewhere: bool) -> None:
    here = this_machine()
    found = LockHolder(
        4711,
        host=here.host if host == "ours" else host,
        boot=here.boot if boot == "ours" else boot,
    )
    assert found.elsewhere is elsewhere
    assert ("on the computer" in found.named) is elsewhere


@pytest.mark.parametrize("spawn", [True, False])
async def test_an_engine_on_another_computer_is_named_and_none_is_started_beside_it(
    made: Directories, spawn: bool
) -> None:
    def start(directories: Directories) -> None:
        raise AssertionError("a second engine was started")

    with locked(
        made.lock, to_json(LockHolder(4711, host="field-laptop", boot="another", socket=os.fspath(made.socket)))
    ):
        sentence = r"process 4711 on the computer field-laptop, which shares the folder .* Use tui-uploader there"
        with pytest.raises(EngineUnreachable, match=sentence):
            async with EngineClient.connect(made, spawn=spawn, start=start):
                pass


def test_a_lock_whose_file_was_removed_is_taken_anew_unless_another_process_was_faster(made: Directories) -> None:
    with sole_instance(made, "1.2.3") as lock:
        lock.announce(made.socket)
        made.lock.unlink()
        assert lock.retake()
        assert lock.intact
        assert engine_socket_path(made) == made.socket
        made.lock.unlink()
        with locked(made.lock, to_json(LockHolder(4711))):
            assert not lock.retake()
            assert lock_holder(made) == LockHolder(4711)


def test_a_file_system_without_locks_is_named(made: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)  # no such file system can be had in a test
    with pytest.raises(EngineWillNotStart, match=r"has no file locks .* XDG_DATA_HOME"), sole_instance(made, "1"):
        pass


def test_the_lock_of_another_user_leads_nowhere(made: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    with sole_instance(made, "1.2.3") as lock:
        lock.announce(made.data / "another.sock")
        another_user = os.getuid() + 1
        monkeypatch.setattr(os, "getuid", lambda: another_user)
        assert lock_holder(made) == LockHolder()
        assert engine_socket_path(made) == made.socket


def test_a_pipe_in_the_place_of_the_lock_holds_nobody_up(made: Directories) -> None:
    os.mkfifo(made.lock)
    assert lock_holder(made) is None
    assert engine_log_path(made) == made.log
