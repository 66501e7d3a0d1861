"""One run: an upload with faults, and the verdict on its result."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tests.chaos import truth
from tests.chaos.flight import Flight
from tests.chaos.machine import DEADLINE, EngineDied, Machine
from tests.chaos.mishaps import is_complete
from tests.chaos.scenarios import ONE_IN_PARTS, Scenario, named
from tests.chaos.verdict import Facts, Outcome, Shown, faults_of, outcome_of
from tests.local_cloud.root_reader import traffic_counts
from tests.until import until
from tui_uploader.errors import UploaderError
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.files import FileSelection
from tui_uploader.model.projects import NewProject, ProcessingState
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import AddRequest

_PATIENCE = 240.0
"""Seconds; several times the minute that the engine waits when it is unknown whether processing was started."""
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a scenario."""

    scenario: Scenario
    profile: str
    seed: int
    number: int = 1
    """With a fatal moment, the number of the fatal commit."""
    kind: str = ""
    """With runs by kind, the kind of write."""

    @property
    def name(self) -> str:
        return f"{self.scenario.name}/{self.profile}#{self.kind or self.number}"

    @property
    def command(self) -> str:
        """The command that repeats this run."""
        return f"python -m tests.chaos --seed {self.seed} --only '{self.name}'"

    @property
    def chance(self) -> random.Random:
        return random.Random(f"{self.seed}/{self.name}")


@dataclass(frozen=True, slots=True)
class RunResult:
    run: Run
    outcome: Outcome
    folder: Path | None
    """All files of a run with a problem; None when they were deleted."""

    @property
    def wrong(self) -> list[str]:
        strict = self.run.profile == "strict" or self.run.scenario.unverifiable
        return faults_of(self.outcome, strict=strict, bounded=self.run.scenario.only_kills)


async def execute(run: Run, patience: float = _PATIENCE) -> RunResult:
    """Execute a run; its files are deleted unless it has a problem.

    `patience`: seconds in which the upload must complete after the last fault.
    """
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    chance, scenario = run.chance, run.scenario
    chosen = {
        "seed": run.seed * 1000 + run.number,
        "few": chance.randrange(2, 64 * 1024),
        "many": chance.randrange(64 * 1024, 16 * 1024**2),
    }
    faults = [f"--fault={fault.format(**chosen)}" for fault in scenario.faults]
    machine = Machine(folder, run.profile, (*scenario.cloud, *faults))
    machine.rig_options = tuple(option.format(hosts=machine.hosts) for option in scenario.rig)
    if "--hosts" in scenario.rig:
        machine.hosts.write_text(machine.cloud_host)
    flight = Flight(machine.card, scenario.load)
    flight.write(chance)
    try:
        trouble = await _run_upload(run, machine, flight, chance, patience)
        facts = replace(await _facts(machine, flight, trouble), keeps_damage=scenario.keeps_damage)
    finally:
        await machine.stop()
    ended = RunResult(run, outcome_of(facts), folder)
    if ended.wrong:
        return ended
    await asyncio.to_thread(shutil.rmtree, folder)
    return RunResult(run, ended.outcome, None)


async def _run_upload(run: Run, machine: Machine, flight: Flight, chance: random.Random, patience: float) -> str:
    """Why the upload did not complete; empty when it did."""
    watching = asyncio.create_task(machine.watch())
    try:
        await machine.start_cloud()
        async with run.scenario.interceptor(machine, chance):
            await _upload_with_mishaps(run, machine, flight, chance)
            async with asyncio.timeout(patience):
                await _bring_to_end(machine)
    except Exception as error:  # the other runs continue after any error
        return f"{type(error).__name__}: {error}; last seen {machine.seen}"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return ""


async def kinds_of_writes(profile: str) -> list[str]:
    """The kinds of writes to the journal during an upload without faults."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        noted = Path(folder) / "kinds"
        run = Run(replace(named("nothing"), load=ONE_IN_PARTS, rig=("--kinds", str(noted))), profile, 0)
        ended = await execute(run)
        assert not ended.wrong, ended
        return sorted(set(noted.read_text().splitlines()))


async def _upload_with_mishaps(run: Run, machine: Machine, flight: Flight, chance: random.Random) -> None:
    moment = run.scenario.fatal_moment
    if moment is None:
        await machine.start_engine()
        await asyncio.wait_for(_request_upload(machine, flight), DEADLINE)
        for mishap in run.scenario.mishaps:
            await mishap(machine, flight, chance)
    else:
        kind = ("--kind", run.kind) if run.kind else ()
        commit = ("--fatal-commit", str(run.number), "--moment", moment, "--seed", str(run.seed * 1000 + run.number))
        await machine.start_engine(*commit, *kind)
        user = asyncio.create_task(_request_and_wait(machine, flight))
        await until(lambda: user.done() or not machine.engine_runs, DEADLINE)
        user.cancel()
        await asyncio.gather(user, return_exceptions=True)
        if not machine.engine_runs:
            await machine.engine_is_dead()
    if not machine.engine_runs:
        await machine.start_engine()
    await asyncio.wait_for(_request_upload(machine, flight), DEADLINE)


async def _request_and_wait(machine: Machine, flight: Flight) -> None:
    await _request_upload(machine, flight)
    await _bring_to_end(machine)


async def _request_upload(machine: Machine, flight: Flight) -> None:
    """Sign in and request the upload, again after each engine that dies meanwhile. Raises EngineDied."""
    assert machine.login is not None
    request = AddRequest((str(flight.folder),), NewProject("Quarry"), account=machine.login.account)
    while True:
        await machine.engine_listens()
        if not machine.engine_runs:
            raise EngineDied("The engine exited unexpectedly.")
        with contextlib.suppress(UploaderError):
            async with machine.front_end() as engine:
                if machine.login.account not in [known.account for known in await engine.accounts()]:
                    await engine.sign_in(SignInRequest(machine.login, keep=True, verify=False))
                if not (await engine.status()).uploads:
                    await engine.add(request)
                return
        await asyncio.sleep(_POLL_SECONDS)


async def _bring_to_end(machine: Machine) -> None:
    """Act like a user until all is complete: retry failed files, remove those that are no longer on the card."""
    while True:
        if not machine.engine_runs:
            raise EngineDied("The engine exited unexpectedly.")
        with contextlib.suppress(UploaderError):
            async with machine.front_end() as engine:
                machine.seen = await engine.status()
                for upload in machine.seen.uploads:
                    if upload.settled and upload.counts.failed:
                        missing = await _missing_files(machine, upload.upload)
                        await engine.remove(upload.upload, FileSelection(names=tuple(missing)))
                        await engine.retry(upload.upload, FileSelection(statuses=(FileStatus.FAILED,)))
                started = (
                    upload.processing.state is not ProcessingState.NOT_STARTED for upload in machine.seen.uploads
                )
                if is_complete(machine) and all(started):
                    return
        await asyncio.sleep(_POLL_SECONDS)


async def _missing_files(machine: Machine, upload: int) -> list[str]:
    """Failed files that are no longer on the card."""
    return [
        file.path for file in await _shown(machine, upload) if file.status == "failed" and not Path(file.path).exists()
    ]


async def _shown(machine: Machine, upload: int) -> list[Shown]:
    lines = (await machine.command("files", str(upload), "--json")).splitlines()
    return [Shown(file["path"], file["object"], file["status"]) for file in map(json.loads, lines)]


async def _facts(machine: Machine, flight: Flight, trouble: str) -> Facts:
    uploads = machine.seen.uploads if machine.seen else ()
    shown: list[Shown] = []
    if machine.engine_runs:
        for upload in uploads:
            of_upload = await _shown(machine, upload.upload)
            shown += [file for file in of_upload if Path(file.path).is_relative_to(machine.card)]
    kept = truth.cloud_contents(machine.cloud_root)
    counts = traffic_counts(machine.cloud_root)
    objects = {name: await asyncio.to_thread(truth.digest, path) for name, path in kept.objects.items()}
    return Facts(
        wanted=flight.wanted,
        delivered=flight.delivered,
        card=flight.sizes,
        objects=objects,
        images={name: objects[name] for name in kept.images},
        dangling=kept.dangling,
        shown=shown,
        false_at_kills=len(machine.false_at_kills),
        starts=kept.starts,
        projects=kept.projects,
        kills=machine.kills,
        faults=counts.faults + machine.tampered,
        received=counts.received,
        allowed_waste=machine.allowed_waste,
        trouble=trouble,
    )
