"""The log is bounded and private, and receives the output of libraries."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tui_uploader.errors import EngineWillNotStart
from tui_uploader.service import logfile
from tui_uploader.service.logfile import logging_to


def test_is_private_and_bounded_and_accepts_any_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "LARGEST_FILE", 1000)
    log = tmp_path / "engine.log"
    with logging_to(log, foreground=True):
        for number in range(200):
            logging.getLogger("tui_uploader.test").info("file %d: \udcff.jpg", number)
    found = sorted(tmp_path.iterdir())
    assert [path.name for path in found] == ["engine.log", "engine.log.1", "engine.log.2"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert all(path.stat().st_size <= 1000 for path in found)
    assert "file 199: \\udcff.jpg" in log.read_text()


def test_an_old_log_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.touch()
    log.chmod(0o644)
    with logging_to(log, foreground=True):
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_libraries_log_warnings_only(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    with logging_to(log, foreground=True):
        logging.getLogger("httpx").info("HTTP Request: PUT https://store.example/?X-Amz-Signature=abc")
        logging.getLogger("httpx").warning("something is wrong")
    assert "Signature" not in log.read_text()
    assert "something is wrong" in log.read_text()


def test_logging_ends_with_the_engine(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    with logging_to(tmp_path / "engine.log", foreground=True):
        pass
    assert logging.getLogger().handlers == before


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineWillNotStart, match=r"cannot write its log .*engine\.log \(Is a directory\)"):
        (tmp_path / "engine.log").mkdir()
        with logging_to(tmp_path / "engine.log", foreground=True):
            pass


def test_in_the_background_output_follows_the_log_over_a_rotation(tmp_path: Path) -> None:
    program = f"""
import logging, os
from pathlib import Path
from tui_uploader.service import logfile
logfile.LARGEST_FILE = 300
with logfile.logging_to(Path({os.fspath(tmp_path)!r}) / "engine.log", foreground=False):
    os.write(2, b"before")
    for number in range(5):
        logging.getLogger("tui_uploader").info("x" * 100)
    os.write(1, b"after")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=30)
    assert ended.stdout == ended.stderr == b""
    assert "after" in (tmp_path / "engine.log").read_text()
    assert "before" not in (tmp_path / "engine.log").read_text()
