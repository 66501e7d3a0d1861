"""Bad paths, bad files, bad servers, bad luck: what the program says, how it ends, and that nothing is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.world import LocalCloud, command, finished, serving, started
from tests.photos import jpeg, write_flight, write_photo
from tests.until import until
from tui_uploader.local_cloud import store
from tui_uploader.model import MAX_IMAGES
from tui_uploader.settings import Directories


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Where a cloud may keep its things; the engine is gone when the test is over."""
    yield tmp_path / "cloud"
    command("engine", "stop")


@pytest.fixture
def served(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., LocalCloud]]:
    """Starts a cloud with the options given; its login is in the environment, and another call replaces the cloud."""
    with contextlib.ExitStack() as clouds:

        def serve(*options: str) -> LocalCloud:
            clouds.close()
            cloud = clouds.enter_context(serving(root, *options))
            for name, value in cloud.login.items():
                monkeypatch.setenv(name, value)
            return cloud

        yield serve


@pytest.fixture
def cloud(served: Callable[..., LocalCloud]) -> LocalCloud:
    return served("--processing-seconds", "0.5")


@pytest.fixture
def slow_cloud(served: Callable[..., LocalCloud]) -> LocalCloud:
    """Answers every object late, so that there is a middle of an upload."""
    return served("--processing-seconds", "0.5", "--fault", "stall:route=put,probability=1,seconds=0.2")


def contents(photos: list[Path]) -> dict[str, bytes]:
    return {photo.name: photo.read_bytes() for photo in photos}


def upload_of(card: Path, *options: str) -> tuple[str, ...]:
    return ("upload", str(card), "--new", "Quarry", "--json", *options)


def engine_pid() -> int:
    return int(Directories.of_user().lock.read_text().split()[0])


def stored(cloud: LocalCloud) -> int:
    return sum(path.is_file() for path in (cloud.root / "objects").rglob("*"))


def project_number(answer: Any) -> int:
    return int(answer["project"])


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


def test_whatever_a_file_is_called_it_arrives(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    photos = [write_photo(card / os.fsdecode(name)) for name in HOSTILE_NAMES]
    done = command(*upload_of(card, "--wait"))
    assert done.code == 0, done.err
    files = command("files", str(done.json["upload"]), "--json")
    assert files.out.isascii()
    objects = cloud.objects()
    assert {entry["path"]: objects[entry["object"]] for entry in files.json_lines} == {
        str(photo): photo.read_bytes() for photo in photos
    }
    for answer in (command("files", str(done.json["upload"])), command("status")):
        assert answer.code == 0
        assert "\x1b" not in answer.out


def test_links_and_pipes_neither_hang_nor_repeat(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    photos = write_flight(card / "a", 6)
    (card / "a" / "up").symlink_to("..")
    (card / "self").symlink_to("self")
    (card / "dead.jpg").symlink_to("/no/such/file")
    (card / "again.jpg").symlink_to(photos[0])
    os.mkfifo(card / "pipe.jpg")
    done = command(*upload_of(card, "--wait"))
    assert done.code == 0, done.err
    assert sorted(cloud.objects().values()) == sorted(contents(photos).values())
    skipped = {Path(entry["path"]).name for entry in done.json["skipped"]}
    assert skipped == {"up", "self", "dead.jpg", "pipe.jpg"}
    assert all(entry["reason"] for entry in done.json["skipped"])


def test_what_may_not_be_read_is_named_and_the_rest_goes(cloud: LocalCloud, tmp_path: Path) -> None:
    photos = write_flight(tmp_path / "card", 6)
    write_flight(tmp_path / "card" / "locked", 2)
    photos[0].chmod(0)
    if os.access(photos[0], os.R_OK):
        pytest.skip("this user may read everything")
    (tmp_path / "card" / "locked").chmod(0)
    try:
        done = command(*upload_of(tmp_path / "card", "--wait"))
    finally:
        (tmp_path / "card" / "locked").chmod(0o700)
    assert done.code == 1, done.err
    assert (done.json["counts"]["uploaded"], done.json["counts"]["failed"]) == (5, 1)
    assert [Path(entry["path"]).name for entry in done.json["skipped"]] == ["locked"]


# ----------------------------------------------------------------------------------------------- files and numbers


def test_broken_files_fail_one_by_one_and_processing_waits(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    photos = write_flight(card, 6, 20_000)
    broken = {"zero.jpg": b"", "cut.jpg": jpeg(20_000)[:9_000], "endless.jpg": jpeg(20_000)[:-2], "text.jpg": b"hello"}
    for name, content in broken.items():
        (card / name).write_bytes(content)
    done = command(*upload_of(card, "--wait"))
    assert done.code == 1, done.err
    assert (done.json["counts"]["uploaded"], done.json["counts"]["failed"]) == (6, 4)
    assert done.json["processing"] == "not_started"
    failed = command("files", str(done.json["upload"]), "--status", "failed", "--json").json_lines
    assert {entry["name"] for entry in failed} == set(broken)
    assert all(entry["name"] in entry["reason"] for entry in failed)
    assert cloud.objects() == contents(photos)
    assert command("process", "Quarry").code == 2
    assert store.starts(cloud.root, project_number(done.json)) == 0


def test_too_few_images_are_uploaded_and_not_processed(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 5)
    done = command("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait")
    assert done.code == 0, done.err
    assert "needs at least 6" in done.out
    forced = command("process", "Quarry", "--partial")
    assert (forced.code, forced.out) == (2, "")
    assert "needs at least 6" in forced.err


def test_too_many_images_are_told_before_anything_is_sent(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", MAX_IMAGES + 1, 400)
    done = command(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 2
    assert "4,001" in done.err
    assert done.json["counts"]["waiting"] == MAX_IMAGES + 1
    assert stored(cloud) == 0


async def test_a_file_that_changes_or_vanishes_is_never_stored_as_something_else(
    slow_cloud: LocalCloud, tmp_path: Path
) -> None:
    photos = write_flight(tmp_path / "card", 40)
    waiting = started(*upload_of(tmp_path / "card", "--wait"))
    await until(lambda: stored(slow_cloud))
    photos[-1].unlink()
    photos[-2].write_bytes(jpeg(3_000))
    photos[-3].write_bytes(photos[-3].read_bytes()[:500])
    done = finished(waiting)
    assert done.code == 1, done.err
    assert (done.json["counts"]["uploaded"], done.json["counts"]["failed"]) == (38, 2)
    failed = command("files", str(done.json["upload"]), "--status", "failed", "--json").json_lines
    assert {entry["name"] for entry in failed} == {photos[-1].name, photos[-3].name}
    left = contents([*photos[:-3], photos[-2]])
    assert sorted(slow_cloud.objects().values()) == sorted(left.values())


# ------------------------------------------------------------------------------------------------------- commands


@pytest.mark.usefixtures("root")
def test_an_upload_that_is_not_there_is_a_usage_error_for_every_command() -> None:
    commands = [[word, "99"] for word in ("status", "files", "pause", "retry")]
    for arguments in (*commands, ["cancel", "99999999999999999999"]):
        answer = command(*arguments)
        assert (answer.code, answer.out) == (2, ""), arguments
        assert answer.err.count("\n") == 1, answer.err


@pytest.mark.usefixtures("root")
def test_a_journal_of_a_newer_version_is_left_alone() -> None:
    assert command("status").code == 0
    assert command("engine", "stop").code == 0
    journal = Directories.of_user().journal
    with contextlib.closing(sqlite3.connect(journal)) as sql:
        sql.execute("PRAGMA user_version = 99")
    before = journal.read_bytes()
    answer = command("status", "--json")
    assert (answer.code, answer.out) == (6, "")
    assert "newer" in answer.err
    assert journal.read_bytes() == before


def test_a_damaged_journal_is_named_and_left_alone() -> None:
    journal = Directories.of_user().journal
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"no database at all" * 500)
    answer = command("status", "--json")
    assert (answer.code, answer.out) == (6, "")
    assert str(journal) in answer.err
    assert journal.read_bytes() == b"no database at all" * 500


def test_the_secret_is_in_no_place_but_the_private_file(cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 6)
    assert command(*upload_of(tmp_path / "card", "--wait")).code == 0
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


# -------------------------------------------------------------------------------------------- ends in the middle


async def test_an_engine_killed_again_and_again_loses_and_doubles_nothing(
    slow_cloud: LocalCloud, tmp_path: Path
) -> None:
    photos = write_flight(tmp_path / "card", 32, 30_000)
    for _ in range(2):
        before = stored(slow_cloud)
        assert command(*upload_of(tmp_path / "card")).code == 0
        await until(lambda before=before: stored(slow_cloud) > before)  # type: ignore[misc]
        os.kill(engine_pid(), signal.SIGKILL)
    done = command(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 0, done.err
    assert done.json["counts"]["uploaded"] == 32
    assert slow_cloud.objects() == contents(photos)
    project = project_number(done.json)
    assert len(store.registered_images(slow_cloud.root, project)) == 32
    assert store.starts(slow_cloud.root, project) == 1


async def test_an_engine_that_is_stopped_goes_on_with_the_next_upload(slow_cloud: LocalCloud, tmp_path: Path) -> None:
    photos = write_flight(tmp_path / "card", 24)
    waiting = started(*upload_of(tmp_path / "card", "--wait"))
    await until(lambda: stored(slow_cloud))
    assert command("engine", "stop").code == 0
    stopped = finished(waiting)
    assert (stopped.code, stopped.out) == (6, "")
    assert "goes on" in stopped.err
    done = command(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 0, done.err
    assert slow_cloud.objects() == contents(photos)


async def test_an_upload_outlives_the_terminal_that_waited_for_it(slow_cloud: LocalCloud, tmp_path: Path) -> None:
    photos = write_flight(tmp_path / "card", 20)
    waiting = started(*upload_of(tmp_path / "card", "--wait"))
    await until(lambda: stored(slow_cloud))
    waiting.send_signal(signal.SIGHUP)
    assert finished(waiting).out == ""
    await until(lambda: stored(slow_cloud) == 20)
    assert slow_cloud.objects() == contents(photos)


# ---------------------------------------------------------------------------------------------- clouds of all sorts


def test_nothing_but_what_is_certain_of_the_service_is_needed(
    served: Callable[..., LocalCloud], tmp_path: Path
) -> None:
    cloud = served("--profile", "strict", "--processing-seconds", "0.5")
    photos = [*write_flight(tmp_path / "card", 12), write_photo(tmp_path / "card" / "big.jpg", 12_000_000)]
    done = command(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 0, done.err
    assert cloud.objects() == contents(photos)
    assert store.starts(cloud.root, project_number(done.json)) == 1


def test_a_login_page_instead_of_the_cloud_is_waited_out(
    served: Callable[..., LocalCloud], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(root) as cloud:
        for name, value in cloud.login.items():
            monkeypatch.setenv(name, value)
        port = int(cloud.url.rpartition(":")[2])
    photos = write_flight(tmp_path / "card", 6)
    with _login_page(port):
        waiting = started(*upload_of(tmp_path / "card", "--wait"))
        assert waiting.stderr is not None
        assert "sign in there" in waiting.stderr.readline()
        assert "0 of 6 files" in waiting.stderr.readline()
    served("--port", str(port))
    done = finished(waiting)
    assert done.code == 0, done.err
    assert cloud.objects() == contents(photos)


@contextlib.contextmanager
def _login_page(port: int) -> Iterator[None]:
    """What a hotel's network answers, whatever was asked."""

    class Page(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "26")
            self.end_headers()
            self.wfile.write(b"<html>Please pay</html>\n\n\n")

        do_GET = do_POST = do_PUT = answer

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    assert server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
