"""The link watch over a made-up link; time is the event loop's own, in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.until import until
from tui_uploader.engine.link import LinkWatch
from tui_uploader.errors import CloudFault, LinkDown, UploaderError
from tui_uploader.model import LinkState


class MadeUpLink:
    def __init__(self, *answers: UploaderError | None) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.events: list[str] = []

    async def reachable(self) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer

    def has_been_asked(self, times: int) -> bool:
        return self.asked == times

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[LinkWatch]:
        watch = LinkWatch(
            self.reachable,
            lambda: self.events.append(watch.link.state),
            lambda: self.events.append("came up"),
            clock=lambda: 1000.0,
            random=lambda: 0.5,
        )
        try:
            yield watch
        finally:
            await watch.close()


async def test_a_single_broken_connection_is_no_dead_link() -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        watch.suspect(LinkDown("reset"))
        await until(lambda: watch.link.state is LinkState.UP)
    assert link.events == ["up"]


async def test_an_answer_that_nobody_likes_is_an_answer() -> None:
    link = MadeUpLink(CloudFault("502"))
    async with link.watch() as watch:
        watch.suspect(LinkDown("reset"))
        await until(lambda: watch.link.state is LinkState.UP)


async def test_a_dead_link_is_told_with_the_next_try_and_probed_until_it_is_up() -> None:
    link = MadeUpLink(LinkDown("no route"), LinkDown("no route"))
    async with link.watch() as watch:
        watch.suspect(LinkDown("no route"))
        watch.suspect(LinkDown("no route"))
        await until(lambda: watch.down)
        assert (watch.link.since, watch.link.next_try, watch.link.reason) == (1000.0, 1001.0, "no route")
        for probes in (2, 3):
            watch.try_now()
            await until(partial(link.has_been_asked, probes))
        await until(lambda: not watch.down)
    assert link.events == ["down", "down", "up", "came up"]


async def test_probing_ends_with_the_watch() -> None:
    link = MadeUpLink(*[LinkDown("no route")] * 100)
    async with link.watch() as watch:
        watch.suspect(LinkDown("no route"))
        await until(lambda: watch.down)
    assert link.asked == 1


@pytest.mark.parametrize(("failures", "state"), [(7, LinkState.UP), (8, LinkState.DOWN)])
async def test_a_store_out_of_reach_is_a_dead_link_though_the_service_answers(failures: int, state: LinkState) -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        for _ in range(failures):
            watch.suspect(LinkDown("the store does not answer"))
        await until(lambda: watch.link.state is not LinkState.UNKNOWN)
        assert (watch.link.state, link.asked) == (state, 1)


async def test_failures_between_which_something_gets_through_are_no_dead_link() -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        for probes in (1, 2, 3):
            for _ in range(7):
                watch.suspect(LinkDown("reset"))
            await until(partial(link.has_been_asked, probes))
            watch.seen_up()
        await until(lambda: watch.link.state is LinkState.UP)
    assert LinkState.DOWN not in link.events


async def test_a_store_out_of_reach_is_tried_again_after_longer_and_longer_waits() -> None:
    link = MadeUpLink()
    waits: list[float | None] = []

    async def fail_until_down(watch: LinkWatch) -> None:
        for _ in range(8):
            watch.suspect(CloudFault("500"))
        await until(lambda: watch.down)
        waits.append(watch.link.next_try)
        watch.try_now()
        await until(lambda: not watch.down)

    async with link.watch() as watch:
        for _ in range(4):
            await fail_until_down(watch)
        watch.seen_up()
        await fail_until_down(watch)
    assert waits == [1001.0, 1001.0, 1002.0, 1004.0, 1001.0]
    assert link.events.count("came up") == 5


async def test_after_a_store_was_out_of_reach_a_single_failure_is_no_dead_link_again() -> None:
    link = MadeUpLink()
    async with link.watch() as watch:
        for _ in range(8):
            watch.suspect(LinkDown("reset"))
        await until(lambda: watch.down)
        watch.try_now()
        await until(lambda: not watch.down)
        watch.suspect(LinkDown("reset"))
        await until(partial(link.has_been_asked, 2))
        await asyncio.sleep(0)  # the probe draws its conclusion
        assert not watch.down
