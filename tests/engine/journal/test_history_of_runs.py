"""What the history tells of an engine that was killed."""

from __future__ import annotations

from tests.engine.journal.harness import JournalHarness, content
from tui_uploader.engine.journal.tables import history
from tui_uploader.model.history import EventKind


async def runs(harness: JournalHarness, after: int = 0) -> list[tuple[EventKind, int, int, str]]:
    kept = await harness.journal.read(lambda c: history.events(c, after, 100))
    return [(event.kind, event.files, event.bytes, event.detail) for event in kept]


async def test_files_that_a_killed_engine_registered_are_told_by_the_next_one(harness: JournalHarness) -> None:
    await harness.write(lambda c: history.begin_run(c, 0.5))
    for letter in "abc":
        await harness.upload_file(f"/card/{letter}.jpg", content(letter))
    await harness.write(lambda c: c.execute("DELETE FROM temp.outcomes").rowcount)  # as if the process had ended
    seen = harness.journal.summary.history
    lost = await harness.journal.read(lambda c: history.untold(c, 9.0))
    await harness.write(lambda c: history.begin_run(c, 9.0, lost))
    assert await runs(harness, seen) == [
        (EventKind.UPLOADED, 3, 300, ""),
        (EventKind.ENGINE_STARTED, 0, 0, "interrupted"),
    ]
    assert await harness.journal.read(lambda c: history.untold(c, 19.0)) == (), "they are told once"


async def test_an_engine_that_stopped_left_nothing_untold(harness: JournalHarness) -> None:
    run = await harness.write(lambda c: history.begin_run(c, 0.5))
    await harness.upload_file("/card/a.jpg", content("a"))
    await harness.write(lambda c: history.end_run(c, run, 2.0))
    assert await harness.journal.read(lambda c: history.untold(c, 9.0)) == ()
    seen = harness.journal.summary.history
    await harness.write(lambda c: history.begin_run(c, 9.0))
    assert await runs(harness, seen) == [(EventKind.ENGINE_STARTED, 0, 0, "")]
