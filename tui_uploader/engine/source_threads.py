"""Questions about many of the user's files, within a time limit.

A memory card that hangs keeps every thread that asks it something, for minutes or for ever. So these threads are few,
nothing else is done in them, and whoever asks goes on without an answer when the time is up.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_MOST = 4


class SourceThreads:
    """At most `most` threads. They are daemons: one that hangs does not keep the process from ending."""

    def __init__(self, most: int = _MOST) -> None:
        self.free = most
        """Threads that no question keeps."""

    async def ask(
        self, question: Callable[[Item], Answer], items: Sequence[Item], seconds: float
    ) -> list[Answer | None]:
        """Ask `question`, which must not raise, of every item in turn; None for those that got no answer in `seconds`.

        No item gets one while all threads are kept by questions of before.
        """
        answers: list[Answer | None] = [None] * len(items)
        if not items or self.free == 0:
            return answers
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        stop = threading.Event()

        def end() -> None:
            self.free += 1
            done.set()

        def ask_all() -> None:
            for number, item in enumerate(items):
                if stop.is_set():
                    break
                answers[number] = question(item)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(end)

        self.free -= 1
        threading.Thread(target=ask_all, name="sources", daemon=True).start()
        try:
            async with asyncio.timeout(seconds):
                await done.wait()
        except TimeoutError:
            pass
        finally:
            stop.set()
        return list(answers)
