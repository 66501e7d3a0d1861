"""Calls on a card that may be taken out, or hang, while it is verified."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.engine.verification.card_walk import Root, is_there
from tui_uploader.errors import SourceUnreadable, SourceVanished
from tui_uploader.intake.volumes import Volume
from tui_uploader.text import printable

P = ParamSpec("P")
R = TypeVar("R")

SILENT_SECONDS = 60.0
"""How long a card may do nothing before the verification gives it up."""
_LOOK_SECONDS = 2.0


class CardThreads:
    """Threads for the cards of one run, apart from those that uploads and other verifications read with."""

    def __init__(self, threads: SourceThreads) -> None:
        self._threads = threads
        self._volumes: dict[Root, Volume] = {}

    def begin(self, root: Root) -> None:
        """Remember which card is at the path now."""
        self._volumes[root] = self._threads.volume_of(root.real)

    def check_same_cards(self, roots: Sequence[Root]) -> None:
        """Raises SourceVanished if another file system, or none, is mounted at one of the paths."""
        for root in roots:
            if self._threads.volume_of(root.real) != self._volumes[root]:
                raise gone(root)

    async def check_present(self, roots: Sequence[Root]) -> None:
        """Raises SourceVanished if one of the paths is gone, SourceUnreadable if it does not respond."""
        self.check_same_cards(roots)
        for root in roots:
            if not await self.call(root.path, is_there, root):
                raise gone(root)

    async def call(self, path: str, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The result of a short call on the path. Raises SourceUnreadable if it does not return."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                return await self._threads.run_briefly(path, work, *args, **kwargs)
        except TimeoutError:
            raise silent(path) from None

    async def call_watched(self, path: str, moved: Callable[[], object], work: Callable[[], R]) -> R:
        """The result of a long call. Raises SourceUnreadable once the value of `moved` has stayed the same for long."""
        running = asyncio.ensure_future(self._threads.run(path, work))
        loop = asyncio.get_running_loop()
        last, since = moved(), loop.time()
        try:
            while True:
                done, _ = await asyncio.wait({running}, timeout=_LOOK_SECONDS)
                if done:
                    return running.result()
                if (now := moved()) != last:
                    last, since = now, loop.time()
                elif loop.time() - since > SILENT_SECONDS:
                    raise silent(path)
        finally:
            running.cancel()


def gone(root: Root) -> SourceVanished:
    return SourceVanished(
        f"{printable(root.path)} was taken out, or another card was put in its place, during the verification. Put the "
        "card back in, and verify it again."
    )


def silent(path: str) -> SourceUnreadable:
    return SourceUnreadable(
        f"{printable(path)} does not respond: its card, disk or network folder hangs. Take the card out, put it back "
        "in, and verify it again."
    )
