"""Receipts from the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from tui_uploader.model.receipts import ReceiptFormat
from tui_uploader.service.connection import CLOUD_PATIENCE, EngineConnection


class ReceiptsClient:
    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection

    async def text(self, upload: int, form: ReceiptFormat) -> AsyncGenerator[bytes, None]:
        """The receipt of what an upload has delivered until now, piece by piece.

        A caller that stops earlier must close the generator (`contextlib.aclosing`). Raises NoSuchUpload,
        ReceiptInvalid for files that the format cannot express, EngineGone when the engine ends in the middle.
        """
        path = f"/v1/uploads/{upload}/receipt?format={form}"
        async for piece in self._connection.pieces(path, patience=CLOUD_PATIENCE):
            yield piece
