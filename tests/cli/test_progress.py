from __future__ import annotations

import asyncio
import contextlib
import os

import pytest
from msgspec.structs import replace

from tests.values import COMPLETE, ENGINE, UPLOAD, upload
from tui_uploader.cli.progress import LogView, block_lines, live_view
from tui_uploader.model.engine import Link, LinkState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts, Notice
from tui_uploader.text import without_ornament


class Log:
    """A LogView whose clock the test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines: list[str] = []
        self.view = LogView(self.lines.append, clock=lambda: self.now, wall=lambda: self.now)


def test_the_first_status_is_printed_and_an_equal_one_is_not() -> None:
    log = Log()
    log.view.show(ENGINE)
    log.view.show(ENGINE)
    assert log.lines == ["3: 70 % sent (700 B of 1.00 KB), 4 of 10 files in the project"]


def test_progress_is_printed_at_growing_intervals() -> None:
    log, told_at = Log(), []
    for second in range(200):
        log.now = 100.0 + second
        before = len(log.lines)
        log.view.show(ENGINE)
        if len(log.lines) > before:
            told_at.append(second)
    assert told_at == [0, 5, 15, 35, 75, 155]


def test_notices_are_printed_at_once_and_printable() -> None:
    log = Log()
    log.view.show(ENGINE)
    notice = Notice("SignInRefused", "The secret is wrong.\x1b[2J", needs_person=True)
    log.view.show(replace(ENGINE, uploads=(upload(notice=notice),)))
    log.view.show(replace(ENGINE, uploads=(upload(notice=notice, counts=Counts(failed=1)),)))
    log.view.show(replace(ENGINE, uploads=(COMPLETE,)))
    assert log.lines[2] == "3: The secret is wrong.\\x1b[2J"
    assert "1 failed" in log.lines[3]
    assert "100 %" in log.lines[-1]


@pytest.mark.parametrize("state", [UploadState.PAUSED, UploadState.CANCELLED])
def test_a_stopped_upload_shows_its_state(state: UploadState) -> None:
    log = Log()
    log.view.show(replace(ENGINE, uploads=(upload(state=state),)))
    assert log.lines == [f"3: 70 % sent (700 B of 1.00 KB), 4 of 10 files in the project, {state}"]


def test_a_dead_link_is_printed_once_and_its_return_too() -> None:
    log = Log()
    down = Link(LinkState.DOWN, next_try=105.0, reason="No route.")
    log.view.show(replace(ENGINE, link=down))
    log.view.show(replace(ENGINE, link=replace(down, next_try=130.0)))
    log.view.show(ENGINE)
    links = [line for line in log.lines if "line" in line.lower()]
    assert links == ["OFFLINE, next try in 5 s. No route.", "Online again."]


def test_the_terminal_block_fits_its_stream() -> None:
    block = block_lines(ENGINE, now=0.0)
    assert block[-1].strip("█░ ") == ""
    assert "Sent 700 B, stored 420 B" in "\n".join(block)
    assert all(without_ornament(line).isascii() for line in block)
    two = replace(ENGINE, uploads=(UPLOAD, upload(upload=4, state=UploadState.PAUSED)))
    assert not any("█" in line for line in block_lines(two, now=0.0))


def test_on_a_terminal_the_block_is_redrawn_and_erased() -> None:
    controller, terminal = os.openpty()
    with os.fdopen(terminal, "w", encoding="utf-8") as stream:

        async def show() -> None:
            async with live_view(stream) as view:
                view.show(ENGINE)
                await asyncio.sleep(0)
                view.show(replace(ENGINE, uploads=(COMPLETE,)))

        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("TERM", "xterm")
            environment.delenv("NO_COLOR", raising=False)
            asyncio.run(show())
    shown = _all_of(controller)
    assert "100 %" in shown
    assert shown.rstrip("\r\n").endswith("\x1b[2K")


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_colour_gets_lines(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    controller, terminal = os.openpty()
    with os.fdopen(terminal, "w", encoding="utf-8") as stream:
        monkeypatch.setenv(variable, value)

        async def kind() -> str:
            async with live_view(stream) as view:
                return type(view).__name__

        assert asyncio.run(kind()) == "LogView"
    os.close(controller)


def _all_of(controller: int) -> str:
    """What a terminal was sent, whose program has left it."""
    pieces = []
    with contextlib.suppress(OSError):  # so says Linux at the end
        while piece := os.read(controller, 65536):
            pieces.append(piece)
    os.close(controller)
    return b"".join(pieces).decode()


def test_a_start_of_processing_is_announced_once() -> None:
    log = Log()
    log.view.show(replace(ENGINE, uploads=(COMPLETE,)))
    starting = replace(ENGINE, uploads=(replace(COMPLETE, process_at=log.now + 10),))
    log.view.show(starting)
    log.view.show(starting)
    assert [line for line in log.lines if "Processing of Quarry starts at" in line] == log.lines[-1:]
