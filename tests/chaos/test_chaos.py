"""A few short scenarios; `make chaos` runs all of them, with every commit and a hundred kills."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos import mishaps
from tests.chaos.flight import Load
from tests.chaos.runner import Run, execute
from tests.chaos.scenarios import MIB, Scenario, named

_SEED = 1
_STARTED = (
    "UPDATE projects SET ended_at = ?, started_at = ?, processing = ?, waiting_seconds = ?,"
    " processing_seconds = ?, reason = ? submitted"
)
_FEW = Load(photos=24, size=120_000, large=(18 * MIB,))

RUNS = (
    Run(replace(named("kill"), load=_FEW, mishaps=(mishaps.engine_killed(4),)), "default", _SEED),
    Run(named("commit-torn"), "default", _SEED, 1),
    Run(named("commit-torn"), "default", _SEED, 12),
    Run(named("write-before"), "strict", _SEED, kind="UPDATE files SET stage = ?, uploaded_at = ? registered stored"),
    Run(named("write-after"), "default", _SEED, kind="INSERT OR REPLACE INTO parts"),
    Run(named("write-before"), "default", _SEED, kind=_STARTED),
    Run(replace(named("reboot"), load=_FEW, mishaps=(mishaps.rebooted(1),)), "strict", _SEED),
    Run(replace(named("files-change"), load=_FEW, mishaps=(mishaps.files_touched(3, 2),)), "default", _SEED),
    Run(
        Scenario(
            "short-of-all",
            "requests for files are cut off and refused, and replies are lost",
            faults=(
                "drop:route=part,probability=0.4,seed={seed},bytes=65537",
                "drop:route=put,probability=0.15,seed={seed},bytes=17000",
                "lost_reply:route=put,probability=0.1,seed={seed}1",
                "error502html:route=put,probability=0.1,seed={seed}2",
                "expired_token:route=put,probability=0.1,seed={seed}3",
                "lost_reply:route=register,probability=0.4,seed={seed}4",
            ),
            rig=("--clock", "7200"),
            load=_FEW,
        ),
        "default",
        _SEED,
    ),
)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
async def test_nothing_is_lost_doubled_or_falsely_called_uploaded(run: Run) -> None:
    ended = await execute(run, patience=60)
    assert not ended.wrong, f"{ended.outcome}; logs, journal, cloud and card are in {ended.folder}"
    if run.scenario.only_kills:
        assert ended.outcome.kills, "the engine was not killed: has the SQL of the journal changed?"
    if run.scenario.faults:
        assert ended.outcome.faults
