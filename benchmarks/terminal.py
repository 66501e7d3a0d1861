"""What the full-screen app feels like and costs, on a real terminal, beside the smallest app of its kind and rclone's.

The terminal is this process: it types, and notes when the frame that answers has come. Figures of seconds are those of
the whole way, from the key that is pressed to the last byte of the frame.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import peer
from benchmarks.photos import scratch_folder
from benchmarks.table import Table
from benchmarks.terminal_world import LIVE_FILES, PROGRAM, World, world
from tests.tui.pty_session import PtySession, cpu_seconds, resident_bytes

_PASTS = (4_000, 100_000)
_STARTS, _PRESSES, _WATCH = 5, 60, 8.0
_KEYS = {"cursor": ("j", "k"), "page": ("\x1b[6~", "\x1b[5~")}
_CURSOR_MARK = "›"
_HELLO = """
from textual.app import App
from textual.widgets import Static

class Hello(App):
    def compose(self):
        yield Static("Hello, world")

Hello().run()
"""
_LOCALE = {"LANG": "C.UTF-8", "LC_ALL": "", "NO_COLOR": ""}


@dataclass(frozen=True, slots=True)
class Watched:
    """What a program did while nobody typed."""

    bytes_per_second: float
    cpu: float
    """Of one core."""
    resident: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What the engine behind it did meanwhile."""

    cpu: float
    resident: int


def tables() -> list[Table]:
    starts: list[tuple[str, ...]] = [_row_of_hello()]
    keys: list[tuple[str, ...]] = []
    watches: list[tuple[str, ...]] = [_row_of_rclone()]
    for past in _PASTS:
        with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder, world(Path(folder), past) as made:
            who = f"tui-uploader, {past:,} files"
            starts.append(_row_of_start(who, made))
            with _app(made) as session:
                _await_list(session)
                keys.append(_row_of_keys(f"{who}, idle", session))
                made.begin_upload()
                keys.append(_row_of_keys(f"{who}, {LIVE_FILES} streams", session))
            watches.append(_row_of_watch(who, made))
    return [
        Table(
            "Terminal: start and idle",
            f"80×24. Command to the first whole frame with its rows, median of {_STARTS}; then {_WATCH:.0f} s"
            " with nothing going on. The engine is running before the app starts.",
            ("who", "first frame ms", "idle B/s", "CPU %", "MiB", "engine CPU %", "engine MiB"),
            tuple(starts),
        ),
        Table(
            "Terminal: keys",
            f"From the key to the frame, {2 * _PRESSES} presses of each kind.",
            ("who", "cursor p50 ms", "p99", "page p50 ms", "p99"),
            tuple(keys),
        ),
        Table(
            "Terminal: during an upload",
            f"{LIVE_FILES} files at a time over a slow line, watched for {_WATCH:.0f} s; ours shows a bar and a rate"
            " for each. rclone copies from folder to folder with `-P`, as many at a time.",
            ("who", "B/s", "CPU %", "MiB", "engine CPU %", "engine MiB"),
            tuple(watches),
        ),
    ]


def _app(made: World) -> PtySession:
    return PtySession(PROGRAM, environment={**made.environment, **_LOCALE})


def _row_of_hello() -> tuple[str, ...]:
    def start() -> PtySession:
        return PtySession((sys.executable, "-c", _HELLO), environment=_LOCALE)

    first = _first_frame(start, "Hello, world")
    with start() as session:
        session.wait_for("Hello, world")
        seen = _watched(session)
    return ("Textual, hello world", f"{first * 1e3:.0f}", *_cells(seen), "", "")


def _row_of_start(who: str, made: World) -> tuple[str, ...]:
    first = _first_frame(lambda: _app(made), "DJI_000000.JPG")
    with _app(made) as session:
        _await_list(session)
        seen, engine = _watched_with_engine(session, made)
    return (who, f"{first * 1e3:.0f}", *_cells(seen), f"{engine.cpu:.1%}", _mib(engine.resident))


def _row_of_keys(who: str, session: PtySession) -> tuple[str, ...]:
    cells = [who]
    for kind, pair in _KEYS.items():
        times = sorted(_answer(session, key) for _ in range(_PRESSES) for key in pair)
        if not times:
            raise ValueError(f"no {kind} key was pressed")
        cells += [f"{statistics.median(times) * 1e3:.0f}", f"{times[int(len(times) * 0.99)] * 1e3:.0f}"]
    return tuple(cells)


def _row_of_watch(who: str, made: World) -> tuple[str, ...]:
    with _app(made) as session:
        session.wait_for(lambda: re.search(r"DJI_0009\.JPG.*\d %", session.text))
        seen, engine = _watched_with_engine(session, made)
        if (moving := made.moving()) < LIVE_FILES:
            raise RuntimeError(f"only {moving} files were still on their way at the end; the line is too fast")
    return (who, *_cells(seen), f"{engine.cpu:.1%}", _mib(engine.resident))


def _row_of_rclone() -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        card = Path(folder) / "card"
        card.mkdir()
        for number in range(LIVE_FILES):
            (card / f"DJI_{number:04}.JPG").write_bytes(bytes(4_500_000))
        command = (peer("rclone"), "copy", "-P", "--config", "/dev/null", "--transfers", str(LIVE_FILES))
        limits = ("--bwlimit", "1M", "--multi-thread-streams", "0", "--buffer-size", "0")
        with PtySession((*command, *limits, str(card), str(Path(folder) / "copy"))) as session:
            session.wait_for("DJI_0009.JPG")
            seen = _watched(session)
    return ("rclone copy -P", *_cells(seen), "", "")


def _first_frame(start: Callable[[], PtySession], text: str) -> float:
    """Seconds from the command to the text on the screen, the median."""
    times = []
    for _ in range(_STARTS):
        with start() as session:
            session.wait_for(text)
            times.append(session.last_byte_at - session.started_at)
    return statistics.median(times)


def _await_list(session: PtySession) -> None:
    session.wait_for("DJI_000000.JPG")
    session.feed("2")
    session.wait_quiet(0.5)


def _answer(session: PtySession, key: str) -> float:
    """Seconds until the cursor is on another file, with no row of the list empty."""
    before = _row_at_cursor(session)
    pressed = time.monotonic()
    session.feed(key)
    session.wait_for(lambda: _row_at_cursor(session) not in ("", before))
    return session.last_byte_at - pressed


def _row_at_cursor(session: PtySession) -> str:
    """The name at the cursor of the file list; nothing while rows are still to come."""
    text = session.text
    found = re.search(rf"^{_CURSOR_MARK} \S+ (DJI_\S+)", text, re.MULTILINE)
    return found[1] if found and text.count("DJI_") >= LIVE_FILES else ""


def _watched(session: PtySession) -> Watched:
    session.bytes_in(1.0)
    cpu, began = cpu_seconds(session.process.pid), time.monotonic()
    written = session.bytes_in(_WATCH)
    seconds = time.monotonic() - began
    return Watched(
        written / seconds, (cpu_seconds(session.process.pid) - cpu) / seconds, resident_bytes(session.process.pid)
    )


def _watched_with_engine(session: PtySession, made: World) -> tuple[Watched, Engine]:
    pid = made.engine_pid()
    session.bytes_in(1.0)
    cpu, began = cpu_seconds(pid), time.monotonic()
    seen = _watched(session)
    return seen, Engine((cpu_seconds(pid) - cpu) / (time.monotonic() - began), resident_bytes(pid))


def _cells(seen: Watched) -> tuple[str, ...]:
    return (f"{seen.bytes_per_second:.0f}", f"{seen.cpu:.1%}", _mib(seen.resident))


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f}"
