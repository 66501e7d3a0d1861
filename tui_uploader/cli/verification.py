"""Follow one verification of a memory card to its end, and report its verdict and what it found."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tui_uploader.cli.follow import across_engines
from tui_uploader.cli.lines import bar
from tui_uploader.cli.output import Style, print_json_parts, print_line, print_note, style_of
from tui_uploader.cli.progress import BAR_CELLS, ProgressView, Write, live_view
from tui_uploader.cli.records import verification_record
from tui_uploader.cli.session import connected
from tui_uploader.cli.waiting import next_silence
from tui_uploader.errors import UploaderError
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.verification import (
    Finding,
    Verdict,
    VerificationState,
    VerificationStatus,
    VerifiedFile,
    VerifiedFolder,
)
from tui_uploader.settings import APP
from tui_uploader.text import byte_count, counted, printable
from tui_uploader.wording.verification import (
    apart_files,
    evidence,
    folder_counts,
    folder_verdict,
    other_files,
    percent_read,
    place,
    projects,
    running_line,
    verdict_lines,
    verdict_word,
    why,
)

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

FOLDERS_SHOWN, FILES_SHOWN = 20, 20
"""Lines that the report gives to the folders, and to each list of files."""
UNSAFE = tuple(finding for finding in Finding if finding.unsafe)
# SGR parameters, ECMA-48: 1 bold, 31 red, 32 green, 33 yellow.
_COLOURS = {Verdict.SAFE: "1;32", Verdict.SAFE_FOR_IMAGES: "1;33", Verdict.NOT_SAFE: "1;31"}


@dataclass(frozen=True, slots=True)
class Files:
    """The first few of some files, and how many there are."""

    total: int
    first: tuple[VerifiedFile, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a report in text says about a verification that has ended."""

    status: VerificationStatus
    folders: tuple[VerifiedFolder, ...] = ()
    unsafe: Files = Files(0, ())
    others: Files = Files(0, ())


# ---------------------------------------------------------------------------------------------------- following


async def follow(verification: VerificationStatus, *, keep_view: bool) -> VerificationStatus:
    """Show the progress until the verification ends, across restarts of the engine.

    An interrupt by the user cancels it. `keep_view`: leave the last view on the screen.
    """
    number = verification.verification

    async def look(engine: EngineClient, whole: EngineStatus) -> VerificationStatus | None:
        listed = (each for each in whole.verifications if each.verification == number)
        status = next(listed, None) or await engine.verifications.status(number)
        view.show(_only(whole, status))
        return None if status.state is VerificationState.RUNNING else status

    try:
        async with live_view(sys.stderr, keep=keep_view, block=block_lines, log=_log) as view:
            return await across_engines(look, f"The verification of {place(verification)}")
    except asyncio.CancelledError:
        await _cancel(number)
        raise


async def _cancel(verification: int) -> None:
    try:
        async with connected(spawn=False) as engine:
            await engine.verifications.cancel(verification)
    except UploaderError as error:
        print_note(f"The verification could not be cancelled: {printable(str(error))}")
    else:
        print_note("Verification cancelled: nothing is proven. Do not wipe the card.")


def _only(whole: EngineStatus, status: VerificationStatus) -> EngineStatus:
    return replace(whole, verifications=(status,), uploads=())


def block_lines(engine: EngineStatus, now: float) -> list[str]:
    """The lines of the view on a terminal."""
    del now
    lines = []
    for status in engine.verifications:
        lines.append(running_line(status))
        lines.append(f"   {bar(percent_read(status), BAR_CELLS)} {percent_read(status)} %")
    return lines


class VerificationLog:
    """Progress as lines at growing intervals."""

    def __init__(self, write: Write, *, clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._silence = 0.0
        self._next_line = clock()

    def show(self, engine: EngineStatus) -> None:
        running = [status for status in engine.verifications if status.state is VerificationState.RUNNING]
        if running and self._clock() >= self._next_line:
            for status in running:
                self._write(running_line(status))
            self._silence = next_silence(self._silence)
            self._next_line = self._clock() + self._silence


def _log(write: Write) -> ProgressView:
    return VerificationLog(write, clock=time.monotonic)


# ---------------------------------------------------------------------------------------------------- in text


async def report(engine: EngineClient, status: VerificationStatus) -> None:
    """Print what was found, and at the end the verdict."""
    number = status.verification
    folders = await engine.verifications.folders(number)
    found = Report(
        status, folders, await _first(engine, number, UNSAFE), await _first(engine, number, (Finding.OTHER,))
    )
    for line in report_lines(found, style_of(sys.stdout)):
        print_line(line)


async def _first(engine: EngineClient, verification: int, findings: Sequence[Finding]) -> Files:
    total, first = 0, list[VerifiedFile]()
    for finding in findings:
        window = await engine.verifications.files(verification, finding=finding, limit=FILES_SHOWN)
        total += window.total
        first += window.files
    return Files(total, tuple(first[:FILES_SHOWN]))


def report_lines(found: Report, style: Style) -> list[str]:
    """Folders, files that are not proven to be in the cloud, what else is on the card, the proof, and the verdict."""
    status = found.status
    verdict, *reasons = verdict_lines(status)
    conclusion = [*reasons, _coloured(verdict, status, style)]
    if status.state is not VerificationState.DONE:
        return conclusion
    lines = _folder_lines(found.folders, style)
    if found.unsafe.total:
        unsafe = counted(found.unsafe.total, "file or folder", "files or folders")
        lines.append(f"Not proven to be in the cloud, {unsafe}:")
        lines += _file_lines(found.unsafe, lambda file: f"{printable(file.path)}: {why(file)}")
    if found.others.total:
        lines.append(f"Not in the cloud either, {other_files(status) or 'other files'}:")
        lines += _file_lines(found.others, lambda file: f"{printable(file.path)} ({byte_count(file.size)})")
    if apart := apart_files(status):
        lines.append(f"Not counted: {apart}.")
    lines += filter(None, (evidence(status), projects(status)))
    return [*lines, *conclusion]


def _folder_lines(folders: Sequence[VerifiedFolder], style: Style) -> list[str]:
    lines = []
    for folder in folders[:FOLDERS_SHOWN]:
        size = f"{counted(folder.files, 'file'):>12} {byte_count(folder.bytes):>8}"
        word = f"{folder_verdict(folder):<15}"
        shown = f"\x1b[{_COLOURS[folder.verdict]}m{word}\x1b[0m" if style.colour else word
        lines.append(f"{shown} {size}  {printable(folder.path)}: {folder_counts(folder)}")
    return lines + _more(len(folders) - FOLDERS_SHOWN, "folder")


def _file_lines(files: Files, shown: Callable[[VerifiedFile], str]) -> list[str]:
    return [f"  {shown(file)}" for file in files.first] + _more(files.total - len(files.first), "file")


def _more(number: int, noun: str) -> list[str]:
    return [f"  … and {counted(number, f'more {noun}')}; --json lists all"] if number > 0 else []


def _coloured(line: str, status: VerificationStatus, style: Style) -> str:
    word = verdict_word(status)
    if not style.colour:
        return line
    colour = _COLOURS[status.verdict or Verdict.NOT_SAFE]
    return f"\x1b[{colour}m{word}\x1b[0m{line.removeprefix(word)}"


def command_again(status: VerificationStatus, *options: str) -> str:
    """The command that verifies the same paths again."""
    paths = " ".join(shlex.quote(printable(path)) for path in status.paths)
    project = "" if status.project is None else f" --project {shlex.quote(printable(status.project))}"
    return f"{APP} verify {paths}{project}{''.join(f' {option}' for option in options)}"


# ---------------------------------------------------------------------------------------------------- as JSON


async def report_json(engine: EngineClient, status: VerificationStatus, queued: UploadStatus | None) -> None:
    """Print one object; its lists are read and written in windows, however many files the card has."""
    number = status.verification
    fields = verification_record(status) | {"folders": await engine.verifications.folders(number)}
    if queued is not None:
        fields["queued"] = {"upload": queued.upload, "project": queued.project, "project_name": queued.project_name}
    lists = {"missing": UNSAFE, "others": (Finding.OTHER,), "apart": (Finding.APART,)}
    await print_json_parts(fields, {name: _records(engine, number, findings) for name, findings in lists.items()})


async def _records(
    engine: EngineClient, verification: int, findings: Sequence[Finding]
) -> AsyncIterator[dict[str, Any]]:
    for finding in findings:
        async for file in engine.verifications.each_file(verification, finding):
            record = {"path": file.path, "size": file.size, "kind": file.kind}
            unsafe = {"reason": file.reason or finding, "finding": finding} if finding.unsafe else {}
            yield record | unsafe
