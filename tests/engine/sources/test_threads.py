"""Files that do not answer delay only the files of their own file system."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

import pytest

from tests.until import until
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.intake.volumes import Volume


@dataclass(frozen=True)
class Item:
    path: str


class Cards:
    """Calls for files of card A return when they are let; those of card B at once."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.changes = 0

    def volume_of(self, path: str) -> Volume:
        return Volume(path[:2])

    def read(self, path: str) -> str:
        if path.startswith("/A"):
            assert self.answers.wait(20)
        return path.lower()

    def note(self) -> None:
        self.changes += 1


async def test_a_card_that_hangs_blocks_no_thread_of_another() -> None:
    cards = Cards()
    threads = SourceThreads(2, volume_of=cards.volume_of)
    hung = [asyncio.create_task(threads.run(f"/A/{number}", cards.read, f"/A/{number}")) for number in range(40)]
    for number in range(20):
        assert await threads.run(f"/B/{number}", cards.read, f"/B/{number}") == f"/b/{number}"
        assert await asyncio.to_thread(str, number) == str(number)
    assert not any(task.done() for task in hung)
    hung[30].cancel()
    cards.answers.set()
    found = await asyncio.gather(*hung, return_exceptions=True)
    assert found[:30] == [f"/a/{number}" for number in range(30)] and isinstance(found[30], asyncio.CancelledError)
    threads.close()


async def test_a_card_counts_as_hanging_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_uploader.engine.sources.threads.HANGS_AFTER", 0.1)
    cards = Cards()
    threads = SourceThreads(2, cards.note, cards.volume_of)
    opening = [asyncio.create_task(threads.run_briefly("/A/1", cards.read, "/A/1")) for _ in range(3)]
    reading = asyncio.create_task(threads.run("/B/1", cards.answers.wait, 20))
    await until(threads.hanging)
    assert threads.hanging() == [Volume("/A")] and cards.changes
    assert threads.hangs("/A/2") and not threads.hangs("/B/1"), "a long read is no sign"
    before = cards.changes
    cards.answers.set()
    await asyncio.gather(*opening, reading)
    assert not threads.hanging() and cards.changes > before
    threads.close()


async def test_a_card_that_has_not_answered_is_not_asked_again() -> None:
    cards = Cards()
    threads = SourceThreads(1, volume_of=cards.volume_of)
    items = [Item("/B/1"), Item("/A/1"), Item("/B/2"), Item("/A/2")]
    asked: list[str] = []

    def question(item: Item) -> str:
        asked.append(item.path)
        return cards.read(item.path)

    for _ in range(3):
        assert await threads.ask(question, items, 0.05) == ["/b/1", None, "/b/2", None]
    assert asked.count("/A/1") == 1 and "/A/2" not in asked
    cards.answers.set()
    await until(lambda: not any(pool.asked for pool in threads._pools.values()))
    assert await threads.ask(question, items, 20.0) == ["/b/1", "/a/1", "/b/2", "/a/2"]
    assert await threads.ask(question, [], 20.0) == []
    threads.close()


async def test_threads_of_cards_that_were_taken_out_end() -> None:
    threads = SourceThreads(2, volume_of=lambda path: Volume(path))
    for number in range(20):
        await threads.run(f"/{number}", str, number)
    assert len(threads._pools) == 1
    await until(lambda: sum(thread.name.startswith("sources-/") for thread in threading.enumerate()) <= 2)
    threads.close()
