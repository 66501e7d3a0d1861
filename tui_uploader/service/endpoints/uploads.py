"""Uploads and their files, projects, accounts, bandwidth, history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import chain
from urllib.parse import unquote

from starlette.requests import Request

from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import UsageError
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.engine import BandwidthChange
from tui_uploader.model.files import FileQuery, FileSelection
from tui_uploader.model.projects import NewProject
from tui_uploader.model.uploads import AddRequest
from tui_uploader.redaction import Secrets
from tui_uploader.service.endpoints.requests import (
    LARGEST_ID,
    Endpoint,
    Route,
    body,
    parsed,
    refuse_broken_text,
    upload_id,
)
from tui_uploader.service.protocol import (
    AutoProcessingChange,
    CreateProjectRequest,
    FilesChanged,
    HistoryQuery,
    SignedOut,
    SignOutRequest,
    StartProcessingRequest,
)
from tui_uploader.text import whole_number


async def _status(manager: UploadManager, _: Request) -> object:
    return manager.queries.status()


async def _try_now(manager: UploadManager, _: Request) -> object:
    manager.try_now()
    return manager.queries.status()


async def _bandwidth(manager: UploadManager, _: Request) -> object:
    return await manager.queries.bandwidth()


async def _set_bandwidth(manager: UploadManager, request: Request) -> object:
    return await manager.set_bandwidth(await body(request, BandwidthChange))


async def _add(manager: UploadManager, request: Request) -> object:
    given = await body(request, AddRequest)
    target = given.target
    refuse_broken_text(target.name if isinstance(target, NewProject) else target.id_or_name, given.account)
    return await manager.add(given)


async def _undo_addition(manager: UploadManager, request: Request) -> object:
    addition: int = request.path_params["addition"]
    return await manager.undo_addition(min(addition, LARGEST_ID))


async def _files(manager: UploadManager, request: Request) -> object:
    return await manager.queries.files(upload_id(request), _file_query(request.scope["query_string"]))


async def _file_runs(manager: UploadManager, request: Request) -> object:
    return await manager.queries.file_runs(upload_id(request), _file_query(request.scope["query_string"]))


async def _positions(manager: UploadManager, request: Request) -> object:
    file = request.query_params.get("file")
    return await manager.queries.positions(
        upload_id(request), None if file is None else _file_id(file), whole_project=_of_whole_project(request)
    )


async def _skipped(manager: UploadManager, request: Request) -> object:
    return await manager.queries.skipped(upload_id(request), whole_project=_of_whole_project(request))


async def _photo_facts(manager: UploadManager, request: Request) -> object:
    return await manager.queries.photo_facts(upload_id(request), _file_id(request.path_params["file"]))


async def _set_auto_process(manager: UploadManager, request: Request) -> object:
    return await manager.set_auto_process(upload_id(request), (await body(request, AutoProcessingChange)).on)


async def _projects(manager: UploadManager, _: Request) -> object:
    return await manager.queries.projects()


async def _create_project(manager: UploadManager, request: Request) -> object:
    given = await body(request, CreateProjectRequest)
    refuse_broken_text(given.name, given.account)
    return await manager.create_project(given.name, given.kind, given.account)


async def _project(manager: UploadManager, request: Request) -> object:
    return await manager.queries.project(_project_name(request))


async def _process(manager: UploadManager, request: Request) -> object:
    given = await body(request, StartProcessingRequest)
    return await manager.start_processing(_project_name(request), partial=given.partial, again=given.again)


async def _history(manager: UploadManager, request: Request) -> object:
    query = parsed(request.scope["query_string"], HistoryQuery)
    return await manager.queries.history(query.after, query.limit, query.since)


async def _accounts(manager: UploadManager, _: Request) -> object:
    return await manager.queries.accounts()


async def _sign_in(manager: UploadManager, request: Request) -> object:
    given = await body(request, SignInRequest)
    secret = Secrets(given.login.client_secret)  # until the answer is sent
    refuse_broken_text(given.login.client_id, given.login.client_secret, given.login.cloud_url, given.profile)
    account = await manager.sign_in(given)
    del secret
    return account


async def _sign_out(manager: UploadManager, request: Request) -> object:
    profile = (await body(request, SignOutRequest)).profile
    refuse_broken_text(profile)
    return SignedOut(await manager.sign_out(profile))


def _upload_endpoint(method: Callable[[UploadManager, int], Awaitable[object]]) -> Endpoint:
    async def endpoint(manager: UploadManager, request: Request) -> object:
        return await method(manager, upload_id(request))

    return endpoint


def _files_endpoint(command: Callable[[UploadManager, int, FileSelection], Awaitable[int]]) -> Endpoint:
    async def endpoint(manager: UploadManager, request: Request) -> object:
        selection = await body(request, FileSelection)
        if any(not 0 <= file <= LARGEST_ID for file in chain(selection.ids, *selection.runs)):
            raise UsageError("A file's id is a whole number from 0.")
        return FilesChanged(await command(manager, upload_id(request), selection))

    return endpoint


ENDPOINTS: tuple[Route, ...] = (
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


def _file_id(text: str) -> int:
    number = whole_number(text, LARGEST_ID)
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
    query = parsed(query_string, FileQuery)
    if not 0 <= query.offset <= LARGEST_ID or not 0 <= query.limit <= LARGEST_ID:
        raise UsageError("The offset and the limit of a window of files are whole numbers from 0.")
    if not all(0 <= (each or 0) <= LARGEST_ID for each in (query.fold, query.anchor, query.first, query.last)):
        raise UsageError("The fold, the anchor and the ends of a range of files are whole numbers from 0.")
    return query
