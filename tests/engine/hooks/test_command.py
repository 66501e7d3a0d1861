"""Programs of the user: what they get, and what becomes of those that hang, flood, fail or do not exist."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.until import until
from tui_uploader.engine.hooks.command import Ended, failure_of, own_environment, run_program
from tui_uploader.redaction import Secrets


def script(path: Path, text: str, interpreter: str = f"{sys.executable} -I") -> str:
    path.write_text(f"#!{interpreter}\n{text}")
    path.chmod(0o700)
    return str(path)


async def run(*command: str, text: str = "{}", seconds: float = 20.0, env: Mapping[str, str] | None = None) -> Ended:
    return await run_program(command, text, seconds, own_environment() if env is None else env)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def test_it_reads_json_from_stdin_in_a_session_and_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    program = script(
        tmp_path / "told",
        "import json, os, sys\n"
        "print('first line')\n"
        "print(json.dumps([json.loads(sys.stdin.read()), sys.argv[1:], os.getcwd(), os.getsid(0) == os.getpid()]))\n",
    )
    ended = await run(program, "$(touch x); `id` a b", text='{"event":"complete"}')
    assert (ended.code, failure_of("told", ended, 1)) == (0, None)
    assert json.loads(ended.output) == [{"event": "complete"}, ["$(touch x); `id` a b"], str(tmp_path), True]


async def test_a_program_below_the_home_folder_and_one_of_the_search_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    script(tmp_path / "told", "print('from home')")
    assert (await run("~/told")).output == "from home"
    assert (await run("echo", "found")).output == "found"
    assert (await run("~no-such-user/told")).not_started is not None


async def test_without_a_home_folder_it_runs_in_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    assert (await run("pwd")).output == "/"


async def test_it_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIX4D_CLIENT_ID", "the-client")
    monkeypatch.setenv("PIX4D_CLIENT_SECRET", "the-secret")
    monkeypatch.setenv("TUI_UPLOADER_PROXY", "http://anna:the-password@proxy:8080")
    monkeypatch.setenv("CARD_READER", "kept")
    given = own_environment()
    assert given["CARD_READER"] == "kept"
    assert not [value for value in given.values() if "the-" in value and value != given.get("PWD")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("exit 3", "told ended with exit code 3 and no message."),
        (
            "echo working; echo trying >&2; echo 'disk full' >&2; echo >&2; exit 2",
            "told ended with exit code 2: disk full.",
        ),
        ("echo 'only this'; exit 1", "told ended with exit code 1: only this."),
        ("kill -SEGV $$", "told was ended by SIGSEGV."),
        ("printf 'odd \\033[31m \\377' >&2; exit 1", "told ended with exit code 1: odd \\x1b[31m \ufffd."),
    ],
)
async def test_a_failure_is_told_with_the_last_line(tmp_path: Path, text: str, sentence: str) -> None:
    ended = await run(script(tmp_path / "told", text, "/bin/sh"))
    assert failure_of("told", ended, 1) == sentence


async def test_secrets_that_it_prints_are_not_repeated(tmp_path: Path) -> None:
    known = Secrets("very-secret-word")
    ended = await run(script(tmp_path / "told", "echo cannot use very-secret-word >&2; exit 1", "/bin/sh"))
    assert failure_of("told", ended, 1) == "told ended with exit code 1: cannot use …."
    del known


async def test_programs_that_cannot_be_started(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("echo")
    plain.chmod(0o600)
    nonsense = tmp_path / "nonsense"
    nonsense.write_bytes(b"\x7fnonsense")
    nonsense.chmod(0o700)
    sentences = [
        failure_of("told", await run(path), 1)
        for path in (
            str(tmp_path / "missing"),
            script(tmp_path / "odd", "", "/no/interpreter"),
            str(plain),
            str(nonsense),
        )
    ]
    missing = (
        "told cannot be started: there is no such program, or its first line names an interpreter that does not exist."
    )
    assert sentences == [
        missing,
        missing,
        "told cannot be started: it is not executable by this user; `chmod +x` makes it so.",
        "told cannot be started: it is no program, and has no first line such as #!/bin/sh.",
    ]


async def test_one_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = script(tmp_path / "told", f"sleep 600 &\necho $! $$ > {pids}\nwait", "/bin/sh")
    began = time.monotonic()
    ended = await run(program, seconds=1.0)
    assert failure_of("told", ended, 1.0) == "told was still running after 1 s, and was stopped."
    assert time.monotonic() - began < 10
    await until(lambda: all(map(gone, map(int, pids.read_text().split()))), 5)


async def test_what_it_leaves_behind_ends_with_it_and_delays_nothing(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    ended = await run(script(tmp_path / "told", f"sleep 600 &\necho $! > {pids}\necho done", "/bin/sh"), seconds=60)
    assert (ended.code, ended.output) == (0, "done")
    await until(lambda: gone(int(pids.read_text())), 5)


async def test_one_that_is_stopped_with_the_engine_is_killed(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = script(tmp_path / "told", f"echo $$ > {pids}.new; mv {pids}.new {pids}\nsleep 600", "/bin/sh")
    task = asyncio.create_task(run(program, seconds=600))
    await until(pids.exists, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: gone(int(pids.read_text())), 5)


async def test_a_cancelled_call_leaves_no_program_however_early_it_comes(tmp_path: Path) -> None:
    program = script(tmp_path / "told", "sleep 600", "/bin/sh")
    tasks = []
    for rounds in range(6):
        tasks.append(asyncio.create_task(run(program, seconds=600)))
        for _ in range(rounds):
            await asyncio.sleep(0)
        tasks[-1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # The thread of a program ends with it.
    await until(lambda: all(thread.name != "own-thread" for thread in threading.enumerate()), 10)


async def test_a_flood_is_read_to_its_end_in_little_memory_and_time(tmp_path: Path) -> None:
    loop = "for _ in range(64): os.write(1, line), os.write(2, line)"
    ended = await run(script(tmp_path / "told", f"import os\nline = b'x' * 65535 + b'\\n'\n{loop}\nprint('end')"))
    assert (ended.code, ended.output) == (0, "end")
    assert ended.error == "x" * 299 + "…"


async def test_an_endless_flood_ends_at_the_time_limit_at_little_cost() -> None:
    before = time.process_time()
    ended = await run("yes", seconds=1.5)
    assert ended.code is None
    assert time.process_time() - before < 1.0


async def test_one_that_reads_nothing_and_one_that_closes_everything(tmp_path: Path) -> None:
    assert (await run("true", text="x" * 1_000_000)).code == 0
    ended = await run(script(tmp_path / "told", "exec <&- >&- 2>&-; sleep 0.3", "/bin/sh"), text="x" * 1_000_000)
    assert ended.code == 0
