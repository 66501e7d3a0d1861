"""Follow one upload to its end, and report the result."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from tui_uploader.cli.output import print_json, print_line, print_note, style_of
from tui_uploader.cli.progress import ProgressView, live_view
from tui_uploader.cli.records import upload_record
from tui_uploader.cli.session import changes_of, connected
from tui_uploader.cli.summary import (
    DUPLICATES_SHOWN,
    FAILED_SHOWN,
    SKIPPED_SHOWN,
    Leftovers,
    summary_lines,
)
from tui_uploader.cli.waiting import Ending, ending
from tui_uploader.errors import EngineUnreachable
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.files import FileItem, FileQuery, Proof
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import UploadStatus

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

T = TypeVar("T")

_LOST_ENGINES = 5
"""Connections that may be lost in a row, without a status in between, before waiting gives up."""
_RECONNECT_SECONDS = 1.0
_POLL_SECONDS = 0.5


async def wait(upload: int, *, as_json: bool) -> int:
    """Show the progress of `upload` until it ends, print the result, and return the exit code.

    An interrupt by the user ends only the waiting.
    """
    try:
        end = await follow_to_end(upload, keep_view=as_json)
    except asyncio.CancelledError:
        print_note(
            f"Stopped waiting; upload {upload} continues in the background."
            f" Show it with `tui-uploader status {upload}`, cancel it with `tui-uploader cancel {upload}`."
        )
        raise
    async with connected() as engine:
        await report(engine, upload, as_json=as_json)
    return end.exit_code


async def follow_to_end(upload: int, *, keep_view: bool = False) -> Ending:
    """Show the progress of `upload` until it ends, across restarts of the engine.

    `keep_view`: leave the last view on the screen, because no summary follows.
    """
    async with live_view(sys.stderr, keep=keep_view) as view:
        return await _followed(upload, view)


async def _followed(upload: int, view: ProgressView) -> Ending:
    """Raises EngineUnreachable when the engine was stopped, or its connection is lost again and again."""

    async def look(engine: EngineClient, whole: EngineStatus) -> Ending | None:
        status = await _status_of(engine, upload, whole.uploads)
        _show_one(view, whole, status)
        end = ending(status, settled_for=0.0)
        if end is None and status.settled:
            end = await _ending_after_submission(engine, upload, partial(_show_one, view, whole))
        return end

    return await across_engines(look, f"Upload {upload}")


async def across_engines(look: Callable[[EngineClient, EngineStatus], Awaitable[T | None]], what: str) -> T:
    """What `look` returns once that is not None; it is called for every change of the engine, and of those after it.

    Raises EngineUnreachable when the engine was stopped, or its connection is lost again and again.
    """
    lost = 0
    while True:
        try:
            async with connected() as engine, changes_of(engine) as changes:
                async for whole in changes:
                    lost = 0
                    if (found := await look(engine, whole)) is not None:
                        return found
        except EngineUnreachable:
            lost += 1
            if lost > _LOST_ENGINES:
                raise
            await asyncio.sleep(_RECONNECT_SECONDS)
        else:
            raise EngineUnreachable(
                f"The engine was stopped. {what} continues when the next command starts the engine."
            )


async def _status_of(engine: EngineClient, upload: int, uploads: tuple[UploadStatus, ...]) -> UploadStatus:
    for status in uploads:
        if status.upload == upload:
            return status
    return await engine.upload(upload)


def _show_one(view: ProgressView, whole: EngineStatus, status: UploadStatus) -> None:
    view.show(replace(whole, uploads=(status,)))


async def _ending_after_submission(
    engine: EngineClient, upload: int, show: Callable[[UploadStatus], None]
) -> Ending | None:
    """Wait until the engine has started processing; None when the upload is no longer settled."""
    settled_at = time.monotonic()
    while (status := await engine.upload(upload)).settled:
        show(status)
        if end := ending(status, settled_for=time.monotonic() - settled_at):
            return end
        await asyncio.sleep(_POLL_SECONDS)
    return None


async def report(engine: EngineClient, upload: int, *, as_json: bool) -> None:
    """Print the result of `upload`."""
    status, skipped = await engine.upload(upload), await engine.skipped(upload)
    not_verified = await _not_verified(engine, upload)
    if as_json:
        print_json(upload_record(status, skipped) | {"not_verified": not_verified})
        return
    leftovers = Leftovers(
        duplicates=await _first(engine, upload, FileStatus.DUPLICATE, DUPLICATES_SHOWN),
        failed=await _first(engine, upload, FileStatus.FAILED, FAILED_SHOWN),
        skipped=skipped[:SKIPPED_SHOWN],
        not_verified=not_verified,
    )
    for line in summary_lines(status, leftovers, style_of(sys.stdout), time.time()):
        print_line(line)


async def _not_verified(engine: EngineClient, upload: int) -> int:
    query = FileQuery(status=FileStatus.UPLOADED, verified=Proof.NONE, limit=1)
    return (await engine.files(upload, query)).total


async def _first(engine: EngineClient, upload: int, status: FileStatus, limit: int) -> tuple[FileItem, ...]:
    window = await engine.files(upload, FileQuery(status=status, limit=limit))
    return window.files
