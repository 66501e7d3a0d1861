"""Threads for whatever touches the user's files, a few for each mounted file system.

A memory card that hangs keeps every thread that asks it something, for minutes or for ever. So no thread that touches
one card serves another, or the network, and none of them keeps the process from ending.
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

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Answer = TypeVar("Answer")

_MOST = 8
HANGS_AFTER = 30.0
"""Seconds that a file system has to open a file: a disk that has to spin up takes ten."""
_SLOWEST = 1e6


def patience_with(size: int) -> float:
    """Seconds that a file system has to read so many bytes."""
    return HANGS_AFTER + size / _SLOWEST


class HasPath(Protocol):
    @property
    def path(self) -> str: ...


Item = TypeVar("Item", bound=HasPath)


@dataclass(eq=False, slots=True)
class _Pool:
    threads: DaemonThreads
    calls: int = 0
    hanging: set[object] = field(default_factory=set)
    """Calls that have taken longer than they may."""
    asked: bool = False
    """A question of before is still to be answered."""


class SourceThreads:
    """Belongs to one event loop."""

    def __init__(
        self,
        most: int = _MOST,
        changed: Callable[[], None] = lambda: None,
        volume_of: Callable[[str], Volume] | None = None,
    ) -> None:
        """`most`: threads for each file system. `changed` is called when one begins to hang, or answers again."""
        self._most = most
        self.changed = changed
        self.volume_of = volume_of or Volumes().of
        """Where an absolute path leads."""
        self._pools: dict[Volume, _Pool] = {}
        self._waited_for: set[Volume] = set()
        self._asking: set[asyncio.Task[None] | None] = set()

    async def run(
        self,
        path: str,
        work: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """The result of `work`, which touches nothing but the file at `path`. Cancelling leaves it behind."""
        return await self._in_pool(self.volume_of(path), lambda: work(*args, **kwargs))

    async def run_briefly(
        self,
        path: str,
        work: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """As `run`; when it takes longer than `HANGS_AFTER`, the file system counts as one that hangs."""
        return await self.run_within(HANGS_AFTER, path, work, *args, **kwargs)

    async def run_within(
        self,
        seconds: float,
        path: str,
        work: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """As `run_briefly`, with another limit."""
        return await self._in_pool(self.volume_of(path), lambda: work(*args, **kwargs), seconds)

    def leave(
        self, path: str, work: Callable[Arguments, object], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> None:
        """Do `work`, which touches nothing but the file at `path`, without waiting for its end or its failure."""
        try:
            _, begun = self._begin(self.volume_of(path), lambda: work(*args, **kwargs), HANGS_AFTER)
        except RuntimeError:  # closed: the process ends, and the system does what is left of it
            return
        begun.add_done_callback(lambda _: begun.cancelled() or begun.exception())

    async def ask(
        self, question: Callable[[Item], Answer], items: Sequence[Item], seconds: float
    ) -> list[Answer | None]:
        """Ask `question`, which must not raise, of every item; None for those that got no answer in `seconds`.

        Nothing is asked of a file system that has not answered a question of before.
        """
        answers: list[Answer | None] = [None] * len(items)
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
        return [volume for volume, pool in self._pools.items() if pool.hanging or volume in self._waited_for]

    def note_waited_for(self, paths: Iterable[str]) -> None:
        """Somebody else has waited long enough for these files; those that were noted before are not waited for now."""
        waited_for = {self.volume_of(path) for path in paths}
        if waited_for != self._waited_for:
            for volume in waited_for:
                self._pool(volume)
            self._waited_for = waited_for
            log.warning(
                "Disks that do not answer: %s", ", ".join(printable(each.point) for each in waited_for) or "none"
            )
            self.changed()

    def hangs(self, path: str) -> bool:
        """Whether the file system of the path does not answer."""
        hanging = self.hanging()
        return bool(hanging) and self.volume_of(path) in hanging

    def close(self) -> None:
        """Take no more work. Calls that hang are left behind."""
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

    async def _in_pool(self, volume: Volume, work: Callable[[], Result], limit: float | None = None) -> Result:
        call, running = self._begin(volume, work, limit)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            call.cancel()  # if it has not begun
            raise

    def _begin(
        self, volume: Volume, work: Callable[[], Result], limit: float | None
    ) -> tuple[Future[Result], asyncio.Future[Result]]:
        """The call, and what to await. Raises RuntimeError after `close`."""
        pool = self._pool(volume)
        began: list[float] = []

        def timed() -> Result:
            began.append(time.monotonic())
            return work()

        call = pool.threads.submit(timed)
        pool.calls += 1
        watch = None if limit is None else _Watch(lambda: began[0] if began else None, limit)
        if watch is not None:
            watch.start(lambda: self._note_hanging(volume, pool, call))
        running = asyncio.wrap_future(call)
        running.add_done_callback(lambda _: self._note_end(volume, pool, call, watch))
        return call, running

    def _note_hanging(self, volume: Volume, pool: _Pool, call: object) -> None:
        if not pool.hanging:
            log.warning("%s does not answer; nothing is read from it until it does.", printable(volume.point))
        pool.hanging.add(call)
        self.changed()

    def _note_end(self, volume: Volume, pool: _Pool, call: Future[Result], watch: _Watch | None) -> None:
        pool.calls -= 1
        if watch is None:
            return
        watch.stop()
        if call in pool.hanging:
            pool.hanging.discard(call)
            log.info("%s answers again.", printable(volume.point))
            self.changed()

    def _pool(self, volume: Volume) -> _Pool:
        pool = self._pools.get(volume)
        if pool is None:
            for other in [
                each for each, idle in self._pools.items() if not idle.calls and each not in self._waited_for
            ]:
                self._pools.pop(other).threads.shutdown()
            pool = self._pools[volume] = _Pool(DaemonThreads(self._most, f"sources-{volume.point}"))
        return pool


class _Watch:
    """Tells once when a call takes longer than it may. The time that it waits for a thread does not count."""

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
