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
_open = os.open
def open_or_hang(path, *args, dir_fd=None, **more):
    whole = os.fsdecode(path if isinstance(path, (str, bytes)) else "")
    if dir_fd is not None:
        whole = os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), whole)
    if whole.startswith(os.environ["HUNG_CARD"]):
        threading.Event().wait()
    return _open(path, *args, dir_fd=dir_fd, **more)
os.open = open_or_hang
"""
"""Run by every interpreter at its start, in which no file of the card can be opened from then on."""


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


def test_the_engine_stops_while_files_of_a_card_are_being_opened(
    served: Callable[..., LocalCloud], card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    write_flight(card, 20)
    write_flight(other, 3)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(HANGS)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("HUNG_CARD", f"{card}/")
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
