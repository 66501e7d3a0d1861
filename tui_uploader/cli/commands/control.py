"""`pause`, `resume`, `cancel`, `retry`, `remove`, `dismiss` and `process`: commands on what is in the queue."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tui_uploader.cli.commands.status import UploadArgument
from tui_uploader.cli.lines import notice_line, progress_line
from tui_uploader.cli.output import Done, print_json, print_line, print_note
from tui_uploader.cli.session import connected, hand_over_login, run
from tui_uploader.encoding import typed_text
from tui_uploader.errors import Interrupted, NoSuchFile, UsageError
from tui_uploader.model import FileSelection, FileStatus, UploadStatus
from tui_uploader.text import counted, printable
from tui_uploader.wording.processing import processing_sentence

_ASK_ABOVE = 10
"""Files that a command may stop without asking."""

_FilesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[FILE…]", help="Paths or names of files.", show_default=False)
]


def pause(upload: UploadArgument) -> Done:
    """Hold an upload; what is under way stops, and goes on from there."""

    async def work() -> UploadStatus:
        async with connected() as engine:
            return await engine.pause(upload)

    return _tell_upload(run(work()))


def resume(upload: UploadArgument) -> Done:
    """Go on with a paused or cancelled upload."""

    async def work() -> UploadStatus:
        async with connected(introduce=False) as engine:
            await hand_over_login(engine)
            return await engine.resume(upload)

    return _tell_upload(run(work()))


def cancel(
    upload: UploadArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> Done:
    """Stop an upload for good; what is uploaded stays, and `resume` takes it back."""

    async def work() -> UploadStatus:
        async with connected() as engine:
            before = await engine.upload(upload)
            left = before.counts.waiting + before.counts.uploading
            if left > _ASK_ABOVE and not yes and sys.stdin.isatty():
                _ask(f"Cancel upload {upload}? {counted(left, 'file')} would not be uploaded.")
            return await engine.cancel(upload)

    return _tell_upload(run(work()))


def dismiss(upload: UploadArgument) -> Done:
    """Take a complete or cancelled upload off the list."""

    async def work() -> UploadStatus:
        async with connected() as engine:
            return await engine.dismiss(upload)

    run(work())
    print_line(f"Upload {upload} is off the list.")
    return Done(0)


def retry(upload: UploadArgument, names: _FilesArgument = None) -> Done:
    """Try failed files again: those named, or all."""

    async def work() -> int:
        async with connected(introduce=False) as engine:
            await hand_over_login(engine)
            return await _selected(partial(engine.retry, upload), names or (), () if names else (FileStatus.FAILED,))

    print_line(f"{counted(run(work()), 'file')} will be tried again.")
    return Done(0)


def remove(
    upload: UploadArgument,
    names: _FilesArgument = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that failed.")] = False,
    duplicates: Annotated[bool, typer.Option("--duplicates", help="All duplicates.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="All that wait.")] = False,
) -> Done:
    """Take waiting, duplicate or failed files out of the queue; the files on disk stay."""
    wanted = ((failed, FileStatus.FAILED), (duplicates, FileStatus.DUPLICATE), (waiting, FileStatus.WAITING))
    statuses = tuple(status for chosen, status in wanted if chosen)
    if not names and not statuses:
        raise UsageError("Say which files: by name, or with --failed, --duplicates or --waiting.")

    async def work() -> int:
        async with connected() as engine:
            return await _selected(partial(engine.remove, upload), names or (), statuses)

    print_line(f"{counted(run(work()), 'file')} removed from the queue.")
    return Done(0)


def process(
    project: Annotated[
        str, typer.Argument(metavar="P", help="Id of a project, or its name where that is unique.", show_default=False)
    ],
    partial: Annotated[bool, typer.Option("--partial", help="Even if files are waiting or failed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the project as one JSON object.")] = False,
) -> Done:
    """Start processing of a project now."""

    async def work() -> None:
        async with connected(introduce=False) as engine:
            await hand_over_login(engine)
            started = await engine.start_processing(typed_text(project), partial=partial)
        if as_json:
            print_json(started)
        else:
            print_line(f"{printable(started.name)}: {processing_sentence(started.processing)}")

    run(work())
    return Done(0)


async def _selected(
    command: Callable[[FileSelection], Awaitable[int]], given: Sequence[str], statuses: tuple[FileStatus, ...]
) -> int:
    """Give the command, once, on the files of these names and statuses, and return its answer. Raises NoSuchFile.

    A bare name may be that of a file anywhere, which is bytes, or that of an object, which is text; what holds a slash
    is a path from here.
    """
    as_bytes = tuple(str(Path(name).absolute()) if "/" in name else name for name in given)
    as_text = tuple(name if "/" in name else typed_text(name) for name in as_bytes)
    try:
        return await command(FileSelection(names=as_bytes, statuses=statuses))
    except NoSuchFile:
        if as_text == as_bytes:
            raise
        return await command(FileSelection(names=as_text, statuses=statuses))


def _ask(question: str) -> None:
    """Raises Interrupted unless the user agrees."""
    if not typer.confirm(question, default=False, err=True):
        raise Interrupted("Nothing was changed.")


def _tell_upload(status: UploadStatus) -> Done:
    print_line(f"Upload {status.upload} is {status.state}: {progress_line(status)}.")
    if status.notice is not None:
        print_note(notice_line(status.notice))
    return Done(0)
