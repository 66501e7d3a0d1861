"""The demo: upload a sample flight to a local cloud, and prove that every byte was stored.

It runs in a temporary folder with directories of its own: the user's engine, journal and logins are never touched, and
nothing is left behind.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tui_uploader.cli import follow
from tui_uploader.cli.demo.proof import prove
from tui_uploader.cli.demo.sandbox import local_cloud, own_engine, run_on_this_terminal, sandboxed
from tui_uploader.cli.lines import file_line
from tui_uploader.cli.output import print_note, print_now, style_of
from tui_uploader.cli.session import connected, every_file, sign_in
from tui_uploader.demo import SampleFlight, write_sample_flight
from tui_uploader.errors import EngineError, Interrupted
from tui_uploader.model.files import FileItem, FileSelection
from tui_uploader.model.projects import NewProject, Processing, ProcessingState
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import AddRequest
from tui_uploader.text import counted, duration
from tui_uploader.wording.commands import removed
from tui_uploader.wording.processing import processing_sentence

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

_PROJECT = "Sample flight"
_PROCESSING_SECONDS = 3.0
_PROCESSING_TIMEOUT = 60.0
_POLL_SECONDS = 0.2


async def run_demo(images: int, *, full_screen: bool) -> int:
    """Return 0 if every image was stored byte for byte and processed, else 1. Raises Interrupted.

    With `full_screen`, show the upload in the app until the user quits, and return the exit code of the app.
    """
    began = time.monotonic()
    try:
        # Without the app there is no user who could stop the automatic start of processing.
        variables = {} if full_screen else {"TUI_UPLOADER_PROCESSING_DELAY": "0"}
        with tempfile.TemporaryDirectory(prefix="tui-uploader-demo-") as folder, sandboxed(Path(folder), **variables):
            code = await _show(Path(folder), images, full_screen)
    except asyncio.CancelledError:
        raise Interrupted("The demo was interrupted; it left nothing behind.") from None
    print_now(f"The demo took {duration(time.monotonic() - began)} and left nothing behind.")
    return code


async def _show(folder: Path, images: int, full_screen: bool) -> int:
    flight = await asyncio.to_thread(write_sample_flight, folder / "flight", images)
    for line in _described(flight):
        print_now(line)
    async with local_cloud(folder / "cloud", _PROCESSING_SECONDS) as cloud:
        print_now(f"A local cloud listens at {cloud.url} and stores files in {cloud.root}.")
        async with own_engine():
            waiting = "" if full_screen else " --wait"
            print_now(f"$ tui-uploader upload {flight.folder} --new '{_PROJECT}'{waiting}")
            upload = await _queue(flight.folder)
            if full_screen:
                return await run_on_this_terminal()
            await follow.follow_to_end(upload)
            processing = await _remove_failed(upload)
            proof = await asyncio.to_thread(prove, Path(cloud.root), await _uploaded(upload))
    for line in (processing_sentence(processing, time.time()), *proof.lines()):
        print_now(line)
    complete = proof.holds and proof.equal == flight.images and processing.state is ProcessingState.DONE
    return 0 if complete else 1


def _described(flight: SampleFlight) -> list[str]:
    problems = ", ".join(
        (
            counted(flight.duplicates, "duplicate"),
            f"{counted(flight.clashes, 'photo')} with the name of another photo",
            counted(flight.broken, "truncated photo"),
            counted(flight.others, "other file"),
        )
    )
    return [
        f"Sample flight: {counted(flight.images, 'photo')} in {flight.folder}.",
        f"As on real cards, it also has: {problems}.",
    ]


async def _queue(flight: Path) -> int:
    """The number of the upload."""
    async with connected() as engine:
        account = await sign_in(engine)
        added = await engine.add(AddRequest((str(flight),), NewProject(_PROJECT), account=account))
    return added.upload


async def _remove_failed(upload: int) -> Processing:
    """Remove failed files, as a user would, and wait for the end of processing."""
    async with connected() as engine:
        await follow.report(engine, upload, as_json=False)
        await _print_renamed(engine, upload)
        status = await engine.upload(upload)
        if status.counts.failed:
            print_now(f"$ tui-uploader remove {upload} --failed")
            count = await engine.remove(upload, FileSelection(statuses=(FileStatus.FAILED,)))
            print_now(f"{removed(count)}; processing now starts automatically.")
        return await _processed(engine, upload)


async def _print_renamed(engine: EngineClient, upload: int) -> None:
    renamed = [
        item async for item in every_file(engine, upload) if item.object is not None and item.object != item.name
    ]
    if renamed:
        print_now(f"{counted(len(renamed), 'file')} renamed, because another image has the same name:")
        for item in renamed[:5]:
            print_now(f"  {file_line(item, style_of(sys.stdout))}")


async def _processed(engine: EngineClient, upload: int) -> Processing:
    """Wait for the end of processing. Raises EngineError if it takes too long."""
    shown = None
    try:
        async with asyncio.timeout(_PROCESSING_TIMEOUT):
            while not (processing := (await engine.upload(upload)).processing).state.ended:
                if processing.state is not shown:
                    print_note(processing_sentence(processing, time.time()))
                shown = processing.state
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise EngineError(f"Processing did not end within {duration(_PROCESSING_TIMEOUT)}.") from None
    return processing


async def _uploaded(upload: int) -> list[FileItem]:
    async with connected() as engine:
        return [item async for item in every_file(engine, upload) if item.status is FileStatus.UPLOADED]
