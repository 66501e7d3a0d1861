"""A fair semaphore for transfers, whose size can change while it is held."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tui_uploader.engine.scheduling.fairness import next_upload, served_after


class StreamSlots:
    """Slots for concurrent transfers, handed out fairly between accounts and uploads.

    Reducing `limit` never interrupts a transfer. Each account is entitled to an equal share of the slots, which its
    uploads divide among them. It gets its share at once, beyond the limit if others hold more than theirs: a cloud that
    stalls keeps its slots for half a minute.
    """

    def __init__(
        self,
        limit: int,
        admits: Callable[[int], bool] = lambda bytes_in_use: True,
        account_of: Callable[[int], str] = lambda upload: "",
    ) -> None:
        """`admits` decides on each slot, given the bytes of all transfers that hold one.

        It is asked again when a slot is released and when the limit is set. `account_of`: the account of an upload.
        """
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
        """Whether a transfer waits because of the limit, so that another slot would be used."""
        return self._in_use >= self._limit and any(self._queues.values())

    @property
    def some_free(self) -> bool:
        """Whether slots are free and no transfer waits."""
        return self._in_use < self._limit and not any(self._queues.values())

    @asynccontextmanager
    async def slot(self, upload: int, size: int) -> AsyncIterator[Callable[[], None]]:
        """Hold a slot to send `size` bytes of `upload`, until the end or a call of the yielded function."""
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[upload].append((granted, size))
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
            await granted
            yield release
        finally:
            if granted.done() and not granted.cancelled():
                self._bytes_in_use -= size
                release()
            else:
                granted.cancel()
            self._hand_out()

    def _hand_out(self) -> None:
        while True:
            wanting = self._wanting()
            upload = next_upload(self._entitled(wanting), self._served)
            if upload is None or not self._admits(self._bytes_in_use):
                return
            granted, size = self._queues[upload].popleft()
            self._served = served_after(self._served, wanting, upload, size)
            self._in_use += 1
            self._in_use_by[self._account_of(upload)] += 1
            self._bytes_in_use += size
            granted.set_result(None)

    def _entitled(self, wanting: list[int]) -> list[int]:
        """Return the waiting uploads that are entitled to a slot now."""
        if self._in_use < self._limit:
            return wanting
        accounts = {self._account_of(upload) for upload in wanting} | {
            account for account, number in self._in_use_by.items() if number
        }
        part = max(1, self._limit // max(1, len(accounts)))
        return [upload for upload in wanting if len(accounts) > 1 and self._in_use_by[self._account_of(upload)] < part]

    def _wanting(self) -> list[int]:
        for upload, queue in list(self._queues.items()):
            while queue and queue[0][0].done():  # cancelled while waiting
                queue.popleft()
            if not queue:
                del self._queues[upload]
        return list(self._queues)
