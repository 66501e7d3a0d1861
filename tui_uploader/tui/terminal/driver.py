"""The line between the app and a terminal that may be far away.

What the driver of Textual lacks on slow and broken lines: keys survive being cut in pieces, a terminal that does not
read does not stop the app, a lost line ends it quietly, and the terminal is left as it was found.

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
from textual._xterm_parser import XTermParser
from textual.app import App, ScreenStackError
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui_uploader.tui.messages import HastyKey, UnbracketedPaste
from tui_uploader.tui.terminal import cell_diff
from tui_uploader.tui.terminal.bursts import Burst, Bursts, Unbracketed, judged
from tui_uploader.tui.terminal.event_barrier import when_processed
from tui_uploader.tui.terminal.input_stream import Escape, InputStream, Pasted, Piece, Sequence, Typed
from tui_uploader.tui.terminal.output import PING, PONG, RoundTrip, TerminalWriter
from tui_uploader.tui.terminal.resizing import ResizeDebounce

_READ_SIZE = 65536
_SETTLING_WAIT = 0.5
"""Seconds that an event keeps the ones behind it waiting, at most."""
# A terminal that was deaf for this long may be another one now.
_LONG_STALL = 5.0
_CLOSE_WAIT = 2.0


class UploaderDriver(LinuxDriver):
    """Textual's driver for terminals, made fit for slow lines."""

    ascii_only: ClassVar[bool] = False

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._waker = _WakingEvent()
        self.exit_event = self._waker
        self._writer: TerminalWriter | None = None
        self._round_trip = RoundTrip()
        self._frames = cell_diff.install(app, self._is_ready, ascii_only=self.ascii_only)
        self._leaving = False
        self._in_use = False
        """Else nothing is asked of the terminal, and no event waits for the one before it."""
        self._settled = threading.Event()
        self._resizing = ResizeDebounce(self._after_resize)
        """While it goes on nothing is painted."""
        self._announce_size: Callable[[], object] = lambda: None

    # For the app

    def repaint(self) -> None:
        """Send the whole screen anew."""
        self._frames.repaint()

    def send(self, data: bytes) -> None:
        """Write something that is no part of the picture: a bell, a notice, a text for the clipboard."""
        if self._writer is not None:
            self._writer.write(data)

    def lag(self) -> float:
        """Seconds that the screen was behind, at the worst since the last call: for `capabilities.next_slow_mode`."""
        slowest = self._writer.slowest() if self._writer is not None else 0.0
        return max(slowest, self._round_trip.lag(time.monotonic()))

    # Output

    def write(self, data: str) -> None:
        self.send(data.encode(errors="replace"))

    def flush(self) -> None:
        """The end of a frame: now and then, ask how far behind the terminal is."""
        now = time.monotonic()
        if (
            self._writer is not None
            and self.input_tty
            and self._in_use
            and self._round_trip.is_due(now)
            and self._writer.write(PING.encode())
        ):
            self._round_trip.asked(now)

    def _is_ready(self) -> bool:
        if self._resizing.pending:
            return False
        return self._writer is None or self._writer.is_drained()

    def _drained(self) -> None:
        """In the writing thread: the terminal has taken what it kept waiting."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits for the screen any more
            self._loop.call_soon_threadsafe(self._catch_up)

    def _catch_up(self) -> None:
        if self._writer is not None and self._writer.needs_repaint(_LONG_STALL):
            self._frames.forget()
        self._frames.flush()

    def _enable_mouse_support(self) -> None:
        """Buttons, drags and the wheel; no report of every movement, which would come up a thin line all the time."""
        if self._mouse:
            self.write("\x1b[?1000h\x1b[?1002h\x1b[?1006h")

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            self.write("\x1b[?1006l\x1b[?1002l\x1b[?1000l")

    def _query_in_band_window_resize(self) -> None:
        """Do not ask: it brings the mouse in pixels with it, whose reports go wrong after a resize."""

    # Begin and end

    def start_application_mode(self) -> None:
        if self._file is None:
            raise RuntimeError("there is no stderr to draw on")
        self._writer = TerminalWriter(self._file.fileno(), self._drained)
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._in_use = True  # from now on: what is asked last is answered last
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
        """Terminals move lines about when they are resized, even to the size that they had a moment ago."""
        if not self._in_use:
            return
        self._frames.forget()
        self._announce_size()
        if self._get_terminal_size() == self._frames.size:
            self._frames.flush()

    def disable_input(self) -> None:
        self._in_use = False
        self._settled.set()
        # An answer that came after the app has left would be typed into the shell.
        give_up = self._round_trip.last_answer_by(time.monotonic())
        while self._round_trip.is_awaited and self._key_thread_runs() and time.monotonic() < give_up:
            time.sleep(0.01)
        super().disable_input()

    def stop_application_mode(self) -> None:
        """Leave the terminal as it was found. Once is enough: what comes later is not written."""
        writer = self._writer
        if writer is None or writer.is_ended:
            return
        writer.abandon()
        self.write("\x1b[?2026l\x1b[m")  # a frame may have been cut off in the middle
        super().stop_application_mode()
        writer.end()

    def close(self) -> None:
        super().close()
        if self._writer is not None:
            self._writer.close(_CLOSE_WAIT)

    def _sigcont_application(self, *_: object) -> None:
        """Come back only from where one has gone: a hang-up brings a SIGCONT with it."""
        if self._must_signal_resume:
            super()._sigcont_application()

    def _leave(self, number: signal.Signals) -> None:
        """The line is lost, or somebody wants an end."""
        if self._leaving:
            return
        self._leaving = True
        self.stop_application_mode()
        self._app.exit(return_code=128 + number)

    # Input

    def run_input_thread(self) -> None:
        """Until the driver stops or the terminal is gone: read, and send the app what it means."""
        stream, bursts, reader = InputStream(), Bursts(), EventReader()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._waker, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                deadline = min((each for each in (stream.deadline, bursts.deadline) if each is not None), default=None)
                ready = selector.select(None if deadline is None else max(0.0, deadline - time.monotonic()))
                if any(key.fd == self.fileno for key, _ in ready):
                    if not (data := self._read()):
                        break
                    pieces = stream.feed(data, time.monotonic())
                else:
                    pieces = stream.tick(time.monotonic())
                bursts.add(self._without_pongs(pieces), time.monotonic())
                if arrived := bursts.take(time.monotonic()):
                    self._send_events(reader, judged(arrived, in_field=len(arrived) > 1 and _takes_text(self._app)))
        if not self.exit_event.is_set():
            with contextlib.suppress(RuntimeError):  # the loop is closed: the app has ended already
                self._loop.call_soon_threadsafe(self._leave, signal.SIGHUP)

    def _read(self) -> bytes:
        """Empty once the terminal is gone, which Linux says with EIO."""
        try:
            return os.read(self.fileno, _READ_SIZE)
        except OSError:
            return b""

    def _without_pongs(self, pieces: list[Piece]) -> Iterator[Piece]:
        for piece in pieces:
            if piece == _PONG:
                self._round_trip.answered(time.monotonic())
            else:
                yield piece

    def _send_events(self, reader: EventReader, burst: Burst) -> None:
        for piece in burst.pieces:
            for message in reader.read(piece, hasty=burst.hasty):
                self._settled.clear()
                self.process_message(message)
                self._await_effect()

    def _await_effect(self) -> None:
        """Let an event do what it does, the focus included, before the next one: lines deliver keys in bunches.

        What is not read meanwhile stays in the terminal's own buffer, which is bounded.
        """
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.send_message(events.Callback(callback=partial(when_processed, self._app, self._settled.set)))
            if self._in_use:
                self._settled.wait(_SETTLING_WAIT)

    def _key_thread_runs(self) -> bool:
        return self._key_thread is not None and self._key_thread.is_alive()


class AsciiDriver(UploaderDriver):
    """For terminals that show nothing but ASCII: whatever anything draws, only that is written."""

    ascii_only = True


def driver_class(ascii_only: bool) -> type[UploaderDriver]:
    """For `App(driver_class=…)`."""
    return AsciiDriver if ascii_only else UploaderDriver


def terminal_driver(app: App[Any]) -> UploaderDriver | None:
    """The line of a running app; None where it runs without such a terminal."""
    driver = app._driver
    return driver if isinstance(driver, UploaderDriver) else None


_PONG = Sequence(PONG)


class EventReader:
    """Textual's parser, which gets nothing but whole sequences and therefore never has to guess."""

    def __init__(self) -> None:
        self._parser = XTermParser()

    def read(self, piece: Piece | Unbracketed, *, hasty: bool = False) -> list[Message]:
        """The events of one piece of input, which came with others if it is `hasty`.

        A sequence that means nothing is no event.
        """
        found = self._read(piece)
        return list(map(_hasty, found)) if hasty else found

    def _read(self, piece: Piece | Unbracketed) -> list[Message]:
        match piece:
            case Escape():
                return [events.Key("escape", "\x1b")]
            case Pasted(text):
                return [events.Paste(text)]
            case Unbracketed(text):
                return [UnbracketedPaste(text)]
            case Typed(character):
                return list(self._parser.feed(character))
            case Sequence(text):
                return self._read_sequence(text)

    def _read_sequence(self, text: str) -> list[Message]:
        try:
            known = list(self._parser.feed(text))
            unknown = self._reissued()
        except (ValueError, OverflowError):  # numbers that it expects and does not find, as in `ESC [ : A`
            self._parser = XTermParser()  # the old one has ended with that
            return []
        # Alt+Backspace is that key's own character after ESC; anything else that is reissued is no key.
        return known if text[1] in "[O" else known + unknown

    def _reissued(self) -> list[Message]:
        """What the parser makes of a sequence that it does not know, when it stops waiting for more."""
        if self._parser._timeout_time is None:
            return []
        self._parser._timeout_time = 0.0
        return list(self._parser.tick())


def _hasty(message: Message) -> Message:
    return HastyKey(message.key, message.character) if isinstance(message, events.Key) else message


def _takes_text(app: App[Any]) -> bool:
    """Whether keys are letters where the focus is."""
    from textual.widgets import Input  # the first frame does without it

    try:
        return isinstance(app.focused, Input)
    except ScreenStackError:  # the app begins or ends
        return False


class _WakingEvent(threading.Event):
    """An event that a selector can wait for too, so that nobody has to look at it all the time."""

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
