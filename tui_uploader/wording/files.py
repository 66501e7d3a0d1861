"""Words about one file: its status as a glyph, why it waits or failed, how it was verified."""

from __future__ import annotations

from collections.abc import Mapping

from tui_uploader.file_kinds import IMAGE_EXTENSIONS, TEXTURE_EXTENSIONS, extension_of
from tui_uploader.model.files import FileItem, Hold, Proof
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

_HOLDS: Mapping[Hold, str] = {
    Hold.CHECKING: "waiting",
    Hold.QUEUED: "next",
    Hold.PAUSED: "paused",
    Hold.CANCELLED: "cancelled",
    Hold.OFFLINE: "offline",
    Hold.SIGNED_OUT: "signed out",
    Hold.LIMIT: "limit: no sending now",
    Hold.BUDGET: "data budget used up",
    Hold.MEDIUM: "card or disk not available",
    Hold.STORAGE: "refused by the storage for now",
    Hold.RETRY: "to be retried",
    Hold.REGISTERING: "Stored, adding to the project",
    Hold.FAILED: "failed",
    Hold.FAULT: "engine fault",
}
_OF_ONE_FILE = frozenset({Hold.MEDIUM, Hold.STORAGE, Hold.RETRY, Hold.FAULT})
"""Holds whose reason differs from file to file; that of all others is told once, for the whole upload."""

_OTHER_KINDS = {
    **dict.fromkeys((".las", ".laz"), "a point cloud"),
    **dict.fromkeys((".obj", ".glb"), "a mesh"),
    ".mtl": "a list of materials",
    ".prj": "a coordinate system",
    **dict.fromkeys((".tfw", ".tifw", ".tiffw", ".wld"), "the position of a map"),
}

_NOT_VERIFIED = "Stored, but the storage confirmed no checksum."


def shown_status(item: FileItem) -> FileStatus:
    """Only what a stream carries now is shown as uploading; what is chosen to be sent next, or stored, waits."""
    waits = item.status is FileStatus.UPLOADING and item.hold is not None
    return FileStatus.WAITING if waits else item.status


def result_words(item: FileItem) -> str:
    """`orthomosaic`; `part of quarry.obj` for what belongs to a result; empty for an image."""
    if item.belongs_to is not None:
        return f"part of {printable(item.belongs_to.rpartition('/')[2])}"
    if item.result is None:
        return ""
    from tui_uploader.wording.results import type_word  # not needed for the first frame

    return type_word(item.result)


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
    if item.status is FileStatus.DUPLICATE and item.duplicate_of is not None:
        same = item.duplicate_of == item.path
        return original(item) if same else copied(printable(item.duplicate_of.rpartition("/")[2]))
    if item.reason is None:
        return None
    text = item.reason.removeprefix(f"{item.name} is ").removeprefix(f"{item.name}: ")
    return printable(text[:1].upper() + text[1:] if item.damaged else text)


def in_short(why: str) -> str:
    """`damaged: ends after 48 %`: the first part of a reason, without what goes without saying beside its file."""
    first = why.partition(";")[0].partition(". ")[0]
    return first.replace(": the file ends after ", ": ends after ").removesuffix(" of the picture")


def holding(item: FileItem) -> str | None:
    """Why a file does not move now, in a few words; None: it moves, or has ended."""
    if item.hold is None:
        return reason(item) if item.status is FileStatus.WAITING else None
    return (reason(item) if item.hold in _OF_ONE_FILE else None) or _HOLDS[item.hold]


def copied(name: str) -> str:
    """`copy of 2/100MEDIA/DJI_0003.JPG`; `name`: the other file, as the reader can find it."""
    return f"copy of {name}"


def not_an_image(name: str) -> str | None:
    """Why a file of this name cannot be shown as an image: `is a point cloud (LAS); only images can be shown.`"""
    ending = extension_of(name)
    if ending in IMAGE_EXTENSIONS | TEXTURE_EXTENSIONS:
        return None
    kind = _OTHER_KINDS.get(ending, "no image")
    return f"is {kind} ({printable(ending[1:].upper(), 12) or 'no extension'}); only images can be shown."


def verification(item: FileItem) -> str | None:
    """How the storage proved that it holds the file; None where nothing is known about it."""
    if item.verified is None:
        return None
    return _NOT_VERIFIED if item.verified is Proof.NONE else f"by checksum ({item.verified})"
