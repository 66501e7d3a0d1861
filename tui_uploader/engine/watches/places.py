"""Folders that cannot be watched: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui_uploader.file_kinds import is_within
from tui_uploader.text import printable

_OF_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/lost+found", "/proc", "/sbin", "/sys"),
    *("/usr", "/snap", "/System", "/Library", "/Applications", "/private/etc"),
)
_HOLDS_MANY = (
    *("/", "/home", "/media", "/mnt/wsl", "/opt", "/private", "/root", "/run", "/run/media", "/run/user", "/srv"),
    *("/tmp", "/Users", "/var", "/var/lib", "/var/tmp", "/Volumes"),
)
"""Folders whose entries belong to different users, cards or programs."""
_HOLDS_CARDS = ("/media", "/run/media")
"""In which each user has a folder, of the user's name, with the mount points of cards."""


def refusal(
    path: str, resolved: str, *, home: str | None, own: Sequence[str], watched: Mapping[str, int]
) -> str | None:
    """Why the folder cannot be watched: a sentence; None if it can.

    `resolved`: the path without symbolic links. `own`: folders of this program. `watched`: numbers of other watches, by
    path.
    """
    shown = printable(path)
    for place in dict.fromkeys((path, resolved)):
        if is_within(place, _OF_SYSTEM):
            return f"{shown} is a folder of the system. Name the folder or card that the images come to."
        if place in _HOLDS_MANY or place in _of_user(home):
            return (
                f"{shown} cannot be watched: everything in it would be uploaded, whatever it belongs to. Name the "
                "folder or card that the images come to."
            )
        if is_within(place, own) or any(is_within(folder, [place]) for folder in own):
            return f"{shown} cannot be watched: tui-uploader keeps its own files there."
        for other, number in watched.items():
            if is_within(place, [other]):
                return f"{shown} is inside {printable(other)}, which watch {number} watches already."
            if is_within(other, [place]):
                return (
                    f"{shown} contains {printable(other)}, which watch {number} watches. Remove that one first: "
                    f"tui-uploader watch remove {number}"
                )
    return None


def _of_user(home: str | None) -> tuple[str, ...]:
    """The user's home directory, and the folders in which the system mounts the user's cards."""
    if home is None:
        return ()
    return (home, *(f"{folder}/{home.rpartition('/')[2]}" for folder in _HOLDS_CARDS))
