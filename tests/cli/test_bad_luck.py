"""Engines, terminals, networks and clouds that fail in the middle: the upload continues, or says why it cannot."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import on_terminal
from tests.cli.world import (
    LocalCloud,
    command,
    contents,
    engine_pid,
    finished,
    kill_engine,
    quick,
    serving,
    started,
    upload_of,
)
from tests.local_cloud import root_reader
from tests.photos import write_flight, write_photo
from tests.until import until

# -------------------------------------------------------------------------------------------- ends in the middle


async def test_an_engine_killed_again_and_again_loses_and_duplicates_nothing(
    slow_cloud: LocalCloud, tmp_path: Path
) -> None:
    photos = write_flight(tmp_path / "card", 20, 30_000)
    for _ in range(2):
        before = slow_cloud.stored()
        assert command(*upload_of(tmp_path / "card")).code == 0
        await until(lambda before=before: slow_cloud.stored() > before)  # type: ignore[misc]
        os.kill(engine_pid(), signal.SIGKILL)
    done = command(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 0, done.err
    assert done.json["counts"]["uploaded"] == 20
    assert slow_cloud.objects() == contents(photos)
    project = int(done.json["project"])
    assert len(root_reader.registered_images(slow_cloud.root, project)) == 20
    assert root_reader.starts(slow_cloud.root, project) == 1


async def test_any_command_after_a_crash_continues_the_upload(slow_cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 12)
    assert command(*upload_of(tmp_path / "card")).code == 0
    await until(slow_cloud.stored)
    kill_engine()
    answer = command("status")
    assert answer.code == 0, answer.err
    assert "Not signed in" not in answer.out
    await until(lambda: slow_cloud.stored() == 12)


async def test_a_wrong_secret_in_a_shell_does_not_disturb_running_uploads(
    slow_cloud: LocalCloud, tmp_path: Path
) -> None:
    write_flight(tmp_path / "card", 12)
    assert command(*upload_of(tmp_path / "card")).code == 0
    await until(slow_cloud.stored)
    assert command("status", PIX4D_CLIENT_SECRET="wrong").code == 0
    assert command("resume", "1", PIX4D_CLIENT_SECRET="wrong").code == 3
    await until(lambda: slow_cloud.stored() == 12)


async def test_sigterm_during_wait_gives_the_terminal_its_cursor_back(slow_cloud: LocalCloud, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 12)
    with on_terminal("upload", str(tmp_path / "card"), "--new", "Quarry", "--wait") as terminal:
        terminal.await_text("stored")
        terminal.send_signal(signal.SIGTERM)
        assert terminal.exit_code() == 130
    hidden, shown = terminal.shown.rfind("\x1b[?25l"), terminal.shown.rfind("\x1b[?25h")
    assert 0 <= hidden < shown
    assert "continues in the background" in terminal.shown
    await until(lambda: slow_cloud.stored() == 12)


async def test_the_next_upload_starts_a_stopped_engine_again(slow_cloud: LocalCloud, tmp_path: Path) -> None:
    photos = write_flight(tmp_path / "card", 60)
    waiting = started(*upload_of(tmp_path / "card", "--wait"))
    await until(lambda: slow_cloud.stored())
    assert command("engine", "stop").code == 0
    stopped = finished(waiting)
    assert (stopped.code, stopped.out) == (6, "")
    assert "continues when" in stopped.err
    done = command(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 0, done.err
    assert slow_cloud.objects() == contents(photos)


async def test_an_upload_outlives_the_terminal_that_waited_for_it(slow_cloud: LocalCloud, tmp_path: Path) -> None:
    photos = write_flight(tmp_path / "card", 12)
    waiting = started(*upload_of(tmp_path / "card", "--wait"))
    await until(lambda: slow_cloud.stored())
    waiting.send_signal(signal.SIGHUP)
    assert finished(waiting).out == ""
    await until(lambda: slow_cloud.stored() == 12)
    assert slow_cloud.objects() == contents(photos)


# ---------------------------------------------------------------------------------------------- clouds of all sorts


def test_confirmed_features_of_the_service_are_enough(served: Callable[..., LocalCloud], tmp_path: Path) -> None:
    cloud = served("--profile", "strict", "--processing-seconds", "0.5")
    photos = [*write_flight(tmp_path / "card", 12), write_photo(tmp_path / "card" / "big.jpg", 12_000_000)]
    done = quick(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 0, done.err
    assert cloud.objects() == contents(photos)
    assert root_reader.starts(cloud.root, int(done.json["project"])) == 1


def test_an_upload_waits_until_a_login_page_is_gone(
    served: Callable[..., LocalCloud], cloud_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(cloud_root) as cloud:
        for name, value in cloud.login.items():
            monkeypatch.setenv(name, value)
        port = int(cloud.url.rpartition(":")[2])
    photos = write_flight(tmp_path / "card", 6)
    with _page(port):
        waiting = started(*upload_of(tmp_path / "card", "--wait"))
        assert waiting.stderr is not None
        said = [waiting.stderr.readline()]
        assert "sign in there" in said[0]
        while "0 of 6 files" not in said[-1]:  # the link may be reported first
            assert len(said) < 5, said
            said.append(waiting.stderr.readline())
    served("--port", str(port))
    done = finished(waiting)
    assert done.code == 0, done.err
    assert cloud.objects() == contents(photos)


async def test_an_error_page_of_a_gateway_fails_no_file(
    cloud_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_flight(tmp_path / "card", 24)
    with serving(cloud_root, "--fault", "stall:route=put,probability=1,seconds=0.3") as cloud:
        for name, value in cloud.login.items():
            monkeypatch.setenv(name, value)
        port = int(cloud.url.rpartition(":")[2])
        assert command(*upload_of(tmp_path / "card")).code == 0
        await until(cloud.stored)
    with _page(port, status=403) as answered:
        await until(lambda: len(answered) >= 4)
        counts = command("status", "--json").json["uploads"][0]["counts"]
    assert counts["failed"] == 0
    assert counts["waiting"] + counts["uploading"] > 0


def test_a_lost_answer_to_a_registration_raises_no_alarm(served: Callable[..., LocalCloud], tmp_path: Path) -> None:
    served("--processing-seconds", "0.5", "--fault", "lost_reply:route=register")
    write_flight(tmp_path / "card", 12)
    done = quick(*upload_of(tmp_path / "card", "--wait"))
    assert done.code == 0, done.err
    assert "registered 0 of 12" not in done.err


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
def test_an_untrusted_cloud_ends_the_waiting_until_the_engine_has_new_settings(
    served: Callable[..., LocalCloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {certificate} -days 2 -subj /CN=localhost"
    subprocess.run([*make.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    served("--tls-cert", str(certificate), "--tls-key", str(key))
    write_flight(tmp_path / "card", 6)
    distrusting = quick(*upload_of(tmp_path / "card", "--wait"))
    assert distrusting.code == 4, distrusting.err
    assert "run `tui-uploader engine stop`; the next command" in distrusting.err
    monkeypatch.setenv("TUI_UPLOADER_CA_FILE", str(certificate))
    assert quick("engine", "stop").code == 0
    trusting = quick(*upload_of(tmp_path / "card", "--wait"))
    assert trusting.code == 0, trusting.err


async def test_a_kill_before_processing_starts_does_not_start_it_twice(
    cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUI_UPLOADER_PROCESSING_DELAY", "1.5")
    write_flight(tmp_path / "card", 6)
    assert command(*upload_of(tmp_path / "card")).code == 0

    def status() -> Any:
        return command("status", "1", "--json").json["uploads"][0]

    await until(lambda: status()["process_at"] is not None)
    kill_engine()
    await until(lambda: status()["processing"] == "done")
    assert root_reader.starts(cloud.root, int(status()["project"])) == 1


@contextlib.contextmanager
def _page(port: int, status: int = 200) -> Iterator[list[str]]:
    """A hotel's network or a gateway that answers every request with a page; yields the requested paths."""
    answered: list[str] = []

    class Page(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", "26")
            self.end_headers()
            self.wfile.write(b"<html>Please pay</html>\n\n\n")
            answered.append(self.path)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    assert server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield answered
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
