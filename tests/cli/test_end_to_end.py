"""The program against a local cloud, from the command line to the bytes in the bucket: nothing is played here."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import on_terminal
from tests.cli.world import LocalCloud, command, finished, flight, photograph, serving, started
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories


@pytest.fixture
def cloud_root(tmp_path: Path) -> Iterator[Path]:
    """Where a cloud may keep its things; the engine is gone when the test is over."""
    yield tmp_path / "cloud"
    command("engine", "stop")


@pytest.fixture
def cloud(cloud_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCloud]:
    """A local cloud, its login in the environment."""
    with serving(cloud_root, "--processing-seconds", "0.5") as local:
        for name, value in local.login.items():
            monkeypatch.setenv(name, value)
        yield local


def test_what_is_uploaded_is_what_was_on_disk(cloud: LocalCloud, tmp_path: Path) -> None:
    photos = flight(tmp_path / "card", 8)
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
    listed = command("status", "--json").json["uploads"]
    assert [(entry["upload"], entry["counts"]) for entry in listed] == [(shown["upload"], shown["counts"])]
    files = command("files", str(shown["upload"]), "--json").json_lines
    assert {entry["object"] for entry in files} == set(photos)
    assert {entry["status"] for entry in files} == {"uploaded"}


def test_the_same_command_again_sends_nothing_again(cloud: LocalCloud, tmp_path: Path) -> None:
    flight(tmp_path / "card", 6)
    arguments = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--wait", "--json")
    first = command(*arguments)
    written = cloud.modified()
    again = command(*arguments)
    assert (first.code, again.code) == (0, 0), again.err
    assert cloud.modified() == written
    counts = again.json["counts"]
    assert (counts["uploaded"] + counts["duplicate"], counts["failed"]) == (6, 0)
    assert again.json["project"] == first.json["project"]


def test_the_same_names_with_other_content_overwrite_nothing(cloud: LocalCloud, tmp_path: Path) -> None:
    north = flight(tmp_path / "north", 6)
    south = flight(tmp_path / "south", 6, first_seed=100)
    for card in ("north", "south"):
        done = command("upload", str(tmp_path / card), "--new", "Quarry", "--no-process", "--wait", "--json")
        assert done.code == 0, done.err
    stored = cloud.objects()
    assert {name: stored[name] for name in north} == north
    assert sorted(stored.values()) == sorted([*north.values(), *south.values()])


def test_a_copy_is_a_duplicate_and_names_its_original(cloud: LocalCloud, tmp_path: Path) -> None:
    flight(tmp_path / "card", 6)
    original = tmp_path / "card" / "DJI_0000.JPG"
    copy = tmp_path / "card" / "z" / "copy.jpg"
    copy.parent.mkdir()
    copy.write_bytes(original.read_bytes())
    done = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--wait", "--json")
    assert done.code == 0, done.err
    assert (done.json["counts"]["uploaded"], done.json["counts"]["duplicate"]) == (6, 1)
    (duplicate,) = command("files", str(done.json["upload"]), "--status", "duplicate", "--json").json_lines
    assert {duplicate["path"], duplicate["duplicate_of"]} == {str(original), str(copy)}
    assert len(cloud.objects()) == 6


def test_a_broken_image_fails_and_can_be_removed(cloud: LocalCloud, tmp_path: Path) -> None:
    flight(tmp_path / "card", 6)
    broken = photograph(tmp_path / "card" / "broken.jpg", seed=50)
    broken.write_bytes(broken.read_bytes()[:1500])
    done = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait", "--json")
    assert done.code == 1, done.err
    assert (done.json["counts"]["uploaded"], done.json["counts"]["failed"]) == (6, 1)
    number = str(done.json["upload"])
    assert command("retry", number, "broken.jpg").code == 0
    assert command("remove", number, "DJI_0001.JPG").code == 2
    again = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait", "--json")
    assert again.code == 1
    assert command("remove", number, "--failed").code == 0
    rest = command("upload", str(tmp_path / "card" / "DJI_0000.JPG"), "--new", "Quarry", "--wait", "--json")
    assert rest.code == 0, rest.err
    assert rest.json["state"] == "complete"


def test_a_wrong_secret_is_a_sign_in_failure(cloud: LocalCloud, tmp_path: Path) -> None:
    flight(tmp_path / "card", 1)
    arguments = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait", "--json")
    done = command(*arguments, PIX4D_CLIENT_SECRET="wrong-secret")
    assert (done.code, done.out) == (3, "")
    assert "wrong-secret" not in done.err
    assert command("login", typed=f"{cloud.client_id}\nwrong-secret\n").code == 3


def test_nobody_signed_in_says_what_helps(cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flight(tmp_path / "card", 1)
    monkeypatch.delenv("PIX4D_CLIENT_ID")
    monkeypatch.delenv("PIX4D_CLIENT_SECRET")
    done = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait", "--json")
    assert done.code == 3
    assert "login" in done.err
    assert command("whoami").code == 3


def test_nothing_to_upload_is_a_usage_error(cloud: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    done = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait", "--json")
    assert (done.code, done.out) == (2, "")


def test_two_front_ends_at_once_share_one_engine(cloud: LocalCloud, tmp_path: Path) -> None:
    north = flight(tmp_path / "north", 6)
    south = flight(tmp_path / "south", 6, first_seed=100)
    both = [
        started("upload", str(tmp_path / card), "--new", "Quarry", "--no-process", "--wait", "--json")
        for card in ("north", "south")
    ]
    ends = [finished(process) for process in both]
    assert [end.code for end in ends] == [0, 0], [end.err for end in ends]
    assert ends[0].json["project"] == ends[1].json["project"]
    assert sorted(cloud.objects().values()) == sorted([*north.values(), *south.values()])


async def test_a_killed_engine_goes_on_where_it_was(cloud: LocalCloud, tmp_path: Path) -> None:
    photos = flight(tmp_path / "card", 30, size=(800, 600))
    arguments = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--json")
    queued = await asyncio.to_thread(command, *arguments)
    assert queued.code == 0, queued.err
    async with EngineClient.connect(Directories.of_user(), spawn=False) as engine:
        pid = (await engine.engine()).pid
        async for status in engine.changes():
            if status.uploads[0].bytes.sent > 0:
                break
        os.kill(pid, signal.SIGKILL)
    done = await asyncio.to_thread(command, *arguments, "--wait")
    assert done.code == 0, done.err
    assert done.json["upload"] == queued.json["upload"]
    assert done.json["counts"]["uploaded"] == 30
    assert cloud.objects() == photos


def test_a_login_is_kept_for_later_commands_and_can_be_forgotten(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIX4D_CLIENT_ID")
    monkeypatch.delenv("PIX4D_CLIENT_SECRET")
    signed_in = command("login", typed=f"{cloud.client_id}\n{cloud.client_secret}\n")
    assert signed_in.code == 0, signed_in.err
    assert cloud.client_secret not in signed_in.out + signed_in.err
    assert command("engine", "stop").code == 0
    assert command("whoami", "--json").json["client_id"] == cloud.client_id
    photos = flight(tmp_path / "card", 6)
    done = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--wait", "--json")
    assert done.code == 0, done.err
    assert cloud.objects() == photos
    assert command("logout").code == 0
    assert command("whoami").code == 3


def test_a_person_signs_in_without_showing_the_secret(cloud: LocalCloud) -> None:
    with on_terminal("login") as terminal:
        terminal.await_text("Client id")
        terminal.type(f"{cloud.client_id}\n")
        terminal.await_text("not shown")
        terminal.type_unseen(f"{cloud.client_secret}\n")
        assert terminal.exit_code() == 0
    assert "Signed in" in terminal.shown
    assert cloud.client_secret not in terminal.shown


def test_a_person_sees_progress_and_a_summary(cloud: LocalCloud, tmp_path: Path) -> None:
    flight(tmp_path / "card", 6)
    with on_terminal("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait") as terminal:
        assert terminal.exit_code() == 0
    assert "sent" in terminal.shown
    assert "Quarry: 6 files uploaded" in terminal.shown
    plain = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait")
    with on_terminal(*plain, NO_COLOR="1") as terminal:
        assert terminal.exit_code() == 0
    assert "\x1b" not in terminal.shown


def test_a_queue_filled_without_a_link_moves_when_the_cloud_answers(cloud_root: Path, tmp_path: Path) -> None:
    with serving(cloud_root) as cloud:
        login, port = cloud.login, cloud.url.rpartition(":")[2]
    photos = flight(tmp_path / "card", 6)
    arguments = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--wait", "--json")
    waiting = started(*arguments, **login)
    assert waiting.stderr is not None
    told = [waiting.stderr.readline(), waiting.stderr.readline()]
    waiting.send_signal(signal.SIGINT)
    interrupted = finished(waiting)
    assert (interrupted.code, interrupted.out) == (130, "")
    assert "The login could not be checked" in told[0]
    assert "goes on in the background" in interrupted.err
    with serving(cloud_root, "--port", port) as cloud:
        done = command(*arguments, **login)
        assert done.code == 0, done.err
        assert cloud.objects() == photos


def test_projects_are_made_listed_and_shown(cloud: LocalCloud) -> None:
    made = command("projects", "create", "North field", "--json")
    assert made.code == 0, made.err
    assert [project["name"] for project in command("projects", "list", "--json").json_lines] == ["North field"]
    assert command("projects", "show", "North field", "--json").json["id"] == made.json["id"]
    assert command("projects", "show", "No such field").code == 2


def test_the_engine_shows_itself_and_stops(cloud: LocalCloud) -> None:
    assert command("status").code == 0
    shown = command("engine", "status", "--json").json
    assert set(shown) == {"pid", "version", "socket", "since", "uploads"}
    assert Path(shown["socket"]).is_socket()
    assert command("engine", "stop").code == 0
    assert command("engine", "status").code == 6
    assert not Path(shown["socket"]).exists()
