"""Bad paths, bad files, bad commands: messages, exit codes, and that nothing is lost."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.world import LocalCloud, command, contents, engine_pid, finished, quick, started, upload_of
from tests.local_cloud import root_reader
from tests.photos import jpeg, of_yesterday, write_flight, write_photo
from tests.until import until
from tui_uploader.model.projects import MAX_IMAGES
from tui_uploader.service.client import EngineClient
from tui_uploader.service.instance import lock_holder
from tui_uploader.settings import Directories

# ------------------------------------------------------------------------------------------------ names and paths

HOSTILE_NAMES = (
    *(
        b"a b.jpg",
        b" lead.jpg",
        b"100%.jpg",
        b"%41.jpg",
        b"a+b.jpg",
        b"h#x.jpg",
        b"q?x=1&y.jpg",
        b"-rf.jpg",
        b"a;b=c.jpg",
    ),
    *("é.jpg".encode(), "e\u0301.jpg".encode(), "😀.jpg".encode(), "é".encode() * 125 + b".jpg", b"x" * 251 + b".jpg"),
    *(
        b"new\nline.jpg",
        b"esc\x1b[2J\x07.jpg",
        b"bad\xff\xfe.jpg",
        b"latin\xe9.JPG",
        b"back\\slash.jpg",
        b"quo\"te'.jpg",
    ),
    *("\u202egpj.jpg".encode(), b"CASE.JPG", b"case.jpg"),
)


def test_files_with_unusual_names_are_uploaded(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    photos = [write_photo(card / os.fsdecode(name)) for name in HOSTILE_NAMES]
    done = quick(*upload_of(card, "--wait"))
    assert done.code == 0, done.err
    files = quick("files", str(done.json["upload"]), "--json")
    assert files.out.isascii()
    objects = cloud.objects()
    assert {entry["path"]: objects[entry["object"]] for entry in files.json_lines} == {
        str(photo): photo.read_bytes() for photo in photos
    }
    for answer in (quick("files", str(done.json["upload"])), quick("status")):
        assert answer.code == 0
        assert "\x1b" not in answer.out


def test_links_and_pipes_neither_hang_nor_repeat_files(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    photos = write_flight(card / "a", 6)
    (card / "a" / "up").symlink_to("..")
    (card / "self").symlink_to("self")
    (card / "dead.jpg").symlink_to("/no/such/file")
    (card / "again.jpg").symlink_to(photos[0])
    os.mkfifo(card / "pipe.jpg")
    done = quick(*upload_of(card, "--wait"))
    assert done.code == 0, done.err
    assert sorted(cloud.objects().values()) == sorted(contents(photos).values())
    skipped = {Path(entry["path"]).name for entry in done.json["skipped"]}
    assert skipped == {"up", "self", "dead.jpg", "pipe.jpg"}
    assert all(entry["reason"] for entry in done.json["skipped"])


def test_unreadable_files_are_named_and_the_rest_is_uploaded(cloud: LocalCloud, tmp_path: Path) -> None:
    photos = write_flight(tmp_path / "card", 6)
    write_flight(tmp_path / "card" / "locked", 2)
    photos[0].chmod(0)
    if os.access(photos[0], os.R_OK):
        pytest.skip("this user may read everything")
    (tmp_path / "card" / "locked").chmod(0)
    try:
        done = quick(*upload_of(tmp_path / "card", "--wait"))
    finally:
        (tmp_path / "card" / "locked").chmod(0o700)
    assert done.code == 1, done.err
    assert (done.json["counts"]["uploaded"], done.json["counts"]["failed"]) == (5, 1)
    assert [Path(entry["path"]).name for entry in done.json["skipped"]] == ["locked"]


# ----------------------------------------------------------------------------------------------- files and numbers


def test_broken_files_fail_and_processing_waits_until_they_are_removed(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    photos = write_flight(card, 6, 20_000)
    broken = {"zero.jpg": b"", "cut.jpg": jpeg(20_000)[:9_000], "endless.jpg": jpeg(20_000)[:-2], "text.jpg": b"hello"}
    for name, content in broken.items():
        (card / name).write_bytes(content)
        of_yesterday(card / name)
    done = quick(*upload_of(card, "--wait"))
    assert done.code == 1, done.err
    assert (done.json["counts"]["uploaded"], done.json["counts"]["failed"]) == (6, 4)
    assert done.json["processing"] == "not_started"
    failed = quick("files", str(done.json["upload"]), "--status", "failed", "--json").json_lines
    assert {entry["name"] for entry in failed} == set(broken)
    assert all(entry["name"] in entry["reason"] for entry in failed)
    assert cloud.objects() == contents(photos)
    assert quick("process", "Quarry").code == 2
    assert root_reader.starts(cloud.root, int(done.json["project"])) == 0
    number = str(done.json["upload"])
    assert quick("retry", number, "zero.jpg").code == 0
    assert quick("remove", number, photos[0].name).code == 2
    again = quick(*upload_of(photos[0], "--wait"))
    assert again.json["counts"]["failed"] == 4
    assert quick("remove", number, "--failed").code == 0
    rest = quick(*upload_of(photos[0], "--wait"))
    assert (rest.code, rest.json["state"]) == (0, "complete"), rest.err


def test_nothing_to_upload_is_a_usage_error(cloud: LocalCloud, tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    answer = quick(*upload_of(tmp_path / "card", "--wait"))
    assert (answer.code, answer.out) == (2, "")


def test_too_few_images_are_uploaded_and_not_processed(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 5)
    done = quick("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait")
    assert done.code == 0, done.err
    assert "needs at least 6" in done.out
    forced = quick("process", "Quarry", "--partial")
    assert (forced.code, forced.out) == (2, "")
    assert "needs at least 6" in forced.err


def test_too_many_images_are_reported_before_anything_is_sent(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", MAX_IMAGES + 1, 300)
    done = quick(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 2
    assert "4,001" in done.err
    assert done.json["counts"]["waiting"] == MAX_IMAGES + 1
    again = quick("upload", str(tmp_path / "card"), "--new", "Quarry")
    assert again.code == 2
    assert "on the way" not in again.out
    assert "4,001" in again.err
    resumed = quick("resume", "1")
    assert (resumed.code, resumed.out) == (2, "")
    assert cloud.stored() == 0


def test_the_same_command_again_counts_no_image_twice(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", MAX_IMAGES // 2 + 1, 300)
    for _ in range(2):
        added = quick(*upload_of(tmp_path / "card"))
        assert (added.code, added.err) == (0, "")
    assert sum(added.json["counts"].values()) == MAX_IMAGES // 2 + 1


@pytest.mark.parametrize("paths", [("/no/such/\x1bpath",), ("/", "/no/such/path"), ("",)])
def test_a_path_that_does_not_exist_is_a_usage_error(paths: tuple[str, ...]) -> None:
    answer = quick("upload", *paths, "--new", "Quarry")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err and "\x1b" not in answer.err


def test_only_unreadable_paths_are_a_usage_error(tmp_path: Path) -> None:
    (photo,) = write_flight(tmp_path / "card", 1)
    photo.chmod(0)
    if os.access(photo, os.R_OK):
        pytest.skip("this user may read everything")
    answer = quick("upload", str(photo), "--new", "Quarry")
    assert (answer.code, answer.out) == (2, "")
    assert "cannot be read" in answer.err


async def test_a_file_that_changes_or_vanishes_is_never_stored_as_something_else(
    slow_cloud: LocalCloud, tmp_path: Path
) -> None:
    photos = write_flight(tmp_path / "card", 20)
    waiting = started(*upload_of(tmp_path / "card", "--wait"))
    await until(lambda: slow_cloud.stored())
    photos[-1].unlink()
    photos[-2].write_bytes(jpeg(3_000))
    photos[-3].write_bytes(photos[-3].read_bytes()[:500])
    done = finished(waiting)
    assert done.code == 1, done.err
    assert (done.json["counts"]["uploaded"], done.json["counts"]["failed"]) == (18, 2)
    failed = command("files", str(done.json["upload"]), "--status", "failed", "--json").json_lines
    assert {entry["name"] for entry in failed} == {photos[-1].name, photos[-3].name}
    left = contents([*photos[:-3], photos[-2]])
    assert sorted(slow_cloud.objects().values()) == sorted(left.values())


async def test_a_file_that_changes_before_the_store_answers_is_sent_again(
    served: Callable[..., LocalCloud], tmp_path: Path
) -> None:
    cloud = served("--fault", "stall:route=put,probability=1,seconds=0.5")
    (photo,) = write_flight(tmp_path / "card", 1)
    waiting = started(*upload_of(tmp_path / "card", "--wait"))
    await until(lambda: lock_holder(Directories.of_user()))
    async with EngineClient.connect(Directories.of_user()) as engine:
        async for status in engine.changes():
            if any(upload.bytes.sent for upload in status.uploads):
                break
    photo.write_bytes(jpeg(3_000))
    done = finished(waiting)
    assert done.code == 0, done.err
    assert photo.read_bytes() in cloud.objects().values()


# ------------------------------------------------------------------------------------------------------- commands


@pytest.mark.usefixtures("cloud_root")
def test_half_a_login_in_the_environment_stops_no_command_that_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIX4D_CLIENT_ID", "field")
    answer = quick("status")
    assert (answer.code, answer.out) == (0, "No uploads.\n")
    assert "PIX4D_CLIENT_SECRET is not set" in answer.err


@pytest.mark.usefixtures("cloud_root")
def test_an_unknown_upload_is_a_usage_error_for_every_command() -> None:
    commands = [[word, "99"] for word in ("status", "files", "pause", "retry")]
    for arguments in (*commands, ["cancel", "99999999999999999999"]):
        answer = quick(*arguments)
        assert (answer.code, answer.out) == (2, ""), arguments
        assert answer.err.count("\n") == 1, answer.err


def test_a_journal_of_a_newer_version_is_left_alone() -> None:
    journal = Directories.of_user().journal
    journal.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(journal)) as sql:
        sql.execute("PRAGMA journal_mode = WAL")
        sql.execute("PRAGMA user_version = 99")
    before = journal.read_bytes()
    answer = quick("status", "--json")
    assert (answer.code, answer.out) == (6, "")
    assert "newer" in answer.err
    assert journal.read_bytes() == before


def test_a_damaged_journal_is_named_and_left_alone() -> None:
    journal = Directories.of_user().journal
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"no database at all" * 500)
    answer = quick("status", "--json")
    assert (answer.code, answer.out) == (6, "")
    assert str(journal) in answer.err
    assert journal.read_bytes() == b"no database at all" * 500


def test_the_secret_is_only_in_the_private_file(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 6)
    assert quick(*upload_of(tmp_path / "card", "--wait")).code == 0
    secret = cloud.client_secret.encode()
    if sys.platform == "linux":
        process = Path("/proc") / str(engine_pid())
        assert secret not in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()

    def holding() -> list[Path]:
        files = [path for path in Path(os.environ["HOME"]).rglob("*") if path.is_file()]
        assert files
        return [path for path in files if secret in path.read_bytes()]

    assert holding() == []
    assert command("login", typed=f"{cloud.client_id}\n{cloud.client_secret}\n").code == 0
    (kept,) = holding()
    assert kept.stat().st_mode & 0o077 == 0
    assert command("logout").code == 0
    assert holding() == []
