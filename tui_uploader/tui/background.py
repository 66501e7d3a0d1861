"""Work that may block for ever, such as looking into a folder of a network that went away, beside the screen.

A thread of a pool would keep the program from ending as long as the other side is silent; these are left behind.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


async def aside(work: Callable[[], Result]) -> Result:
    """What `work` returns, done in a thread of its own; a cancelled wait leaves the thread to itself.

    Raises OSError and ValueError as `work` does. Anything else that it raises is a fault of the program:
    `threading.excepthook` tells it, and the wait is cancelled.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Result] = loop.create_future()

    def settle(how: Callable[[], object]) -> None:
        if not answer.done():
            how()

    def run() -> None:
        how: Callable[[], object] = answer.cancel
        try:
            result = work()
            how = lambda: answer.set_result(result)  # noqa: E731 - one of three ways to settle, side by side
        except (OSError, ValueError) as error:
            failure = error
            how = lambda: answer.set_exception(failure)  # noqa: E731
        finally:
            with suppress(RuntimeError):  # the program ended meanwhile
                loop.call_soon_threadsafe(settle, how)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await answer
