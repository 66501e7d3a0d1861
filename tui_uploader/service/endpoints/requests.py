"""Read the requests of front ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from tui_uploader import codec
from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import NoSuchUpload, UsageError
from tui_uploader.service.protocol import MAX_BODY
from tui_uploader.text import printable

T = TypeVar("T")

Endpoint = Callable[[UploadManager, Request], Awaitable[object]]
"""Returns the value of the answer, or a whole response."""

Route = tuple[str, str, Endpoint]
"""Method, path, endpoint."""

LARGEST_ID = 2**63 - 1  # SQLite's


async def body(request: Request, shape: type[T]) -> T:
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


def parsed(query_string: bytes, shape: type[T]) -> T:
    """Raises UsageError."""
    given = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="surrogateescape"))
    try:
        return msgspec.convert(given, shape, strict=False)
    except ValueError as error:
        raise UsageError(f"Invalid request: {printable(str(error), 200)}.") from error


def upload_id(request: Request) -> int:
    """The upload in the request's path. Raises NoSuchUpload for one that no journal has."""
    upload: int = request.path_params["upload"]
    if upload > LARGEST_ID:
        raise NoSuchUpload("No such upload. `tui-uploader status` lists all uploads.")
    return upload


def refuse_broken_text(*texts: str | None) -> None:
    """Raises UsageError for names that are not valid Unicode, as cloud and journal require; paths may be."""
    for text in texts:
        try:
            (text or "").encode()
        except UnicodeEncodeError:
            raise UsageError(f"'{printable(text or '', 200)}' is not valid text.") from None
