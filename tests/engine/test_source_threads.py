"""Files that give no answer hold nobody up."""

from __future__ import annotations

import threading

from tests.until import until
from tui_uploader.engine.source_threads import SourceThreads


async def test_what_hangs_is_unknown_and_the_answers_before_it_are_kept() -> None:
    threads, go = SourceThreads(most=1), threading.Event()

    def question(number: int) -> int:
        if number == 3:
            assert go.wait(20)
        return number * 10

    assert await threads.ask(question, [1, 2], 20.0) == [10, 20]
    assert await threads.ask(question, [1, 2, 3, 4], 0.05) == [10, 20, None, None]
    assert await threads.ask(question, [1], 20.0) == [None], "the only thread hangs"
    go.set()
    await until(lambda: threads.free == 1)
    assert await threads.ask(question, [3], 20.0) == [30]
    assert await threads.ask(question, [], 20.0) == []
