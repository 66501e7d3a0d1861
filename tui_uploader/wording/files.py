"""Words about one file: its status as a glyph, why it waits or failed, how it was verified."""

from __future__ import annotations

from collections.abc import Mapping

from tui_uploader.model.files import FileItem, Proof
from tui_uploader.model.states import FileStatus
from tui_uploader.text import printable

GLYPHS: Mapping[FileStatus, str] = {
    FileStatus.UPLOADED: "✓",
    FileStatus.UPLOADING: "⇡",
    FileStatus.WAITING: "∙",
    FileStatus.DUPLICATE: "=",
    FileStatus.FAILED: "✗",
}
"""One cell wide in every terminal. The shape alone shows the status; colour only repeats it."""

ASCII_GLYPHS: Mapping[FileStatus, str] = {
    FileStatus.UPLOADED: "+",
    FileStatus.UPLOADING: "^",
    FileStatus.WAITING: ".",
    FileStatus.DUPLICATE: "=",
    FileStatus.FAILED: "x",
}

_NOT_VERIFIED = "Stored, but the storage confirmed no checksum."


def other_name(item: FileItem) -> str | None:
    """Name in the project where it differs from the file's own."""
    return None if item.object is None or item.object == item.name else printable(item.object)


def original(item: FileItem) -> str | None:
    """Path of the file with the same content; `uploaded before` where it is the file itself."""
    if item.duplicate_of is None:
        return None
    return "uploaded before" if item.duplicate_of == item.path else printable(item.duplicate_of)


def reason(item: FileItem) -> str | None:
    """Why a file waits, failed or is a duplicate. A leading file name is dropped: it stands beside the reason."""
    if item.status is FileStatus.DUPLICATE and item.duplicate_of == item.path:
        return original(item)
    if item.reason is None:
        return None
    return printable(item.reason.removeprefix(f"{item.name} is ").removeprefix(f"{item.name}: "))


def verification(item: FileItem) -> str | None:
    """How the storage proved that it holds the file; None where nothing is known about it."""
    if item.verified is None:
        return None
    return _NOT_VERIFIED if item.verified is Proof.NONE else f"by checksum ({item.verified})"
