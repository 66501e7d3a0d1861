"""`python -m benchmarks [NAME …]`: run all or some, print their tables, and keep them in RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from benchmarks.machine import description
from benchmarks.table import Table

BENCHMARKS = ("intake", "upload", "terminal")
RESULTS = Path(__file__).parent / "RESULTS.md"

_BEGIN, _END = "<!-- {name} -->", "<!-- end of {name} -->"
_HEAD = "# Measured\n\nEach section names the machine that it was measured on. `make bench` measures all anew.\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default")
    names = parser.parse_args().names or BENCHMARKS
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    machine = description()
    print(machine)
    for name in names:
        tables: list[Table] = importlib.import_module(f"benchmarks.{name}").tables()
        for table in tables:
            print(f"\n{table.markdown()}", flush=True)
        _keep(name, section(name, tables, machine))


def section(name: str, tables: Iterable[Table], machine: str) -> str:
    """What RESULTS.md says of one benchmark, between two marks."""
    body = "\n".join(table.markdown() for table in tables)
    return f"{_BEGIN.format(name=name)}\n{body}\nMeasured {date.today()}:\n\n{machine}\n{_END.format(name=name)}\n"


def replaced(results: str, name: str, text: str) -> str:
    """`results` with the section of one benchmark exchanged, or added at the end."""
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
