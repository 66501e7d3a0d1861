"""Inject the faults that the plan selects: middleware around both APIs."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tui_uploader.local_cloud.faults.plan import Fault, FaultName, FaultPlan
from tui_uploader.local_cloud.middleware import abort
from tui_uploader.local_cloud.routes import is_rest, route_of
from tui_uploader.local_cloud.s3.api import refused
from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.xml import DECLARATION, error_document

logger = logging.getLogger(__name__)

_S3_REFUSALS = {
    FaultName.ERROR_500: S3Refusal("InternalError", "We encountered an internal error. Please try again."),
    FaultName.SLOWDOWN_503: S3Refusal("SlowDown", "Please reduce your request rate."),
    FaultName.BUSY_429: S3Refusal("SlowDown", "Please reduce your request rate."),
    FaultName.FORBIDDEN_403: S3Refusal("AccessDenied", "Access Denied"),
    FaultName.EXPIRED_TOKEN: S3Refusal("ExpiredToken", "The provided token has expired."),
    FaultName.TIME_SKEWED: S3Refusal(
        "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
    ),
    FaultName.COMPLETE_200_ERROR: S3Refusal("InternalError", "We encountered an internal error. Please try again."),
}
_REST_REFUSALS = {
    FaultName.ERROR_500: (500, "A server error occurred."),
    FaultName.SLOWDOWN_503: (503, "Service temporarily unavailable, try again later."),
    FaultName.BUSY_429: (429, "Request was throttled."),
    FaultName.FORBIDDEN_403: (403, "You do not have permission to perform this action."),
    FaultName.EXPIRED_TOKEN: (401, "Token has expired."),
    FaultName.TIME_SKEWED: (401, "Token used too early."),
    FaultName.COMPLETE_200_ERROR: (500, "A server error occurred."),
}
_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class FaultMiddleware:
    def __init__(
        self,
        app: ASGIApp,
        plan: FaultPlan,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        on_hit: Callable[[], object] = lambda: None,
    ) -> None:
        """`on_hit` is called for each request that a fault hits."""
        self._app = app
        self._plan = plan
        self._sleep = sleep
        self._on_hit = on_hit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parameters = [name for name, _ in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)]
        route = route_of(scope["method"], scope["path"], parameters)
        fault = self._plan.next_for(route)
        if fault is None:
            await self._app(scope, receive, send)
            return
        logger.info("Fault %s for a request of kind %s", fault.name, route)
        self._on_hit()
        match fault.name:
            case FaultName.DROP:
                await _read_up_to(fault.bytes, receive)
                await abort(scope, receive)
            case FaultName.STALL if not fault.bytes:
                await self._sleep(fault.seconds)
                await self._app(scope, receive, send)
            case FaultName.STALL:
                await self._app(scope, _stalling(receive, fault, self._sleep), send)
            case FaultName.FLIP:
                await self._app(scope, _flipping(receive, fault.bytes), send)
            case FaultName.LOST_REPLY:
                await self._app(scope, receive, _losing_reply(scope, receive, send))
            case _:
                await _read_up_to(fault.bytes, receive)
                await reply_of(fault, scope)(scope, receive, send)


def reply_of(fault: Fault, scope: Scope) -> Response:
    """The reply of a fault that answers the request."""
    if fault.name is FaultName.ERROR_502_HTML:
        return HTMLResponse(_GATEWAY_PAGE, status_code=502)
    if is_rest(scope["path"]):
        status, detail = _REST_REFUSALS[fault.name]
        response: Response = JSONResponse({"detail": detail}, status_code=status)
    else:
        request_id, resource = secrets.token_hex(8).upper(), scope["raw_path"].decode("latin-1")
        refusal = _S3_REFUSALS[fault.name]
        response = refused(refusal, resource, request_id)
        if fault.name is FaultName.COMPLETE_200_ERROR:
            text = DECLARATION + error_document(refusal, resource, request_id)
            response = Response(text, media_type="application/xml")
    if fault.name is FaultName.BUSY_429:
        response.status_code = 429
        response.headers["retry-after"] = f"{fault.seconds:.0f}"
    return response


async def _read_up_to(limit: int, receive: Receive) -> None:
    """Read and discard `limit` bytes of the body, or all of a shorter one."""
    taken = 0
    while taken < limit:
        message = await receive()
        taken += len(message.get("body", b""))
        if not message.get("more_body", False):
            return


def _stalling(receive: Receive, fault: Fault, sleep: Callable[[float], Awaitable[object]]) -> Receive:
    taken = 0
    stalled = False

    async def receive_slowly() -> Message:
        nonlocal taken, stalled
        if taken >= fault.bytes and not stalled:
            stalled = True
            await sleep(fault.seconds)
        message = await receive()
        taken += len(message.get("body", b""))
        return message

    return receive_slowly


def _flipping(receive: Receive, at: int) -> Receive:
    taken = 0

    async def receive_damaged() -> Message:
        nonlocal taken
        message = await receive()
        body = bytearray(message.get("body", b""))
        here, taken = at - taken, taken + len(body)
        last = not message.get("more_body", False) and here >= len(body)
        if body and (0 <= here < len(body) or last):
            body[-1 if last else here] ^= 1
            message = {**message, "body": bytes(body)}
        return message

    return receive_damaged


def _losing_reply(scope: Scope, receive: Receive, send: Send) -> Send:
    lost = False

    async def send_nothing(message: Message) -> None:
        nonlocal lost
        if not lost:
            lost = True
            await abort(scope, receive)

    return send_nothing
