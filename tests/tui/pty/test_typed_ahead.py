"""Keys that a slow line delivers all at once: what they did is judged by the state of the engine."""

from __future__ import annotations

from tests.photos import of_yesterday
from tests.tui.real_terminal import PATIENCE, field

_SLOW = 2.0
"""Seconds after which the terminal answers."""


def test_keys_that_arrive_at_once_do_what_they_were_meant_for() -> None:
    with field() as slow:
        card = slow.card("alpha", 12)
        for number in range(1, 6):
            photo = slow.home / "alpha" / f"alpha_{number:03}.JPG"
            photo.write_bytes(card[photo.name][:700])
            of_yesterday(photo)
        alpha = slow.queue("alpha", "--no-process")
        with slow.app(delay=_SLOW) as terminal:
            terminal.wait_for(lambda: slow.counts(alpha).get("failed") == 5, PATIENCE)
            terminal.wait_for("✗5")
            terminal.feed("f")
            terminal.wait_for("5 of 12")
            terminal.feed("Ax")
            terminal.wait_for("5 files removed from the queue", PATIENCE)
            terminal.wait_for(lambda: slow.is_complete(alpha), PATIENCE)
            assert slow.counts(alpha) == {"uploaded": 7, "uploading": 0, "waiting": 0, "duplicate": 0, "failed": 0}
            terminal.feed("U")
            terminal.wait_for(lambda: slow.counts(alpha).get("failed") == 5, PATIENCE)


def test_two_hundred_keys_on_a_slow_line_end_with_one_dismissal() -> None:
    names = ("beta", "gamma", "delta")
    with field() as slow:
        uploads = {}
        for name in names:
            slow.card(name, 2)
            uploads[name] = slow.queue(name, "--no-process", "--wait")
        with slow.app(delay=_SLOW) as terminal:
            terminal.wait_for("[3] Uploads: 0 active, 3 finished")
            terminal.feed("3")
            terminal.wait_for(lambda: all(name in terminal.text.partition("[3] Uploads")[2] for name in names))
            listed = terminal.text.partition("[3] Uploads")[2]
            last = max(names, key=listed.index)
            terminal.feed("jk" * 49 + "j" * 101 + "d")
            terminal.wait_for(lambda: not slow.upload(uploads[last]), PATIENCE)
            terminal.wait_for("[3] Uploads: 0 active, 2 finished")
            assert all(slow.is_complete(upload) for name, upload in uploads.items() if name != last)
