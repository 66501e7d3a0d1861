"""Failures inside the server: a full disk, a slow one, an exception."""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local_cloud.clouds import Client, Credentialed, a_cloud, code, complete, create_multipart, put_part, xml
from tests.until import until
from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions, Profile
from tui_uploader.local_cloud.s3.api import S3App
from tui_uploader.local_cloud.s3.objects import ObjectOperations
from tui_uploader.local_cloud.s3.parts import MultipartOperations
from tui_uploader.local_cloud.storage.database import RootDatabase
from tui_uploader.local_cloud.storage.multipart import MultipartStore
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.storage.objects import IncomingFile, LocalObjectStore
from tui_uploader.local_cloud.threads import Threads
from tui_uploader.local_cloud.tokens import TokenService


async def test_a_full_disk_is_answered_with_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: IncomingFile, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with a_cloud(LocalCloudOptions(tmp_path)) as client:
        with monkeypatch.context() as patch:
            patch.setattr(IncomingFile, "write", full)
            assert code(await client.s3("PUT", "a", b"x")) == (503, "ServiceUnavailable")
        assert client.incoming() == set()
        assert (await client.s3("PUT", "a", b"x")).status_code == 200


async def test_the_database_stays_usable_after_it_was_full(tmp_path: Path) -> None:
    async with a_cloud(LocalCloudOptions(tmp_path)) as client:
        store = LocalObjectStore(tmp_path, RootDatabase(tmp_path), lambda: 0.0)
        with store.database.locked() as sql, pytest.raises(Exception, match="full"):
            sql.execute("PRAGMA max_page_count = 1")
            with store.database.transaction() as writing:
                writing.execute("CREATE TABLE more AS SELECT randomblob(100000) AS bytes")
        with store.database.transaction() as writing:
            writing.execute("SELECT 1")
        store.close()
        store.database.close()
        assert (await client.s3("PUT", "a", b"x")).status_code == 200


async def test_an_exception_is_logged_and_answered_with_500(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: LocalObjectStore, key: str) -> None:
        raise ZeroDivisionError("a fault")

    async with a_cloud(LocalCloudOptions(tmp_path)) as client:
        monkeypatch.setattr(LocalObjectStore, "find", broken)
        reply = await client.s3("HEAD", "a")
        assert (reply.status_code, reply.content) == (500, b"")
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info
    assert client.credentials.session_token not in caplog.text


@asynccontextmanager
async def impatient(root: Path) -> AsyncIterator[Client]:
    """S3 without a server; its reply to Complete begins at once."""
    database = RootDatabase(root)
    store, threads, tokens = LocalObjectStore(root, database, lambda: 0.0), Threads(), TokenService(b"key")
    objects = ObjectOperations(store, threads)
    parts = MultipartOperations(store, MultipartStore(store), objects, threads, patience=0.2)
    issued = tokens.issue_credentials("user-1/project-1", 2**33)
    app = S3App(objects, parts, tokens, Profile.DEFAULT, time.time)
    address = LocalCloudAddress("http://cloud", "", "", root)
    credentials = Credentialed(issued.access_key, issued.secret_key, issued.session_token, BUCKET, issued.prefix)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        yield Client(address, http, 1, credentials)
    threads.close()
    store.close()
    database.close()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_slow_completion_is_filled_with_white_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    resume, reply_begun = threading.Event(), threading.Event()
    real_append, real_waiting = IncomingFile.append, MultipartOperations._waiting_for

    def slow(self: IncomingFile, path: Path) -> None:
        resume.wait(20)
        real_append(self, path)

    def noted(self: MultipartOperations, *arguments: Any) -> AsyncGenerator[str, None]:
        reply_begun.set()
        return real_waiting(self, *arguments)

    async with impatient(tmp_path) as client:
        upload = await create_multipart(client, "a")
        etag = await put_part(client, "a", upload, 1, b"abc")
        if fails:  # noticed only after the assembly: the key is a folder of another object
            assert (await client.s3("PUT", "a/b", b"x")).status_code == 200
        monkeypatch.setattr(IncomingFile, "append", slow)
        monkeypatch.setattr(MultipartOperations, "_waiting_for", noted)
        completing = asyncio.create_task(complete(client, "a", upload, [(1, etag)]))
        await until(reply_begun.is_set)
        again = await complete(client, "a", upload, [(1, etag)])
        assert code(again) == (409, "OperationAborted")
        resume.set()
        reply = await completing
        assert reply.status_code == 200
        if fails:
            assert xml(reply)["Code"] == "InvalidRequest"
        else:
            assert "ETag" in xml(reply)
            assert client.path("a").read_bytes() == b"abc"
        assert reply.text.startswith("<?xml")
        assert "?>\n " in reply.text
