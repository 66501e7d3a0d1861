"""The report at the end of an upload. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader.cli.lines import file_line, notice_line
from tui_uploader.cli.output import Style
from tui_uploader.model.files import FileItem
from tui_uploader.model.uploads import Skipped, UploadStatus
from tui_uploader.text import counted, duration, printable
from tui_uploader.wording.processing import start_note
from tui_uploader.wording.uploads import failed, project_name, skipped, uploaded

DUPLICATES_SHOWN, FAILED_SHOWN, SKIPPED_SHOWN = 5, 10, 10
"""Lines that the summary gives to each."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The files that a summary names, the first few of each kind, and how many the storage did not verify."""

    duplicates: Sequence[FileItem] = ()
    failed: Sequence[FileItem] = ()
    skipped: Sequence[Skipped] = ()
    not_verified: int = 0


def summary_lines(status: UploadStatus, leftovers: Leftovers, style: Style, now: float) -> list[str]:
    """How much was uploaded, and by name the files that were not."""
    counts, upload = status.counts, status.upload
    lines = [f"{project_name(status)}: {uploaded(status)} in {_elapsed(status.seconds)}."]
    if unfinished := counts.waiting + counts.uploading:
        lines.append(f"{counted(unfinished, 'file')} not uploaded yet; the upload is {status.state}.")
    if leftovers.not_verified:
        lines.append(f"{leftovers.not_verified:,} of them not verified: the storage confirmed no checksum.")
    if counts.duplicate:
        lines.append(f"{counted(counts.duplicate, 'duplicate')}, not sent again:")
        lines += _first(leftovers.duplicates, DUPLICATES_SHOWN, counts.duplicate, style)
    if counts.failed:
        lines.append(f"{failed(counts.failed)}:")
        lines += _first(leftovers.failed, FAILED_SHOWN, counts.failed, style)
        lines.append(f"  Retry: tui-uploader retry {upload}; or remove: tui-uploader remove {upload} --failed")
    if status.skipped:
        lines.append(f"{skipped(status.skipped)}:")
        lines += [f"  {printable(path.path)}: {printable(path.reason)}" for path in leftovers.skipped[:SKIPPED_SHOWN]]
        lines += _more(status.skipped - min(SKIPPED_SHOWN, len(leftovers.skipped)))
    lines.append(start_note(status, now))
    if status.notice is not None:
        lines.append(notice_line(status.notice))
    return lines


def _elapsed(seconds: float) -> str:
    return duration(seconds) if seconds >= 1 else "less than a second"


def _first(items: Sequence[FileItem], shown: int, count: int, style: Style) -> list[str]:
    some = items[:shown]
    return [f"  {file_line(item, style)}" for item in some] + _more(count - len(some))


def _more(count: int) -> list[str]:
    return [f"  … and {count:,} more"] if count > 0 else []
