"""Connects the app to a terminal that may be far away.

Makes up for the weaknesses of Textual's driver on slow and broken connections: keys survive being split, a terminal
that does not read does not stop the app, a lost connection ends it cleanly, and the terminal is restored.

    App(driver_class=driver_class(terminal.ascii_only))              # installs cell_diff too
    driver = terminal_driver(app)                                    # None without such a terminal, as in most tests
    driver.repaint()                                                 # Ctrl+L
    driver.send(capabilities.clipboard_copy(url, terminal))          # clipboard, bell, notices
    mode = capabilities.next_slow_mode(mode, driver.lag(), monotonic())

After SIGHUP, SIGTERM or the loss of the terminal the app exits with 128 + the signal as `return_code`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any, ClassVar

from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tui_uploader.tui.terminal import cell_diff
from tui_uploader.tui.terminal.bursts import Burst, Bursts, judged
from tui_uploader.tui.terminal.input_events import EventReader, takes_text, when_processed
from tui_uploader.tui.terminal.input_stream import InputStream, Pasted, Piece, Sequence
from tui_uploader.tui.terminal.output import PING, PONG, RoundTrip, TerminalWriter
from tui_uploader.tui.terminal.resizing import ResizeDebounce

_READ_SIZE = 65536
_PONG = Sequence(PONG)
# DECRQM for bracketed paste, and what a terminal answers that knows it (xterm control sequences).
_BRACKETS_QUERY = "\x1b[?2004$p"
_BRACKETS_KNOWN = frozenset(Sequence(f"\x1b[?2004;{setting}$y") for setting in (1, 2, 3))
_AT_ONCE = 0.001
"""Seconds after which the input was not there yet when it was looked for."""
_EFFECT_WAIT, _ASK_AGAIN = 2.0, 0.25
"""Longest time, in seconds, that an event delays the next one, and after which it is asked once more."""
# After a stall this long, another terminal may be attached.
_LONG_STALL = 5.0
_CLOSE_WAIT = 2.0


class UploaderDriver(LinuxDriver):
    """Textual's driver for terminals, adapted to slow connections."""

    ascii_only: ClassVar[bool] = False

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._waker = _WakingEvent()
        self.exit_event = self._waker
        self._writer: TerminalWriter | None = None
        self.round_trip = RoundTrip()
        self._frames = cell_diff.install(app, self._is_ready, ascii_only=self.ascii_only)
        self._asks_brackets = os.environ.get("TERM") != "linux"  # which prints what it does not know
        self._brackets = False
        """The terminal is known to put brackets around pastes."""
        self.at_end: Callable[[], bytes] = bytes
        """Codes that are written when the terminal is restored, however the app ends."""
        self._leaving = False
        self._in_use = False
        """Otherwise the terminal is asked nothing, and no event waits for the one before it."""
        self._processed = threading.Event()
        self._resizing = ResizeDebounce(self._after_resize)
        """While it is pending nothing is painted."""
        self._announce_size: Callable[[], object] = lambda: None

    # For the app

    def repaint(self) -> None:
        """Send the whole screen again."""
        self._frames.repaint()

    def send(self, data: bytes) -> None:
        """Write codes outside the picture: a bell, a notice, a text for the clipboard."""
        if self._writer is not None:
            self._writer.write(data)

    def lag(self) -> float:
        """The longest time, in seconds, that the screen was behind since the last call, for `next_slow_mode`."""
        slowest = self._writer.slowest() if self._writer is not None else 0.0
        return max(slowest, self.round_trip.lag(time.monotonic()))

    # Output

    def write(self, data: str) -> None:
        self.send(data.encode(errors="replace"))

    def flush(self) -> None:
        """End a frame; every few seconds, ask how far behind the terminal is."""
        now = time.monotonic()
        if (
            self._writer is not None
            and self.input_tty
            and self._in_use
            and self.round_trip.is_due(now)
            and self._writer.write(((_BRACKETS_QUERY if self._asks_brackets else "") + PING).encode())
        ):
            self._asks_brackets = False
            self.round_trip.asked(now)

    def _is_ready(self) -> bool:
        if self._resizing.pending:
            return False
        return self._writer is None or self._writer.is_drained()

    def _drained(self) -> None:
        """In the writing thread: the terminal has taken the backlog."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the app has ended
            self._loop.call_soon_threadsafe(self._catch_up)

    def _catch_up(self) -> None:
        if self._writer is not None and self._writer.needs_repaint(_LONG_STALL):
            self._frames.forget()
        self._frames.flush()

    def _enable_mouse_support(self) -> None:
        """Buttons, drags and the wheel; reports of every movement would fill a slow connection."""
        if self._mouse:
            self.write("\x1b[?1000h\x1b[?1002h\x1b[?1006h")

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write("\x1b[?1006l\x1b[?1002l\x1b[?1000l")

    def _query_in_band_window_resize(self) -> None:
        """Do not ask: the answer switches on pixel mouse reports, which are wrong after a resize."""

    # Begin and end

    def start_application_mode(self) -> None:
        if self._file is None:
            raise RuntimeError("stderr is closed: there is no terminal to draw on")
        self._writer = TerminalWriter(self._file.fileno(), self._drained)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._in_use = True  # from now on: the last question gets the last answer
        for number in (signal.SIGHUP, signal.SIGTERM):
            self._loop.add_signal_handler(number, self._leave, number)
        announce = signal.getsignal(signal.SIGWINCH)
        if callable(announce):
            self._announce_size = partial(announce, signal.SIGWINCH, None)

        def on_resize(_number: int, _frame: FrameType | None) -> None:
            self._loop.call_soon_threadsafe(self._resizing.resized)

        signal.signal(signal.SIGWINCH, on_resize)
        self.repaint()

    def _after_resize(self) -> None:
        """Terminals rearrange their lines when they are resized, even back to the size before."""
        if not self._in_use:
            return
        self._frames.forget()
        self._announce_size()
        if self._get_terminal_size() == self._frames.size:
            self._frames.flush()

    def disable_input(self) -> None:
        self._in_use = False
        self._processed.set()
        # An answer that arrives after the app has ended would be typed into the shell.
        give_up = self.round_trip.last_answer_by(time.monotonic())
        while self.round_trip.is_awaited and self._key_thread_runs() and time.monotonic() < give_up:
            time.sleep(0.01)
        super().disable_input()

    def stop_application_mode(self) -> None:
        """Restore the terminal. Only the first call does anything: nothing is written after it."""
        writer = self._writer
        if writer is None or writer.is_ended:
            return
        writer.abandon()
        self.write("\x1b[?2026l\x1b[m")  # a frame may have been cut off
        self.send(self.at_end())
        super().stop_application_mode()
        writer.end()

    def close(self) -> None:
        super().close()
        if self._writer is not None:
            self._writer.close(_CLOSE_WAIT)

    def _sigcont_application(self, *_: object) -> None:
        """Resume only after a suspension: a hang-up sends a SIGCONT too."""
        if self._must_signal_resume:
            super()._sigcont_application()

    def _leave(self, number: signal.Signals) -> None:
        """End the app: the connection is lost, or another process asked for the end."""
        if self._leaving:
            return
        self._leaving = True
        self.stop_application_mode()
        self._app.exit(return_code=128 + number)

    # Input

    def run_input_thread(self) -> None:
        """Read input and send its events to the app, until the driver stops or the terminal is gone."""
        stream, bursts, reader = InputStream(), Bursts(), EventReader()
        read_at = time.monotonic()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._waker, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                began = time.monotonic()
                deadline = min((each for each in (stream.deadline, bursts.deadline) if each is not None), default=None)
                ready = selector.select(None if deadline is None else max(0.0, deadline - time.monotonic()))
                if any(key.fd == self.fileno for key, _ in ready):
                    if not (data := self._read()):
                        break
                    now = time.monotonic()
                    # What was there at once arrived at any time since the last read.
                    unread = now - read_at if now - began < _AT_ONCE else 0.0
                    pieces, read_at = stream.feed(data, now), now
                else:
                    pieces, unread = stream.tick(time.monotonic()), 0.0
                bursts.add(self._without_answers(pieces), time.monotonic(), unread)
                if arrived := bursts.take(time.monotonic()):
                    in_field = len(arrived) > 1 and takes_text(self._app)
                    seconds = bursts.seconds
                    burst = judged(arrived, in_field=in_field, brackets=self._brackets, seconds=seconds)
                    self._send_events(reader, burst)
        if not self.exit_event.is_set():
            with contextlib.suppress(RuntimeError):  # the loop is closed: the app has ended already
                self._loop.call_soon_threadsafe(self._leave, signal.SIGHUP)

    def _read(self) -> bytes:
        """Input bytes; empty once the terminal is gone (EIO on Linux)."""
        try:
            return os.read(self.fileno, _READ_SIZE)
        except OSError:
            return b""

    def _without_answers(self, pieces: list[Piece]) -> Iterator[Piece]:
        for piece in pieces:
            if piece == _PONG:
                self.round_trip.answered(time.monotonic())
                continue
            self._brackets = self._brackets or piece in _BRACKETS_KNOWN or isinstance(piece, Pasted)
            if piece not in _BRACKETS_KNOWN:
                yield piece

    def _send_events(self, reader: EventReader, burst: Burst) -> None:
        for piece in burst.pieces:
            for message in reader.read(piece, hasty=burst.hasty):
                self.process_message(message)
                self._await_effect()

    def _await_effect(self) -> None:
        """Wait until an event has had its effect, such as a new focus: slow connections deliver several keys at once.

        Input that is not read meanwhile stays in the terminal's own buffer, which is bounded.
        """
        processed = self._processed = threading.Event()  # of this event: a late answer to the last one counts nothing
        give_up = time.monotonic() + _EFFECT_WAIT
        with contextlib.suppress(RuntimeError):  # the loop is closed
            while True:
                self.send_message(events.Callback(callback=partial(when_processed, self._app, processed.set)))
                # It is lost if the event removes what has the focus: then the next one arrives.
                if not self._in_use or processed.wait(_ASK_AGAIN) or time.monotonic() >= give_up:
                    return

    def _key_thread_runs(self) -> bool:
        return self._key_thread is not None and self._key_thread.is_alive()


class AsciiDriver(UploaderDriver):
    """For terminals that show ASCII only: whatever is drawn, only ASCII is written."""

    ascii_only = True


def driver_class(ascii_only: bool) -> type[UploaderDriver]:
    """For `App(driver_class=…)`."""
    return AsciiDriver if ascii_only else UploaderDriver


def terminal_driver(app: App[Any]) -> UploaderDriver | None:
    """The driver of a running app; None where it runs without such a terminal."""
    driver = app._driver
    return driver if isinstance(driver, UploaderDriver) else None


class _WakingEvent(threading.Event):
    """An event that a selector can wait for, which saves polling."""

    def __init__(self) -> None:
        super().__init__()
        self._reader, self._writer = os.pipe()

    def fileno(self) -> int:
        return self._reader

    def set(self) -> None:
        super().set()
        os.write(self._writer, b"!")

    def clear(self) -> None:
        if self.is_set():
            os.read(self._reader, 64)
        super().clear()
