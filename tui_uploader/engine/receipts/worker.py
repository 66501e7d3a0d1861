"""Write the receipt of an upload that became complete, and copy it where the user wants copies.

That the receipt will be written to a path is journaled before, and that it was written after; so a receipt that a crash
or a full disk prevented is written later. It replaces the earlier one of the same upload, and no other file.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tui_uploader import ownership
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import UploadRecord
from tui_uploader.engine.journal.tables import history, receipts
from tui_uploader.engine.journal.tables.receipts import About
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.receipts.compose import compose, receipts_folder
from tui_uploader.engine.receipts.copies import ChecksumLists, copy_receipt, failure_sentence
from tui_uploader.engine.receipts.rows import head_of, pages_of
from tui_uploader.engine.sources.threads import read_seconds
from tui_uploader.errors import ReceiptInvalid, UploaderError
from tui_uploader.file_kinds import RECEIPT_PREFIX
from tui_uploader.model.history import EventKind
from tui_uploader.model.receipts import ReceiptHead
from tui_uploader.model.states import UploadState
from tui_uploader.receipts.json_format import JsonWriter
from tui_uploader.settings import CARD

log = logging.getLogger(__name__)

_RETRY_SECONDS = 300.0
_COPIES_FOR = 86_400.0
"""Seconds after an upload became complete in which copies are tried again."""


class ReceiptWorker:
    """`to`: where copies go; None: nowhere; `CARD`: where the files were; else an existing folder."""

    def __init__(self, context: EngineContext, to: str | None) -> None:
        self._context = context
        self._to = to
        self.wakeup = context.notifier.subscribe(Topic.UPLOADS, Topic.WORK)
        context.notifier.on_retry(self._end_pauses)
        self._not_before: dict[int, float] = {}
        self._told: dict[int, str] = {}
        """The last failure of each upload: it is told once."""
        self._copying: dict[int, asyncio.Task[None]] = {}

    async def step(self) -> float | None:
        now = self._context.clocks.monotonic()
        for upload in list(self._all()):
            if upload.id in self._copying or self._not_before.get(upload.id, 0.0) > now:
                continue
            if _due(upload):
                await self._write(upload)
            elif self._copy_due(upload):
                # In a task of its own, because a card may hang.
                self._not_before[upload.id] = now + _RETRY_SECONDS
                task = asyncio.create_task(self._copy(upload), name=f"receipt-{upload.id}")
                task.add_done_callback(_log_unexpected)
                self._copying[upload.id] = task
        later = [at for at in self._not_before.values() if at > now]
        return min(later) - now if later else None

    async def close(self) -> None:
        for task in self._copying.values():
            task.cancel()
        await asyncio.gather(*self._copying.values(), return_exceptions=True)

    def _all(self) -> Iterator[UploadRecord]:
        yield from self._context.summary.uploads.values()
        yield from self._context.summary.past.values()

    def _end_pauses(self) -> None:
        self._not_before.clear()

    # ------------------------------------------------------------------------------------------ beside the journal

    async def _write(self, upload: UploadRecord) -> None:
        """Raises errors of the journal."""
        context = self._context
        about = await context.journal.read(partial(receipts.about, upload=upload.id))
        try:
            path = Path(upload.receipt) if upload.receipt else await asyncio.to_thread(self._new_path, about)
            if not upload.receipt:
                await context.journal.write(partial(receipts.intend, upload=upload.id, path=os.fspath(path)))
            await self._write_file(about, path)
        except OSError as error:
            await self._failed(upload.id, failure_sentence(os.fspath(receipts_folder(context)), error))
            return
        at = max(context.clocks.wall(), upload.ended_at or 0.0)
        await context.journal.write(partial(receipts.note_written, upload=upload.id, at=at))
        self._succeeded(upload.id)
        self.wakeup.set()  # for its copies

    def _new_path(self, about: About) -> Path:
        folder = ownership.private(receipts_folder(self._context))
        stem = receipt_stem(about)
        names = (f"{stem}{number}.json" for number in ("", *(f"-{again}" for again in range(2, 1000))))
        for name in names:
            if not os.path.lexists(folder / name):
                return folder / name
        raise FileExistsError(f"{stem}.json")

    async def _write_file(self, about: About, path: Path) -> None:
        """Raises OSError."""
        ownership.private(path.parent)
        part = path.with_name(f".{path.name}.part")
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                await compose(self._context, about, JsonWriter(), file.write)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
        await asyncio.to_thread(_keep_folder, path.parent)

    # ----------------------------------------------------------------------------------------------------- copies

    def _copy_due(self, upload: UploadRecord) -> bool:
        if self._to is None or upload.receipt is None or upload.receipt_at is None or upload.ended_at is None:
            return False
        if upload.receipt_copied is not None and upload.receipt_copied >= upload.receipt_at:
            return False
        return self._context.clocks.wall() - upload.ended_at < _COPIES_FOR

    async def _copy(self, upload: UploadRecord) -> None:
        """The edge of a task: failures end in the history."""
        assert upload.receipt is not None and upload.receipt_at is not None and self._to is not None
        try:
            about, folders = await self._context.journal.read(partial(receipts.about_and_folders, upload=upload.id))
            head = head_of(about, self._context.clocks.wall())
            for folder in folders if self._to == CARD else [self._to]:
                await self._copy_to(folder, Path(upload.receipt), head)
            copied = partial(receipts.note_copied, upload=upload.id, at=upload.receipt_at)
            await self._context.journal.write(copied)
            self._succeeded(upload.id)
        except _CopyFailed as error:
            await self._failed(upload.id, str(error))
        except UploaderError as error:  # of the journal
            log.error("The receipt of upload %d was not copied: %s", upload.id, error)
        finally:
            self._copying.pop(upload.id, None)
            self.wakeup.set()

    async def _copy_to(self, folder: str, receipt: Path, head: ReceiptHead) -> None:
        """Raises _CopyFailed, errors of the journal."""
        sources = self._context.sources
        try:
            if self._to == CARD:
                await self._write_lists(folder, head)
            size = receipt.stat().st_size
            written = await sources.run_within(read_seconds(size), folder, copy_receipt, receipt, head, folder)
        except (OSError, ReceiptInvalid) as error:
            raise _CopyFailed(failure_sentence(folder, error)) from error
        now = self._context.clocks.wall()
        await self._context.journal.write(
            lambda connection: history.record_of_upload(
                connection, now, EventKind.RECEIPT_WRITTEN, head.upload, detail=written
            )
        )

    async def _write_lists(self, folder: str, head: ReceiptHead) -> None:
        """Raises OSError, ReceiptInvalid, errors of the journal."""
        sources, lists = self._context.sources, ChecksumLists(folder, head, socket.gethostname())
        moment = time.strftime("%Y-%m-%d_%H%M%SZ", time.gmtime(self._context.clocks.wall()))
        try:
            async for rows in pages_of(self._context.journal, head.upload):
                await sources.run_briefly(folder, lists.add, rows)
            await sources.run_briefly(folder, lists.end, moment)
        except (OSError, UploaderError):
            await sources.run_briefly(folder, lists.abandon)
            raise
        except asyncio.CancelledError:
            sources.leave(folder, lists.abandon)
            raise

    # --------------------------------------------------------------------------------------------------- failures

    async def _failed(self, upload: int, reason: str) -> None:
        self._not_before[upload] = self._context.clocks.monotonic() + _RETRY_SECONDS
        if self._told.get(upload) == reason:
            return
        self._told[upload] = reason
        log.warning("The receipt of upload %d could not be written: %s", upload, reason)
        now = self._context.clocks.wall()
        await self._context.journal.write(
            lambda connection: history.record_of_upload(
                connection, now, EventKind.RECEIPT_FAILED, upload, detail=reason
            )
        )

    def _succeeded(self, upload: int) -> None:
        self._not_before.pop(upload, None)
        self._told.pop(upload, None)


class _CopyFailed(Exception):
    """The sentence for the user."""


def _due(upload: UploadRecord) -> bool:
    """Whether the upload is complete, and was not when its receipt was written."""
    if upload.state is not UploadState.COMPLETE or upload.condensed:
        return False
    return upload.receipt_at is None or (upload.ended_at is not None and upload.receipt_at < upload.ended_at)


def receipt_stem(about: About) -> str:
    """`tui-uploader-receipt-2026-05-11-Quarry-3`: the day on which the upload began, its project and its number."""
    project = re.sub(r"[^A-Za-z0-9._-]+", "_", about.project.name)[:60].strip("._") or "project"
    try:
        day = time.strftime("%Y-%m-%d", time.gmtime(about.upload.added_at))
    except (ValueError, OverflowError, OSError):
        day = "undated"
    return f"{RECEIPT_PREFIX}{day}-{project}-{about.upload.id}"


def _log_unexpected(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s: unexpected error", task.get_name(), exc_info=error)


def _keep_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
