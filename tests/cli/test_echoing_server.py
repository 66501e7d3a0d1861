"""A service, a storage and a proxy that quote every secret they know, in many encodings, wherever they can.

A whole life goes by: login, upload, failures, status. Afterwards no secret is in what the commands said, in the log, in
the journal, in any other file but that of the login, nor in what other users see of the engine.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cli.world import Finished, command, engine_pid
from tests.cloud.servers import Call, serving
from tests.photos import write_flight
from tests.test_redaction import ENCODINGS

CLIENT_SECRET = "cLient+sEcret/=?&\"'<>\\ä 0001"
TOKEN = base64.urlsafe_b64encode(hashlib.sha512(b"token").digest() * 4).decode()
SECRET_KEY = "sTorage/sEcret+kEy/00000000000000002"
SESSION_TOKEN = base64.b64encode(hashlib.sha512(b"session").digest() * 6).decode()
PROXY_PASSWORD = "pRoxy/pAss:word#3"
SECRETS = {
    "client secret": CLIENT_SECRET,
    "token": TOKEN,
    "secret key": SECRET_KEY,
    "session token": SESSION_TOKEN,
    "proxy password": PROXY_PASSWORD,
}
AT_ONCE = 6
"""Encodings per answer: longer messages would be cut off."""
PROJECTS = "/project/api/v3/projects/"


class EchoingService:
    """Answers as PIX4Dcloud, its storage and a proxy do, and quotes."""

    def __init__(self) -> None:
        self.puts = 0
        self.quoted = 0
        self.refuses_login = True
        self.shared = [CLIENT_SECRET, PROXY_PASSWORD]
        """Secrets that both sides know by now; the client cannot recognise others."""

    def words(self, call: Call) -> str:
        """All secrets and all that was sent: in every answer in some other encodings."""
        encodings = list(ENCODINGS.values())
        chosen = [encodings[(self.quoted * AT_ONCE + number) % len(encodings)] for number in range(AT_ONCE)]
        self.quoted += 1
        sent = (call.target, *call.headers.values(), (call.body or b"").decode("utf-8", "replace")[:2000])
        return " | ".join([*(encode(secret) for secret in self.shared for encode in chosen), *sent])

    def __call__(self, call: Call) -> None:
        if call.method == "CONNECT":
            call.reply(407, self.words(call), proxy_authenticate=f'Basic realm="{quote(PROXY_PASSWORD)}"')
            return
        call.read_body()
        if call.path == "/oauth2/token/":
            self._sign_in(call)
        elif call.path.startswith(PROJECTS):
            self._project(call)
        else:
            self._store(call)

    def _sign_in(self, call: Call) -> None:
        if call.method == "POST" and not self.refuses_login:
            self.shared.append(TOKEN)
            call.reply(200, {"access_token": TOKEN, "expires_in": 3600})
        else:
            call.reply(401, {"error": "invalid_client", "error_description": self.words(call)})

    def _project(self, call: Call) -> None:
        path = call.path.removeprefix(PROJECTS)
        if call.method == "POST" and not path:
            call.reply(201, {"id": 7, "name": self.words(call), "public_status": self.words(call)})
        elif path.endswith("s3_credentials/"):
            self.shared += (SECRET_KEY, SESSION_TOKEN)
            call.reply(
                200,
                {
                    "access_key": "AKIDEXAMPLE00001",
                    "secret_key": SECRET_KEY,
                    "session_token": SESSION_TOKEN,
                    "bucket": "bucket",
                    "key": "user-1/project-7",
                    "endpoint_override": call.headers["host"],
                },
            )
        elif call.method == "GET":
            call.reply(200, {"results": [{"id": 8, "name": self.words(call)}, {"id": TOKEN, "name": "x"}]})
        else:
            call.reply(400, {"detail": self.words(call), TOKEN: [self.words(call)]})

    def _store(self, call: Call) -> None:
        self.puts += call.method == "PUT"
        if self.puts == 1:
            call.reply(200, b"", etag=f'"{SESSION_TOKEN}"')
        elif self.puts == 2:
            call.reply(200, b"", etag=f'"{SECRET_KEY.encode().hex()}"')
        elif call.path.endswith("000.jpg") or call.method != "PUT":
            words = html.escape(self.words(call))
            call.reply(400, f"<Error><Code>{SECRET_KEY}</Code><Message>{words}</Message></Error>")
        else:
            call.reply(200, b"", etag=f'"{hashlib.md5(call.body or b"").hexdigest()}"')


def leaks(data: bytes) -> list[str]:
    """Secrets in `data`, in any encoding that survives in a file."""
    low = data.lower()
    return [
        f"{name}, {encoding}"
        for name, secret in SECRETS.items()
        for encoding, encode in ENCODINGS.items()
        # The ends of base64 depend on what stands beside it.
        if encode(secret)[4:-6].encode().lower() in low
    ]


def test_secrets_that_a_server_quotes_are_removed_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_flight(tmp_path / "card", 3)
    said: list[Finished] = []

    def run(*arguments: str, typed: str = "") -> Finished:
        said.append(command(*arguments, typed=typed))
        return said[-1]

    service = EchoingService()
    with serving(service) as server:
        proxy = f"http://joe:{PROXY_PASSWORD}@127.0.0.1:{server.port}"
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        credentials = f"me\n{CLIENT_SECRET}\n"
        login = ("--debug", "login", "--cloud", server.url)
        for _ in range(-(-len(ENCODINGS) // AT_ONCE)):
            assert run("login", "--cloud", server.url, typed=credentials).code == 3
        assert run(*login, typed=credentials).code == 3
        assert run("--debug", "login", "--cloud", "https://cloud.test", typed=credentials).code == 4
        service.refuses_login = False
        assert run(*login, typed=credentials).code == 0
        assert run("upload", str(tmp_path / "card"), "--new", "Quarry", "--no-process", "--wait").code != 0
        run("process", "1")
        for shown in (("status",), ("files", "1"), ("projects",), ("whoami",), ("engine", "status")):
            run(*shown)
            run(*shown, "--json")
        process = Path(f"/proc/{engine_pid()}")
        seen = (process / "cmdline").read_bytes()
        inherited = (process / "environ").read_bytes()
        assert run("engine", "stop").code == 0
    assert service.quoted > 20 and service.puts > 4

    spoken = "\n".join(done.out + done.err for done in said)
    assert "…" in spoken and "refused" in spoken
    assert leaks(spoken.encode()) == []
    assert leaks(seen) == []
    assert [leak for leak in leaks(inherited) if not leak.startswith("proxy")] == []
    home = Path(os.environ["HOME"])
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {"journal.sqlite", "engine.log", "credentials.json"} <= {path.name for path in files}
    leaking = {path.name: found for path in files if (found := leaks(path.read_bytes()))}
    assert leaking.pop("credentials.json")
    assert leaking == {}
