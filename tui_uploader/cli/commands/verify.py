"""`verify`: read a memory card again and say whether everything on it is in the cloud, so that it may be wiped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tui_uploader.cli.output import Done, print_line
from tui_uploader.cli.session import connected, run, sign_in
from tui_uploader.cli.waiting import DONE
from tui_uploader.encoding import decode_argument
from tui_uploader.errors import EngineGone, UsageError
from tui_uploader.model.projects import ExistingProject
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import VerificationRequest, VerificationStatus
from tui_uploader.settings import APP
from tui_uploader.wording.verification import is_answer, missing, missing_homeless, missing_queued

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

_NOT_SAFE = 1
_ENGINES = 3
"""Engines that receive the request, one after the other, before the command gives up."""


def verify(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="A memory card, folders or files.", show_default=False)
    ],
    upload: Annotated[
        bool, typer.Option("--upload", help="Queue the images that are not in the cloud for their project.")
    ] = False,
    project: Annotated[
        str | None, typer.Option("--project", metavar="P", help="Only this project counts: its id, or its name.")
    ] = None,
    images_only: Annotated[
        bool, typer.Option("--images-only", help="Exit with 0 also when only the images are in the cloud.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Read every file of a card again, and say whether it may be wiped.

    Exits with 0 if everything is in the cloud, else with 1. Ctrl-C cancels it.
    """
    if project is not None and not project.strip():
        raise UsageError("The project name is empty.")
    request = VerificationRequest(tuple(paths), None if project is None else decode_argument(project))
    return Done(run(_verify(request, upload=upload, images_only=images_only, as_json=as_json)))


async def _verify(request: VerificationRequest, *, upload: bool, images_only: bool, as_json: bool) -> int:
    from tui_uploader.cli import verification  # imports rich, which the other commands do not need

    status = await verification.follow(await _started(request), keep_view=as_json)
    async with connected() as engine:
        if not as_json:
            await verification.report(engine, status)
        queued = await _upload_missing(engine, status, request.project) if upload and missing(status) else None
        if as_json:
            await verification.report_json(engine, status, queued)
        elif queued is not None:
            _tell_queued(status, queued, verification.command_again(status))
        elif missing(status):
            print_line(f"To upload what is missing: {verification.command_again(status, '--upload')}")
    return DONE if is_answer(status, images_only=images_only) else _NOT_SAFE


async def _started(request: VerificationRequest) -> VerificationStatus:
    """Send the request, again to the next engine if one is stopped meanwhile: it continues the same verification."""
    for left in reversed(range(_ENGINES)):
        try:
            async with connected() as engine:
                return await engine.verifications.start(request)
        except EngineGone:
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _upload_missing(engine: EngineClient, status: VerificationStatus, project: str | None) -> UploadStatus:
    """Raises UsageError where the project is unclear."""
    if project is None and status.home is None:
        raise UsageError(f"{missing_homeless(status)} Name the project for the missing images with --project P.")
    await sign_in(engine)
    target = None if project is None else ExistingProject(project)
    return await engine.verifications.upload_missing(status.verification, target)


def _tell_queued(status: VerificationStatus, queued: UploadStatus, again: str) -> None:
    print_line(f"{missing_queued(status, queued)} Follow with: {APP} status {queued.upload} --watch")
    print_line(f"The card is not safe yet. When upload {queued.upload} is complete, verify again: {again}")
