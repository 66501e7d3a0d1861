"""uvicorn as a part of a larger program: it leaves signals alone, sleeps until it is stopped, and stops at once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from tui_uploader.http_server.connection_limits import BoundedProtocol, Connections

_POLL_SECONDS = 0.005
_BACKLOG = 128
"""asyncio accepts so many at once, before it looks at what arrived on those that it has."""


class HttpServer(uvicorn.Server):
    """Serves one ASGI application in the running event loop.

    `keep_alive`: seconds that an idle connection is kept open. `last_requests`: seconds that requests have to end when
    the server stops; then they are cancelled. `connections`: bounds for them, instead of a `protocol`. Raises OSError
    when the certificate or its key cannot be loaded.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keep_alive: int,
        last_requests: int,
        protocol: str | type[asyncio.Protocol] = "h11",
        connections: Connections | None = None,
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
                BoundedProtocol, connections=connections
            )
        super().__init__(config)
        self._last_requests = last_requests
        self._listening = asyncio.Event()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let `serve` return once the last requests have ended."""
        self.should_exit = True
        self._stopping.set()

    async def listening(self, task: asyncio.Task[None]) -> None:
        """Return when connections are accepted; raise what `task`, which runs `serve`, failed with before that."""
        waiting = asyncio.create_task(self._listening.wait())
        await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            await task

    async def listen_on(self, listener: socket.socket) -> None:
        """Accept connections on `listener` instead of the sockets before; requests under way go on."""

        def protocol() -> asyncio.Protocol:  # as uvicorn makes them
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
        # uvicorn looks ten times a second whether to exit, which would wake an idle machine.
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn sleeps 0.1 s before its first look at whether everything has ended.
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

    async def _everything_ended(self) -> None:
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 -- uvicorn keeps plain sets
            await asyncio.sleep(_POLL_SECONDS)
        for server in self.servers:
            await server.wait_closed()
