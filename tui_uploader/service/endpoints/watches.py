"""Watched folders."""

from __future__ import annotations

from starlette.requests import Request

from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import NoSuchWatch
from tui_uploader.model.projects import ExistingProject, NewProject
from tui_uploader.model.watches import WatchRequest
from tui_uploader.service.endpoints.requests import LARGEST_ID, Route, body, refuse_broken_text


async def _list(manager: UploadManager, _: Request) -> object:
    return manager.watches.list()


async def _add(manager: UploadManager, request: Request) -> object:
    given = await body(request, WatchRequest)
    match given.target:
        case NewProject(name):
            refuse_broken_text(name)
        case ExistingProject(id_or_name):
            refuse_broken_text(id_or_name)
    refuse_broken_text(given.name, given.account)
    return await manager.watches.add(given)


async def _remove(manager: UploadManager, request: Request) -> object:
    watch: int = request.path_params["watch"]
    if watch > LARGEST_ID:
        raise NoSuchWatch("There is no such watch. `tui-uploader watch list` lists them.")
    return await manager.watches.remove(watch)


ENDPOINTS: tuple[Route, ...] = (
    ("GET", "/v1/watches", _list),
    ("POST", "/v1/watches", _add),
    ("POST", "/v1/watches/{watch:int}/remove", _remove),
)
