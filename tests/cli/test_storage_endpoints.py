"""A service that names a storage endpoint to which nothing may be sent: the files wait with a notice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.cli.world import command, kill_engine
from tests.cloud.servers import CERTIFICATE, Call, serving
from tests.photos import write_flight

PROJECTS = "/project/api/v3/projects/"


class Service:
    """A service over TLS and its storage."""

    def __init__(self) -> None:
        self.place: dict[str, str] = {}
        self.asked = 0
        """Number of requests for storage credentials."""
        self.stored: set[str] = set()

    def __call__(self, call: Call) -> None:
        call.read_body()
        if call.path == "/oauth2/token/":
            call.reply(200, {"access_token": "token-1", "expires_in": 3600})
        elif call.path.endswith("s3_credentials/"):
            self.asked += 1
            usual = {"access_key": "AKID", "secret_key": "SECRET-0001", "bucket": "b-1", "key": "user-1/project-7"}
            call.reply(200, {**usual, "endpoint_override": call.headers["host"], **self.place})
        elif call.path == PROJECTS:
            call.reply(*((201, {"id": 7, "name": "Quarry"}) if call.method == "POST" else (200, {"results": []})))
        elif call.path.startswith(PROJECTS):
            call.reply(200, {"id": 7, "name": "Quarry", "nb_images_registered": len(self.stored)})
        elif call.method == "PUT":
            self.stored.add(call.path)
            call.reply(200, b"", etag=f'"{hashlib.md5(call.body or b"").hexdigest()}"')
        else:
            call.error(404, "NoSuchKey")


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (
            {"endpoint_override": "http://{neighbour}", "bucket": "..", "key": "../../etc"},
            "names an unsafe storage endpoint",
        ),
        ({"endpoint_override": "http://{neighbour}"}, "names an unsafe storage endpoint"),
        ({"session_token": "a\0b"}, "`session_token` contains characters"),
    ],
)
def test_nothing_is_sent_to_an_unsafe_endpoint_or_with_invalid_credentials(
    place: dict[str, str], reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_flight(tmp_path / "card", 3)
    monkeypatch.setenv("TUI_UPLOADER_CA_FILE", str(CERTIFICATE))
    service = Service()
    with serving(service, tls=True) as server, serving(lambda call: call.reply(200, b"", etag='"x"')) as neighbour:
        service.place = {name: text.format(neighbour=f"127.0.0.1:{neighbour.port}") for name, text in place.items()}
        login = ("login", "--cloud", server.url)
        assert command(*login, typed="me\nSECRET-0002\n").code == 0
        upload = ("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--wait")
        done = command(*upload)
        assert done.code == 5, done.err
        assert reason in done.err and "tui-uploader login" in done.err
        (waiting,) = command("status", "--json").json["uploads"]
        assert waiting["notice"]["kind"] == "StorageRefused" and waiting["notice"]["needs_person"]
        assert waiting["counts"]["failed"] == 0 and waiting["counts"]["uploaded"] == 0
        assert neighbour.calls == [] and service.asked <= 3

        service.place = {}
        assert command(*login, typed="me\nSECRET-0002\n").code == 0
        done = command(*upload)
        assert done.code == 0, done.err
        assert len(service.stored) == 3 and neighbour.calls == []
        kill_engine()
