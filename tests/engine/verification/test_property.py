"""No card is ever called safe that is not: drawn cards, uploads, faults and crashes against the truth.

`python -m tests.engine.verification.test_property [FIRST [COUNT]]` runs many more cases than the suite does.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.engine.verification.cases import Told, cases_prepared, told_of
from tui_uploader.model.verification import Verdict

_AT_ONCE = 8
_CASES = 250


def _fast_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


async def run_cases(first: int, count: int) -> dict[int, Told]:
    """How the cases with these seeds went."""
    told: dict[int, Told] = {}
    seeds = iter(range(first, first + count))

    async def run_some(folder: Path) -> None:
        for seed in seeds:
            told[seed] = await told_of(seed, folder / str(seed))

    with cases_prepared(), tempfile.TemporaryDirectory(dir=_fast_folder()) as folder:
        await asyncio.gather(*(run_some(Path(folder)) for _ in range(_AT_ONCE)))
    return told


async def test_no_card_is_called_safe_that_is_not() -> None:
    told = await run_cases(0, _CASES)
    assert {seed: each.wrong for seed, each in told.items() if each.wrong} == {}
    assert [seed for seed, each in told.items() if each.timid] == []
    verdicts = Counter(each.verdict for each in told.values())
    assert verdicts[Verdict.SAFE] > _CASES // 5, verdicts
    assert sum(each.crashes > 0 for each in told.values()) > _CASES // 10


def main(first: int = 0, count: int = 10_000) -> int:
    begun = time.monotonic()
    told = asyncio.run(run_cases(first, count))
    wrong = {seed: each.wrong for seed, each in told.items() if each.wrong}
    timid = [seed for seed, each in told.items() if each.timid]
    verdicts = Counter(str(each.verdict) for each in told.values())
    sys.stdout.write(
        f"{len(told):,} cases, seeds {first} to {first + count - 1}, {time.monotonic() - begun:.0f} s:"
        f" {dict(verdicts)}, "
        f"{sum(each.crashes for each in told.values()):,} crashes, {len(wrong)} wrong, {len(timid)} timid\n"
    )
    for seed, reasons in wrong.items():
        sys.stdout.write(f"wrong: seed {seed}: {reasons!r}\n")
    sys.stdout.write("".join(f"timid: seed {seed}\n" for seed in timid))
    return 1 if wrong or timid else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
