"""Response times and cost of the full-screen app on a real terminal, compared with a minimal app and with rclone.

This process is the terminal: it types, and notes when the frame that answers has arrived. Times are end to end, from
the key press to the last byte of the frame.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.first_frame import Start, Waited, cpu_of_all_threads, first_frames
from benchmarks.machine import peer
from benchmarks.photos import scratch_folder
from benchmarks.table import Table
from benchmarks.terminal_world import LIVE_FILES, PROGRAM, World, world
from tests.tui.pty_session import PtySession, resident_bytes

_PASTS = (4_000, 100_000)
_STARTS, _SPAWNS, _PRESSES, _WATCH = 15, 5, 60, 8.0
_KEYS = {"cursor": ("j", "k"), "page": ("\x1b[6~", "\x1b[5~")}
_CURSOR_MARK = "›"
_ANY_FILE, _FIRST_FILE = ".JPG", "DJI_000000.JPG"
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
    """Output and cost of a program without input, and of its engine, if any."""

    bytes_per_second: float
    cpu: float
    """Share of one processor."""
    resident: int
    """Bytes."""
    engine_cpu: float | None = None
    engine_resident: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """All measurements with `past` files in the journal."""

    past: int
    starts: Mapping[str, Waited]
    """`hello`: the minimal app; `attached`: with a running engine; `spawned`: without one."""
    idle: Watched
    uploading: Watched
    keys: Mapping[str, Mapping[str, Sequence[float]]]
    """Sorted response times in seconds, by activity and kind of key."""


def tables() -> list[Table]:
    hello, rclone = _watched_hello(), _watched_rclone()
    results = [_measured(past) for past in _PASTS]
    return [
        _starts_table(results),
        _keys_table(results),
        _watch_table(results, hello, rclone),
        gates_table(results),
    ]


def _measured(past: int) -> Measured:
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder, world(Path(folder), past) as made:
        starts = _starts(made)
        made.command("status")  # starts the engine again
        with _app(made) as session:
            _await_list(session)
            idle = _watched(session, made)
            keys = {"idle": _answers(session)}
            made.begin_upload()
            keys[f"{LIVE_FILES} streams"] = _answers(session)
        return Measured(past, starts, idle, _watched_uploading(made), keys)


def _starts(made: World) -> dict[str, Waited]:
    environment = {**made.environment, **_LOCALE}
    hello = Start((sys.executable, "-c", _HELLO), _LOCALE, "Hello, world")
    attached = Start(PROGRAM, environment, _ANY_FILE)
    spawned = Start(PROGRAM, environment, _ANY_FILE, before=lambda: made.run("engine", "stop"))
    return {
        **first_frames({"hello": hello, "attached": attached}, _STARTS),
        **first_frames({"spawned": spawned}, _SPAWNS),
    }


def _starts_table(results: Sequence[Measured]) -> Table:
    rows = []
    for each in results:
        hello = each.starts["hello"]
        for name, waited in each.starts.items():
            who = "Textual, hello world" if name == "hello" else f"tui-uploader, {each.past:,} files, engine {name}"
            cells = (waited.seconds * 1e3, waited.seconds / hello.seconds, waited.cpu * 1e3, waited.cpu / hello.cpu)
            rows.append((who, *_numbers(cells, (0, 2, 0, 2)), f"{waited.written:.0f}"))
    return Table(
        "Terminal: start",
        f"80×24. From the command to the first complete frame, including rows; medians of {_STARTS} runs, alternating"
        f" with the hello world ({_SPAWNS} runs when the engine is started, too), and processor time until then.",
        ("who", "ms", "of hello", "CPU ms", "of hello", "bytes"),
        tuple(rows),
    )


def _keys_table(results: Sequence[Measured]) -> Table:
    rows = [
        (
            f"tui-uploader, {each.past:,} files, {what}",
            *(f"{_part(kinds[kind], part) * 1e3:.0f}" for kind, part in _SHOWN),
        )
        for each in results
        for what, kinds in each.keys.items()
    ]
    return Table(
        "Terminal: keys",
        f"From the key to the frame, {2 * _PRESSES} presses of each kind.",
        ("who", "cursor p50 ms", "p99", "page p50 ms", "p99"),
        tuple(rows),
    )


def _watch_table(results: Sequence[Measured], hello: Watched, rclone: Watched) -> Table:
    rows = [("Textual, hello world, idle", *_cells(hello)), ("rclone copy -P", *_cells(rclone))]
    for each in results:
        who = f"tui-uploader, {each.past:,} files"
        rows += [(f"{who}, idle", *_cells(each.idle)), (f"{who}, uploading", *_cells(each.uploading))]
    return Table(
        "Terminal: cost",
        f"Measured for {_WATCH:.0f} s. Uploading: {LIVE_FILES} files at a time over a slow connection; ours shows a bar"
        " and a rate for each. rclone copies between folders with `-P`, the same number at a time.",
        ("who", "B/s", "CPU %", "MiB", "engine CPU %", "engine MiB"),
        tuple(rows),
    )


def gates_table(results: Sequence[Measured]) -> Table:
    """Gates, goals and measurements."""
    rows = []
    for what, gate, goal, digits, value_of in _GATES:
        values = [value_of(each) for each in results]
        verdict = "goal" if max(values) <= goal else "holds" if max(values) <= gate else "MISSED"
        cells = _numbers((gate, goal, *values), (digits,) * (2 + len(values)))
        rows.append((what, *cells, verdict))
    return Table(
        "Terminal: against the gates",
        "The gate must hold at every size; the goal is the target.",
        ("what", "gate", "goal", *(f"{each.past:,} files" for each in results), "verdict"),
        tuple(rows),
    )


def _app(made: World) -> PtySession:
    return PtySession(PROGRAM, environment={**made.environment, **_LOCALE})


def _watched_hello() -> Watched:
    with PtySession((sys.executable, "-c", _HELLO), environment=_LOCALE) as session:
        session.wait_for("Hello, world")
        return _watched(session)


def _watched_uploading(made: World) -> Watched:
    with _app(made) as session:
        session.wait_for(lambda: re.search(r"DJI_0009\.JPG.*\d %", session.text))
        seen = _watched(session, made)
        if (moving := made.moving()) < LIVE_FILES:
            raise RuntimeError(f"only {moving} files were still being sent at the end; the connection is too fast")
    return seen


def _watched_rclone() -> Watched:
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        card = Path(folder) / "card"
        card.mkdir()
        for number in range(LIVE_FILES):
            (card / f"DJI_{number:04}.JPG").write_bytes(bytes(4_500_000))
        command = (peer("rclone"), "copy", "-P", "--config", "/dev/null", "--transfers", str(LIVE_FILES))
        limits = ("--bwlimit", "1M", "--multi-thread-streams", "0", "--buffer-size", "0")
        with PtySession((*command, *limits, str(card), str(Path(folder) / "copy"))) as session:
            session.wait_for("DJI_0009.JPG")
            return _watched(session)


def _await_list(session: PtySession) -> None:
    """Show the files in the order in which they were added: in the usual one, most of them are folded."""
    session.wait_for(_ANY_FILE)
    session.feed("2")
    session.wait_quiet(0.5)
    session.feed(":sort added")  # the key `s` would show a notice, which ends while the idle screen is watched
    session.wait_quiet(0.5)
    session.feed("\r")
    session.wait_for(_FIRST_FILE)
    session.wait_quiet(0.5)


def _answers(session: PtySession) -> dict[str, list[float]]:
    """Sorted response times of each kind of key. Raises ValueError when no key was pressed."""
    times = {
        kind: sorted(_answer(session, key) for _ in range(_PRESSES) for key in pair) for kind, pair in _KEYS.items()
    }
    if not all(times.values()):
        raise ValueError("no key was pressed")
    return times


def _answer(session: PtySession, key: str) -> float:
    """Seconds until the cursor is on another file and no row of the list is empty."""
    before = _row_at_cursor(session)
    pressed = time.monotonic()
    session.feed(key)
    session.wait_for(lambda: _row_at_cursor(session) not in ("", before))
    return session.last_byte_at - pressed


def _row_at_cursor(session: PtySession) -> str:
    """The name at the cursor of the file list; empty while rows are still missing."""
    text = session.text
    found = re.search(rf"^{_CURSOR_MARK} \S+ (DJI_\S+)", text, re.MULTILINE)
    return found[1] if found and text.count("DJI_") >= LIVE_FILES else ""


def _watched(session: PtySession, made: World | None = None) -> Watched:
    engine = made.engine_pid() if made else None
    session.bytes_in(2.0)
    cpu, engine_cpu = cpu_of_all_threads(session.process.pid), cpu_of_all_threads(engine) if engine else 0.0
    began = time.monotonic()
    written = session.bytes_in(_WATCH)
    seconds = time.monotonic() - began
    cpu = (cpu_of_all_threads(session.process.pid) - cpu) / seconds
    seen = Watched(written / seconds, cpu, resident_bytes(session.process.pid))
    if engine is None:
        return seen
    engine_cpu = (cpu_of_all_threads(engine) - engine_cpu) / seconds
    return replace(seen, engine_cpu=engine_cpu, engine_resident=resident_bytes(engine))


def _cells(seen: Watched) -> tuple[str, ...]:
    engine_cpu = "" if seen.engine_cpu is None else f"{seen.engine_cpu:.2%}"
    engine_resident = "" if seen.engine_resident is None else _mib(seen.engine_resident)
    return (f"{seen.bytes_per_second:.0f}", f"{seen.cpu:.2%}", _mib(seen.resident), engine_cpu, engine_resident)


def _mib(size: int) -> str:
    return f"{size / 2**20:.0f}"


def _numbers(values: Iterable[float], digits: Iterable[int]) -> list[str]:
    return [f"{value:.{places}f}" for value, places in zip(values, digits, strict=True)]


def _part(times: Sequence[float], part: float) -> float:
    """The quantile `part` of sorted times."""
    return times[min(len(times) - 1, int(len(times) * part))]


_SHOWN = (("cursor", 0.5), ("cursor", 0.99), ("page", 0.5), ("page", 0.99))


def _slowest(kind: str) -> Callable[[Measured], float]:
    return lambda measured: max(_part(kinds[kind], 0.99) for kinds in measured.keys.values()) * 1e3


_GATES: tuple[tuple[str, float, float, int, Callable[[Measured], float]], ...] = (
    (
        "first complete frame, of the hello world's",
        1.6,
        1.25,
        2,
        lambda measured: measured.starts["attached"].seconds / measured.starts["hello"].seconds,
    ),
    ("cursor key to frame, p99, ms", 60, 30, 0, _slowest("cursor")),
    ("page key to frame, p99, ms", 100, 60, 0, _slowest("page")),
    ("B/s idle", 0, 0, 0, lambda measured: measured.idle.bytes_per_second),
    ("B/s uploading", 2_300, 1_200, 0, lambda measured: measured.uploading.bytes_per_second),
    ("CPU % of the app, idle", 0.3, 0.1, 2, lambda measured: measured.idle.cpu * 100),
    ("CPU % of the app, uploading", 5, 3, 2, lambda measured: measured.uploading.cpu * 100),
    ("CPU % of the engine, idle", 0.3, 0.1, 2, lambda measured: (measured.idle.engine_cpu or 0) * 100),
    ("MiB of the app", 95, 60, 0, lambda measured: max(measured.idle.resident, measured.uploading.resident) / 2**20),
    ("MiB of the engine", 120, 80, 0, lambda measured: (measured.uploading.engine_resident or 0) / 2**20),
)
"""Name, gate, goal, decimal places, and value."""
