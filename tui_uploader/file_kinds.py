"""What the name of a file or folder tells: images, results, and folders that systems keep for themselves.

Pure, and one table for all: what a folder is said to hold before an upload is what its walk finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# What PIX4Dcloud takes, by the ending of the name (its support articles on images and on processed results).
IMAGE_EXTENSIONS = frozenset({".jpg", ".jpeg", ".tif", ".tiff"})
RESULT_EXTENSIONS = frozenset({".tif", ".tiff", ".las", ".laz", ".obj", ".mtl"})
TEXTURE_EXTENSIONS = frozenset({".jpg", ".jpeg", ".png"})
"""Results too, but only beside the mesh that wears them."""

_SYSTEM_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "deleted files (Windows recycle bin)": ("$recycle.bin", "recycler", "recycled"),
    "deleted files (macOS trash)": (".trash", ".trashes"),
    "deleted files (Recently Deleted)": ("recently deleted",),
    "deleted files (digiKam trash)": (".dtrash",),
    # Samba's module `recycle` and the makers of network storage that build on it.
    "deleted files (network recycle bin)": (
        *("#recycle", "@recycle", ".recycle", ".recycle.bin", "recycle.bin", "recycle bin"),
        *("network trash folder", "network recycle bin"),
    ),
    "recovered pieces of files (disk check)": ("lost+found", "lost.dir"),
    "thumbnails": (".thumbnails", ".@__thumb", "@eadir"),
    "snapshots of earlier states": (
        *("#snapshot", ".snapshot", ".snapshots", "~snapshot", ".zfs", "@recently-snapshot"),
    ),
    "earlier versions of files": (".documentrevisions-v100", ".versions", ".stversions"),
    "system data (Windows)": ("system volume information",),
    "system data (macOS)": (".spotlight-v100", ".fseventsd", ".temporaryitems", "temporary items", "__macosx"),
    "system data (network storage)": ("@tmp",),
}
"""Names of folders, case folded, by what is in them."""

_NUMBERED_SYSTEM_FOLDERS: Mapping[str, re.Pattern[str]] = {
    "deleted files (Linux trash)": re.compile(r"\.trash-\d+"),
    "deleted files (network recycle bin)": re.compile(r"network recycle bin \d+|recycle bin - volume_\d+"),
    "recovered pieces of files (disk check)": re.compile(r"found\.\d{3}"),
}
"""The same where the name ends in a number, such as that of the user."""

_CONTENT_OF_FOLDER = {name: content for content, names in _SYSTEM_FOLDERS.items() for name in names}


def extension_of(path: str) -> str:
    """Lower case, with its dot; empty where there is none."""
    name = path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def has_mesh(names: Iterable[str]) -> bool:
    """Whether textures among these files of one folder belong to a result."""
    return any(name[-4:].lower() == ".obj" for name in names)


def is_hidden(name: str) -> bool:
    return name.startswith(".")


def system_content(path: str, within: str = "") -> str | None:
    """What lies in the folder `path` if it is, or lies in, one that a system keeps for itself; None if it is no such.

    The folder `within` was entered on purpose: names on its path do not count.
    """
    entered = within.split("/")
    for name in path.split("/"):
        if name not in entered and (content := _content(name.casefold())):
            return content
    return None


def _content(folded: str) -> str | None:
    if known := _CONTENT_OF_FOLDER.get(folded):
        return known
    numbered = (content for content, names in _NUMBERED_SYSTEM_FOLDERS.items() if names.fullmatch(folded))
    return next(numbered, None)
