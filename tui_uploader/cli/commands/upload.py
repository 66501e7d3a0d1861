"""`upload`: add files to the engine's queue and, with `--wait`, wait until they are uploaded."""

from __future__ import annotations

import shlex
import time
from typing import Annotated

import typer
from msgspec.structs import replace

from tui_uploader.cli.commands import results as of_results
from tui_uploader.cli.commands import watch
from tui_uploader.cli.lines import notice_line, queued_line
from tui_uploader.cli.output import Done, print_json, print_line, print_note
from tui_uploader.cli.records import upload_record
from tui_uploader.cli.session import connected, run, sign_in
from tui_uploader.cli.waiting import DONE, blocked_ending
from tui_uploader.encoding import decode_argument
from tui_uploader.errors import EngineGone, UsageError
from tui_uploader.model.projects import ExistingProject, NewProject, ProcessingState, ProjectKind, Target
from tui_uploader.model.uploads import AddRequest, Skipped, UploadStatus
from tui_uploader.text import printable
from tui_uploader.wording.commands import unfinished
from tui_uploader.wording.processing import start_note

_PROCESS_AGAIN = "To process it again when all is uploaded: tui-uploader process {project} --again"
_ENGINES = 3
"""Engines that receive the request, one after the other, before the command gives up."""


def upload(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files or folders to upload.", show_default=False)],
    project: Annotated[
        str | None, typer.Option("--project", metavar="P", help="Id of a project, or its name if unique.")
    ] = None,
    new: Annotated[
        str | None,
        typer.Option("--new", metavar="NAME", help="Create a project; the same command again continues it."),
    ] = None,
    results: Annotated[bool, typer.Option("--results", help="The files are processed results, not images.")] = False,
    result_type: of_results.AsOption = None,
    replaces: of_results.ReplaceFlag = False,
    other_crs: of_results.OtherCrsFlag = False,
    process: Annotated[
        bool | None,
        typer.Option(
            "--process/--no-process",
            help="Start processing after the upload, or do not. Without either, it starts unless the project was "
            "processed before: processing again may use credits.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress until everything is uploaded.")] = False,
    watching: watch.WatchFlag = False,
    name: watch.NameOption = None,
    quiet: watch.QuietOption = None,
    verify_after: watch.VerifyFlag = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Upload files and folders to a project, in the background."""
    options = watch.WatchOptions(name, quiet, verify_after)
    if watching:
        watch.refuse(results=results, wait=wait)
        target = None if project is None and new is None else _target(project, new)
        return watch.add(paths, target, options, process=process is not False, as_json=as_json)
    options.refuse_any()
    request = AddRequest(
        paths=tuple(paths),
        target=_target(project, new),
        kind=of_results.kind_of(results=results, given=result_type, replaces=replaces, other_crs=other_crs),
        auto_process=False if results else process,
        result_type=result_type,
        replace=replaces,
        other_crs=other_crs,
    )
    return Done(run(_upload(request, wait=wait, as_json=as_json)))


def _target(project: str | None, new: str | None) -> Target:
    """Raises UsageError unless exactly one of them is given."""
    match project, new:
        case str(), None:
            target: Target = ExistingProject(decode_argument(project))
        case None, str():
            target = NewProject(decode_argument(new))
        case _:
            raise UsageError("Name the project: either --project P for an existing one, or --new NAME.")
    if not (project or new or "").strip():
        raise UsageError("The project name is empty.")
    return target


async def _upload(request: AddRequest, *, wait: bool, as_json: bool) -> int:
    status, skipped = await _queued(request, quiet=as_json)
    if request.auto_process is None and _is_not_processed_again(status):
        print_note(f"{start_note(status, time.time())} {_PROCESS_AGAIN.format(project=shlex.quote(_named(status)))}")
    if wait:
        from tui_uploader.cli import follow  # imports asyncio and rich, which a plain `upload` does not need

        return await follow.wait(status.upload, as_json=as_json)
    if status.notice is not None:
        print_note(notice_line(status.notice))
    blocked = blocked_ending(status)
    if as_json:
        print_json(upload_record(status, skipped) | {"addition": status.addition})
    else:
        print_line(queued_line(status))
        if blocked is None and not _is_not_processed_again(status):
            print_line(start_note(status, time.time()))
        if status.addition is not None and unfinished(status):
            print_line(f"To take the files out again: tui-uploader undo {status.addition}")
    return blocked.exit_code if blocked else DONE


def _is_not_processed_again(status: UploadStatus) -> bool:
    images = status.kind is ProjectKind.IMAGES
    return images and not status.auto_process and status.processing.state is not ProcessingState.NOT_STARTED


def _named(status: UploadStatus) -> str:
    return printable(status.project or status.project_name)


async def _queued(request: AddRequest, *, quiet: bool) -> tuple[UploadStatus, tuple[Skipped, ...]]:
    """Send the request, again to the next engine if one is stopped meanwhile: adding files twice changes nothing."""
    for left in reversed(range(_ENGINES)):
        try:
            async with connected(introduce=False) as engine:
                request = replace(request, account=await sign_in(engine))
                if request.kind is ProjectKind.RESULTS:
                    request = await of_results.decided(engine, request, quiet=quiet)
                status = await engine.add(request)
                return status, await engine.skipped(status.upload)
        except EngineGone:
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")
