"""The REST side of the local cloud before another store: what PIX4Dcloud is before Amazon's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.wire.foreign_stores import ForeignStore
from tui_uploader.http_server.server import HttpServer
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.local_cloud.rest.api import Rest
from tui_uploader.local_cloud.storage.database import Database
from tui_uploader.local_cloud.storage.projects import ProjectStore
from tui_uploader.local_cloud.threads import Threads
from tui_uploader.local_cloud.tokens import PassOffice
from tui_uploader.model import Login


@asynccontextmanager
async def joined_cloud(root: Path, store: ForeignStore) -> AsyncIterator[Login]:
    """Projects, their credentials and the registration of images; the objects go to `store`."""
    root.mkdir()
    options = LocalCloudOptions(root)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        database, threads = Database(root), Threads()
        stack.callback(database.close)
        stack.callback(threads.close)
        projects = ProjectStore(database, time.time, objects_are_here=False)
        login = projects.login(None, None)
        rest = Rest(projects, login, PassOffice(login.signing_key), options, threads, time.time)
        server = HttpServer(_CredentialsOf(store, rest), keep_alive=75, last_requests=2)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await server.listening(serving)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield Login(url, login.client_id, login.client_secret)
        finally:
            server.stop()
            await serving


def registered(root: Path) -> list[str]:
    """Keys of all images, in all projects together."""
    with contextlib.closing(sqlite3.connect(f"file:{root}/local-cloud.sqlite?mode=ro", uri=True)) as sql:
        return [key for (key,) in sql.execute("SELECT key FROM images")]


class _CredentialsOf:
    """Hands out credentials of the store instead of the local cloud's, and leaves the rest to the local cloud."""

    def __init__(self, store: ForeignStore, rest: ASGIApp) -> None:
        self._store = store
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/s3_credentials/"):
            await self._rest(scope, receive, send)
            return
        said: list[Message] = []

        async def keep(message: Message) -> None:
            said.append(message)

        await self._rest(scope, receive, keep)
        status, fields = said[0]["status"], json.loads(b"".join(message.get("body", b"") for message in said))
        if status == 200:
            fields |= await asyncio.to_thread(self._store.session_credentials)
        await JSONResponse(fields, status)(scope, receive, send)
