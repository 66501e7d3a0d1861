"""Questions and answers of commands on uploads."""

from __future__ import annotations

from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import byte_count, counted


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
