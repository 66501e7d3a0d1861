"""uvicorn embedded in a program: it does not touch signals, never polls while idle, and stops without delay."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from tui_uploader.http_server.connection_limits import ConnectionLimits, LimitedProtocol

_POLL_SECONDS = 0.005
_ABORT_SECONDS = 2.0
"""Seconds for cancelled requests to end; one that waits for a thread on a hung disk does not end."""
_BACKLOG = 128
"""asyncio accepts up to this many connections before it reads from those that are open."""


class HttpServer(uvicorn.Server):
    """Serves one ASGI application in the running event loop.

    `keep_alive`: seconds until an idle connection is closed. `last_requests`: seconds that running requests have when
    the server stops, before they are cancelled. `connections`: limits, instead of a `protocol`. Raises OSError when the
    certificate or its key cannot be loaded.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keep_alive: int,
        last_requests: int,
        protocol: str | type[asyncio.Protocol] = "h11",
        connections: ConnectionLimits | None = None,
        certificate: Path | None = None,
        private_key: Path | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            http=protocol,
            ws="none",
            loop="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=keep_alive,
            timeout_graceful_shutdown=last_requests,
            ssl_certfile=certificate,
            ssl_keyfile=private_key,
        )
        config.load()
        if connections is not None:
            config.http_protocol_class = partial(  # type: ignore[assignment]  # it is only called
                LimitedProtocol, connections=connections
            )
        super().__init__(config)
        self._last_requests = last_requests
        self._listening = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Make `serve` return when the last requests have ended."""
        self.should_exit = True
        self._stopping.set()

    async def listening(self, task: asyncio.Task[None]) -> None:
        """Wait until connections are accepted; raise the error of `task`, which runs `serve`, when it ends before."""
        waiting = asyncio.create_task(self._listening.wait())
        await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            await task

    async def listen_on(self, listener: socket.socket) -> None:
        """Accept connections on `listener` instead of the earlier sockets; running requests continue."""

        def protocol() -> asyncio.Protocol:  # as uvicorn creates them
            return self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.server_state, app_state={}
            )

        before = self.servers
        loop = asyncio.get_running_loop()
        self.servers = [await loop.create_server(protocol, sock=listener, backlog=self.config.backlog)]
        for server in before:
            server.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()

    async def main_loop(self) -> None:
        # uvicorn polls ten times a second, which would wake an idle machine.
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn sleeps 0.1 s before its first check whether everything has ended.
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._last_requests):
                await self._everything_ended()
        for request in list(self.server_state.tasks):
            request.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ABORT_SECONDS):  # the loop closes sockets in its next round at the earliest
                await self._everything_ended()

    async def _everything_ended(self) -> None:
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 -- uvicorn keeps plain sets
            await asyncio.sleep(_POLL_SECONDS)
        for server in self.servers:
            await server.wait_closed()
