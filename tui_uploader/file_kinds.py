"""Which files and folders an upload takes: by name, for the engine's scan and for the counts shown before it.

Kinds of files by extension, folders that systems keep for themselves, and how far symbolic links are followed. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.verification import CardFileKind
from tui_uploader.text import printable

# What PIX4Dcloud accepts, by extension (its support articles on images and on processed results).
IMAGE_EXTENSIONS = frozenset({".jpg", ".jpeg", ".tif", ".tiff"})
MESH_EXTENSIONS = frozenset({".obj", ".glb"})
RESULT_EXTENSIONS = frozenset({".tif", ".tiff", ".las", ".laz"}) | MESH_EXTENSIONS
"""Main files of results. GLB is what WebODM takes instead of OBJ."""
COMPANION_EXTENSIONS = frozenset({".mtl", ".tfw", ".tifw", ".tiffw", ".wld", ".prj", ".ovr"})
"""Files that are uploaded only with the result that they belong to."""
TEXTURE_EXTENSIONS = frozenset({".jpg", ".jpeg", ".png"})
"""Companions too, but only in the folder of a mesh."""

_CARD_KINDS: Mapping[CardFileKind, tuple[str, ...]] = {
    CardFileKind.VIDEO: (".mp4", ".mov", ".avi", ".m4v", ".mkv", ".mts", ".insv", ".360", ".lrv", ".lrf", ".ts"),
    CardFileKind.POSITIONING: (
        *(".obs", ".rtk", ".mrk", ".nav", ".bin", ".dat", ".rnx", ".crx", ".ubx", ".sbf", ".pos", ".rtcm", ".rtcm3"),
        *(".rtb", ".rtl", ".sp3", ".t02", ".t04"),
    ),
    CardFileKind.LOG: (".log", ".txt", ".csv", ".srt", ".ulg", ".tlog", ".gpx"),
    CardFileKind.SOUND: (".wav", ".mp3", ".m4a", ".aac", ".ogg", ".flac"),
    CardFileKind.RESULT: (".las", ".laz", ".obj", ".mtl", ".glb", ".ply", ".tfw", ".prj"),
}
_KIND_OF_EXTENSION = {extension: kind for kind, extensions in _CARD_KINDS.items() for extension in extensions}
_RINEX = re.compile(r"\.\d\d[dfghlnop]")
"""RINEX 2: the year, and the type of the file."""

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
"""Names of folders, case folded, by their content."""

RECEIPT_PREFIX = "tui-uploader-receipt-"
"""Of the names of receipts."""
HISTORY_FOLDER, HISTORY_CHAIN, HISTORY_ENDING = "ascmhl", "ascmhl_chain.xml", ".mhl"
"""Where ASC MHL keeps the checksums of the files of a folder, and the names of its files (specification 1.0)."""

_NUMBERED_SYSTEM_FOLDERS: Mapping[str, re.Pattern[str]] = {
    "deleted files (Linux trash)": re.compile(r"\.trash-\d+"),
    "deleted files (network recycle bin)": re.compile(r"network recycle bin \d+|recycle bin - volume_\d+"),
    "recovered pieces of files (disk check)": re.compile(r"found\.\d{3}"),
}
"""The same for names that end in a number, such as that of the user."""

_CONTENT_OF_FOLDER = {name: content for content, names in _SYSTEM_FOLDERS.items() for name in names}


def extension_of(path: str) -> str:
    """Lower case, with its dot; empty if there is none."""
    name = path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def upload_extensions(kind: ProjectKind, *, with_mesh: bool) -> frozenset[str]:
    """Extensions of the files that a project of this kind takes from one folder, with or without a mesh in it."""
    if kind is ProjectKind.IMAGES:
        return IMAGE_EXTENSIONS
    of_results = RESULT_EXTENSIONS | COMPANION_EXTENSIONS
    return of_results | TEXTURE_EXTENSIONS if with_mesh else of_results


def has_mesh(names: Iterable[str]) -> bool:
    """Whether one of these files of one folder is a mesh, so that textures beside it belong to a result."""
    return any(name[-4:].lower() in MESH_EXTENSIONS for name in names)


def skip_reason(name: str, kind: ProjectKind, with_mesh: bool) -> str | None:
    """Why a file of this name is not uploaded; None if it is."""
    extension = extension_of(name)
    if extension in upload_extensions(kind, with_mesh=with_mesh):
        return None
    shown = printable(extension, 12) or "no extension"
    if kind is ProjectKind.IMAGES:
        return f"not an image ({shown})"
    beside = "; textures are taken only from the folder of their .obj" if extension in TEXTURE_EXTENSIONS else ""
    return f"not a result ({shown}){beside}"


def card_kind(path: str) -> CardFileKind:
    """What a file of a memory card is, by its name; an image is one that an upload to a project of images takes."""
    extension = extension_of(path)
    if extension in IMAGE_EXTENSIONS:
        return CardFileKind.IMAGE
    if _RINEX.fullmatch(extension):
        return CardFileKind.POSITIONING
    return _KIND_OF_EXTENSION.get(extension, CardFileKind.OTHER)


def is_hidden(name: str) -> bool:
    return name.startswith(".")


def is_within(path: str, folders: Iterable[str]) -> bool:
    """Whether `path` is one of `folders` or below one. All absolute, and without symbolic links.

    Links are followed only to targets within the folders that the user named.
    """
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def system_content(path: str, within: str = "") -> str | None:
    """The content of the folder `path` if it is, or is below, a system folder; otherwise None.

    Names on the path of `within`, a folder that the user chose, do not count.
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


def is_own_record(path: str) -> bool:
    """Whether a file of this name is a receipt, or a list of checksums (ASC MHL), as this program leaves on a card."""
    above, _, name = path.rpartition("/")
    if above.rpartition("/")[2] == HISTORY_FOLDER:
        return name == HISTORY_CHAIN or name.endswith(HISTORY_ENDING)
    return name.startswith(RECEIPT_PREFIX) and name.endswith(".json")
