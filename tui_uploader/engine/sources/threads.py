"""Threads for everything that touches the user's files, a few for each mounted file system.

A memory card that hangs blocks every thread that makes a system call on it, for minutes or for ever. So no thread that
touches one card serves another, or the network, and none of them keeps the process from exiting.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from tui_uploader.intake.volumes import Volume, Volumes
from tui_uploader.text import printable
from tui_uploader.threads import DaemonThreads

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_MAX_THREADS = 8
HANGS_AFTER = 30.0
"""Seconds that a file system has to open a file: a disk that has to spin up takes ten."""
_SLOWEST_READ = 1e6
"""Bytes a second."""


def read_seconds(size: int) -> float:
    """Seconds that a file system has to read so many bytes."""
    return HANGS_AFTER + size / _SLOWEST_READ


class HasPath(Protocol):
    @property
    def path(self) -> str: ...


Item = TypeVar("Item", bound=HasPath)


@dataclass(eq=False, slots=True)
class _Pool:
    threads: DaemonThreads
    calls: int = 0
    hanging: set[object] = field(default_factory=set)
    """Calls that have exceeded their time limit."""
    asked: bool = False
    """An earlier `ask` has not been answered yet."""


class SourceThreads:
    """Runs blocking calls on files. Belongs to one event loop."""

    def __init__(
        self,
        max_threads: int = _MAX_THREADS,
        changed: Callable[[], None] = lambda: None,
        volume_of: Callable[[str], Volume] | None = None,
    ) -> None:
        """`max_threads`: for each file system. `changed` is called when one begins to hang, or answers again."""
        self._max_threads = max_threads
        self.changed = changed
        self.volume_of = volume_of or Volumes().of
        """The file system of an absolute path."""
        self._pools: dict[Volume, _Pool] = {}
        self._blocked: set[Volume] = set()
        self._asking: set[asyncio.Task[None] | None] = set()

    async def run(self, path: str, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the result of `work`, which touches nothing but the file at `path`. Cancelling abandons the call."""
        return await self._in_pool(self.volume_of(path), lambda: work(*args, **kwargs))

    async def run_briefly(self, path: str, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """As `run`; if it takes longer than `HANGS_AFTER`, the file system counts as hanging."""
        return await self.run_within(HANGS_AFTER, path, work, *args, **kwargs)

    async def run_within(self, seconds: float, path: str, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """As `run_briefly`, with another limit."""
        return await self._in_pool(self.volume_of(path), lambda: work(*args, **kwargs), seconds)

    def leave(self, path: str, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Start `work`, which touches nothing but the file at `path`; neither its end nor its failure is awaited."""
        try:
            _, begun = self._begin(self.volume_of(path), lambda: work(*args, **kwargs), HANGS_AFTER)
        except RuntimeError:  # closed: the process is exiting, and the system cleans up
            return
        begun.add_done_callback(lambda _: begun.cancelled() or begun.exception())

    async def ask(self, question: Callable[[Item], R], items: Sequence[Item], seconds: float) -> list[R | None]:
        """Call `question`, which must not raise, for every item; None for those without an answer after `seconds`.

        A file system that has not answered an earlier `ask` is left out.
        """
        answers: list[R | None] = [None] * len(items)
        by_volume: dict[Volume, list[int]] = {}
        for number, item in enumerate(items):
            by_volume.setdefault(self.volume_of(item.path), []).append(number)
        stop = threading.Event()

        def ask_all(numbers: Sequence[int]) -> None:
            for number in numbers:
                if stop.is_set():
                    return
                answers[number] = question(items[number])

        asking = [
            asyncio.create_task(self._ask(volume, partial(ask_all, numbers)), name=f"ask-{volume.point}")
            for volume, numbers in by_volume.items()
            if not self._pool(volume).asked
        ]
        self._asking.update(asking)
        try:
            if asking:
                await asyncio.wait(asking, timeout=seconds)
        finally:
            stop.set()
        return list(answers)

    def hanging(self) -> list[Volume]:
        """File systems that do not answer."""
        return [volume for volume, pool in self._pools.items() if pool.hanging or volume in self._blocked]

    def note_blocked(self, paths: Iterable[str]) -> None:
        """Reads of these files, made by other threads, exceed their limit; those noted before no longer do."""
        blocked = {self.volume_of(path) for path in paths}
        if blocked != self._blocked:
            for volume in blocked:
                self._pool(volume)
            self._blocked = blocked
            log.warning("Disks that do not answer: %s", ", ".join(printable(each.point) for each in blocked) or "none")
            self.changed()

    def hangs(self, path: str) -> bool:
        """Whether the file system of the path does not answer."""
        hanging = self.hanging()
        return bool(hanging) and self.volume_of(path) in hanging

    def close(self) -> None:
        """Accept no more work. Calls that hang are abandoned."""
        for pool in self._pools.values():
            pool.threads.shutdown(cancel_futures=True)

    async def _ask(self, volume: Volume, ask_all: Callable[[], None]) -> None:
        pool = self._pool(volume)
        pool.asked = True
        try:
            await self._in_pool(volume, ask_all)
        finally:
            pool.asked = False
            self._asking.discard(asyncio.current_task())

    async def _in_pool(self, volume: Volume, work: Callable[[], R], limit: float | None = None) -> R:
        call, running = self._begin(volume, work, limit)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            call.cancel()  # takes effect unless it has begun
            raise

    def _begin(self, volume: Volume, work: Callable[[], R], limit: float | None) -> tuple[Future[R], asyncio.Future[R]]:
        """The call, and what to await. Raises RuntimeError after `close`."""
        pool = self._pool(volume)
        began: list[float] = []

        def timed() -> R:
            began.append(time.monotonic())
            return work()

        call = pool.threads.submit(timed)
        pool.calls += 1
        timer = None if limit is None else _CallTimer(lambda: began[0] if began else None, limit)
        if timer is not None:
            timer.start(lambda: self._note_hanging(volume, pool, call))
        running = asyncio.wrap_future(call)
        running.add_done_callback(lambda _: self._note_end(volume, pool, call, timer))
        return call, running

    def _note_hanging(self, volume: Volume, pool: _Pool, call: object) -> None:
        if not pool.hanging:
            log.warning("%s does not answer; nothing is read from it until it does.", printable(volume.point))
        pool.hanging.add(call)
        self.changed()

    def _note_end(self, volume: Volume, pool: _Pool, call: Future[R], timer: _CallTimer | None) -> None:
        pool.calls -= 1
        if timer is None:
            return
        timer.stop()
        if call in pool.hanging:
            pool.hanging.discard(call)
            log.info("%s answers again.", printable(volume.point))
            self.changed()

    def _pool(self, volume: Volume) -> _Pool:
        pool = self._pools.get(volume)
        if pool is None:
            for other in [each for each, idle in self._pools.items() if not idle.calls and each not in self._blocked]:
                self._pools.pop(other).threads.shutdown()
            pool = self._pools[volume] = _Pool(DaemonThreads(self._max_threads, f"sources-{volume.point}"))
        return pool


class _CallTimer:
    """Calls back once when a call exceeds its limit. The time that it waits for a thread does not count."""

    def __init__(self, began: Callable[[], float | None], limit: float) -> None:
        self._began = began
        self._limit = limit
        self._timer: asyncio.TimerHandle | None = None

    def start(self, too_long: Callable[[], None]) -> None:
        began = self._began()
        left = self._limit if began is None else began + self._limit - time.monotonic()
        if left <= 0:
            too_long()
        else:
            self._timer = asyncio.get_running_loop().call_later(left, self.start, too_long)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
