"""Processed results: what is in paths before they are uploaded."""

from __future__ import annotations

from starlette.requests import Request

from tui_uploader.engine.manager import UploadManager
from tui_uploader.model.projects import NewProject
from tui_uploader.model.uploads import AddRequest
from tui_uploader.service.endpoints.requests import Route, body, refuse_broken_text


async def _survey(manager: UploadManager, request: Request) -> object:
    given = await body(request, AddRequest)
    target = given.target
    refuse_broken_text(target.name if isinstance(target, NewProject) else target.id_or_name, given.account)
    return await manager.results.survey(given)


ENDPOINTS: tuple[Route, ...] = (("POST", "/v1/results/survey", _survey),)
