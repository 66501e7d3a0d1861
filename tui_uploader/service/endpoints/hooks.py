"""Commands, web addresses and services that are told what happens."""

from __future__ import annotations

from starlette.requests import Request

from tui_uploader.engine.manager import UploadManager
from tui_uploader.service.endpoints.requests import Route, body
from tui_uploader.service.protocol import HookTestRequest


async def _hooks(manager: UploadManager, _: Request) -> object:
    return await manager.hooks.listed()


async def _test(manager: UploadManager, request: Request) -> object:
    return await manager.hooks.test((await body(request, HookTestRequest)).event)


ENDPOINTS: tuple[Route, ...] = (
    ("GET", "/v1/hooks", _hooks),
    ("POST", "/v1/hooks/test", _test),
)
