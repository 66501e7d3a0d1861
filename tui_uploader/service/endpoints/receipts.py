"""Receipts, as text of any size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tui_uploader.engine.manager import UploadManager
from tui_uploader.errors import UsageError
from tui_uploader.model.receipts import ReceiptFormat
from tui_uploader.service.endpoints.requests import Route, upload_id

_PIECE = 256 * 1024
_MEDIA_TYPES = {
    ReceiptFormat.JSON: "application/json",
    ReceiptFormat.CSV: "text/csv",
    ReceiptFormat.MHL: "application/xml",
}


async def _receipt(manager: UploadManager, request: Request) -> Response:
    named = request.query_params.get("format", ReceiptFormat.JSON)
    try:
        form = ReceiptFormat(named)
    except ValueError:
        raise UsageError(f"A receipt has the format {', '.join(ReceiptFormat)}.") from None
    file = await manager.receipts.written(upload_id(request), form)
    return StreamingResponse(_pieces(file), media_type=_MEDIA_TYPES[form])


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


ENDPOINTS: tuple[Route, ...] = (("GET", "/v1/uploads/{upload:int}/receipt", _receipt),)
