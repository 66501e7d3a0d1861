"""Verifications of memory cards: start and cancel them, what they found, and upload what is missing.

POST /v1/verifications                  VerificationRequest -> VerificationStatus
GET  /v1/verifications                  -> [VerificationStatus]
GET  /v1/verifications/{n}              -> VerificationStatus
GET  /v1/verifications/{n}/folders      -> [VerifiedFolder]
GET  /v1/verifications/{n}/files        ?finding=&folder=&offset=&limit= -> VerifiedFiles
POST /v1/verifications/{n}/cancel       -> VerificationStatus
POST /v1/verifications/{n}/upload       MissingFilesRequest -> UploadStatus
"""

from __future__ import annotations

from starlette.requests import Request

from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import UsageError
from tui_uploader.model.projects import ExistingProject, NewProject, Target
from tui_uploader.model.verification import VerificationRequest, VerificationStatus
from tui_uploader.service.endpoints.requests import LARGEST_ID, Route, body, parsed, refuse_broken_text
from tui_uploader.service.protocol import MissingFilesRequest, VerifiedFilesQuery
from tui_uploader.text import printable

_LONGEST_NAME = 80


def _number(request: Request) -> int:
    number: int = request.path_params["verification"]
    return min(number, LARGEST_ID)


async def _start(manager: UploadManager, request: Request) -> object:
    given = await body(request, VerificationRequest)
    refuse_broken_text(given.project)
    return await manager.verifications.start(given)


async def _list(manager: UploadManager, _: Request) -> object:
    return manager.verifications.list()


async def _status(manager: UploadManager, request: Request) -> object:
    return manager.verifications.status(_number(request))


async def _folders(manager: UploadManager, request: Request) -> object:
    return await manager.verifications.folders(_number(request))


async def _files(manager: UploadManager, request: Request) -> object:
    query = parsed(request.scope["query_string"], VerifiedFilesQuery)
    return await manager.verifications.files(_number(request), query.finding, query.folder, query.offset, query.limit)


async def _cancel(manager: UploadManager, request: Request) -> object:
    return await manager.verifications.cancel(_number(request))


async def _upload_missing(manager: UploadManager, request: Request) -> object:
    number, target = _number(request), (await body(request, MissingFilesRequest)).target
    status = manager.verifications.status(number)
    if target is None:
        target = _home(status)
    refuse_broken_text(target.name if isinstance(target, NewProject) else target.id_or_name)
    return await manager.verifications.upload_missing(number, target, auto_process=_auto_process(manager, status))


def _auto_process(manager: UploadManager, status: VerificationStatus) -> bool | None:
    """False where the user has switched it off for the newest upload of the card; None: as usual."""
    of_card = [upload for upload in manager.queries.status().uploads if upload.upload in status.uploads]
    return False if of_card and not of_card[-1].auto_process else None


def _home(status: VerificationStatus) -> Target:
    """Raises UsageError where it is unclear to which project the missing images belong."""
    if status.home is not None:
        return ExistingProject(status.home)
    if not status.projects:
        raise UsageError("No file of this card is in a project: name the project for the missing images.")
    names = ", ".join(printable(name, _LONGEST_NAME) for name in status.projects)
    raise UsageError(f"The files of this card are in several projects ({names}): name one for the missing images.")


ENDPOINTS: tuple[Route, ...] = (
    ("POST", "/v1/verifications", _start),
    ("GET", "/v1/verifications", _list),
    ("GET", "/v1/verifications/{verification:int}", _status),
    ("GET", "/v1/verifications/{verification:int}/folders", _folders),
    ("GET", "/v1/verifications/{verification:int}/files", _files),
    ("POST", "/v1/verifications/{verification:int}/cancel", _cancel),
    ("POST", "/v1/verifications/{verification:int}/upload", _upload_missing),
)
