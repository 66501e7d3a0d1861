"""The program against a local cloud, from the command line to the bytes in the bucket, all with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import on_terminal
from tests.cli.world import LocalCloud, command, contents, finished, quick, serving, started, upload_of
from tests.photos import write_flight


def test_stored_objects_equal_their_files_and_are_not_sent_again(cloud: LocalCloud, tmp_path: Path) -> None:
    photos = contents(write_flight(tmp_path / "card", 8))
    (tmp_path / "card" / "notes.txt").write_text("no image")
    done = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait", "--json")
    assert done.code == 0, done.err
    assert cloud.objects() == photos
    size = sum(len(content) for content in photos.values())
    shown = done.json
    assert shown["state"] == "complete"
    assert shown["counts"] == {"uploaded": 8, "uploading": 0, "waiting": 0, "duplicate": 0, "failed": 0}
    assert shown["bytes"] == {"total": size, "sent": size, "stored": size, "registered": size}
    assert [skip["path"] for skip in shown["skipped"]] == [str(tmp_path / "card" / "notes.txt")]
    assert shown["processing"] != "not_started"
    listed = quick("status", "--json").json["uploads"]
    assert [(entry["upload"], entry["counts"]) for entry in listed] == [(shown["upload"], shown["counts"])]
    files = quick("files", str(shown["upload"]), "--json").json_lines
    assert {entry["object"] for entry in files} == set(photos)
    assert {entry["status"] for entry in files} == {"uploaded"}
    written = cloud.modified()
    again = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait", "--json")
    assert again.code == 0, again.err
    assert cloud.modified() == written
    counts = again.json["counts"]
    assert (counts["uploaded"] + counts["duplicate"], counts["failed"]) == (8, 0)
    assert again.json["project"] == shown["project"]


def test_equal_names_overwrite_nothing_and_a_copy_is_not_sent(cloud: LocalCloud, tmp_path: Path) -> None:
    north = contents(write_flight(tmp_path / "north", 6))
    south = contents(write_flight(tmp_path / "south", 6))
    original, copy = tmp_path / "south" / "DJI_0001.JPG", tmp_path / "south" / "z" / "copy.jpg"
    copy.parent.mkdir()
    copy.write_bytes(original.read_bytes())
    for card in ("north", "south"):
        done = command("upload", str(tmp_path / card), "--new", "Quarry", "--no-process", "--wait", "--json")
        assert done.code == 0, done.err
    stored = cloud.objects()
    assert {name: stored[name] for name in north} == north
    assert sorted(stored.values()) == sorted([*north.values(), *south.values()])
    (duplicate,) = quick("files", str(done.json["upload"]), "--status", "duplicate", "--json").json_lines
    assert {duplicate["path"], duplicate["duplicate_of"]} == {str(original), str(copy)}


def test_commands_without_a_login_say_how_to_sign_in(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_flight(tmp_path / "card", 1)
    arguments = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait", "--json")
    monkeypatch.setenv("PIX4D_CLIENT_SECRET", "wrong-secret")
    refused = command(*arguments)
    assert (refused.code, refused.out) == (3, "")
    assert "wrong-secret" not in refused.err
    assert command("login", typed=f"{cloud.client_id}\nwrong-secret\n").code == 3
    assert quick("engine", "stop").code == 0
    monkeypatch.delenv("PIX4D_CLIENT_ID")
    monkeypatch.delenv("PIX4D_CLIENT_SECRET")
    refused = quick(*arguments)
    assert refused.code == 3
    assert "login" in refused.err
    assert quick("whoami").code == 3


def test_two_front_ends_at_once_share_one_engine(cloud: LocalCloud, tmp_path: Path) -> None:
    north = contents(write_flight(tmp_path / "north", 6))
    south = contents(write_flight(tmp_path / "south", 6))
    both = [
        started("upload", str(tmp_path / card), "--new", "Quarry", "--no-process", "--wait", "--json")
        for card in ("north", "south")
    ]
    ends = [finished(process) for process in both]
    assert [end.code for end in ends] == [0, 0], [end.err for end in ends]
    assert ends[0].json["project"] == ends[1].json["project"]
    assert sorted(cloud.objects().values()) == sorted([*north.values(), *south.values()])


def test_a_login_is_kept_for_later_commands_and_can_be_deleted(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIX4D_CLIENT_ID")
    monkeypatch.delenv("PIX4D_CLIENT_SECRET")
    signed_in = command(
        "login", typed=f"\ufeff{cloud.client_id}\r\n{cloud.client_secret}"
    )  # a file of Windows' Notepad
    assert signed_in.code == 0, signed_in.err
    assert cloud.client_secret not in signed_in.out + signed_in.err
    assert command("engine", "stop").code == 0
    assert quick("whoami", "--json").json["client_id"] == cloud.client_id
    photos = contents(write_flight(tmp_path / "card", 6))
    done = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--wait", "--json")
    assert done.code == 0, done.err
    assert cloud.objects() == photos
    assert quick("logout").code == 0
    assert quick("whoami").code == 3


def test_a_terminal_shows_progress_and_a_summary(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 6)
    with on_terminal("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait") as terminal:
        assert terminal.exit_code() == 0
    assert "sent" in terminal.shown
    assert "Quarry: 6 files uploaded" in terminal.shown
    plain = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait")
    with on_terminal(*plain, NO_COLOR="1") as terminal:
        assert terminal.exit_code() == 0
    assert "\x1b" not in terminal.shown


@pytest.mark.usefixtures("cloud_root")
def test_watching_ends_with_its_reader() -> None:
    watching = started("status", "--watch", "--json")
    assert watching.stdout is not None
    assert watching.stdin is not None
    assert watching.stderr is not None
    with watching.stdin, watching.stderr:
        with watching.stdout:
            assert json.loads(watching.stdout.readline())["uploads"] == []
        assert watching.wait(timeout=20) == 128 + signal.SIGPIPE
        assert watching.stderr.read() == ""


@pytest.mark.usefixtures("cloud_root")
def test_the_app_restores_the_terminal() -> None:
    with on_terminal(TERM="xterm-256color") as terminal:
        terminal.await_text("quit")
        terminal.await_text("finished")  # so it has found its engine
        terminal.type("q")
        assert terminal.exit_code() == 0
    assert terminal.shown.rfind("\x1b[?1049h") < terminal.shown.rfind("\x1b[?1049l")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Short, because the demo's engine puts its socket below TMPDIR."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


def test_the_demo_shows_the_app_and_leaves_nothing_behind(short_folder: Path) -> None:
    with on_terminal("demo", "--images", "6", TMPDIR=str(short_folder), TERM="xterm-256color") as terminal:
        terminal.await_text("Sample flight")
        terminal.await_text("quit")
        terminal.type("q")
        assert terminal.exit_code() == 0
    assert "left nothing behind" in terminal.shown
    assert list(short_folder.iterdir()) == []


def test_the_demo_cleans_up_on_sigterm(short_folder: Path) -> None:
    with on_terminal("demo", "--images", "6", TMPDIR=str(short_folder), TERM="xterm-256color") as terminal:
        terminal.await_text("quit")
        terminal.send_signal(signal.SIGTERM)
        assert terminal.exit_code() == 130
    assert terminal.shown.rfind("\x1b[?1049h") < terminal.shown.rfind("\x1b[?1049l")
    assert list(short_folder.iterdir()) == []


def test_the_demo_without_a_terminal_proves_that_all_bytes_are_equal(short_folder: Path) -> None:
    done = command("demo", "--images", "6", TMPDIR=str(short_folder))
    assert done.code == 0, done.err
    assert "6 objects" in done.out
    assert "all equal" in done.out
    assert list(short_folder.iterdir()) == []


def test_a_queue_filled_without_a_link_is_uploaded_when_the_cloud_answers(cloud_root: Path, tmp_path: Path) -> None:
    with serving(cloud_root) as cloud:
        login, port = cloud.login, cloud.url.rpartition(":")[2]
    photos = contents(write_flight(tmp_path / "card", 6))
    arguments = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--wait", "--json")
    waiting = started(*arguments, **login)
    assert waiting.stderr is not None
    notes = [waiting.stderr.readline(), waiting.stderr.readline()]
    waiting.send_signal(signal.SIGINT)
    interrupted = finished(waiting)
    assert (interrupted.code, interrupted.out) == (130, "")
    assert "The login could not be checked" in notes[0]
    assert "continues in the background" in interrupted.err
    with serving(cloud_root, "--port", port) as cloud:
        done = command(*arguments, **login)
        assert done.code == 0, done.err
        assert cloud.objects() == photos


def test_projects_are_created_listed_and_shown(cloud: LocalCloud) -> None:
    made = quick("projects", "create", "North field", "--json")
    assert made.code == 0, made.err
    assert [project["name"] for project in quick("projects", "list", "--json").json_lines] == ["North field"]
    assert quick("projects", "show", "North field", "--json").json["id"] == made.json["id"]
    assert quick("projects", "show", "No such field").code == 2


@pytest.mark.usefixtures("cloud_root")
def test_the_engine_reports_its_status_and_stops() -> None:
    assert quick("status").code == 0
    shown = quick("engine", "status", "--json").json
    assert set(shown) == {"pid", "version", "socket", "since", "uploads"}
    assert Path(shown["socket"]).is_socket()
    assert quick("engine", "stop").code == 0
    assert quick("engine", "status").code == 6
    assert not Path(shown["socket"]).exists()


def test_the_demo_imports_nothing_from_the_current_folder(short_folder: Path) -> None:
    card, temporary = short_folder / "card", short_folder / "tmp"
    temporary.mkdir()
    card.mkdir()
    for module in ("tui_uploader", "uvicorn", "textual"):
        (card / f"{module}.py").write_text(f"open({os.fspath(card / 'ran')!r}, 'a').close()\nraise SystemExit(99)\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("tui-uploader"), "demo", "--images", "6", "--headless"],
        cwd=card,
        env={**os.environ, "TMPDIR": os.fspath(temporary)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, (card / "ran").exists()) == (0, False), done.stderr


@pytest.mark.parametrize(("checksums", "not_verified"), [("none", 3), ("etag", 0)])
def test_the_summary_counts_files_that_the_storage_did_not_verify(
    served: Callable[..., LocalCloud], tmp_path: Path, checksums: str, not_verified: int
) -> None:
    served("--checksums", checksums)
    write_flight(tmp_path / "card", 3)
    done = command(*upload_of(tmp_path / "card", "--wait", "--no-process"))
    assert (done.code, done.json["counts"]["uploaded"], done.json["not_verified"]) == (0, 3, not_verified)
