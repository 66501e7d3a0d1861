"""The socket: private to its user, created again when removed, never trusted in an untrusted folder."""

from __future__ import annotations

import os
import socket
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_uploader.errors import EngineUnreachable, EngineWillNotStart
from tui_uploader.ownership import private
from tui_uploader.service.socket_file import bound_socket, listening
from tui_uploader.service.spawn import reachable
from tui_uploader.settings import Directories


@pytest.fixture
def made(directories: Directories) -> Directories:
    private(directories.socket.parent)
    return directories


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_that_is_a_link_is_not_trusted(made: Directories) -> None:
    link = made.data / "link"
    link.symlink_to(made.socket.parent)
    with pytest.raises(EngineUnreachable, match=r"Cannot trust .* it is a link or a file"):
        listening(link / "engine.sock")


@pytest.mark.parametrize("others_may", [0o710, 0o701, 0o722])
def test_a_folder_that_others_can_enter_is_not_trusted(made: Directories, others_may: int) -> None:
    with bound_socket(made.socket) as opened:
        opened.listener.listen()
        assert listening(made.socket)
        made.socket.parent.chmod(others_may)
        with pytest.raises(EngineUnreachable, match=r"Cannot trust .* Run `chmod 700"):
            listening(made.socket)


def test_a_folder_of_another_user_is_not_trusted(made: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    private(made.data / "theirs")
    (made.data / "link").symlink_to(made.data / "theirs")
    another_user = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: another_user)
    for folder in (made.socket.parent, made.data / "link"):
        with pytest.raises(EngineUnreachable, match=r" belongs to ") as refused:
            listening(folder / "engine.sock")
        assert "Move it away" not in str(refused.value), "the owner's engine may use it"


def test_another_users_engine_is_not_reported_as_missing(made: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when its socket is elsewhere, which only its lock file says."""
    made.socket.parent.rmdir()
    assert not reachable(made)
    another_user = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: another_user)
    with pytest.raises(EngineUnreachable, match=r" belongs to "):
        reachable(made)


def test_the_socket_is_private_and_removed_at_the_end(made: Directories) -> None:
    with bound_socket(made.socket) as opened:
        assert mode(made.socket) == 0o600
        assert not listening(made.socket)
        opened.listener.listen()
        assert listening(made.socket)
    assert not made.socket.exists()


def test_a_stale_socket_is_replaced(made: Directories) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(made.socket))
    assert made.socket.is_socket()
    assert not listening(made.socket)
    with bound_socket(made.socket) as opened:
        opened.listener.listen()
        assert listening(made.socket)


def test_another_file_is_left_alone(made: Directories) -> None:
    made.socket.write_text("content")
    with pytest.raises(EngineWillNotStart, match=r"is not a socket, .* Move it away"), bound_socket(made.socket):
        pass
    assert made.socket.read_text() == "content"
    assert not listening(made.socket)


def test_the_socket_of_a_successor_is_left_alone(made: Directories) -> None:
    with bound_socket(made.socket):
        made.socket.unlink()
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(os.fspath(made.socket))
    assert made.socket.is_socket()


def test_a_removed_socket_is_created_again_with_its_folder(made: Directories) -> None:
    with bound_socket(made.socket) as opened:
        made.socket.unlink()
        made.socket.parent.rmdir()
        seen = [opened.intact]
        opened.listener.close()
        opened.bind()
        opened.listener.listen()
        seen.append(opened.intact)
        assert seen == [False, True]
        assert listening(made.socket)
        assert (mode(made.socket), mode(made.socket.parent)) == (0o600, 0o700)


def too_long(directories: Directories) -> Path:
    return directories.data / ("d" * 120) / "engine.sock"


def a_link_as_folder(directories: Directories) -> Path:
    (directories.data / "link").symlink_to(private(directories.data / "elsewhere"))
    return directories.data / "link" / "engine.sock"


def a_file_as_folder(directories: Directories) -> Path:
    (directories.data / "file").touch()
    return directories.data / "file" / "engine.sock"


@pytest.mark.parametrize("unusable", [too_long, a_link_as_folder, a_file_as_folder])
def test_an_unusable_path_is_replaced_by_one_in_a_temporary_folder(
    made: Directories, unusable: Callable[[Directories], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(private(made.data / "tmp")))
    with bound_socket(unusable(made)) as opened:
        opened.listener.listen()
        assert opened.path.is_relative_to(made.data / "tmp")
        assert listening(opened.path)
        assert (mode(opened.path), mode(opened.path.parent)) == (0o600, 0o700)
    assert list((made.data / "tmp").iterdir()) == []


def test_no_usable_path_is_an_error(made: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(made.data / "nowhere"))
    with pytest.raises(EngineWillNotStart, match="path of its socket is too long"), bound_socket(too_long(made)):
        pass


def test_a_missing_socket_does_not_listen(directories: Directories) -> None:
    assert not listening(directories.socket)


@pytest.mark.skipif(sys.platform != "linux", reason="BSD refuses connections when the queue is full")
def test_a_full_queue_of_connections_counts_as_listening(made: Directories) -> None:
    with bound_socket(made.socket) as opened:
        opened.listener.listen(0)
        clients = []
        try:
            for _ in range(3):
                client = socket.socket(socket.AF_UNIX)
                client.setblocking(False)
                clients.append(client)
                client.connect_ex(os.fspath(made.socket))
            assert listening(made.socket)
        finally:
            for client in clients:
                client.close()
