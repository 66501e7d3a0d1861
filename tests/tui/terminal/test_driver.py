"""The driver on a real terminal: split keys, lost connections, terminals that do not read."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.tui.pty_session import PtySession, resident_bytes

_LEFT = (
    b"\x1b[?2004l",
    b"\x1b[?1000l",
    b"\x1b[?1002l",
    b"\x1b[?1006l",
    b"\x1b[<u",
    b"\x1b[?1049l",
    b"\x1b[?25h",
    b"\x1b[?7h",
)

_UNREAD_SECONDS = 10.0


@contextmanager
def echo_app(
    *options: str, columns: int = 80, rows: int = 24, environment: Mapping[str, str] | None = None
) -> Iterator[PtySession]:
    command = (sys.executable, "-m", "tests.tui.terminal.driver_app", *options)
    environment = {"LANG": "C.UTF-8", "LC_ALL": "", "NO_COLOR": "", "TMUX": "", **(environment or {})}
    with PtySession(command, columns=columns, rows=rows, environment=environment) as session:
        session.wait_for("ready")
        session.wait_for(lambda: b"\x1b[5n" in session.written)
        yield session


def assert_left_clean(session: PtySession) -> None:
    last_letter = max(match.end() for match in re.finditer(rb"[a-z]{3}", session.written))
    restored = bytes(session.written[last_letter:])
    assert [code for code in _LEFT if code not in restored] == []
    assert session.is_cooked()


def received(session: PtySession) -> list[str]:
    return [line for line in session.text.splitlines() if line.startswith(("key:", "mouse:", "paste:"))]


def test_split_input_is_read_like_whole_input() -> None:
    """Each piece is read separately: the next follows once the app has shown what is complete."""
    pieces = [
        (b"\x1b[<0;5", ""),
        (b";6M", "mouse:4,5"),
        (b"\x1b[", ""),
        (b"B", "key:down"),
        (b"\x1b[M \xb6", ""),
        (b"%", "mouse:149,4"),
        (b"\xc3", ""),
        (b"\xa9", "key:é"),
        (b"\x1b[200~ab", ""),
        (b"c\x1b[20", ""),
        (b"1~j", "key:j"),
    ]
    with echo_app(columns=200) as session:
        session.fall_silent()
        for piece, completed in pieces:
            session.feed(piece)
            session.wait_for(completed) if completed else session.bytes_in(0.06)
        assert received(session) == ["mouse:4,5", "key:down", "mouse:149,4", "key:é", "paste:3:abc", "key:j"]


def test_the_size_is_taken_from_the_terminal_not_the_environment() -> None:
    with echo_app(columns=200, environment={"COLUMNS": "80", "LINES": "24"}) as session:
        session.fall_silent()
        session.feed(b"\x1b[<0;150;5M")
        session.wait_for("mouse:149,4")


def test_a_lone_escape_is_a_key_and_a_late_rest_completes_its_sequence() -> None:
    with echo_app() as session:
        session.fall_silent()
        session.feed(b"\x1b")
        session.wait_for("key:escape", 2.0)
        session.feed(b"[B")
        session.wait_for("key:down")
        session.feed(b"j")
        session.wait_for("key:j")
        assert received(session) == ["key:escape", "key:down", "key:j"]


def test_a_paste_without_an_end_does_not_lock_the_keyboard() -> None:
    with echo_app() as session:
        session.fall_silent()
        session.feed(b"\x1b[200~some text")
        session.wait_for("paste:9", 5.0)
        session.feed(b"q")
        assert session.exit_code() == 0


def test_a_huge_paste_neither_blocks_nor_stays() -> None:
    with echo_app() as session:
        before = resident_bytes(session.process.pid)
        session.feed_all(b"\x1b[200~" + b"x" * 10_000_000 + b"\x1b[201~j")
        session.wait_for("key:j")
        assert session.find("longer than 1 MiB")
        assert resident_bytes(session.process.pid) - before < 16 * 2**20


def test_bytes_that_are_not_text_do_no_harm() -> None:
    with echo_app() as session:
        session.feed(b"\xff\xfe\x1b[:A\x1b[?1;2c\x1b]11;rgb:0/0/0\x1b\\\x1b[999999999999;5uj")
        session.wait_for("key:j")


def test_mouse_movement_is_not_requested() -> None:
    with echo_app() as session:
        asked = bytes(session.written)
    assert all(code in asked for code in (b"?1000h", b"?1002h", b"?1006h"))
    assert not any(code in asked for code in (b"?1003h", b"?1015h", b"?1016h", b"?2048$p"))


def test_an_idle_app_writes_nothing() -> None:
    with echo_app() as session:
        session.wait_quiet(0.3)
        assert session.bytes_in(1.5) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_app_and_restore_the_terminal(number: signal.Signals) -> None:
    with echo_app() as session:
        session.feed("T")
        session.wait_for("tick 1")
        assert not session.is_cooked()
        session.process.send_signal(number)
        assert session.exit_code() == 128 + number
        assert_left_clean(session)
        assert b"Traceback" not in session.written


def test_quitting_restores_the_modes_of_the_terminal() -> None:
    with echo_app() as session:
        session.feed("q")
        assert session.exit_code() == 0
        assert_left_clean(session)


def test_no_answer_is_left_for_the_shell() -> None:
    """The answer to the last question comes late; the app waits for it before it gives the keyboard back."""
    with echo_app() as session:
        session.feed("j")
        session.wait_for("key:j")
        assert session.written.count(b"\x1b[5n") == 1


def test_a_lost_terminal_ends_the_app() -> None:
    with echo_app() as session:
        session.feed("T")
        session.wait_for("tick 1")
        session.hang_up()
        assert session.exit_code() == 128 + signal.SIGHUP


def test_a_continue_without_a_stop_changes_nothing() -> None:
    with echo_app() as session:
        session.wait_quiet(0.3)
        session.process.send_signal(signal.SIGCONT)
        session.feed("j")
        session.wait_for("key:j")
        assert session.written.count(b"\x1b[?1049h") == 1
        session.feed("q")
        assert session.exit_code() == 0


def test_a_resumed_app_repaints_the_whole_screen() -> None:
    with echo_app() as session:
        session.feed("T")
        session.wait_for("tick 1")
        session.feed("Z")
        session.wait_for(session.is_cooked)
        session.wait_for(lambda: _state(session) == "T")
        session.screen.reset()
        session.process.send_signal(signal.SIGCONT)
        session.wait_for("ready 字│é")
        session.feed("j")
        session.wait_for("key:j")
        session.feed("q")
        assert session.exit_code() == 0
        assert_left_clean(session)


def _state(session: PtySession) -> str:
    stat = Path(f"/proc/{session.process.pid}/stat").read_text(encoding="ascii")
    return stat.rpartition(")")[2].split()[0]


def test_a_repaint_restores_a_screen_that_another_program_changed() -> None:
    with echo_app() as session:
        session.wait_quiet(0.3)
        session.screen.erase_in_display(2)
        session.feed("j")
        session.wait_for("key:j")
        assert "ready" not in session.text
        session.feed("L")
        session.wait_for("ready")


def test_a_dragged_window_is_painted_for_its_last_size_alone() -> None:
    """60 whole screens would keep the next key waiting for 14 s at 64 kbit/s."""
    with echo_app() as session:
        session.wait_for("ready")
        session.feed("T")  # it also repaints all the time
        session.wait_for("tick")
        before = len(session.written)
        for number in range(60):
            session.resize(100 + number % 30, 24 + number % 7)
            session.read(0.005)
        session.resize(90, 30)
        session.wait_for(lambda: session.written[before:].count("ready 字".encode()))
        session.feed("k")
        session.wait_for("key:k")
        assert session.written[before:].count("ready 字".encode()) <= 3, "whole screens"


def test_a_resize_paints_the_whole_screen() -> None:
    with echo_app() as session:
        session.wait_quiet(0.3)
        for columns, rows in ((100, 30), (40, 10), (40, 10), (80, 24)):
            session.resize(columns, rows)
            session.screen.erase_in_display(2)
            session.wait_for("ready")


def test_a_terminal_that_does_not_read_stops_nothing_and_costs_nothing() -> None:
    with echo_app() as session:
        session.feed("T")
        session.wait_for("tick 20")
        before = resident_bytes(session.process.pid)
        written = len(session.written)
        _leave_unread(session, _UNREAD_SECONDS)
        session.wait_for(lambda: _ticks(session) > 300)
        assert _gap(session) < _UNREAD_SECONDS / 3, "Textual's own driver blocks for more than half of that time"
        assert resident_bytes(session.process.pid) - before < 4 * 2**20
        # First come the contents of the terminal's own buffers, then one whole frame, and no backlog.
        assert session.written.count(b"ready", written) == 1
        assert len(session.written) - written < 128 * 1024
        session.feed("q")
        assert session.exit_code() == 0
        assert_left_clean(session)


def _leave_unread(session: PtySession, seconds: float) -> None:
    time.sleep(seconds)  # the elapsed time is what is tested


def _ticks(session: PtySession) -> int:
    line = session.line(1).split()
    return int(line[1]) if line[:1] == ["tick"] and len(line) > 3 else 0


def _gap(session: PtySession) -> float:
    return float(session.line(1).split()[3])


def test_a_terminal_that_never_reads_again_does_not_prevent_the_end() -> None:
    with echo_app() as session:
        session.feed("T")
        session.wait_for("tick 20")
        _leave_unread(session, 2.0)
        session.process.send_signal(signal.SIGTERM)
        assert session.process.wait(10.0) == 128 + signal.SIGTERM
        assert session.is_cooked()


def test_ascii_mode_writes_only_ascii() -> None:
    with echo_app("--ascii") as session:
        session.wait_for("ready ??|e")
        assert bytes(session.written).isascii()


@pytest.mark.parametrize("environment", [{"TERM": "linux"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}])
def test_ascii_is_automatic(environment: dict[str, str]) -> None:
    with echo_app(environment=environment) as session:
        session.wait_for("ready ??|e")


def test_without_color_no_color_code_is_written() -> None:
    with echo_app(environment={"NO_COLOR": "1"}) as session:
        session.feed("j")
        session.wait_for("key:j")
        codes = {code for run in re.findall(rb"\x1b\[([0-9;]*)m", bytes(session.written)) for code in run.split(b";")}
        assert codes <= {b"", b"1", b"2", b"3", b"4", b"7", b"9"}


def test_a_copy_goes_out_at_once() -> None:
    with echo_app() as session:
        session.feed("C")
        session.wait_for(lambda: b"\x1b]52;c;Y29waWVk\a" in session.written)
