"""Write a receipt of an upload to a file, in any format."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from tui_uploader import ownership
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.tables import receipts
from tui_uploader.engine.journal.tables.receipts import About
from tui_uploader.engine.receipts.rows import head_of, pages_of
from tui_uploader.errors import EngineError
from tui_uploader.model.receipts import ReceiptFormat, ReceiptHead, ReceiptRow
from tui_uploader.receipts.csv_format import CsvWriter
from tui_uploader.receipts.json_format import JsonWriter
from tui_uploader.receipts.mhl_format import MhlWriter


class ReceiptWriter(Protocol):
    """Makes the bytes of a receipt piece by piece."""

    def head(self, head: ReceiptHead) -> bytes: ...

    def rows(self, rows: Sequence[ReceiptRow]) -> bytes: ...

    def end(self, not_delivered: int) -> bytes: ...


def receipts_folder(context: EngineContext) -> Path:
    """Beside the journal."""
    return context.journal.path.parent / "receipts"


class Receipts:
    """Receipts on demand. Every method raises errors of `errors` and nothing else."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context

    async def written(self, upload: int, form: ReceiptFormat) -> BinaryIO:
        """A receipt of what the upload has delivered until now, in a file without a name, which the caller closes.

        Raises NoSuchUpload, ReceiptInvalid for files that the format cannot express, EngineError.
        """
        context = self._context
        about, folders = await context.journal.read(partial(receipts.about_and_folders, upload=upload))
        writer: ReceiptWriter
        if form is ReceiptFormat.MHL:
            writer = MhlWriter(os.path.commonpath(folders) if folders else "/", socket.gethostname())
        else:
            writer = JsonWriter() if form is ReceiptFormat.JSON else CsvWriter()
        try:
            file = await asyncio.to_thread(_nameless_file, receipts_folder(context))
            try:
                await compose(context, about, writer, file.write)
                await asyncio.to_thread(file.seek, 0)
            except BaseException:
                file.close()
                raise
        except OSError as error:
            raise EngineError(f"The receipt could not be written: {error.strerror or error}.") from error
        return file


async def compose(
    context: EngineContext, about: About, writer: ReceiptWriter, write: Callable[[bytes], object]
) -> None:
    """Write the whole receipt. `write` is called in threads. Raises OSError of `write`, and what `writer` raises."""
    upload, duplicates = about.upload.id, 0
    await asyncio.to_thread(lambda: write(writer.head(head_of(about, context.clocks.wall()))))
    async for rows in pages_of(context.journal, upload):
        await asyncio.to_thread(lambda rows: write(writer.rows(rows)), rows)
        duplicates += sum(row.duplicate_of is not None for row in rows)
    absent = await context.journal.read(lambda connection: receipts.not_delivered(connection, upload, duplicates))
    await asyncio.to_thread(lambda: write(writer.end(absent)))


def _nameless_file(folder: Path) -> BinaryIO:
    return tempfile.TemporaryFile(dir=ownership.private(folder))
