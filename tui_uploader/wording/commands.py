"""Questions and answers of commands on uploads."""

from __future__ import annotations

from collections.abc import Iterable

from tui_uploader.model.uploads import UndoneAddition, UploadStatus
from tui_uploader.text import byte_count, counted, printable


def unfinished(status: UploadStatus) -> int:
    """Number of files that are not uploaded and are no duplicates."""
    return status.counts.waiting + status.counts.uploading + status.counts.failed


def cancel_stakes(status: UploadStatus) -> str:
    """`466 files (1.88 GB) will not be uploaded.`"""
    left = byte_count(max(0, status.bytes.total - status.bytes.registered))
    return f"{counted(unfinished(status), 'file')} ({left}) will not be uploaded."


def retried(files: int) -> str:
    return f"Retrying {counted(files, 'file')}." if files else "No failed files."


def removed(files: int) -> str:
    return f"{counted(files, 'file')} removed from the queue"


def undone(addition: UndoneAddition, project: str) -> str:
    """`3,922 files taken out of the queue of Quarry; 78 files that were sent stay in the project.`"""
    taken = f"{counted(addition.removed, 'file')} taken out of the queue of {printable(project)}"
    if not addition.kept:
        return f"{taken}."
    stay = "that was sent stays" if addition.kept == 1 else "that were sent stay"
    return f"{taken}; {counted(addition.kept, 'file')} {stay} in the project."


def dismissed(uploads: Iterable[UploadStatus], name: str) -> str:
    """`Upload to Six B removed from the list; the project stays.`; a project that was never created does not stay."""
    stays = "; the project stays" if any(upload.project is not None for upload in uploads) else ""
    return f"Upload to {printable(name)} removed from the list{stays}."
