"""The REST API of the local cloud in front of another object store, as PIX4Dcloud is in front of Amazon S3."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_uploader.http_server.server import HttpServer
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.local_cloud.rest.api import RestApp
from tui_uploader.local_cloud.storage.database import RootDatabase
from tui_uploader.local_cloud.storage.projects import ProjectStore
from tui_uploader.local_cloud.storage.results import ResultStore
from tui_uploader.local_cloud.threads import Threads
from tui_uploader.local_cloud.tokens import TokenService
from tui_uploader.model.accounts import Login


@asynccontextmanager
async def joined_cloud(
    root: Path,
    credentials: Callable[[], Mapping[str, object]],
    *,
    host: str = "127.0.0.1",
    certificate: Path | None = None,
    private_key: Path | None = None,
) -> AsyncIterator[Login]:
    """Serve projects and the registration of images; the objects go to the store of `credentials`.

    `credentials` returns the fields of `s3_credentials` that concern the store. It may block.
    """
    root.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        # asyncio disables Nagle's algorithm only for sockets that name their protocol; a reply would take 40 ms
        listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        listener.bind((host, 0))
        database, threads = RootDatabase(root), Threads()
        stack.callback(database.close)
        stack.callback(threads.close)
        projects = _ObjectsElsewhere(database, time.time)
        login = projects.login()
        tokens = TokenService(login.signing_key)
        results = ResultStore(database, projects, time.time)
        rest = RestApp(projects, results, login, tokens, LocalCloudOptions(root), threads, time.time)
        server = HttpServer(
            _StoreCredentials(credentials, rest),
            keep_alive=75,
            last_requests=2,
            certificate=certificate,
            private_key=private_key,
        )
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await server.listening(serving)
            url = f"{'https' if certificate else 'http'}://{host}:{listener.getsockname()[1]}"
            yield Login(url, login.client_id, login.client_secret)
        finally:
            server.stop()
            await serving


class _ObjectsElsewhere(ProjectStore):
    """Another store has the objects: every key of the right project is accepted."""

    def has_object(self, sql: sqlite3.Connection, key: str) -> bool:
        return True


class _StoreCredentials:
    """Replaces the credentials of the local cloud by those of the store."""

    def __init__(self, credentials: Callable[[], Mapping[str, object]], rest: ASGIApp) -> None:
        self._credentials = credentials
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/s3_credentials/"):
            await self._rest(scope, receive, send)
            return
        reply: list[Message] = []

        async def keep(message: Message) -> None:
            reply.append(message)

        await self._rest(scope, receive, keep)
        status, fields = reply[0]["status"], json.loads(b"".join(message.get("body", b"") for message in reply))
        if status == 200:
            fields |= await asyncio.to_thread(self._credentials)
        await JSONResponse(fields, status)(scope, receive, send)
