"""A memory card that hangs, with the real program: other uploads get through, and the engine can be stopped."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.world import LocalCloud, command, engine_pid
from tests.photos import write_flight

HANGS = """
import os, threading
def hanging(call):
    def call_or_hang(path, *args, dir_fd=None, **more):
        whole = os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        if dir_fd is not None:
            whole = os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), whole)
            more["dir_fd"] = dir_fd
        if whole.startswith(os.environ["HUNG_CARD"]):
            threading.Event().wait()
        return call(path, *args, **more)
    return call_or_hang
for name in os.environ["HUNG_CALLS"].split():
    setattr(os, name, hanging(getattr(os, name)))
"""
"""Run by every interpreter at its start: from then on these calls hang for every path that begins like the card's."""


SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def card() -> Iterator[Path]:
    """In a file system of its own."""
    if not os.path.ismount(SHARED_MEMORY) or not os.access(SHARED_MEMORY, os.W_OK):
        pytest.skip("there is no second file system here that everybody may write to")
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        yield Path(folder) / "card"


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Let calls of `os` hang in all processes that are started from then on."""

    def hang(begin: str, calls: str) -> None:
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "sitecustomize.py").write_text(HANGS)
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        monkeypatch.setenv("HUNG_CARD", begin)
        monkeypatch.setenv("HUNG_CALLS", calls)

    return hang


def test_a_command_that_names_a_path_of_a_card_that_hangs_ends(
    served: Callable[..., LocalCloud], card: Path, hang: Callable[[str, str], None]
) -> None:
    """The engine waits for the card; the command does not touch it."""
    write_flight(card, 2)
    served()
    hang(str(card), "stat lstat access scandir open")
    added = command("upload", f"{card}/DCIM", "--new", "Card", "--json")
    assert added.code == 0, added.err
    assert (added.json["state"], sum(added.json["counts"].values())) == ("preparing", 0)
    unknown = command("upload", f"{card}/DCIM/../101MEDIA", "--new", "Other")
    assert unknown.code != 0 and "Nothing was queued" in unknown.err
    assert len(command("status", "--json").json["uploads"]) == 1
    assert command("engine", "stop").code == 0


def test_the_engine_stops_while_files_of_a_card_are_being_opened(
    served: Callable[..., LocalCloud], card: Path, tmp_path: Path, hang: Callable[[str, str], None]
) -> None:
    other = tmp_path / "other"
    write_flight(card, 20)
    write_flight(other, 3)
    hang(f"{card}/", "open")
    cloud = served()
    added = command("upload", str(card), "--new", "Card", "--json")
    assert added.code == 0, added.err
    done = command("upload", str(other), "--new", "Other", "--no-process", "--wait", "--json")
    assert (done.code, cloud.stored()) == (0, 3), done.err
    pid = engine_pid()
    stopped = command("engine", "stop")
    assert stopped.code == 0, stopped.err
    deadline = time.monotonic() + 30
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(pid)
