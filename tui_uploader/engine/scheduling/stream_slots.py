"""A number of places for transfers that changes while they run, handed out fairly between uploads."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tui_uploader.engine.scheduling.fairness import next_upload, served_after


class StreamSlots:
    """`limit` may be changed at any time; transfers that run are never cut for it.

    Uploads to one account share its part of the places. An account gets its part at once, beyond the limit if need be,
    when others hold more than theirs: a cloud that stalls gives no place back for half a minute.
    """

    def __init__(
        self,
        limit: int,
        admits: Callable[[int], bool] = lambda bytes_in_use: True,
        account_of: Callable[[int], str] = lambda upload: "",
    ) -> None:
        """`admits` is asked before each place, with the bytes of all that are taken; it is asked again when one of them
        is given back, and when the limit is set. `account_of`: of an upload."""
        self._limit = limit
        self._admits = admits
        self._account_of = account_of
        self._in_use = 0
        self._in_use_by: Counter[str] = Counter()
        self._bytes_in_use = 0
        self._queues: dict[int, deque[tuple[asyncio.Future[None], int]]] = defaultdict(deque)
        self._served: dict[int, int] = {}

    @property
    def limit(self) -> int:
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit = limit
        self._hand_out()

    @property
    def all_in_use(self) -> bool:
        """Somebody waits: one more stream would have something to send."""
        return self._in_use >= self._limit and any(self._queues.values())

    @property
    def some_free(self) -> bool:
        """Fewer want to send than could."""
        return self._in_use < self._limit and not any(self._queues.values())

    @asynccontextmanager
    async def slot(self, upload: int, size: int) -> AsyncIterator[Callable[[], None]]:
        """Wait for a place to send `size` bytes of `upload`, and give it back at the end, or by calling what comes."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[upload].append((turn, size))
        self._hand_out()
        held = True
        account = self._account_of(upload)

        def release() -> None:
            nonlocal held
            if held:
                held = False
                self._in_use -= 1
                self._in_use_by[account] -= 1
                self._hand_out()

        try:
            await turn
            yield release
        finally:
            if turn.done() and not turn.cancelled():
                self._bytes_in_use -= size
                release()
            else:
                turn.cancel()
            self._hand_out()

    def _hand_out(self) -> None:
        while True:
            wanting = self._wanting()
            upload = next_upload(self._entitled(wanting), self._served)
            if upload is None or not self._admits(self._bytes_in_use):
                return
            turn, size = self._queues[upload].popleft()
            self._served = served_after(self._served, wanting, upload, size)
            self._in_use += 1
            self._in_use_by[self._account_of(upload)] += 1
            self._bytes_in_use += size
            turn.set_result(None)

    def _entitled(self, wanting: list[int]) -> list[int]:
        """Those of the uploads that may have a place now."""
        if self._in_use < self._limit:
            return wanting
        accounts = {self._account_of(upload) for upload in wanting} | {
            account for account, number in self._in_use_by.items() if number
        }
        part = max(1, self._limit // max(1, len(accounts)))
        return [upload for upload in wanting if len(accounts) > 1 and self._in_use_by[self._account_of(upload)] < part]

    def _wanting(self) -> list[int]:
        for upload, queue in list(self._queues.items()):
            while queue and queue[0][0].done():  # cancelled while it waited
                queue.popleft()
            if not queue:
                del self._queues[upload]
        return list(self._queues)
