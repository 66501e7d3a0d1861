"""The engine's HTTP API: requests over the real socket of an engine in this process."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import httpx
import pytest

from tests.service.conftest import eventually_async
from tests.service.stand_in import StandInManager
from tui_uploader.errors import EngineError, NoSuchUpload, UploaderError
from tui_uploader.model.receipts import ReceiptFormat
from tui_uploader.service.clients.receipts import ReceiptsClient
from tui_uploader.service.connection import EngineConnection
from tui_uploader.service.middleware import http_status
from tui_uploader.service.protocol import MAX_BODY, VERSION_HEADER, version
from tui_uploader.settings import Directories


@pytest.fixture
async def http(manager: StandInManager, directories: Directories) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(uds=os.fspath(directories.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", trust_env=False, timeout=20) as http:
        yield http


async def add(http: httpx.AsyncClient, *paths: str) -> dict[str, Any]:
    answer = await http.post(
        "/v1/uploads", json={"paths": list(paths), "target": {"type": "new", "name": "North field"}}
    )
    assert answer.status_code == 200, answer.text
    upload: dict[str, Any] = answer.json()
    return upload


def failure(answer: httpx.Response) -> tuple[int, str]:
    """HTTP status and kind; the message of every error is a sentence on one line."""
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"kind", "message"}
    assert re.fullmatch(r"[^\n]+[.]", error["message"])
    return answer.status_code, error["kind"]


async def test_information_about_the_engine(http: httpx.AsyncClient, directories: Directories) -> None:
    await add(http, "/a.jpg")
    answer = await http.get("/v1/engine")
    found = answer.json()
    assert found.pop("since") > 0
    expected = {"pid": os.getpid(), "version": version(), "socket": os.fspath(directories.socket), "uploads": 1}
    assert found == expected
    assert answer.headers[VERSION_HEADER] == version()
    assert "server" not in answer.headers


async def test_uploads_and_their_commands(http: httpx.AsyncClient, manager: StandInManager) -> None:
    upload = await add(http, "/card/a.jpg", "/card/b.jpg")
    assert upload["counts"]["waiting"] == 2
    assert (await http.get("/v1/uploads/1")).json() == upload
    assert (await http.get("/v1/status")).json()["uploads"] == [upload]
    assert (await http.get("/v1/uploads/1/skipped")).json() == [{"path": "/media/card/notes.txt", "reason": "no image"}]
    for command, state in (("pause", "paused"), ("resume", "active"), ("cancel", "cancelled")):
        assert (await http.post(f"/v1/uploads/1/{command}")).json()["state"] == state
    assert (await http.post("/v1/uploads/1/dismiss")).json()["dismissed"] is True
    assert (await http.post("/v1/uploads/1/auto-process", json={"on": False})).json()["auto_process"] is False
    assert (await http.post("/v1/uploads/1/remove", json={"names": ["b.jpg"]})).json() == {"files": 1}
    assert (await http.post("/v1/uploads/1/restore", json={"ids": [1, 2]})).json() == {"files": 2}
    assert (await http.post("/v1/uploads/1/retry", json={"all": True})).json() == {"files": 0}
    assert (await http.post("/v1/try-now")).status_code == 200
    assert manager.tries == 1


async def test_bandwidth_is_returned_and_set(http: httpx.AsyncClient) -> None:
    unset = (await http.get("/v1/bandwidth")).json()
    assert (unset["limit"], unset["rate"], unset["holds"]) == (None, None, "no limit")
    changed = (await http.put("/v1/bandwidth", json={"limit": "2M", "per": "week"})).json()
    assert (changed["holds"], changed["per"]) == ("limit 2M", "week")
    assert (await http.get("/v1/bandwidth")).json() == changed
    assert failure(await http.put("/v1/bandwidth", json={"limit": "fast"})) == (400, "UsageError")
    for wrong in ('{"per": "year"}', '{"limit": 5}', "[]", "{"):
        assert failure(await http.put("/v1/bandwidth", content=wrong)) == (400, "UsageError")
    assert (await http.get("/v1/bandwidth")).json() == changed


async def test_windows_of_files(http: httpx.AsyncClient) -> None:
    await add(http, *(f"/card/{number}.jpg" for number in range(5)))
    found = (await http.get("/v1/uploads/1/files?offset=1&limit=2&sort=name&descending=true&status=waiting")).json()
    assert (found["total"], found["offset"]) == (5, 1)
    assert [file["name"] for file in found["files"]] == ["3.jpg", "2.jpg"]


@pytest.mark.parametrize(
    "query",
    [
        *("offset=-1", "limit=-1", "limit=all", "sort=secret", "status=lost", f"offset={2**63}", f"limit={2**63}"),
        *("fold=-1", "fold=many", "anchor=-1", f"anchor={2**63}", "property=large", "whole_project=perhaps"),
    ],
)
async def test_an_invalid_window_is_refused(http: httpx.AsyncClient, query: str) -> None:
    await add(http, "/a.jpg")
    assert failure(await http.get(f"/v1/uploads/1/files?{query}")) == (400, "UsageError")


async def test_projects_and_accounts(http: httpx.AsyncClient) -> None:
    created = (await http.post("/v1/projects", json={"name": "North", "kind": "results"})).json()
    assert created["kind"] == "results"
    assert (await http.get("/v1/projects")).json() == [created]
    assert (await http.get("/v1/projects/North")).json() == created
    assert (await http.get(f"/v1/projects/{created['id']}")).json() == created
    assert failure(await http.post("/v1/projects/North/process", json={"partial": False})) == (409, "NotPossibleNow")
    started = (await http.post("/v1/projects/North/process", json={"partial": True})).json()
    assert started["processing"]["state"] == "submitted"
    login = {"cloud_url": "https://cloud.example", "client_id": "id", "client_secret": "very secret"}
    signed_in = await http.post("/v1/sign-in", json={"login": login})
    accounts = await http.get("/v1/accounts")
    assert [signed_in.json()] == accounts.json()
    assert "very secret" not in signed_in.text + accounts.text
    assert (await http.post("/v1/sign-out", json={"profile": "default"})).json() == {"forgotten": True}
    assert (await http.post("/v1/sign-out", json={"profile": "default"})).json() == {"forgotten": False}


async def test_a_path_that_is_not_utf8_is_returned_unchanged(http: httpx.AsyncClient) -> None:
    path = os.fsdecode(b"/card/\xff\xfe \x1b[31m\n.jpg")
    body = json.dumps({"paths": [path], "target": {"type": "new", "name": "North"}})  # lone surrogates, escaped
    assert (await http.post("/v1/uploads", content=body)).status_code == 200
    answer = await http.get("/v1/uploads/1/files?text=%FF")
    assert answer.content.isascii()
    assert json.loads(answer.content)["files"][0]["path"] == path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"paths": "/a.jpg", "target": {"type": "new", "name": "x"}}',
        b'{"paths": ["/a.jpg"], "target": {"type": "new", "name": 7}}',
        b'{"paths": ["/a.jpg"], "target": {"type": "new", "name": "x"}, "kind": "videos"}',
        b'{"paths": ["/a.jpg"], "target": {"type": "new", "name": "\\udcff"}}',
        b'{"paths": ["/a.jpg"]}',
        b'{"paths": ["/a.jpg"], "target": {"type": "new"}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"paths": ["/a.jpg"], "target": {"type": "new", "name": "x"}, "auto_process": ' + b"9" * 5000 + b"}",
    ],
)
async def test_an_invalid_body_is_refused(http: httpx.AsyncClient, manager: StandInManager, body: bytes) -> None:
    assert failure(await http.post("/v1/uploads", content=body)) == (400, "UsageError")
    assert manager.requests == []


async def test_file_ids_have_bounds(http: httpx.AsyncClient) -> None:
    await add(http, "/a.jpg")
    for ids in ([-1], [2**63]):
        assert failure(await http.post("/v1/uploads/1/remove", json={"ids": ids})) == (400, "UsageError")


async def test_a_body_that_is_too_large_is_refused(http: httpx.AsyncClient, manager: StandInManager) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65536 + 10):
            yield b" " * 65536

    assert failure(await http.post("/v1/uploads", content=endless())) == (413, "UsageError")
    assert (await http.get("/v1/status")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/uploads/", 404),
        ("GET", "/v1/uploads/%1b%5b2J", 404),
        ("GET", "/v1/uploads/-1", 404),
        ("DELETE", "/v1/status", 405),
        ("GET", "/v1/stop", 405),
    ],
)
async def test_unknown_addresses(http: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    assert failure(await http.request(method, path)) == (status, "UsageError")


@pytest.mark.parametrize("upload", ["7", "99999999999999999999999"])
async def test_an_upload_that_does_not_exist(http: httpx.AsyncClient, upload: str) -> None:
    assert failure(await http.get(f"/v1/uploads/{upload}")) == (404, "NoSuchUpload")
    assert failure(await http.post(f"/v1/uploads/{upload}/pause")) == (404, "NoSuchUpload")


async def test_an_exception_is_answered_and_logged(http: httpx.AsyncClient, directories: Directories) -> None:
    assert failure(await http.get("/v1/projects/a%20fault")) == (500, "EngineError")
    assert (await http.get("/v1/status")).status_code == 200
    assert "RuntimeError: a fault of the program" in directories.log.read_text()


async def test_front_ends_of_another_version_are_refused(http: httpx.AsyncClient, manager: StandInManager) -> None:
    other = {VERSION_HEADER: "0.0.1"}
    for answer in (
        await http.get("/v1/status", headers=other),
        await http.get("/v1/events", headers=other),
        await http.post(
            "/v1/uploads", json={"paths": ["/a.jpg"], "target": {"type": "new", "name": "x"}}, headers=other
        ),
    ):
        assert failure(answer) == (409, "EngineVersionDiffers")
        assert answer.headers[VERSION_HEADER] == version()
        assert "0.0.1" in answer.text
    assert manager.requests == []
    assert (await http.get("/v1/engine", headers=other)).status_code == 200
    assert (await http.post("/v1/stop", headers=other)).status_code == 200


async def test_garbage_is_refused(http: httpx.AsyncClient, directories: Directories) -> None:
    reader, writer = await asyncio.open_unix_connection(directories.socket)
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400")
    writer.close()
    await writer.wait_closed()
    assert (await http.get("/v1/status")).status_code == 200


async def test_events_are_lines_of_json(http: httpx.AsyncClient) -> None:
    async with http.stream("GET", "/v1/events") as answer:
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = answer.aiter_lines()
        assert json.loads(await anext(lines))["uploads"] == []
        upload = await add(http, "/a.jpg")
        assert json.loads(await anext(lines))["uploads"] == [upload]


async def test_a_front_end_that_does_not_read_costs_nothing(
    http: httpx.AsyncClient, manager: StandInManager, directories: Directories
) -> None:
    """When it reads again, it gets the latest status, not the hundreds in between."""
    for number in range(60):
        await http.post("/v1/uploads", json={"paths": [f"/{number}.jpg"], "target": {"type": "new", "name": "n" * 200}})
    changes = 400
    size = len((await http.get("/v1/status")).content)
    with socket.socket(socket.AF_UNIX) as sleeper:
        sleeper.connect(os.fspath(directories.socket))
        sleeper.sendall(b"GET /v1/events HTTP/1.1\r\nhost: engine\r\n\r\n")
        for _ in range(changes):
            await manager.set_auto_process(1, not (await manager.queries.upload(1)).auto_process)
            await asyncio.sleep(0.001)
        await manager.set_auto_process(1, False)
        last = await manager.create_project(
            "the last change", kind=(await manager.queries.projects())[0].kind, account=None
        )
        await http.post(
            "/v1/uploads", json={"paths": ["/last.jpg"], "target": {"type": "existing", "id_or_name": last.id}}
        )
        sleeper.setblocking(False)
        received = bytearray()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(15):
            while b"the last change" not in received:
                received += await loop.sock_recv(sleeper, 1 << 20)
    assert len(received) < changes * size / 4


async def test_the_stream_of_a_closed_connection_ends(http: httpx.AsyncClient, directories: Directories) -> None:
    def streams() -> int:
        return sum("latest" in repr(task) for task in asyncio.all_tasks())

    before = streams()
    for _ in range(3):
        async with http.stream("GET", "/v1/events") as answer:
            await anext(answer.aiter_lines())
            assert streams() > before
    await eventually_async(lambda: streams() == before, "the streams of closed connections have ended")


def test_every_error_has_a_status() -> None:
    def tree(kind: type[UploaderError]) -> list[type[UploaderError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in tree(child))]

    for kind in tree(UploaderError):
        assert 400 <= http_status(kind("A sentence.")) < 600


@dataclass
class Receipts:
    """Of any upload the same, in a file that it watches."""

    asked: list[tuple[int, ReceiptFormat]]
    file: BinaryIO

    async def written(self, upload: int, form: ReceiptFormat) -> BinaryIO:
        self.asked.append((upload, form))
        if upload == 9:
            raise NoSuchUpload("There is no upload 9.")
        return self.file


async def test_a_receipt_is_sent_in_pieces(
    http: httpx.AsyncClient, manager: StandInManager, directories: Directories
) -> None:
    content = os.urandom(1_000_000)
    receipts = Receipts([], io.BytesIO(content))
    manager.receipts = receipts  # type: ignore[assignment]
    answer = await http.get("/v1/uploads/3/receipt?format=csv")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"].startswith("text/csv")
    assert receipts.file.closed
    assert failure(await http.get("/v1/uploads/9/receipt")) == (404, "NoSuchUpload")
    assert failure(await http.get(f"/v1/uploads/{2**63}/receipt")) == (404, "NoSuchUpload")
    assert failure(await http.get("/v1/uploads/3/receipt?format=pdf")) == (400, "UsageError")
    assert receipts.asked == [(3, ReceiptFormat.CSV), (9, ReceiptFormat.JSON)]
    receipts.file = io.BytesIO(content)
    client = ReceiptsClient(EngineConnection(directories))
    assert b"".join([piece async for piece in client.text(3, ReceiptFormat.MHL)]) == content
    with pytest.raises(NoSuchUpload):
        assert [piece async for piece in client.text(9, ReceiptFormat.MHL)]


class Failing(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        del size
        raise OSError(errno.EIO, "Input/output error")


async def test_a_receipt_that_breaks_off_is_no_receipt(manager: StandInManager, directories: Directories) -> None:
    manager.receipts = Receipts([], Failing(b""))  # type: ignore[assignment]
    client = ReceiptsClient(EngineConnection(directories))
    with pytest.raises(EngineError):
        assert [piece async for piece in client.text(3, ReceiptFormat.JSON)] != []
