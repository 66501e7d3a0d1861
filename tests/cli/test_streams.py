"""Unwritable streams and missing homes: the exit code stays that of the work, with one sentence."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.world import LocalCloud, command, upload_of
from tests.photos import of_yesterday, write_flight
from tui_uploader.cli.streams import OUTPUT_LOST, READER_GONE, UnfailingStream, loss_of
from tui_uploader.settings import Directories

_PROGRAM = f"{sys.executable} -m tui_uploader"


def in_shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`line` with `PROGRAM` for the program; captures stdout and stderr where they are not redirected."""
    return subprocess.run(
        ["bash", "-c", "set -o pipefail; " + line.replace("PROGRAM", _PROGRAM)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("PROGRAM --version >&-", 0),
        ("PROGRAM --help >&-", 0),
        ("PROGRAM --version <&- >&- 2>&-", 0),
        ("PROGRAM --version >/dev/full", OUTPUT_LOST),
        ("PROGRAM --help >/dev/full", OUTPUT_LOST),
        ("PROGRAM upload --help >/dev/full 2>/dev/full", OUTPUT_LOST),
        ("PROGRAM --help | true", READER_GONE),
        ("PROGRAM --version 2>/dev/full", 0),
        ("PROGRAM upload / 2>/dev/full", 2),
        ("PROGRAM upload / 2>&-", 2),
        ("PROGRAM engine status --json >&- 2>&-", 6),
        ("PROGRAM login <&- >/dev/full 2>/dev/full", 2),
    ],
)
def test_an_unwritable_stream_changes_no_exit_code(line: str, code: int) -> None:
    done = in_shell(line)
    assert (done.returncode, "Traceback" in done.stderr, "Exception ignored" in done.stderr) == (code, False, False)


@pytest.mark.parametrize("locale", ["env -u LANG -u LC_CTYPE -u LC_ALL", "env LC_ALL=C", "env TERM=linux", "--ascii"])
def test_a_locale_without_utf8_gets_ascii(locale: str) -> None:
    done = in_shell("PROGRAM --ascii upload --help" if locale == "--ascii" else f"{locale} PROGRAM upload --help")
    assert (done.returncode, done.stdout.isascii()) == (0, True), done.stdout


def test_a_lost_answer_is_reported() -> None:
    done = in_shell("PROGRAM --version >/dev/full")
    assert done.stderr == "tui-uploader: The answer could not be written to stdout: No space left on device.\n"


def test_the_exit_code_is_that_of_the_upload(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 4)
    for number, streams in enumerate(
        (">&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full", "| true", "2> >(true)", "2>&1 | head -1"), start=1
    ):
        done = in_shell(f"PROGRAM upload {tmp_path}/card --new 'Quarry {number}' --no-process --wait {streams}")
        assert (streams, done.returncode, "Traceback" in done.stderr) == (streams, 0, False)
        (upload,) = command("status", str(number), "--json").json["uploads"]
        assert upload["counts"]["uploaded"] == 4


def test_the_exit_code_reports_failed_files(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 3)
    (tmp_path / "card" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    of_yesterday(tmp_path / "card" / "broken.jpg")
    done = in_shell(f"PROGRAM upload {tmp_path}/card --new Quarry --wait --json >/dev/full 2>&-")
    assert done.returncode == 1


def test_watching_ends_when_its_output_is_lost(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 3)
    assert command(*upload_of(tmp_path / "card")).code == 0
    for stream, code in ((">&-", 0), (">/dev/full", OUTPUT_LOST), ("| head -1", READER_GONE)):
        for flags in ("", "--json"):
            done = in_shell(f"PROGRAM status --watch {flags} {stream}")
            assert (stream, flags, done.returncode, "Traceback" in done.stderr) == (stream, flags, code, False)


def test_the_demo_runs_to_its_end_without_a_reader() -> None:
    done = in_shell("PROGRAM demo --headless --images 8 2>/dev/full | head -1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Sample flight")


def test_a_cloud_with_unwritable_output_serves(tmp_path: Path) -> None:
    line = f"timeout --preserve-status 3 {_PROGRAM} cloud serve --port 0 --root {tmp_path}/cloud >/dev/full 2>/dev/full"
    assert in_shell(line).returncode == 0


def test_an_engine_in_the_foreground_outlives_its_stderr(cloud: LocalCloud) -> None:
    done = in_shell("PROGRAM engine run 2>/dev/full & until PROGRAM engine stop 2>/dev/null; do :; done; wait $!")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stream_drops_text_after_its_first_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        output = UnfailingStream(pipe)
        output.write("lost\n")
        heard_before = output.works
        output.flush()
        assert (heard_before, output.works) == (True, False)
        assert output.write("lost too\n") == 9
        assert isinstance(output.error, OSError)
        assert output.error.errno == errno.EPIPE
        assert loss_of(output) == (READER_GONE, None)


# ------------------------------------------------------------------------------------------------------- no home


def run(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """`status` with nothing else in its environment."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "tui_uploader", "status"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], **environment},
        cwd="/",
    )


_UNKNOWN_USER = 12345


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"HOME": "here"}, "HOME is here, which is not an absolute path"),
        ({"HOME": ""}, "HOME is empty"),
        ({"HOME": "a\x1bb", "XDG_STATE_HOME": "relative"}, "HOME is a\\x1bb, which is not an absolute path"),
    ],
)
def test_an_invalid_home_is_one_sentence(environment: Mapping[str, str], said: str) -> None:
    done = run(environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"tui-uploader: The environment variable {said}. Set it to your home directory, then try again.\n"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user that the system does not know")
def test_a_user_without_a_home_gets_one_sentence() -> None:
    # The installation is loaded first, since another user may not be allowed to read it.
    code = f"""
import contextlib, io, os, pwd, sys
import tui_uploader.service.client
from tui_uploader.cli.main import main, run
with contextlib.redirect_stdout(io.StringIO()):
    run(["status", "--help"])
os.setuid({_UNKNOWN_USER})
os.environ.pop("HOME", None)
sys.argv = ["tui-uploader", "status"]
main()
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"no entry for user {_UNKNOWN_USER}. Set HOME to a folder" in done.stderr


def test_no_home_is_needed_where_every_directory_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "nowhere")
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    assert Directories.of_user().data == tmp_path / "tui-uploader"


def test_a_relative_xdg_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, "relative")
    found = Directories.of_user()
    assert all(folder.is_relative_to(tmp_path) for folder in (found.config, found.data, found.state))
