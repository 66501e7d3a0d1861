"""Threads for calls that may never return, such as name lookups and reads from a hung memory card."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_Job = tuple[Future[object], Callable[[], object]]


class DaemonThreads(ThreadPoolExecutor):
    """An executor with daemon threads: neither `shutdown` nor the interpreter waits for them.

    A `ThreadPoolExecutor`, because `loop.set_default_executor` accepts nothing else.
    """

    def __init__(self, most: int, name: str) -> None:
        super().__init__(most, name)
        self._most = most
        self._name = name
        self._guard = threading.Lock()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._unfinished = 0
        self._started = 0
        self._closed = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Raises RuntimeError after `shutdown`."""
        future: Future[R] = Future()
        with self._guard:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._unfinished += 1
            self._jobs.put((future, partial(fn, *args, **kwargs)))  # type: ignore[arg-type]  # Future is invariant
            if self._started < min(self._most, self._unfinished):
                self._started += 1
                threading.Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()
        return future

    def replace_stuck(self, stuck: Future[R]) -> None:
        """Allow one more thread while this call runs, which was cancelled and may never return."""
        self._grow(1)
        stuck.add_done_callback(lambda _: self._grow(-1))

    def _grow(self, by: int) -> None:
        with self._guard:
            self._most += by

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more calls. Running ones continue and are not waited for; `wait` is ignored."""
        with self._guard:
            self._closed = True
            if cancel_futures:
                self._cancel_waiting()
            for _ in range(self._started):
                self._jobs.put(None)

    def _cancel_waiting(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is not None:
                job[0].cancel()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            _run(*job)
            del job  # its result may be large, or hold a file open
            with self._guard:
                self._unfinished -= 1


def _run(future: Future[object], call: Callable[[], object]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 -- passed on to the future's caller
        future.set_exception(error)
    else:
        future.set_result(result)


async def in_own_thread(work: Callable[[], R]) -> R:
    """The result of `work`, run in a daemon thread of its own; a cancelled wait leaves the thread to finish alone.

    Raises the OSError or ValueError of `work`. Any other exception is a bug: `threading.excepthook` reports it, and the
    wait is cancelled.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[R] = loop.create_future()

    def settle(how: Callable[[], object]) -> None:
        if not answer.done():
            how()

    def run() -> None:
        how: Callable[[], object] = answer.cancel
        try:
            result = work()
            how = partial(answer.set_result, result)
        except (OSError, ValueError) as error:
            how = partial(answer.set_exception, error)
        finally:
            with suppress(RuntimeError):  # the program ended meanwhile
                loop.call_soon_threadsafe(settle, how)

    threading.Thread(target=run, name="own-thread", daemon=True).start()
    return await answer
