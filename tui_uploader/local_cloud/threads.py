"""Worker threads for everything that blocks: files, hashes, SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Threads:
    def __init__(self, most: int = 16) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="local-cloud")

    async def run(
        self, function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        """The result of a blocking call.

        When the caller is cancelled, the call is waited for all the same: nobody may close or delete what a thread
        still works on.
        """
        work = asyncio.get_running_loop().run_in_executor(self._pool, partial(function, *args, **kwargs))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            raise

    def close(self) -> None:
        self._pool.shutdown(wait=True)
