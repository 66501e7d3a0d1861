"""The cost of pictures on a real terminal: bounded bytes once, none afterwards, and the memory is released."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.pty_session import PtySession, resident_bytes

_ONE_PICTURE, _ONE_MAP = 60_000, 6_000
"""Bytes at 80x24."""
_QUIET = 0.8
_MORE_MEMORY = 24 * 1024**2
"""Bytes; the image library and its tables stay loaded."""


@pytest.fixture
def home() -> Iterator[Path]:
    """Short, because a socket's path must be."""
    made = Path(tempfile.mkdtemp(prefix="tu-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def bytes_for(terminal: PtySession, keys: str, *texts: str) -> int:
    """Until all of `texts` are on the screen and nothing is written any more."""
    before = len(terminal.written)
    terminal.feed(keys)
    terminal.wait_for(lambda: all(text in terminal.text for text in texts))
    terminal.wait_quiet(_QUIET)
    return len(terminal.written) - before


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_a_picture_and_a_map_are_sent_once_and_forgotten(home: Path) -> None:
    places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    command = (sys.executable, "-m", "tui_uploader", "demo", "--images", "12")
    environment = {"HOME": str(home), "LC_ALL": "C.UTF-8", "TUI_UPLOADER_NO_KEYRING": "1", **places}
    with PtySession(command, environment=environment) as terminal:
        terminal.wait_for("1 failed file holds up processing")
        terminal.wait_quiet(_QUIET)
        before = resident_bytes(terminal.process.pid)
        assert 10_000 < bytes_for(terminal, "gv", "1 of 16", "DJI FC6310S", "to this terminal") < _ONE_PICTURE
        assert sum(terminal.cell(10, column).bg != "default" for column in range(80)) > 40, "it has colours"
        assert bytes_for(terminal, "j", "2 of 16", "to this terminal") < _ONE_PICTURE
        bytes_for(terminal, "q", "[2] Files")
        assert bytes_for(terminal, "m", "16 images", "▴ N", "12 uploaded") < _ONE_MAP
        bytes_for(terminal, "q", "[2] Files")
        assert resident_bytes(terminal.process.pid) - before < _MORE_MEMORY
        terminal.feed("q")
        assert terminal.exit_code() == 0
