"""`hooks`, and what `status` says about one that fails: by real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.world import LocalCloud, command, kill_engine, quick, upload_of
from tests.photos import write_flight
from tests.until import until
from tui_uploader.settings import Directories


@pytest.fixture(autouse=True)
def no_engine_stays(own_directories: None) -> Iterator[None]:
    yield
    kill_engine()


def set_hooks(text: str) -> None:
    directories = Directories.of_user()
    directories.config.mkdir(parents=True, exist_ok=True)
    directories.settings_file.write_text(text)


def told_program(tmp_path: Path) -> Path:
    program = tmp_path / "told.sh"
    program.write_text(f"#!/bin/sh\ncat >> {tmp_path}/told\necho thanks\n")
    program.chmod(0o700)
    return program


def test_without_hooks_the_command_says_where_they_are_set() -> None:
    assert str(Directories.of_user().settings_file) in quick("hooks").out
    tested = quick("hooks", "test")
    assert (tested.code, "No hooks" in tested.err) == (2, True)


def test_hooks_are_listed_and_tested(tmp_path: Path) -> None:
    set_hooks(f'[[hooks]]\ncommand = ["{told_program(tmp_path)}"]\n[[hooks]]\ncommand = ["/no/such"]\nseconds = 2')
    assert quick("hooks").out.splitlines() == [
        "told.sh: command, told everything, at most 30 s.",
        "such: command, told everything, at most 2 s.",
    ]
    assert [hook["name"] for hook in quick("hooks", "list", "--json").json_lines] == ["told.sh", "such"]
    tested = quick("hooks", "test", "card_safe")
    assert tested.code == 1
    assert tested.out.splitlines()[0] == "told.sh was told card_safe as a test, and answered: thanks"
    assert "such cannot be started" in tested.out
    assert json.loads((tmp_path / "told").read_text())["test"] is True
    set_hooks(f'[hooks]\ncommand = ["{told_program(tmp_path)}"]')
    again = quick("hooks", "test", "--json")
    assert (again.code, again.json["failure"], again.json["event"]) == (0, None, "complete")


def test_a_word_that_is_no_event_is_refused() -> None:
    assert quick("hooks", "test", "everything").code == 2


def wait_until(condition: Callable[[], object]) -> None:
    asyncio.run(until(condition))


def hook_failures() -> list[Any]:
    failures: list[Any] = command("status", "--json").json["hook_failures"]
    return failures


def test_an_upload_tells_its_hook_and_a_failure_is_in_the_status(cloud: LocalCloud, tmp_path: Path) -> None:
    set_hooks(
        f'[[hooks]]\ncommand = ["{told_program(tmp_path)}"]\nevents = ["complete"]\n'
        '[[hooks]]\ncommand = ["/bin/sh", "-c", "env >&2; echo no space >&2; exit 4"]\nevents = ["complete"]'
    )
    write_flight(tmp_path / "card", 6)
    uploaded = command(*upload_of(tmp_path / "card", "--no-process", "--wait"))
    assert uploaded.code == 0
    told = tmp_path / "told"
    wait_until(lambda: told.exists() and told.read_text().endswith("\n"))
    assert json.loads(told.read_text())["upload"] == uploaded.json["upload"]
    reason = "sh ended with exit code 4: no space."
    wait_until(hook_failures)
    (failure,) = hook_failures()
    assert (failure["hook"], failure["event"], failure["reason"]) == ("sh", "complete", reason)
    assert quick("status").out.splitlines()[-1] == (
        f"! The hook sh could not be told that an upload is complete: {reason}"
    )
    assert reason in quick("hooks").out
    assert f"A hook failed: {reason}" in quick("history").out
    log = Directories.of_user().log.read_text()
    assert reason in log
    assert cloud.client_secret not in log


def test_an_event_that_a_killed_engine_was_telling_is_told_by_the_next_one(cloud: LocalCloud, tmp_path: Path) -> None:
    told, pid = tmp_path / "told", tmp_path / "pid"
    program = tmp_path / "told.sh"
    program.write_text(f"#!/bin/sh\ncat >> {told}\n[ -e {pid} ] || {{ echo $$ > {pid}; exec sleep 600; }}\n")
    program.chmod(0o700)
    set_hooks(f'[hooks]\ncommand = ["{program}"]\nevents = ["complete"]\nseconds = 600')
    write_flight(tmp_path / "card", 6)
    assert command(*upload_of(tmp_path / "card", "--no-process", "--wait")).code == 0
    wait_until(lambda: pid.exists() and pid.read_text().endswith("\n"))
    kill_engine()
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert quick("status").code == 0
    wait_until(lambda: told.read_text().count("\n") == 2)
    first, again = map(json.loads, told.read_text().splitlines())
    assert first == again
    assert quick("hooks", "list", "--json").json["failure"] is None
