"""Worker threads: a call is never reported as ended while it runs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.until import until
from tui_uploader.local_cloud.threads import Threads


async def test_results_and_errors_are_returned() -> None:
    threads = Threads()
    assert await threads.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await threads.run(divmod, 7, 0)
    threads.close()


async def test_a_cancelled_caller_waits_for_its_thread() -> None:
    threads, begun, resume = Threads(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        resume.wait(20)

    caller = asyncio.create_task(threads.run(work))
    await until(begun.is_set)
    caller.cancel()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not caller.done()
    resume.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    threads.close()
