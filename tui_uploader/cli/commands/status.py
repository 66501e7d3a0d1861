"""`status` and `files`: the uploads of the engine, and the files of one upload."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from tui_uploader.cli.lines import file_line, status_lines
from tui_uploader.cli.output import print_json, print_line, style_of
from tui_uploader.cli.records import file_record, listed_record, verification_record
from tui_uploader.cli.session import changes_of, connected, every_file, run
from tui_uploader.errors import NoSuchUpload
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.states import FileStatus

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

UploadArgument = Annotated[int, typer.Argument(metavar="UPLOAD", help="Number of the upload.", show_default=False)]


def status(
    upload: Annotated[
        int | None, typer.Argument(metavar="UPLOAD", help="Only this upload.", show_default=False)
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show every change until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, or one line per change.")] = False,
) -> None:
    """Show the uploads, with progress and problems."""
    run(_watch(upload, as_json=as_json) if watch else _status(upload, as_json=as_json))


def files(
    upload: UploadArgument,
    only: Annotated[FileStatus | None, typer.Option("--status", help="Only files with this status.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file.")] = False,
) -> None:
    """List the files of an upload."""
    run(_files(upload, only, as_json=as_json))


async def _status(upload: int | None, *, as_json: bool) -> None:
    async with connected() as engine:
        whole = _narrowed(await engine.status(), upload)
        if as_json:
            await _tell_status_json(engine, whole)
        else:
            _tell_status(whole)


async def _watch(upload: int | None, *, as_json: bool) -> None:
    from tui_uploader.cli.progress import (
        live_view,
        while_reader_stays,
    )  # imports asyncio, which the other commands here do not need

    async with connected() as engine, changes_of(engine) as changes, while_reader_stays(sys.stdout):
        if as_json:
            async for whole in changes:
                await _tell_status_json(engine, _narrowed(whole, upload))
                sys.stdout.flush()
            return
        async with live_view(sys.stdout, keep=True) as view:
            async for whole in changes:
                view.show(_narrowed(whole, upload))


def _narrowed(whole: EngineStatus, upload: int | None) -> EngineStatus:
    """Raises NoSuchUpload."""
    if upload is None:
        return whole
    ours = tuple(status for status in whole.uploads if status.upload == upload)
    if not ours:
        raise NoSuchUpload(f"There is no upload {upload}; `tui-uploader status` lists all uploads.")
    return replace(whole, uploads=ours, watches=())


def _tell_status(whole: EngineStatus) -> None:
    for line in status_lines(whole, time.time()):
        print_line(line)


async def _tell_status_json(engine: EngineClient, whole: EngineStatus) -> None:
    print_json(
        {
            "uploads": [listed_record(status, await engine.skipped(status.upload)) for status in whole.uploads],
            "watches": whole.watches,
            "verifications": [verification_record(each) for each in whole.verifications],
            "hook_failures": whole.hook_failures,
        }
    )


async def _files(upload: int, only: FileStatus | None, *, as_json: bool) -> None:
    style = style_of(sys.stdout)
    async with connected() as engine:
        async for item in every_file(engine, upload):
            if only is not None and item.status is not only:
                continue
            if as_json:
                print_json(file_record(item))
            else:
                print_line(file_line(item, style))
