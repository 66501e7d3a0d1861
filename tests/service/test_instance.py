"""The lock and the socket: one engine per user, and sentences for what is in its way."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tui_uploader.errors import EngineUnreachable, EngineWillNotStart
from tui_uploader.service.instance import AlreadyRunning, Holder, door, holder, listening, make_private, sole_instance
from tui_uploader.settings import Directories


@pytest.fixture
def made(directories: Directories) -> Directories:
    make_private(directories)
    return directories


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_one_holds_the_lock(made: Directories) -> None:
    with sole_instance(made, "1.2.3"):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"), sole_instance(made, "1.2.3"):
            pass
        assert holder(made) == Holder(os.getpid(), "1.2.3")
    assert holder(made) is None


def test_a_lock_file_that_was_left_behind_locks_nothing(made: Directories) -> None:
    made.lock.write_text("4711 0.0.1\nand much more of it\n")
    assert holder(made) is None
    with sole_instance(made, "1.2.3"):
        assert made.lock.read_text() == f"{os.getpid()} 1.2.3\n"


@pytest.mark.parametrize("text", ["", "garbage", "\x1b[2J 1", "-1 x", "²"])
def test_a_damaged_lock_file_names_nobody(made: Directories, text: str) -> None:
    with sole_instance(made, "1.2.3"):
        made.lock.write_text(text)
        found = holder(made)
        assert found is not None
        assert found.pid is None
        assert found.named == "another process"


def test_the_lock_tells_when_its_file_was_replaced(made: Directories) -> None:
    with sole_instance(made, "1.2.3") as lock:
        seen = [lock.intact]
        made.lock.rename(made.lock.with_suffix(".old"))
        seen.append(lock.intact)
        made.lock.touch()
        seen.append(lock.intact)
    assert seen == [True, False, False]


def test_a_lock_that_cannot_be_made_is_a_sentence(made: Directories) -> None:
    made.lock.mkdir()
    refused = pytest.raises(EngineWillNotStart, match=r"engine\.lock is not to be had \(Is a directory\)")
    with refused, sole_instance(made, "1"):
        pass


def test_the_lock_follows_no_link(made: Directories) -> None:
    made.lock.symlink_to(made.state / "elsewhere")
    with pytest.raises(EngineWillNotStart), sole_instance(made, "1"):
        pass
    assert not (made.state / "elsewhere").exists()


def test_folders_are_private_even_where_they_were_not(directories: Directories) -> None:
    directories.state.mkdir(parents=True, mode=0o755)
    make_private(directories)
    assert [mode(folder) for folder in (directories.state, directories.data, directories.socket.parent)] == [0o700] * 3


def test_a_home_that_cannot_be_written_is_named(directories: Directories) -> None:
    directories.data.parent.parent.mkdir(exist_ok=True)
    directories.data.parent.write_text("a file where a folder should be")
    with pytest.raises(EngineWillNotStart, match=r"tui-uploader is not to be had \((Not a directory|File exists)\)"):
        make_private(directories)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_home_is_named(directories: Directories) -> None:
    home = Path(os.environ["HOME"])
    home.chmod(0o500)
    try:
        with pytest.raises(EngineWillNotStart, match="Permission denied"):
            make_private(directories)
    finally:
        home.chmod(0o700)


def test_folders_of_another_user_are_refused(directories: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    make_private(directories)
    somebody_else = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: somebody_else)
    with pytest.raises(EngineWillNotStart, match="belongs to another user"):
        make_private(directories)
    with pytest.raises(EngineUnreachable, match="cannot be trusted"):
        listening(directories.socket)


def test_a_folder_that_is_a_link_is_not_entered(made: Directories) -> None:
    link = made.state / "link"
    link.symlink_to(made.socket.parent)
    with pytest.raises(EngineUnreachable, match="cannot be trusted"):
        listening(link / "engine.sock")


def test_the_door_is_for_its_user_and_goes_with_its_holder(made: Directories) -> None:
    with door(made.socket) as bound:
        assert mode(made.socket) == 0o600
        assert not listening(made.socket)
        bound.listen()
        assert listening(made.socket)
    assert not made.socket.exists()


def test_a_stale_socket_is_replaced(made: Directories) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(made.socket))
    assert made.socket.is_socket()
    assert not listening(made.socket)
    with door(made.socket) as bound:
        bound.listen()
        assert listening(made.socket)


def test_what_is_no_socket_is_left_alone(made: Directories) -> None:
    made.socket.write_text("precious")
    with pytest.raises(EngineWillNotStart, match="is something else; move it away"), door(made.socket):
        pass
    assert made.socket.read_text() == "precious"
    assert not listening(made.socket)


def test_the_socket_of_a_successor_is_left_alone(made: Directories) -> None:
    with door(made.socket):
        made.socket.unlink()
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(os.fspath(made.socket))
    assert made.socket.is_socket()


def test_a_path_that_is_too_long_for_a_socket_is_said_to_be(made: Directories) -> None:
    deep = made.state / ("d" * 120)
    make_private(replace(made, socket=deep / "engine.sock"))
    with pytest.raises(EngineWillNotStart, match="path of its socket is too long"), door(deep / "engine.sock"):
        pass


def test_nobody_listens_where_there_is_nothing(directories: Directories) -> None:
    assert not listening(directories.socket)


@pytest.mark.skipif(sys.platform != "linux", reason="BSD refuses visitors whom a full queue cannot take")
def test_a_full_queue_of_visitors_is_somebody_who_does_not_answer(made: Directories) -> None:
    with door(made.socket) as bound:
        bound.listen(0)
        visitors = []
        try:
            for _ in range(3):
                visitor = socket.socket(socket.AF_UNIX)
                visitor.setblocking(False)
                visitors.append(visitor)
                visitor.connect_ex(os.fspath(made.socket))
            assert listening(made.socket)
        finally:
            for visitor in visitors:
                visitor.close()
