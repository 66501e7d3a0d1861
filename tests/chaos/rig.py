"""Run the unmodified engine in a faulty process: `python rig.py [--clock S] [--fatal-commit N --moment M]`.

The clock of the process is wrong, `localhost` resolves to an address that a file contains at that time, or the process
dies at a chosen commit of its journal: the N-th of all, or of those with a certain kind of write.

- `before` the commit: its writes are lost;
- `after` it: they are durable, but the engine did not learn of it;
- `torn`: the power fails during the commit. Each sector that it wrote to the log is on the disk or not, by seed;
  sectors that an earlier commit flushed stay.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import re
import runpy
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

R = TypeVar("R")

_SECTOR = 512
_FULL = 2


def mixed(before: bytes, after: bytes, kept: Callable[[], bool]) -> bytes:
    """A file after a torn write of `after` over `before`: of the sectors that differ, `kept` decides which are new."""
    length = max(len(before), len(after))
    old, new = before.ljust(length, b"\0"), after.ljust(length, b"\0")
    pieces = []
    for start in range(0, length, _SECTOR):
        here, there = old[start : start + _SECTOR], new[start : start + _SECTOR]
        pieces.append(there if here != there and kept() else here)
    return b"".join(pieces)


def kind_of(sql: str, parameters: Any = ()) -> str | None:
    """The kind of write of a statement: its text up to the values, and short words among these, which are states; None
    for a statement that writes nothing."""
    text = " ".join(sql.split())
    if not text.startswith(("INSERT", "UPDATE", "DELETE")):
        return None
    shape = text.partition(" WHERE ")[0].partition(" VALUES")[0].partition(" SELECT")[0].partition(" (")[0]
    values = parameters if isinstance(parameters, tuple | list) else ()
    words = [value for value in values if isinstance(value, str) and re.fullmatch("[a-z_]{3,13}", value)]
    return " ".join([shape, *words])


class FatalConnection(sqlite3.Connection):
    """Kills the process at a chosen commit, counted over all connections."""

    commits = itertools.count(1)
    fatal = 0
    fatal_kind: str | None = None
    moment = ""
    seed = 0
    kinds: Path | None = None
    """File to which the kind of every committed write is appended."""
    written: ClassVar[set[str]] = set()
    """Kinds of writes since the last commit."""

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        run = partial(super().execute, sql, parameters)
        if sql.strip() == "COMMIT":
            return self._committing(run)
        self.written.update(filter(None, [kind_of(sql, parameters)]))
        return run()

    def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
        self.written.update(filter(None, [kind_of(sql)]))
        return super().executemany(sql, parameters)

    def executescript(self, sql_script: str) -> sqlite3.Cursor:
        run = partial(super().executescript, sql_script)
        return self._committing(run) if "COMMIT;" in sql_script else run()

    def _committing(self, run: Callable[[], R]) -> R:
        if self.kinds:
            with self.kinds.open("a") as file:
                file.writelines(f"{kind}\n" for kind in sorted(self.written))
        counts = self.fatal_kind is None or self.fatal_kind in self.written
        self.written.clear()
        if not counts or next(self.commits) != self.fatal:
            return run()
        if self.moment == "before":
            _die()
        path = Path(super().execute("PRAGMA database_list").fetchone()[2])
        durable = super().execute("PRAGMA synchronous").fetchone()[0] == _FULL
        main, log = _read(path), _read(_log(path))
        result = run()
        # A commit that checkpointed the log has flushed it before.
        if self.moment == "torn" and _read(path) == main:
            chance = random.Random(self.seed)
            kept = mixed(log if durable else b"", _read(_log(path)), lambda: chance.random() < 0.5)
            _log(path).write_bytes(kept)
        _die()
        return result


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def resolve_localhost_from(hosts: Path) -> None:
    """Resolve `localhost` to the address in a file, like a name server whose answer changes."""
    ask = socket.getaddrinfo

    def answer(host: Any, *arguments: Any, **named: Any) -> Any:
        return ask(hosts.read_text().strip() if host in ("localhost", b"localhost") else host, *arguments, **named)

    socket.getaddrinfo = answer


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clock", type=float, default=0.0, metavar="S", help="seconds that the clock is ahead")
    parser.add_argument("--hosts", type=Path, metavar="FILE", help="address of `localhost`, read at every look-up")
    parser.add_argument("--fatal-commit", type=int, default=0, metavar="N")
    parser.add_argument("--kind", help="count only commits with this kind of write, as listed by --kinds")
    parser.add_argument("--kinds", type=Path, metavar="FILE", help="append kinds of writes to this file")
    parser.add_argument("--moment", choices=("before", "after", "torn"), default="before")
    parser.add_argument("--seed", type=int, default=0, help="seed for the sectors of a torn commit")
    arguments = parser.parse_args()
    FatalConnection.fatal, FatalConnection.fatal_kind, FatalConnection.kinds = (
        arguments.fatal_commit,
        arguments.kind,
        arguments.kinds,
    )
    FatalConnection.moment, FatalConnection.seed = arguments.moment, arguments.seed
    sqlite3.connect = partial(sqlite3.connect, factory=FatalConnection)  # type: ignore[assignment]
    if arguments.hosts:
        resolve_localhost_from(arguments.hosts)
    real_time = time.time
    time.time = lambda: real_time() + arguments.clock
    sys.argv = ["tui-uploader", "engine", "run"]
    runpy.run_module("tui_uploader", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
