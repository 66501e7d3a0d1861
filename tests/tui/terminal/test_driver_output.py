"""The backlog of a terminal that does not read is bounded, and the app never waits for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.until import until
from tui_uploader.tui.terminal.output import BACKLOG_LIMIT, RoundTrip, TerminalWriter


class Output:
    """A writer, and the pipe that stands for its terminal. It takes 64 KiB before it is read."""

    def __init__(self) -> None:
        self.reader, self.end = os.pipe()
        self.drained = threading.Event()
        self.writer = TerminalWriter(self.end, self.drained.set)

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(self.reader, size - len(data))
        return data

    def fill(self) -> int:
        """Hand over more than the pipe takes, and return how much."""
        assert self.writer.write(b"x" * 100_000)
        return 100_000


@contextmanager
def opened() -> Iterator[Output]:
    output = Output()
    try:
        yield output
    finally:
        output.writer.abandon()
        os.close(output.reader)
        output.writer.close(5.0)
        os.close(output.end)


def test_what_is_written_arrives_in_order() -> None:
    with opened() as output:
        for number in range(100):
            assert output.writer.write(b"%03d" % number)
        assert output.read(300) == b"".join(b"%03d" % number for number in range(100))


async def test_a_waiting_writer_reports_once_it_is_drained() -> None:
    with opened() as output:
        assert output.writer.is_drained()
        size = output.fill()
        assert not output.writer.is_drained()
        assert not output.drained.is_set()
        output.read(size)
        await until(output.drained.is_set)
        assert output.writer.is_drained()
        assert output.writer.backlog == 0


async def test_draining_is_not_reported_unless_asked() -> None:
    with opened() as output:
        output.read(output.fill())
        await until(lambda: not output.writer.backlog)
        assert not output.drained.is_set()


async def test_beyond_the_limit_whole_writes_are_dropped_and_a_repaint_is_due() -> None:
    with opened() as output:
        size = output.fill()
        frame = b"f" * 100_000
        while output.writer.write(frame):
            size += len(frame)
        assert BACKLOG_LIMIT - len(frame) <= output.writer.backlog <= BACKLOG_LIMIT
        output.read(size)
        await until(output.drained.is_set)
        assert output.writer.needs_repaint(1e9)
        assert not output.writer.needs_repaint(1e9)
        assert output.writer.write(b"next")
        assert output.read(4) == b"next"


async def test_the_longest_wait_for_the_terminal_is_measured() -> None:
    with opened() as output:
        size = output.fill()
        await until(lambda: output.writer.slowest() > 0.05)
        output.read(size)
        await until(output.writer.is_drained)
        assert output.writer.slowest() > 0.05
        assert output.writer.slowest() == 0.0
        assert not output.writer.needs_repaint(60.0)
        output.fill()
        output.read(size)
        await until(output.writer.is_drained)
        assert output.writer.needs_repaint(1e-9)


async def test_the_final_codes_overtake_the_backlog() -> None:
    with opened() as output:
        output.fill()
        await until(lambda: output.writer.backlog < 50_000)
        output.writer.abandon()
        output.writer.write(b"bye")
        output.writer.end()
        assert not output.writer.write(b"too late")
        data = b""
        while not data.endswith(b"bye"):
            data += os.read(output.reader, 65536)
        assert len(data) < 80_000
        output.writer.close(5.0)
        assert output.writer.backlog == 0


def test_closing_gives_up_on_a_stalled_terminal() -> None:
    with opened() as output:
        output.fill()
        output.writer.close(0.05)
        assert output.writer.backlog > 0


async def test_writing_to_a_closed_terminal_raises_nothing() -> None:
    output = Output()
    os.close(output.reader)
    await until(lambda: not output.writer.write(b"x"))
    output.writer.close(5.0)
    os.close(output.end)


async def test_a_terminal_made_non_blocking_gets_everything() -> None:
    with opened() as output:
        os.set_blocking(output.end, False)
        size = output.fill()
        assert len(output.read(size)) == size


def test_one_question_at_a_time_every_few_seconds() -> None:
    trip = RoundTrip()
    assert trip.is_due(0.0)
    trip.asked(0.0)
    assert not trip.is_due(5.0)
    trip.answered(5.0)
    assert trip.is_due(5.0)
    trip.asked(5.0)
    trip.answered(5.1)
    assert not trip.is_due(6.9)
    assert trip.is_due(7.0)


def test_a_terminal_that_never_answered_is_not_asked_again() -> None:
    trip = RoundTrip()
    trip.asked(0.0)
    assert trip.lag(60.0) == 0.0
    assert not trip.is_due(60.0)
    assert not trip.is_due(1000.0)
    assert not trip.is_awaited


@pytest.mark.parametrize(
    ("took", "asked_at", "now", "by"),
    [
        (None, 10.0, 10.2, 11.0),  # it may be one that never answers
        (None, 10.0, 14.0, 11.0),
        (0.1, 10.0, 10.2, 11.2),
        (1.5, 10.0, 10.2, 13.2),
        (8.0, 10.0, 10.2, 15.2),
    ],
)
def test_the_wait_for_the_last_answer_follows_earlier_answers(
    took: float | None, asked_at: float, now: float, by: float
) -> None:
    trip = RoundTrip()
    if took is not None:
        trip.asked(1.0)
        trip.answered(1.0 + took)
    trip.asked(asked_at)
    assert trip.is_awaited
    assert trip.last_answer_by(now) == pytest.approx(by)


def test_a_lost_answer_is_asked_for_again() -> None:
    trip = RoundTrip()
    trip.asked(0.0)
    trip.answered(0.1)
    trip.asked(10.0)
    assert trip.is_awaited
    assert trip.is_due(30.0)


@pytest.mark.parametrize("way", [0.0, 0.6])
def test_the_lag_excludes_the_round_trip_time(way: float) -> None:
    trip = RoundTrip()
    trip.asked(0.0)
    trip.answered(way)
    assert trip.lag(1.0) == 0.0
    trip.asked(10.0)
    assert trip.lag(10.0 + way / 2) <= 0.0
    assert trip.lag(13.0 + way) == pytest.approx(3.0)
    trip.answered(14.0 + way)
    assert trip.lag(20.0) == pytest.approx(4.0)
    assert trip.lag(20.0) == 0.0


def test_an_unexpected_answer_is_ignored() -> None:
    trip = RoundTrip()
    trip.answered(1.0)
    assert trip.lag(2.0) == 0.0
    assert not trip.is_awaited
