"""`python -m benchmarks [NAME [ROW …] …]`: run all or some, print their tables, write them to RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from benchmarks.machine import description
from benchmarks.table import Table

BENCHMARKS = ("intake", "card_again", "upload", "verify", "result", "link", "restart", "journal", "terminal")
RESULTS = Path(__file__).parent / "RESULTS.md"

_BEGIN, _END = "<!-- {name} -->", "<!-- end of {name} -->"
_HEAD = "# Results\n\nEach section names the machine on which it was measured. `make bench` repeats all measurements.\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"of {', '.join(BENCHMARKS)}; all by default. A name may be followed by rows; then nothing is written",
    )
    chosen = selected(parser.parse_args().names or BENCHMARKS)
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in chosen}
    for name, rows in chosen.items():
        if unknown := set(rows) - set(getattr(modules[name], "SELECTABLE", ())):
            parser.error(f"{name} has no row {', '.join(sorted(unknown))}")
    machine = description()
    print(machine)
    for name, rows in chosen.items():
        tables: list[Table] = modules[name].tables(*rows)
        for table in tables:
            print(f"\n{table.markdown()}", flush=True)
        if not rows:
            _keep(name, section(name, tables, machine))


def selected(words: Iterable[str]) -> dict[str, list[str]]:
    """The rows given after each benchmark. Raises SystemExit for a row without a benchmark before it."""
    chosen: dict[str, list[str]] = {}
    for word in words:
        if word in BENCHMARKS:
            chosen[word] = []
        elif chosen:
            chosen[next(reversed(chosen))].append(word)
        else:
            raise SystemExit(f"Unknown benchmark {word}.")
    return chosen


def section(name: str, tables: Iterable[Table], machine: str) -> str:
    """The section of a benchmark in RESULTS.md, between two marks."""
    body = "\n".join(table.markdown() for table in tables)
    return f"{_BEGIN.format(name=name)}\n{body}\nMeasured {date.today()}:\n\n{machine}\n{_END.format(name=name)}\n"


def replaced(results: str, name: str, text: str) -> str:
    """`results` with the section of a benchmark replaced, or added at the end."""
    begin, end = _BEGIN.format(name=name), _END.format(name=name) + "\n"
    if begin not in results:
        return f"{results}\n{text}"
    before, _, rest = results.partition(begin)
    return before + text + rest.partition(end)[2]


def _keep(name: str, text: str) -> None:
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else _HEAD
    RESULTS.write_text(replaced(old, name, text), encoding="utf-8")


if __name__ == "__main__":
    main()
