"""Verifications over the engine's socket: the shapes of requests and answers, with the real engine in this process."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from tests.photos import write_flight, write_photo
from tests.service.conftest import directories
from tests.tui.conftest import engine_running, field
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import ExistingProject, NewProject
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import AddRequest
from tui_uploader.model.verification import Finding, VerificationRequest, VerificationState
from tui_uploader.service.client import EngineClient
from tui_uploader.service.login import hand_over_login
from tui_uploader.settings import Directories, load

__all__ = ["directories", "field"]


@pytest.fixture
async def http(directories: Directories) -> AsyncIterator[httpx.AsyncClient]:
    """Requests to an engine without cloud and login."""
    transport = httpx.AsyncHTTPTransport(uds=os.fspath(directories.socket))
    async with (
        engine_running(directories),
        httpx.AsyncClient(transport=transport, base_url="http://engine", trust_env=False) as client,
    ):
        yield client


async def _until(engine: EngineClient, holds: Callable[[EngineStatus], object]) -> EngineStatus:
    async with asyncio.timeout(30), aclosing(engine.changes()) as changes:
        async for status in changes:
            if holds(status):
                return status
    raise AssertionError("the engine ended")


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "kind"),
    [
        ("POST", "/v1/verifications", {"paths": []}, 400, "UsageError"),
        ("POST", "/v1/verifications", {"paths": ["card"]}, 400, "UsageError"),
        ("POST", "/v1/verifications", {"paths": ["/a\0b"]}, 400, "UsageError"),
        ("POST", "/v1/verifications", {"paths": "/card"}, 400, "UsageError"),
        ("POST", "/v1/verifications", {"paths": ["/card"], "project": "\udcff"}, 400, "UsageError"),
        ("POST", "/v1/verifications", {"paths": ["/card"], "project": "Moon"}, 404, "NoSuchProject"),
        ("GET", "/v1/verifications/7", None, 404, "NoSuchVerification"),
        ("GET", f"/v1/verifications/{2**70}", None, 404, "NoSuchVerification"),
        ("GET", "/v1/verifications/7/folders", None, 404, "NoSuchVerification"),
        ("GET", "/v1/verifications/7/files", None, 404, "NoSuchVerification"),
        ("POST", "/v1/verifications/7/cancel", None, 404, "NoSuchVerification"),
        ("POST", "/v1/verifications/7/upload", {}, 404, "NoSuchVerification"),
        ("GET", "/v1/verifications/seven", None, 404, "UsageError"),
        ("DELETE", "/v1/verifications/7", None, 405, "UsageError"),
    ],
)
async def test_bad_requests(
    http: httpx.AsyncClient, method: str, path: str, body: object, code: int, kind: str
) -> None:
    answer = await http.request(method, path, content=None if body is None else json.dumps(body))
    assert (answer.status_code, answer.json()["error"]["kind"]) == (code, kind)


@pytest.mark.parametrize(
    "query", ["finding=lost", "offset=-1", "limit=0", "limit=2001", "limit=many", f"offset={2**70}"]
)
async def test_bad_windows(http: httpx.AsyncClient, tmp_path: Path, query: str) -> None:
    write_photo(tmp_path / "a.JPG")
    started = (await http.post("/v1/verifications", json={"paths": [str(tmp_path)]})).json()
    answer = await http.get(f"/v1/verifications/{started['verification']}/files?{query}")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (400, "UsageError")


async def test_what_was_found_is_read_in_windows(directories: Directories, field: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    write_flight(card, 3)
    hostile = os.fsdecode(b"\xff \x1b[2J\n.JPG")
    async with EngineClient.connect(directories, spawn=False) as engine:
        await hand_over_login(engine, load())
        upload = await engine.add(AddRequest((str(card),), NewProject("Quarry"), auto_process=False))
        await _until(engine, lambda status: status.uploads[0].state is UploadState.COMPLETE)
        for name in (hostile, "z.JPG"):
            write_photo(card / name)
        started = await engine.verifications.start(VerificationRequest((f"{card}/",)))
        number = started.verification
        assert started.state is VerificationState.RUNNING
        ended = await _until(engine, lambda status: status.verifications[-1].state is VerificationState.DONE)
        (status,) = ended.verifications
        assert (status.paths, status.home, status.uploads) == ((str(card),), "Quarry", {upload.upload: 3})
        assert await engine.verifications.list() == (status,)
        lost = await engine.verifications.files(number, finding=Finding.MISSING, offset=1, limit=1)
        assert (lost.total, lost.offset, len(lost.files)) == (2, 1, 1)
        both = [file.path async for file in engine.verifications.each_file(number, Finding.MISSING)]
        assert sorted(both) == sorted([f"{card}/{hostile}", f"{card}/z.JPG"])
        assert (await engine.verifications.files(number, folder=str(card))).total == 5
        assert (await engine.verifications.files(number, folder="/elsewhere")).total == 0
        (folder,) = await engine.verifications.folders(number)
        assert (folder.path, folder.files) == (str(card), 5)
        queued = await engine.verifications.upload_missing(number)
        assert (queued.project_name, queued.auto_process) == ("Quarry", False)  # as the user had chosen for this card
        again = await engine.verifications.upload_missing(number, ExistingProject("Quarry"))
        assert again.project == queued.project
        assert (await engine.verifications.cancel(number)) == status
