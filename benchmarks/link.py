"""Utilisation of a field link by an upload, bytes sent again, and the time to resume after an outage.

All programs send the same photos to the same kind of store over the same emulated link, with the same seed of losses.
Needs permission to emulate a link, and reports when it is missing.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from benchmarks.carrier import Conditions
from benchmarks.contestants import ENGINE, await_engine, our_upload, rclone, s5cmd, signed_in
from benchmarks.emulated_link import Carried, EmulatedLink, emulated, impediment
from benchmarks.photos import scratch_folder, write_photos
from benchmarks.store import Store, create_certificate, serving
from benchmarks.table import Table
from benchmarks.without_bbr import bbr_known

_PHOTO = 4_000_000
_PAYLOAD = 1448 / 1500
"""Share of an IP packet that is TCP payload, with timestamps."""
_TRUSTED_LATENESS = 0.01
_WITHOUT_BBR = (sys.executable, "-m", "benchmarks.without_bbr")
QUICK = "quick"


class Together(StrEnum):
    """Which contestants run at the same time, each on its own link, because they need little processor time."""

    NONE = "none"
    PEERS = "peers"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Row:
    """A link, and the upload over it."""

    title: str
    conditions: Conditions
    photos: int
    limit: float
    """Seconds after which a contestant is stopped, and its time extrapolated from the bytes that it sent."""
    by_bbr: bool = False
    """Whether the choice of congestion control deserves a row of its own."""
    together: Together = Together.NONE


_FAST = 50e6
ROWS: Mapping[str, Row] = {
    "clean": Row("50 Mbit/s, 80 ms", Conditions(_FAST, 0.08), 100, 120),
    "lossy": Row("50 Mbit/s, 80 ms, 1 % loss", Conditions(_FAST, 0.08, 0.01), 100, 100, True, Together.PEERS),
    "satellite": Row("50 Mbit/s, 300 ms, 3 % loss", Conditions(_FAST, 0.3, 0.03), 200, 180, True, Together.PEERS),
    "long": Row("20 Mbit/s, 250 ms, 5 % loss", Conditions(20e6, 0.25, 0.05), 50, 160, together=Together.PEERS),
    "unsteady": Row(
        "20 Mbit/s, 250 ms, 5 % loss, outages of 10 and 45 s",
        Conditions(20e6, 0.25, 0.05, outages=((20, 10), (60, 45))),
        60,
        250,
        together=Together.PEERS,
    ),
    "narrow": Row("4 Mbit/s, 250 ms, 5 % loss", Conditions(4e6, 0.25, 0.05), 10, 160, together=Together.PEERS),
    "slow": Row("2 Mbit/s, 80 ms", Conditions(2e6, 0.08), 4, 120, together=Together.ALL),
    "gap": Row(
        "20 Mbit/s, 80 ms, outage of 5 s", Conditions(20e6, 0.08, outages=((8, 5),)), 15, 90, together=Together.ALL
    ),
    "outage": Row(
        "20 Mbit/s, 80 ms, outage of 120 s", Conditions(20e6, 0.08, outages=((8, 120),)), 15, 200, together=Together.ALL
    ),
}

SELECTABLE = (*ROWS, QUICK)


@dataclass(frozen=True, slots=True)
class Run:
    """One contestant on one link."""

    who: str
    carried: Carried
    seconds: float
    ended: str
    """Why it did not complete; empty when it did."""
    sent: int
    """Bytes of the files."""
    wrong: int
    """Files that are missing in the store, differ from the card, or are stored twice."""


Contestant = Callable[[Path, Store, EmulatedLink, Path], AbstractContextManager[subprocess.Popen[bytes]]]
"""Starts to send the card over the link, and starts the counts of the link; the folder is for its own files."""

Contestants = Mapping[str, Contestant]


def tables(*words: str) -> list[Table]:
    """Tables of all rows, or of those named; with `quick`, a quarter of the photos is sent."""
    reason = impediment()
    if reason is not None:
        return [Table("Link: not measured", f"Cannot emulate a link here: {reason}.", ("link",), ())]
    chosen = [word for word in words if word != QUICK] or list(ROWS)
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        return [_table(name, _quicker(ROWS[name]) if QUICK in words else ROWS[name], Path(folder)) for name in chosen]


def _quicker(row: Row) -> Row:
    return row if row.conditions.outages else replace(row, photos=max(4, row.photos // 4))


def _table(name: str, row: Row, folder: Path) -> Table:
    card = folder / name
    write_photos(card, row.photos, _PHOTO)
    runs: list[Run] = []
    for group in _in_groups(_ours_in(row), _PEERS, row.together):
        with ThreadPoolExecutor(len(group)) as threads:
            runs += threads.map(lambda who, group=group: _run(who, group[who], card, row), group)
    outages = len(row.conditions.outages)
    heads = ("who", "of the link", "seconds", "carried / files", "files wrong", *["resumed after"] * outages)
    rows = tuple((*_figures(run), *(_back_after(run, outage) for outage in range(outages))) for run in runs)
    return Table(f"Link: {row.title}", _description(row, runs), heads, rows)


def _in_groups(ours: Contestants, peers: Contestants, together: Together) -> list[Contestants]:
    """Groups of contestants that run at the same time, one group after the other."""
    if together is Together.ALL:
        return [{**ours, **peers}]
    alone = ours if together is Together.PEERS else {**ours, **peers}
    groups: list[Contestants] = [{who: alone[who]} for who in alone]
    return [*groups, peers] if together is Together.PEERS else groups


def _ours_in(row: Row) -> Contestants:
    if row.by_bbr and bbr_known():
        return {"tui-uploader, bbr permitted": _ours(()), "tui-uploader, reno only": _ours(_WITHOUT_BBR)}
    return {"tui-uploader": _ours(())}


def _description(row: Row, runs: Sequence[Run]) -> str:
    sentences = [
        f"{row.photos} photos of {_PHOTO / 1e6:.0f} MB over TLS to `rclone serve s3`; reno by default.",
        "Headers and bytes sent again count as use of the link; outages do not count as time.",
    ]
    if row.by_bbr and not bbr_known():
        sentences.append("This kernel has no BBR, so the row with it is missing.")
    if any(run.ended for run in runs):
        sentences.append(
            f"~: stopped after {row.limit:.0f} s or failed, and extrapolated from the bytes carried until then."
        )
    late = [run for run in runs if run.carried.late_share > _TRUSTED_LATENESS]
    sentences += [
        f"The machine was too busy for the emulation of {run.who}: {run.carried.late_share:.1%} of packets were late."
        for run in late
    ]
    return " ".join(sentences)


def _figures(run: Run) -> tuple[str, ...]:
    carried = run.carried.up.carried
    if not run.ended:
        seconds, ratio = f"{run.seconds:.1f}", f"{carried / run.sent:.3f}"
        wrong = str(run.wrong)
    else:
        seconds = f"~{run.seconds * run.sent / max(1.0, carried * _PAYLOAD):.0f} ({run.ended})"
        ratio = wrong = "–"
    return run.who, f"{run.carried.utilisation:.3f}", seconds, ratio, wrong


def _back_after(run: Run, outage: int) -> str:
    after = run.carried.back_after(outage)
    return "never" if after is None else f"{after:.1f} s"


def _run(who: str, contestant: Contestant, card: Path, row: Row) -> Run:
    with (
        tempfile.TemporaryDirectory(dir=card.parent) as scratch,
        emulated(row.conditions) as link,
        serving(Path(scratch) / "s3", create_certificate(Path(scratch), link.address), link.address) as store,
        contestant(card, store, link, Path(scratch)) as process,
    ):
        began = time.monotonic()
        try:
            ended = f"exit {process.returncode}" if process.wait(row.limit) else ""
        except subprocess.TimeoutExpired:
            process.kill()
            ended = "stopped"
        seconds = time.monotonic() - began
        carried = link.end()
        return Run(who, carried, seconds, ended, row.photos * _PHOTO, _wrong(card, store))


def _ours(within: Sequence[str]) -> Contestant:
    @contextmanager
    def start(card: Path, store: Store, link: EmulatedLink, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        with signed_in(folder, store) as environment:
            engine = _started(link.behind([*within, *ENGINE]), environment)
            try:
                await_engine(environment)
                link.begin()
                with _ending(_started(our_upload(card), environment)) as command:
                    yield command
            finally:
                engine.terminate()
                engine.wait()

    return start


def _peer(command_of: Callable[[Path, Store], tuple[list[str], Mapping[str, str]]]) -> Contestant:
    @contextmanager
    def start(card: Path, store: Store, link: EmulatedLink, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        command, environment = command_of(card, store)
        link.begin()
        with _ending(_started(link.behind(command), environment)) as process:
            yield process

    return start


@contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _started(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env={**os.environ, "NO_PROXY": "*", "no_proxy": "*", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wrong(card: Path, store: Store) -> int:
    stored = Counter(_digest(path) for path in store.folder.rglob("*") if path.is_file())
    on_card = Counter(_digest(path) for path in card.iterdir())
    return (stored - on_card).total() + (on_card - stored).total()


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


_PEERS: Contestants = {
    "s5cmd, 8 workers": _peer(lambda card, store: s5cmd(card, store, "--numworkers", "8")),
    "rclone": _peer(rclone),
}
