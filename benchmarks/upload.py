"""Speed and cost of an upload to an object store, compared with the best-known tools.

All send the same files to the same server on the same machine, from memory to memory. The server takes its share of
the processors in all runs. We do more than the peers in that time: fingerprints, EXIF, a journal, and the registration
of every image.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.contestants import ENGINE, await_engine, our_upload, rclone, s5cmd, signed_in
from benchmarks.measure import MeasuredProcess, Usage, measured, side_by_side
from benchmarks.photos import scratch_folder, write_photos
from benchmarks.store import Certificate, Store, create_certificate, serving
from benchmarks.table import Table

_FILES, _FILE_SIZE = 200, 4_000_000
_ROUNDS = 3

Contestant = Callable[[Path, Store], Usage]


class NotDelivered(RuntimeError):
    """A contestant reported success, but bytes are missing in the store."""


def tables() -> list[Table]:
    with tempfile.TemporaryDirectory(dir=scratch_folder()) as folder:
        card = Path(folder) / "card"
        write_photos(card, _FILES, _FILE_SIZE)
        certificate = create_certificate(Path(folder))
        return [_table(card, Path(folder), "plain", None), _table(card, Path(folder), "TLS", certificate)]


def _table(card: Path, folder: Path, name: str, certificate: Certificate | None) -> Table:
    """Every run gets a new server with an empty store."""

    def fresh(contestant: Contestant) -> Usage:
        with tempfile.TemporaryDirectory(dir=folder) as root, serving(Path(root) / "s3", certificate) as store:
            used = contestant(card, store)
            if store.holds() != _FILES * _FILE_SIZE:
                raise NotDelivered(f"{store.holds():,} of {_FILES * _FILE_SIZE:,} bytes are in the store.")
            return used

    contestants = {each: lambda run=run: fresh(run) for each, run in _CONTESTANTS.items()}
    gigabytes = _FILES * _FILE_SIZE / 1e9
    return Table(
        f"Upload: loopback, {name}",
        f"{_FILES} photos of {_FILE_SIZE / 1e6:.0f} MB to `rclone serve s3`, median of {_ROUNDS} rounds, whole"
        " processes. Ours is the engine and the command that waits for it; the time is the command's, from its start.",
        ("who", "MB/s", "CPU s/GB", "peak MiB"),
        tuple(
            (who, f"{gigabytes * 1e3 / used.wall:.0f}", f"{used.cpu / gigabytes:.2f}", f"{used.peak / 2**20:.0f}")
            for who, used in side_by_side(contestants, _ROUNDS).items()
        ),
    )


def _by_us(card: Path, store: Store) -> Usage:
    engine, command, _ = _uploaded(card, store)
    return Usage(command.wall, engine.cpu + command.cpu, engine.peak + command.peak)


def _by_our_engine(card: Path, store: Store) -> Usage:
    """The cost of the engine, without a command that waits."""
    engine, command, _ = _uploaded(card, store)
    return Usage(command.wall, engine.cpu, engine.peak)


def _by_our_running_engine(card: Path, store: Store) -> Usage:
    """The cost of an upload by an engine that runs already, the usual case."""
    engine, command, start = _uploaded(card, store)
    return Usage(command.wall, engine.cpu - start, engine.peak)


def _uploaded(card: Path, store: Store) -> tuple[Usage, Usage, float]:
    """Usage of the engine, including start and end; of the waiting command; and the CPU seconds of the start."""
    with tempfile.TemporaryDirectory() as home, signed_in(Path(home), store) as environment:
        engine = MeasuredProcess(ENGINE, environment)
        try:
            await_engine(environment)
            start = engine.cpu_so_far()
            command = measured(our_upload(card), environment)
        finally:
            engine.terminate()
            served = engine.wait()
        return served, command, start


def _by_s5cmd(card: Path, store: Store, *options: str) -> Usage:
    return measured(*s5cmd(card, store, *options))


def _by_rclone(card: Path, store: Store, *options: str) -> Usage:
    return measured(*rclone(card, store, *options))


_CONTESTANTS: Mapping[str, Contestant] = {
    "tui-uploader": _by_us,
    "tui-uploader, the engine alone": _by_our_engine,
    "tui-uploader, the engine without its start": _by_our_running_engine,
    "s5cmd": _by_s5cmd,
    "s5cmd, 8 workers": lambda card, store: _by_s5cmd(card, store, "--numworkers", "8"),
    "rclone": _by_rclone,
    "rclone, 16 transfers": lambda card, store: _by_rclone(card, store, "--transfers", "16", "--checkers", "16"),
}
"""With default settings, and with the number of streams that is best on this machine."""
