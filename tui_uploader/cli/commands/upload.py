"""`upload`: put files into the engine's queue, and on request wait until they have arrived."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from tui_uploader.cli.lines import notice_line, queued_line
from tui_uploader.cli.output import Done, print_json, print_line, print_note
from tui_uploader.cli.records import upload_record
from tui_uploader.cli.session import connected, hand_over_login, run
from tui_uploader.cli.waiting import DONE, standstill
from tui_uploader.encoding import typed_text
from tui_uploader.errors import EngineGone, NoSuchPath, UsageError
from tui_uploader.model import AddRequest, ExistingProject, NewProject, ProjectKind, Skipped, Target, UploadStatus
from tui_uploader.text import printable

_ENGINES = 3
"""That a request is handed to, one after the other, before it is given up."""


def upload(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Files, or folders to walk.", show_default=False)],
    project: Annotated[
        str | None, typer.Option("--project", metavar="P", help="Id of a project, or its name where that is unique.")
    ] = None,
    new: Annotated[
        str | None,
        typer.Option("--new", metavar="NAME", help="Make a project; the same command again goes on with it."),
    ] = None,
    results: Annotated[bool, typer.Option("--results", help="The files are processed results, not images.")] = False,
    no_process: Annotated[
        bool, typer.Option("--no-process", help="Do not start processing when everything is uploaded.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Show progress until all is uploaded.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Upload files and folders to a project, in the background."""
    target = _target(project, new)
    whole_paths = tuple(absolute(path) for path in paths)
    _check_readable(whole_paths)
    request = AddRequest(
        paths=whole_paths,
        target=target,
        kind=ProjectKind.RESULTS if results else ProjectKind.IMAGES,
        auto_process=not (no_process or results),
    )
    return Done(run(_upload(request, wait=wait, as_json=as_json)))


def _target(project: str | None, new: str | None) -> Target:
    """Raises UsageError unless exactly one of them is given."""
    match project, new:
        case str(), None:
            target: Target = ExistingProject(typed_text(project))
        case None, str():
            target = NewProject(typed_text(new))
        case _:
            raise UsageError("Name the project: either --project P for an existing one, or --new NAME.")
    if not (project or new or "").strip():
        raise UsageError("A project needs a name that is not empty.")
    return target


def absolute(path: str) -> str:
    """`path` as the engine needs it, which works in another folder.

    Symbolic links stay as they are, unless `..` has to be followed through them. Raises NoSuchPath.
    """
    if not path:
        raise NoSuchPath("An empty path names nothing.")  # and must not come to mean the folder we are in
    given = Path(path)
    try:
        given.lstat()
    except FileNotFoundError:
        raise NoSuchPath(f"There is no file or folder {printable(path)}.") from None
    except OSError as error:
        raise NoSuchPath(f"{printable(path)} cannot be looked at: {error.strerror}.") from error
    except ValueError:
        raise NoSuchPath(f"{printable(path)} is no path.") from None
    return str(given.resolve() if ".." in given.parts else given.absolute())


def _check_readable(paths: Sequence[str]) -> None:
    """One that cannot be read among others is reported with the files; alone, it makes the command pointless.

    Raises NoSuchPath when none can be read.
    """
    if all(_is_locked(path) for path in paths):
        raise NoSuchPath(f"{printable(paths[0])} cannot be read: its permissions do not let this user.")


def _is_locked(path: str) -> bool:
    wanted = os.R_OK | os.X_OK if Path(path).is_dir() else os.R_OK
    return os.access(path, os.F_OK) and not os.access(path, wanted)


async def _upload(request: AddRequest, *, wait: bool, as_json: bool) -> int:
    status, skipped = await _queued(request)
    if wait:
        from tui_uploader.cli import follow  # draws with asyncio and rich, which a plain `upload` does without

        return await follow.wait(status.upload, as_json=as_json)
    if status.notice is not None:
        print_note(notice_line(status.notice))
    if as_json:
        print_json(upload_record(status, skipped))
    else:
        print_line(queued_line(status))
    stands = standstill(status)
    return stands.exit_code if stands else DONE


async def _queued(request: AddRequest) -> tuple[UploadStatus, tuple[Skipped, ...]]:
    """Hand the request over, to the next engine where one is stopped meanwhile: to add files twice changes nothing."""
    for left in reversed(range(_ENGINES)):
        try:
            async with connected(introduce=False) as engine:
                account = await hand_over_login(engine)
                status = await engine.add(replace(request, account=account))
                return status, await engine.skipped(status.upload)
        except EngineGone:
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")
