"""`limit`, `schedule` and `budget`: their requests, their answers, and once with a real engine and cloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.cli.standin import StandIn
from tests.cli.world import LocalCloud, command, contents, finished, quick, started, upload_of
from tests.photos import write_flight
from tests.values import ENGINE
from tui_uploader.cli.lines import bandwidth_lines, status_lines
from tui_uploader.cli.main import run
from tui_uploader.errors import UsageError
from tui_uploader.model.engine import Bandwidth, BandwidthChange, BudgetPeriod

SET = Bandwidth(
    limit=2_000_000,
    schedule="Mon-Fri 08:00-18:00 500 KB/s",
    budget=20_000_000_000,
    per=BudgetPeriod.WEEK,
    used=3_420_000_000,
    rate=500_000,
    until=1.0,
    holds="at most 500 KB/s until 18:00 (schedule)",
)


@pytest.mark.parametrize(
    ("arguments", "change"),
    [
        (["limit", "2M"], BandwidthChange(limit="2M")),
        (["limit", "500", "KB/s"], BandwidthChange(limit="500 KB/s")),
        (["limit", "off"], BandwidthChange(limit="off")),
        (
            ["schedule", "Mon-Fri 08:00-18:00 500k, Sat,Sun off"],
            BandwidthChange(schedule="Mon-Fri 08:00-18:00 500k, Sat,Sun off"),
        ),
        (["schedule", "Mon-Fri", "08:00-18:00", "500k"], BandwidthChange(schedule="Mon-Fri 08:00-18:00 500k")),
        (["budget", "20GB"], BandwidthChange(budget="20GB")),
        (["budget", "20GB", "--per", "day"], BandwidthChange(budget="20GB", per=BudgetPeriod.DAY)),
        (["budget", "--per", "total"], BandwidthChange(per=BudgetPeriod.TOTAL)),
    ],
)
def test_typed_settings_go_to_the_engine(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str], arguments: list[str], change: BandwidthChange
) -> None:
    assert run(arguments) == 0
    assert stand_in.heard("set_bandwidth") == [change]
    assert capsys.readouterr().out == "Limit: off\nSchedule: off\nBudget: off\nNow: no limit\n"


@pytest.mark.parametrize("name", ["limit", "schedule", "budget"])
def test_without_an_argument_it_shows_the_settings(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    stand_in.allowed = SET
    assert run([name]) == 0
    assert run([name, "--json"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines == bandwidth_lines(SET)
    shown = json.loads(last)
    assert (shown["limit"], shown["per"], shown["used"], shown["used_up"]) == (2_000_000, "week", 3_420_000_000, False)
    assert stand_in.heard("set_bandwidth") == []


def test_a_refusal_is_one_sentence_and_exit_code_2(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.failures = {"set_bandwidth": [UsageError("'fast' is not a rate.")]}
    assert run(["limit", "fast"]) == 2
    assert capsys.readouterr().err == "tui-uploader: 'fast' is not a rate.\n"
    assert run(["budget", "20GB", "--per", "year"]) == 2


@pytest.mark.parametrize(
    ("bandwidth", "expected"),
    [
        (Bandwidth(), ["Limit: off", "Schedule: off", "Budget: off", "Now: no limit"]),
        (
            SET,
            [
                "Limit: 2 MB/s",
                "Schedule: Mon-Fri 08:00-18:00 500 KB/s",
                "Budget: 3.42 GB of 20 GB per week used, 16.6 GB left",
                "Now: at most 500 KB/s until 18:00 (schedule)",
            ],
        ),
        (
            Bandwidth(limit=0, budget=500, per=BudgetPeriod.TOTAL, used=600, rate=0, holds="used up"),
            ["Limit: pause", "Schedule: off", "Budget: 600 B of 500 B in total used, 0 B left", "Now: used up"],
        ),
    ],
)
def test_settings_in_lines(bandwidth: Bandwidth, expected: list[str]) -> None:
    assert bandwidth_lines(bandwidth) == expected


def test_status_names_the_limit_in_force() -> None:
    lines = status_lines(replace(ENGINE, bandwidth=SET), 0.0)
    assert lines[0] == "Bandwidth: at most 500 KB/s until 18:00 (schedule)."
    assert not any(line.startswith("Bandwidth") for line in status_lines(ENGINE, 0.0))


def test_a_used_up_budget_ends_the_waiting_and_a_larger_one_resumes_the_upload(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    photos = contents(write_flight(tmp_path / "card", 8))
    size = len(next(iter(photos.values())))
    assert quick("budget", f"{2 * size}B", "--per", "total").code == 0
    stopped = command(*upload_of(tmp_path / "card", "--no-process", "--wait"))
    assert stopped.code == 4, stopped.err
    assert "is used up; `b` or `tui-uploader budget` changes it" in stopped.err
    assert stopped.json["counts"]["failed"] == 0
    assert 0 < stopped.json["counts"]["waiting"] < 8
    waiting = [line for line in quick("files", "1", "--json").json_lines if line["status"] == "waiting"]
    assert {line["reason"] for line in waiting} == {"data budget used up"}
    assert quick("engine", "stop").code == 0
    assert quick("budget", "--json").json["used_up"] is True
    assert quick("limit", "5MB/s").out.startswith("Limit: 5 MB/s\n")
    assert quick("limit", "5").code == 2
    assert quick("budget", "off").code == 0
    done = finished(started(*upload_of(tmp_path / "card", "--no-process", "--wait")))
    assert done.code == 0, done.err
    assert cloud.objects() == photos


@pytest.mark.usefixtures("cloud")
def test_a_budget_that_renews_is_waited_for(tmp_path: Path) -> None:
    size = write_flight(tmp_path / "card", 8)[0].stat().st_size
    assert quick("budget", f"{2 * size}B", "--per", "month").code == 0
    waiting = started(*upload_of(tmp_path / "card", "--no-process", "--wait"))
    assert waiting.stderr is not None
    assert any("for this month is used up until " in line for line in waiting.stderr)
    assert quick("budget", "off").code == 0
    done = finished(waiting)
    assert done.code == 0, done.err
