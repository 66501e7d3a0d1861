"""Find the mounted file system of a path without touching it: it may hang."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_MOUNTS = Path("/proc/self/mountinfo")
_REMEMBERED_SECONDS = 1.0
_MOST_LINKS = 40
"""The limit of Linux (path_resolution(7))."""
_ESCAPED = re.compile(rb"\\([0-7]{3})")
_PARTS_OF_A_VOLUME = 3
"""Leading parts of a path, such as `/Volumes/CARD` on macOS, where the system lists no mounts."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted file system; a new one after every mount."""

    point: str
    """Its mount point."""
    mount: str = ""
    """Numbers of the mount and of its device; empty where the system lists no mounts."""
    kind: str = field(default="", compare=False)
    """Type of the file system, as the system calls it: `vfat`, `nfs4`, `fuse.sshfs`."""
    device: str = field(default="", compare=False)
    """What is mounted: `/dev/sdb1`, `server:/share`."""

    @property
    def is_root(self) -> bool:
        return self.point == "/"


def volumes_in(mountinfo: bytes) -> list[Volume]:
    """The mounts in `/proc/self/mountinfo` (proc(5)), in its order: of two at one point, the later one is visible."""
    found = []
    for line in mountinfo.splitlines():
        fields = line.split(b" ")
        if len(fields) > 4:
            numbers = os.fsdecode(b" ".join((fields[0], fields[2])))
            kind, _, device_and_options = line.partition(b" - ")[2].partition(b" ")
            device = device_and_options.partition(b" ")[0]
            found.append(Volume(_unescaped(fields[4]), numbers, _unescaped(kind), _unescaped(device)))
    return found


def _unescaped(text: bytes) -> str:
    return os.fsdecode(_ESCAPED.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), text))


def volume_of(path: str, volumes: Sequence[Volume]) -> Volume:
    """The volume of an absolute path without symbolic links."""
    holding = [volume for volume in volumes if path == volume.point or path.startswith(volume.point.rstrip("/") + "/")]
    if not holding:
        return Volume(str(PurePosixPath(*PurePosixPath(path).parts[:_PARTS_OF_A_VOLUME])))
    deepest = max(len(volume.point) for volume in holding)
    return [volume for volume in holding if len(volume.point) == deepest][-1]


class Volumes:
    """The volumes mounted now. Asks the system at most once a second."""

    def __init__(self, mountinfo: Path = _MOUNTS) -> None:
        self._mountinfo = mountinfo
        self._read_at = float("-inf")
        self._volumes: list[Volume] = []
        self._by_folder: dict[str, Volume] = {}

    def of(self, path: str) -> Volume:
        """The volume of an absolute path. Symbolic links in the root file system are followed; no other is touched."""
        self._refresh()
        folder = os.path.dirname(path)  # noqa: PTH120 -- any bytes are a path
        found = self._by_folder.get(folder)
        if found is None:
            found = self._by_folder[folder] = volume_of(self._followed(folder), self._volumes)
        # The path itself can be a mount point.
        return max(found, volume_of(path, self._volumes), key=lambda volume: len(volume.point))

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._read_at < _REMEMBERED_SECONDS:
            return
        self._read_at = now
        self._by_folder.clear()
        try:
            self._volumes = volumes_in(self._mountinfo.read_bytes())
        except OSError:
            self._volumes = []

    def _followed(self, folder: str) -> str:
        """The path of the same folder without the symbolic links of the root file system."""
        left = _MOST_LINKS
        reached, ahead = "/", [part for part in folder.split("/") if part]
        while ahead:
            step = os.path.normpath(os.path.join(reached, ahead.pop(0)))  # noqa: PTH118
            if not volume_of(step, self._volumes).is_root:
                return os.path.join(step, *ahead)  # noqa: PTH118
            try:
                target = os.readlink(step)  # noqa: PTH115
            except (OSError, ValueError):
                reached = step
                continue
            left -= 1
            if left < 0:
                return folder
            if target.startswith("/"):
                reached = "/"
            ahead[:0] = [part for part in target.split("/") if part]
        return reached
