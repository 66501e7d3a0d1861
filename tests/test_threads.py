"""Work in a daemon thread of its own: its result, its errors, and a wait that is given up."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.until import until
from tui_uploader.threads import in_own_thread


async def test_the_result_comes_from_a_daemon_thread() -> None:
    thread = await in_own_thread(threading.current_thread)
    assert thread is not threading.current_thread() and thread.daemon


async def test_errors_of_files_and_values_are_raised(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await in_own_thread((tmp_path / "missing").read_bytes)
    with pytest.raises(ValueError, match="invalid literal"):
        await in_own_thread(lambda: int("one"))


async def test_a_fault_is_reported_and_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda fault: reported.append(fault.exc_type))
    with pytest.raises(asyncio.CancelledError):
        await in_own_thread(lambda: dict[str, int]()["missing"])
    await until(lambda: reported == [KeyError])


async def test_a_cancelled_wait_leaves_the_thread_to_finish_alone() -> None:
    begin, finished = threading.Event(), threading.Event()

    def work() -> None:
        begin.wait(20)
        finished.set()

    waiting = asyncio.create_task(in_own_thread(work))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    begin.set()
    await until(finished.is_set)
