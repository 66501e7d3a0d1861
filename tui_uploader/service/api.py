"""The engine's API for front ends: HTTP over a Unix socket.

Each endpoint is one method of `UploadManager` or of its `queries`; requests and answers are values of `model`. An
error is answered with `{"error": {"kind", "message"}}` and a matching status. No answer contains a secret.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from tui_uploader import codec
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import EngineError, UploaderError, UsageError
from tui_uploader.service.endpoints import hooks, receipts, results, uploads, verifications, watches
from tui_uploader.service.endpoints.requests import Endpoint
from tui_uploader.service.lifetime import ClientPresence, StopSignal
from tui_uploader.service.middleware import EngineMiddleware, answer, error_answer
from tui_uploader.service.protocol import HEARTBEAT, STOP_PATH, EngineInfo, version
from tui_uploader.service.status_stream import latest
from tui_uploader.settings import Directories
from tui_uploader.text import printable


def create_app(
    manager: UploadManager,
    directories: Directories,
    socket: Callable[[], Path],
    stop: StopSignal,
    presence: ClientPresence,
) -> ASGIApp:
    """The engine's API at `socket`.

    It sets `stop` when a front end asks for that, and ends running requests when it is set.
    """
    running = _RunningEngine(manager, socket, stop)

    def route(method: str, path: str, endpoint: Endpoint) -> Route:
        async def answering(request: Request) -> Response:
            found = await endpoint(manager, request)
            return found if isinstance(found, Response) else answer(found)

        return Route(path, answering, methods=[method])

    app = Starlette(
        routes=[
            Route("/v1/events", running.events, methods=["GET"]),
            Route("/v1/engine", running.info, methods=["GET"]),
            Route(STOP_PATH, running.stop_engine, methods=["POST"]),
            *(
                route(method, path, endpoint)
                for endpoints in (
                    uploads.ENDPOINTS,
                    receipts.ENDPOINTS,
                    results.ENDPOINTS,
                    verifications.ENDPOINTS,
                    watches.ENDPOINTS,
                    hooks.ENDPOINTS,
                )
                for method, path, endpoint in endpoints
            ),
        ],
        exception_handlers={
            HTTPException: _refused_by_router,
            UploaderError: _refused,
            Exception: _internal_error(directories.log),
        },
    )
    app.router.redirect_slashes = False
    return EngineMiddleware(app, stop, presence)


@dataclass(frozen=True)
class _RunningEngine:
    """Endpoints about the process rather than its uploads."""

    manager: UploadManager
    socket: Callable[[], Path]
    stop: StopSignal

    async def info(self, _: Request) -> Response:
        status = self.manager.queries.status()
        return answer(EngineInfo(os.getpid(), version(), os.fspath(self.socket()), status.since, len(status.uploads)))

    async def stop_engine(self, request: Request) -> Response:
        info = await self.info(request)
        self.stop.set("requested by a front end")
        return info

    async def events(self, _: Request) -> Response:
        return StreamingResponse(self._status_lines(), media_type="application/x-ndjson")

    async def _status_lines(self) -> AsyncIterator[str]:
        async with aclosing(latest(self.manager.queries.changes(), self.stop, HEARTBEAT)) as statuses:
            async for status in statuses:
                yield "\n" if status is None else f"{codec.to_json(status)}\n"


# --------------------------------------------------------------------------------------------------- errors


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, UploaderError)
    return error_answer(error)


async def _refused_by_router(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in (404, 405):
        asked = printable(f"{request.method} {request.url.path}", 200)
        return error_answer(UsageError(f"Unknown request to the engine: `{asked}`."), error.status_code)
    return error_answer(UsageError(error.detail), error.status_code)


def _internal_error(log: Path) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answer an exception. Starlette raises it again after the answer, and uvicorn logs it."""

    async def handler(_: Request, error: Exception) -> Response:
        return error_answer(
            EngineError(
                f"Internal error in the engine ({type(error).__name__}). See its log, {printable(os.fspath(log))}."
            )
        )

    return handler
