"""The engine's API for front ends: HTTP over a Unix socket.

Each endpoint is one method of `UploadManager` or of its `queries`; requests and answers are values of `model`. An
error is answered with `{"error": {"kind", "message"}}` and a matching status. No answer contains a secret.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from tui_uploader import codec
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import EngineError, NoSuchUpload, UploaderError, UsageError
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.engine import BandwidthChange
from tui_uploader.model.files import FileQuery, FileSelection
from tui_uploader.model.projects import NewProject
from tui_uploader.model.uploads import AddRequest
from tui_uploader.redaction import Secrets
from tui_uploader.service.lifetime import ClientPresence, StopSignal
from tui_uploader.service.middleware import EngineMiddleware, answer, error_answer
from tui_uploader.service.protocol import (
    HEARTBEAT,
    MAX_BODY,
    STOP_PATH,
    AutoProcessingChange,
    CreateProjectRequest,
    EngineInfo,
    FilesChanged,
    HistoryQuery,
    SignedOut,
    SignOutRequest,
    StartProcessingRequest,
    version,
)
from tui_uploader.service.status_stream import latest
from tui_uploader.settings import Directories
from tui_uploader.text import printable, whole_number

T = TypeVar("T")

Endpoint = Callable[[UploadManager, Request], Awaitable[object]]
"""Returns the value of the answer."""

_LARGEST_ID = 2**63 - 1  # SQLite's


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
            return answer(await endpoint(manager, request))

        return Route(path, answering, methods=[method])

    app = Starlette(
        routes=[
            Route("/v1/events", running.events, methods=["GET"]),
            Route("/v1/engine", running.info, methods=["GET"]),
            Route(STOP_PATH, running.stop_engine, methods=["POST"]),
            *(route(method, path, endpoint) for method, path, endpoint in _ENDPOINTS),
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


# ----------------------------------------------------------------------------------------------- the endpoints


async def _status(manager: UploadManager, _: Request) -> object:
    return manager.queries.status()


async def _try_now(manager: UploadManager, _: Request) -> object:
    manager.try_now()
    return manager.queries.status()


async def _bandwidth(manager: UploadManager, _: Request) -> object:
    return await manager.queries.bandwidth()


async def _set_bandwidth(manager: UploadManager, request: Request) -> object:
    return await manager.set_bandwidth(await _body(request, BandwidthChange))


async def _add(manager: UploadManager, request: Request) -> object:
    given = await _body(request, AddRequest)
    target = given.target
    _refuse_broken_text(target.name if isinstance(target, NewProject) else target.id_or_name, given.account)
    return await manager.add(given)


async def _undo_addition(manager: UploadManager, request: Request) -> object:
    addition: int = request.path_params["addition"]
    return await manager.undo_addition(min(addition, _LARGEST_ID))


async def _files(manager: UploadManager, request: Request) -> object:
    return await manager.queries.files(_upload_id(request), _file_query(request.scope["query_string"]))


async def _file_runs(manager: UploadManager, request: Request) -> object:
    return await manager.queries.file_runs(_upload_id(request), _file_query(request.scope["query_string"]))


async def _positions(manager: UploadManager, request: Request) -> object:
    file = request.query_params.get("file")
    return await manager.queries.positions(
        _upload_id(request), None if file is None else _file_id(file), whole_project=_of_whole_project(request)
    )


async def _skipped(manager: UploadManager, request: Request) -> object:
    return await manager.queries.skipped(_upload_id(request), whole_project=_of_whole_project(request))


async def _photo_facts(manager: UploadManager, request: Request) -> object:
    return await manager.queries.photo_facts(_upload_id(request), _file_id(request.path_params["file"]))


async def _set_auto_process(manager: UploadManager, request: Request) -> object:
    return await manager.set_auto_process(_upload_id(request), (await _body(request, AutoProcessingChange)).on)


async def _projects(manager: UploadManager, _: Request) -> object:
    return await manager.queries.projects()


async def _create_project(manager: UploadManager, request: Request) -> object:
    given = await _body(request, CreateProjectRequest)
    _refuse_broken_text(given.name, given.account)
    return await manager.create_project(given.name, given.kind, given.account)


async def _project(manager: UploadManager, request: Request) -> object:
    return await manager.queries.project(_project_name(request))


async def _process(manager: UploadManager, request: Request) -> object:
    given = await _body(request, StartProcessingRequest)
    return await manager.start_processing(_project_name(request), partial=given.partial, again=given.again)


async def _history(manager: UploadManager, request: Request) -> object:
    query = _parsed(request.scope["query_string"], HistoryQuery)
    return await manager.queries.history(query.after, query.limit, query.since)


async def _accounts(manager: UploadManager, _: Request) -> object:
    return await manager.queries.accounts()


async def _sign_in(manager: UploadManager, request: Request) -> object:
    given = await _body(request, SignInRequest)
    secret = Secrets(given.login.client_secret)  # until the answer is sent
    _refuse_broken_text(given.login.client_id, given.login.client_secret, given.login.cloud_url, given.profile)
    account = await manager.sign_in(given)
    del secret
    return account


async def _sign_out(manager: UploadManager, request: Request) -> object:
    profile = (await _body(request, SignOutRequest)).profile
    _refuse_broken_text(profile)
    return SignedOut(await manager.sign_out(profile))


def _upload_endpoint(method: Callable[[UploadManager, int], Awaitable[object]]) -> Endpoint:
    async def endpoint(manager: UploadManager, request: Request) -> object:
        return await method(manager, _upload_id(request))

    return endpoint


def _files_endpoint(command: Callable[[UploadManager, int, FileSelection], Awaitable[int]]) -> Endpoint:
    async def endpoint(manager: UploadManager, request: Request) -> object:
        selection = await _body(request, FileSelection)
        if any(not 0 <= file <= _LARGEST_ID for file in chain(selection.ids, *selection.runs)):
            raise UsageError("A file's id is a whole number from 0.")
        return FilesChanged(await command(manager, _upload_id(request), selection))

    return endpoint


_ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/v1/status", _status),
    ("POST", "/v1/try-now", _try_now),
    ("GET", "/v1/bandwidth", _bandwidth),
    ("PUT", "/v1/bandwidth", _set_bandwidth),
    ("POST", "/v1/uploads", _add),
    ("POST", "/v1/additions/{addition:int}/undo", _undo_addition),
    ("GET", "/v1/uploads/{upload:int}", _upload_endpoint(lambda manager, upload: manager.queries.upload(upload))),
    (
        "GET",
        "/v1/uploads/{upload:int}/skipped",
        _skipped,
    ),
    ("GET", "/v1/uploads/{upload:int}/files", _files),
    ("GET", "/v1/uploads/{upload:int}/files/{file}/photo", _photo_facts),
    ("GET", "/v1/uploads/{upload:int}/file-runs", _file_runs),
    ("GET", "/v1/uploads/{upload:int}/positions", _positions),
    ("POST", "/v1/uploads/{upload:int}/pause", _upload_endpoint(lambda manager, upload: manager.pause(upload))),
    ("POST", "/v1/uploads/{upload:int}/resume", _upload_endpoint(lambda manager, upload: manager.resume(upload))),
    ("POST", "/v1/uploads/{upload:int}/cancel", _upload_endpoint(lambda manager, upload: manager.cancel(upload))),
    ("POST", "/v1/uploads/{upload:int}/dismiss", _upload_endpoint(lambda manager, upload: manager.dismiss(upload))),
    ("POST", "/v1/uploads/{upload:int}/undismiss", _upload_endpoint(lambda manager, upload: manager.undismiss(upload))),
    ("POST", "/v1/uploads/{upload:int}/auto-process", _set_auto_process),
    (
        "POST",
        "/v1/uploads/{upload:int}/stop-automatic-start",
        _upload_endpoint(lambda manager, upload: manager.stop_automatic_start(upload)),
    ),
    ("POST", "/v1/uploads/{upload:int}/retry", _files_endpoint(lambda manager, *which: manager.retry(*which))),
    ("POST", "/v1/uploads/{upload:int}/remove", _files_endpoint(lambda manager, *which: manager.remove(*which))),
    ("POST", "/v1/uploads/{upload:int}/restore", _files_endpoint(lambda manager, *which: manager.restore(*which))),
    ("GET", "/v1/projects", _projects),
    ("POST", "/v1/projects", _create_project),
    ("POST", "/v1/projects/{project:path}/process", _process),
    ("GET", "/v1/projects/{project:path}", _project),
    ("GET", "/v1/history", _history),
    ("GET", "/v1/accounts", _accounts),
    ("POST", "/v1/sign-in", _sign_in),
    ("POST", "/v1/sign-out", _sign_out),
)

# ------------------------------------------------------------------------------------------------- requests


async def _body(request: Request, shape: type[T]) -> T:
    """The request's body as a value of `shape`. Raises UsageError, and HTTPException (413) for more than `MAX_BODY`."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > MAX_BODY:
            raise HTTPException(413, f"The request is larger than {MAX_BODY} bytes. Split it into several.")
    try:
        return codec.from_json(bytes(received), shape)
    except codec.Malformed as error:
        raise UsageError(f"Invalid request: {printable(str(error), 200)}.") from error


def _upload_id(request: Request) -> int:
    upload: int = request.path_params["upload"]
    if upload > _LARGEST_ID:
        raise NoSuchUpload("No such upload. `tui-uploader status` lists all uploads.")
    return upload


def _file_id(text: str) -> int:
    number = whole_number(text, _LARGEST_ID)
    if number is None:
        raise UsageError("A file's id is a whole number from 0.")
    return number


def _of_whole_project(request: Request) -> bool:
    given = request.query_params.get("whole_project", "false")
    if given not in ("true", "false"):
        raise UsageError("whole_project is true or false.")
    return given == "true"


def _project_name(request: Request) -> str:
    return unquote(request.path_params["project"], errors="surrogateescape")


def _file_query(query_string: bytes) -> FileQuery:
    """Raises UsageError."""
    query = _parsed(query_string, FileQuery)
    if not 0 <= query.offset <= _LARGEST_ID or not 0 <= query.limit <= _LARGEST_ID:
        raise UsageError("The offset and the limit of a window of files are whole numbers from 0.")
    if not all(0 <= (each or 0) <= _LARGEST_ID for each in (query.fold, query.anchor, query.first, query.last)):
        raise UsageError("The fold, the anchor and the ends of a range of files are whole numbers from 0.")
    return query


def _parsed(query_string: bytes, shape: type[T]) -> T:
    """Raises UsageError."""
    given = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="surrogateescape"))
    try:
        return msgspec.convert(given, shape, strict=False)
    except ValueError as error:
        raise UsageError(f"Invalid request: {printable(str(error), 200)}.") from error


def _refuse_broken_text(*texts: str | None) -> None:
    """Raises UsageError for names that are not valid Unicode, as cloud and journal require; paths may be."""
    for text in texts:
        try:
            (text or "").encode()
        except UnicodeEncodeError:
            raise UsageError(f"'{printable(text or '', 200)}' is not valid text.") from None


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
