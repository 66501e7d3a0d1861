"""Commands on uploads in the queue: `pause`, `resume`, `cancel`, `retry`, `remove`, `undo`, `dismiss`, `process`, …"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui_uploader.cli.commands.status import UploadArgument
from tui_uploader.cli.lines import notice_line, progress_line
from tui_uploader.cli.output import Done, print_json, print_line, print_note
from tui_uploader.cli.session import connected, run, sign_in
from tui_uploader.encoding import decode_argument
from tui_uploader.errors import AlreadyProcessed, Interrupted, NoSuchFile, UsageError
from tui_uploader.model.files import FileSelection
from tui_uploader.model.projects import Project
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import UndoneAddition, UploadStatus
from tui_uploader.wording.commands import cancel_stakes, dismissed, removed, retried, undone, unfinished
from tui_uploader.wording.processing import again_question, requested

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

_ASK_ABOVE = 10
"""Files that `cancel` leaves behind without asking."""

_FilesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="FILE", help="Paths or names of files.", show_default=False)
]


def pause(upload: UploadArgument) -> Done:
    """Pause an upload; `resume` continues where it stopped."""

    async def work() -> UploadStatus:
        async with connected() as engine:
            return await engine.pause(upload)

    return _print_upload(run(work()))


def resume(upload: UploadArgument) -> Done:
    """Resume a paused or cancelled upload."""

    async def work() -> UploadStatus:
        async with connected(introduce=False) as engine:
            await sign_in(engine)
            return await engine.resume(upload)

    return _print_upload(run(work()))


def cancel(
    upload: UploadArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> Done:
    """Cancel an upload.

    Uploaded files stay in the project; `resume` continues the upload.
    """

    async def work() -> UploadStatus:
        async with connected() as engine:
            before = await engine.upload(upload)
            if unfinished(before) > _ASK_ABOVE and not yes and sys.stdin.isatty():
                _ask(f"Cancel upload {upload}? {cancel_stakes(before)}")
            return await engine.cancel(upload)

    return _print_upload(run(work()))


def dismiss(upload: UploadArgument) -> Done:
    """Remove a complete or cancelled upload from the list."""

    async def work() -> UploadStatus:
        async with connected() as engine:
            return await engine.dismiss(upload)

    status = run(work())
    print_line(f"{dismissed([status], status.project_name)} Undo with: tui-uploader undismiss {upload}")
    return Done(0)


def undismiss(upload: UploadArgument) -> Done:
    """Put an upload back on the list that `dismiss` removed, with its files."""

    async def work() -> UploadStatus:
        async with connected() as engine:
            return await engine.undismiss(upload)

    return _print_upload(run(work()))


def undo(
    addition: Annotated[int, typer.Argument(metavar="N", help="Number that `upload` printed.", show_default=False)],
) -> Done:
    """Undo an addition: take out of the queue what `upload` added and what was not sent yet."""

    async def work() -> tuple[UndoneAddition, UploadStatus]:
        async with connected() as engine:
            answer = await engine.undo_addition(addition)
            return answer, await engine.upload(answer.upload)

    answer, status = run(work())
    print_line(undone(answer, status.project_name))
    return Done(0)


def retry(upload: UploadArgument, names: _FilesArgument = None) -> Done:
    """Retry failed files: the named ones, or all."""

    async def work() -> int:
        async with connected(introduce=False) as engine:
            await sign_in(engine)
            return await _selected(partial(engine.retry, upload), names or (), () if names else (FileStatus.FAILED,))

    print_line(retried(run(work())))
    return Done(0)


def remove(
    upload: UploadArgument,
    names: _FilesArgument = None,
    failed: Annotated[bool, typer.Option("--failed", help="All failed files.")] = False,
    duplicates: Annotated[bool, typer.Option("--duplicates", help="All duplicates.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="All waiting files.")] = False,
) -> Done:
    """Remove waiting, duplicate or failed files from the queue.

    Files on disk are kept.
    """
    wanted = ((failed, FileStatus.FAILED), (duplicates, FileStatus.DUPLICATE), (waiting, FileStatus.WAITING))
    statuses = tuple(status for chosen, status in wanted if chosen)
    if not names and not statuses:
        raise UsageError("Name the files, or use --failed, --duplicates or --waiting.")

    async def work() -> int:
        async with connected() as engine:
            return await _selected(partial(engine.remove, upload), names or (), statuses)

    print_line(f"{removed(run(work()))}.")
    return Done(0)


def process(
    project: Annotated[
        str, typer.Argument(metavar="P", help="Id of a project, or its name if unique.", show_default=False)
    ],
    partial: Annotated[bool, typer.Option("--partial", help="Even if files are still waiting or failed.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Even if the project was processed before; this may use credits.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the project as one JSON object.")] = False,
) -> Done:
    """Start processing of a project now."""

    async def work() -> None:
        async with connected(introduce=False) as engine:
            await sign_in(engine)
            started = await _processed(engine, decode_argument(project), partial=partial, again=again)
        if as_json:
            print_json(started)
        else:
            print_line(requested(started.name, started.processing, time.time()))

    run(work())
    return Done(0)


async def _processed(engine: EngineClient, project: str, *, partial: bool, again: bool) -> Project:
    """Start processing; ask on a terminal before it starts again. Raises AlreadyProcessed, Interrupted."""
    try:
        return await engine.start_processing(project, partial=partial, again=again)
    except AlreadyProcessed:
        if not sys.stdin.isatty():
            raise
        found = await engine.project(project)
        _ask(again_question(found.name, found.processing, time.time()))
        return await engine.start_processing(project, partial=partial, again=True)


async def _selected(
    command: Callable[[FileSelection], Awaitable[int]], given: Sequence[str], statuses: tuple[FileStatus, ...]
) -> int:
    """Run the command on the files with these names and statuses, and return its answer. Raises NoSuchFile.

    A bare name is that of a file, which is bytes, or that of an object, which is text: both are tried. A name with a
    slash is a path relative to the current folder.
    """
    as_bytes = tuple(str(Path(name).absolute()) if "/" in name else name for name in given)
    as_text = tuple(name if "/" in name else decode_argument(name) for name in as_bytes)
    try:
        return await command(FileSelection(names=as_bytes, statuses=statuses))
    except NoSuchFile:
        if as_text == as_bytes:
            raise
        return await command(FileSelection(names=as_text, statuses=statuses))


def _ask(question: str) -> None:
    """Raise Interrupted unless the user agrees."""
    if not typer.confirm(question, default=False, err=True):
        raise Interrupted("Nothing was changed.")


def _print_upload(status: UploadStatus) -> Done:
    print_line(f"Upload {status.upload} is {status.state}: {progress_line(status)}.")
    if status.notice is not None:
        print_note(notice_line(status.notice))
    return Done(0)
