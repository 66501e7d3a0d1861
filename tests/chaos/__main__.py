"""`python -m tests.chaos`: run all scenarios in all profiles, print a line per run, write MATRIX.md."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
from collections.abc import Iterable
from dataclasses import replace

from tests.chaos.matrix import MATRIX, matrix
from tests.chaos.runner import Run, RunResult, execute, kinds_of_writes
from tests.chaos.scenarios import PROFILES, SCENARIOS, Scenario

_PARALLEL_RUNS = 4
"""Runs at a time; many of them mostly wait."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="seed of all random choices [default: 1]")
    parser.add_argument("--kills", type=int, metavar="N", help="least number of kills at seeded instants")
    parser.add_argument("--only", default="", metavar="NAME[/PROFILE[#RUN]]", help="run only this, without MATRIX.md")
    arguments = parser.parse_args()
    name, _, rest = arguments.only.partition("/")
    profile, _, chosen = rest.partition("#")
    scenarios = [scenario for scenario in SCENARIOS if name in ("", scenario.name)]
    profiles = [each for each in PROFILES if profile in ("", each)]
    if not scenarios or not profiles:
        names = ", ".join(scenario.name for scenario in SCENARIOS)
        parser.error(f"unknown {arguments.only}; scenarios are {names}; profiles are {', '.join(PROFILES)}")
    if arguments.kills is not None:
        scenarios = [replace(each, least_kills=arguments.kills) if each.least_kills else each for each in scenarios]
    firsts = [Run(scenario, each, arguments.seed) for scenario in scenarios for each in profiles]
    ended = asyncio.run(all_ended(firsts, chosen))
    if not arguments.only:
        MATRIX.write_text(matrix(arguments.seed, ended), encoding="utf-8")
    sys.exit(any(end.wrong for end in ended))


async def all_ended(firsts: list[Run], chosen: str) -> list[RunResult]:
    """All runs of each scenario and profile in `firsts`, or the `chosen` one: a number or a kind of write."""
    slots = asyncio.Semaphore(_PARALLEL_RUNS)

    async def execute_one(run: Run) -> RunResult:
        async with slots:
            end = await execute(run)
        print_result(end)
        return end

    async def of_scenario(first: Run) -> list[RunResult]:
        ended: list[RunResult] = []
        runs = iter([one_of(first, chosen)] if chosen else await runs_of(first))

        async def run_next() -> None:
            while not is_enough(first.scenario, ended) and (following := next(runs, None)) is not None:
                ended.append(await execute_one(following))

        # With a least number of kills, each run must be counted before the next one starts.
        await asyncio.gather(*(run_next() for _ in range(1 if first.scenario.least_kills else _PARALLEL_RUNS)))
        return sorted(ended, key=lambda end: (end.run.number, end.run.kind))

    return [end for each in await asyncio.gather(*map(of_scenario, firsts)) for end in each]


def one_of(first: Run, chosen: str) -> Run:
    if chosen.isdigit():
        return replace(first, number=int(chosen))
    return replace(first, kind=chosen, number=first.scenario.of_kind)


async def runs_of(first: Run) -> Iterable[Run]:
    """All runs of a scenario; possibly endless."""
    scenario = first.scenario
    if scenario.by_kind:
        kinds = [scenario.only_kind] if scenario.only_kind else await kinds_of_writes(first.profile)
        return [one_of(first, kind) for kind in kinds]
    open_end = scenario.fatal_moment is not None or scenario.least_kills
    numbers = itertools.count(1) if open_end else range(1, scenario.runs + 1)
    return (replace(first, number=number) for number in numbers)


def is_enough(scenario: Scenario, ended: list[RunResult]) -> bool:
    """Whether no more runs are needed. Runs by commit end with the first run that has no such commit."""
    if scenario.fatal_moment is not None and not scenario.by_kind:
        return any(end.outcome.kills == 0 for end in ended)
    return 0 < scenario.least_kills <= sum(end.outcome.kills for end in ended)


def print_result(end: RunResult) -> None:
    outcome = end.outcome
    facts = f"{outcome.kills} kills, {outcome.faults} hit, {outcome.copies} copies, {outcome.resent:,} bytes sent again"
    sys.stdout.write(f"{'NOT HELD' if end.wrong else 'held'}  {end.run.name}  {facts}\n")
    if end.wrong:
        sys.stdout.write(f"    {'; '.join(end.wrong)}\n    repeat: {end.run.command}\n    files in {end.folder}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
