"""The program as a process: imports, streams and exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from tests.values import file
from tui_uploader.cli import app, full_screen, main
from tui_uploader.cli.demo.proof import prove
from tui_uploader.settings import Directories

PROGRAM = [sys.executable, "-m", "tui_uploader"]


def run(*arguments: str | bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, timeout=60, env=os.environ | environment)


def test_help_and_status_import_nothing_slow() -> None:
    heavy = "{'botocore', 'starlette', 'uvicorn', 'PIL', 'textual', 'httpx', 'asyncio', 'rich', 'sqlite3', 'pydantic'}"
    code = f"import sys, tui_uploader.cli.app; print(*sorted({heavy} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert result.stdout.strip() == b""


def test_the_app_starts_without_loading_the_commands() -> None:
    code = "import sys, tui_uploader.cli.main; print({'typer', 'tui_uploader.cli.app'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert result.stdout.strip() == b"set()"


@pytest.mark.parametrize(
    ("arguments", "alone"),
    [
        ([], True),
        (["--ascii", "--slow", "--in-demo", "--read-only"], True),
        (["--debug"], True),
        (["--slow", "--slow"], True),
        (["--help"], False),
        (["--ascii", "status"], False),
        (["--ascii=yes"], False),
        (["--"], False),
    ],
)
def test_arguments_that_only_ask_for_the_app(arguments: list[str], alone: bool) -> None:
    assert full_screen.is_only_request(arguments) is alone


def test_every_flag_of_the_app_is_an_option_of_the_program() -> None:
    known = {name for option in typer.main.get_command(app.app).params for name in option.opts}
    assert {full_screen.ASCII, full_screen.SLOW, full_screen.IN_DEMO, full_screen.DEBUG} <= known


def test_version() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, b"tui-uploader 0.1.0\n")


@pytest.mark.parametrize(
    "command",
    [
        ["demo"],
        ["login"],
        ["upload"],
        ["status"],
        ["files"],
        ["process"],
        ["projects", "list"],
        ["engine", "run"],
        ["cloud", "serve"],
    ],
)
def test_every_command_has_help_on_stdout(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*command, "--help"]) == 0
    shown = capsys.readouterr()
    assert "Usage" in shown.out
    assert shown.err == ""


def test_a_usage_error_is_one_line_on_stderr_and_exit_code_2() -> None:
    result = run("upload", "/", "--new", "A", "--no-such-option")
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.count(b"\n") == 1
    assert b"--no-such-option" in result.stderr


def test_a_usage_error_is_two_sentences() -> None:
    assert b"integer. See `tui-uploader --help`.\n" in run("pause", "three").stderr
    assert b"tui-uploader: A command is missing. See `tui-uploader --help`.\n" in run("projects").stderr


def test_a_path_that_is_not_utf8_is_named() -> None:
    result = run("upload", b"/no/such/\xff\x1b[2J.jpg", "--new", "A")
    assert result.returncode == 2
    assert b"\\xff\\x1b[2J.jpg" in result.stderr


def test_a_stream_that_is_not_utf8_gets_ascii() -> None:
    result = run("upload", "/no/such/\u00e9.jpg", "--new", "A", PYTHONIOENCODING="ascii")
    assert result.returncode == 2
    assert result.stderr.isascii()


def test_engine_status_without_an_engine_starts_none() -> None:
    result = run("engine", "status", "--json")
    assert (result.returncode, result.stdout) == (6, b"")
    assert result.stderr.count(b"\n") == 1
    assert not Directories.of_user().socket.exists()


def test_a_pipe_without_a_reader_gets_no_error_message() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        result = subprocess.run([*PROGRAM, "--version"], stdout=writer, stderr=subprocess.PIPE, timeout=60)
    finally:
        os.close(writer)
    assert result.stderr == b""
    assert result.returncode == 128 + signal.SIGPIPE


def test_a_comparison_finds_missing_different_and_extra_objects(tmp_path: Path) -> None:
    card, bucket = tmp_path / "card", tmp_path / "root" / "objects" / "bucket" / "user" / "project"
    card.mkdir()
    bucket.mkdir(parents=True)
    items = [file(n, path=str(card / f"{n}.jpg"), object=f"{n}-x.jpg", size=4) for n in range(3)]
    for item in items:
        Path(item.path).write_bytes(b"same")
    (bucket / "0-x.jpg").write_bytes(b"same")
    whole = prove(tmp_path / "root", items[:1])
    assert whole.holds
    assert (whole.equal, whole.size) == (1, 4)
    (bucket / "1-x.jpg").write_bytes(b"samE")
    (bucket / "9-x.jpg").write_bytes(b"same")
    broken = prove(tmp_path / "root", items)
    assert not broken.holds
    assert broken.missing == (str(card / "2.jpg"),)
    assert [Path(path).name for path in broken.differing] == ["1-x.jpg"]
    assert [Path(path).name for path in broken.extra] == ["9-x.jpg"]
    assert any("missing" in line for line in broken.lines())


def test_nothing_uploaded_proves_nothing(tmp_path: Path) -> None:
    assert not prove(tmp_path, []).holds
