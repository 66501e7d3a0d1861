"""Middleware around the API: count requests, compare versions, end requests when the engine stops; error answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_uploader import codec
from tui_uploader.errors import (
    CloudBusy,
    CloudError,
    EngineGone,
    EngineUnreachable,
    EngineVersionDiffers,
    JournalUnwritable,
    LinkError,
    NoSuchFile,
    NoSuchPath,
    NoSuchProject,
    NoSuchUpload,
    NoSuchVerification,
    NoSuchWatch,
    NotPossibleNow,
    SignInError,
    SourceError,
    UploaderError,
    UsageError,
)
from tui_uploader.service.lifetime import ClientPresence, StopSignal
from tui_uploader.service.protocol import (
    STOP_PATH,
    VERSION_FREE_PATHS,
    VERSION_HEADER,
    Failure,
    FailureAnswer,
    version,
    versions_differ,
)
from tui_uploader.text import printable

GRACE = 0.4
"""Seconds that running requests have when the engine stops."""

# From special to general: the first match counts.
_HTTP_STATUS: tuple[tuple[type[UploaderError], int], ...] = (
    (NoSuchPath, 404),
    (NoSuchProject, 404),
    (NoSuchUpload, 404),
    (NoSuchFile, 404),
    (NoSuchVerification, 404),
    (NoSuchWatch, 404),
    (NotPossibleNow, 409),
    (UsageError, 400),
    (SourceError, 422),
    (SignInError, 403),
    (LinkError, 504),
    (CloudBusy, 503),
    (CloudError, 502),
    (EngineVersionDiffers, 409),
    (EngineUnreachable, 503),
    (JournalUnwritable, 507),
)


def http_status(error: UploaderError) -> int:
    return next((status for kind, status in _HTTP_STATUS if isinstance(error, kind)), 500)


def answer(value: object, status: int = 200) -> Response:
    return Response(codec.to_json(value), status, media_type="application/json")


def error_answer(error: UploaderError, status: int | None = None) -> Response:
    return answer(FailureAnswer(Failure(error.kind, error.message)), status or http_status(error))


class EngineMiddleware:
    """ASGI middleware around the whole API."""

    def __init__(self, app: ASGIApp, stop: StopSignal, presence: ClientPresence) -> None:
        self._app = app
        self._stop = stop
        self._presence = presence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def send_with_version(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                MutableHeaders(scope=message)[VERSION_HEADER] = version()
            await send(message)

        # Routes see the path as sent: a name with slashes or line breaks stays one segment.
        scope["path"] = scope["raw_path"].decode("latin-1")
        with self._presence.request():
            foreign = _other_version(scope)
            if foreign is not None:
                refusal = error_answer(versions_differ(version(), printable(foreign, 40)))
                await refusal(scope, receive, send_with_version)
            elif self._stop.is_set() and scope["path"] != STOP_PATH:
                stopping = error_answer(EngineGone("The engine is stopping. Try again."))
                await stopping(scope, receive, send_with_version)
            elif not await self._finished_in_time(self._app(scope, receive, send_with_version)) and not answered:
                stopped = error_answer(EngineGone("The engine stopped before it could answer. Try again."))
                await stopped(scope, receive, send_with_version)

    async def _finished_in_time(self, work: Awaitable[None]) -> bool:
        """Run `work`; return False when the engine stops before it ends."""
        working = asyncio.ensure_future(work)
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await asyncio.wait((working,), timeout=GRACE)
            if working.done():
                working.result()
            return working.done()
        finally:
            stopping.cancel()
            working.cancel()


def _other_version(scope: Scope) -> str | None:
    """The version of a front end that differs from ours; None for paths that every version answers."""
    theirs = Headers(scope=scope).get(VERSION_HEADER, version())
    return None if theirs == version() or scope["path"] in VERSION_FREE_PATHS else theirs
