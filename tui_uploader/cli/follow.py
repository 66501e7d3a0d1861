"""Follow one upload to its end, and report what became of it."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui_uploader.cli.output import print_json, print_line, print_note, style_of
from tui_uploader.cli.progress import View, live_view
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
from tui_uploader.model import FileItem, FileQuery, FileStatus, Proof, UploadStatus

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

_DEATHS = 5
"""Engines that may die in a row, without a sign of life, before waiting gives up."""
_RECONNECT_SECONDS = 1.0
_LOOK_SECONDS = 0.5


async def wait(upload: int, *, as_json: bool) -> int:
    """Show how `upload` gets on until it is over, tell what became of it, and return the exit code.

    When the user interrupts, the waiting ends and nothing else.
    """
    try:
        end = await to_the_end(upload, keep_view=as_json)
    except asyncio.CancelledError:
        print_note(
            f"Only the waiting ended: upload {upload} goes on in the background."
            f" See it with `tui-uploader status {upload}`, stop it with `tui-uploader cancel {upload}`."
        )
        raise
    async with connected() as engine:
        await report(engine, upload, as_json=as_json)
    return end.exit_code


async def to_the_end(upload: int, *, keep_view: bool = False) -> Ending:
    """Show how `upload` gets on until it is over, whichever engine carries it on.

    `keep_view`: no summary for people follows, so what was shown last stays.
    """
    async with live_view(sys.stderr, keep=keep_view) as view:
        return await _followed(upload, view)


async def _followed(upload: int, view: View) -> Ending:
    """Raises EngineUnreachable when the engine was stopped, or engine after engine dies."""
    deaths = 0
    while True:
        try:
            async with connected() as engine, changes_of(engine) as changes:
                async for whole in changes:
                    deaths = 0
                    status = await _ours(engine, upload, whole.uploads)
                    view.show(replace(whole, uploads=(status,)))
                    end = ending(status, settled_for=0.0)
                    if end is None and status.settled:
                        end = await _submitted(engine, upload)
                    if end is not None:
                        return end
        except EngineUnreachable:
            deaths += 1
            if deaths > _DEATHS:
                raise
            await asyncio.sleep(_RECONNECT_SECONDS)
        else:
            raise EngineUnreachable(
                f"The engine was stopped; upload {upload} goes on with the next command that needs one."
            )


async def _ours(engine: EngineClient, upload: int, uploads: tuple[UploadStatus, ...]) -> UploadStatus:
    for status in uploads:
        if status.upload == upload:
            return status
    return await engine.upload(upload)


async def _submitted(engine: EngineClient, upload: int) -> Ending | None:
    """Give the engine its moment to start processing by itself; None when files move again."""
    settled_at = time.monotonic()
    while (status := await engine.upload(upload)).settled:
        if end := ending(status, settled_for=time.monotonic() - settled_at):
            return end
        await asyncio.sleep(_LOOK_SECONDS)
    return None


async def report(engine: EngineClient, upload: int, *, as_json: bool) -> None:
    """Tell what became of `upload`."""
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
    for line in summary_lines(status, leftovers, style_of(sys.stdout)):
        print_line(line)


async def _not_verified(engine: EngineClient, upload: int) -> int:
    query = FileQuery(status=FileStatus.UPLOADED, verified=Proof.NONE, limit=1)
    return (await engine.files(upload, query)).total


async def _first(engine: EngineClient, upload: int, status: FileStatus, limit: int) -> tuple[FileItem, ...]:
    window = await engine.files(upload, FileQuery(status=status, limit=limit))
    return window.files
