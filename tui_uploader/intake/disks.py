"""The names by which the system knows the file system on a disk, where udev keeps them; no rights are needed for it.

`/dev/disk/by-uuid` and `by-label` have a link to the device for each file system (udev, rules.d/60-persistent-storage).
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from tui_uploader.intake.volumes import Volume

_DISKS = Path("/dev/disk")
_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")

_TELLS_ITS_CHANGES = frozenset(
    {
        *("bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfs", "hfsplus", "iso9660", "jfs"),
        *("msdos", "ntfs", "ntfs3", "overlay", "ramfs", "reiserfs", "tmpfs", "udf", "ufs", "vfat", "xfs", "zfs"),
        *("ecryptfs", "nilfs2", "squashfs"),
    }
)
"""File systems whose every change is made by this machine's kernel, so that inotify(7) reports it. `fuseblk` is a
program that drives a disk of this machine: its changes come through the kernel, too. Network file systems report only
the changes of this machine, other FUSE file systems only those that do not happen behind the mount."""


def tells_its_changes(volume: Volume) -> bool:
    """Whether the system reports each change on this file system. False where its type is unknown."""
    return volume.kind in _TELLS_ITS_CHANGES


def uuid_of(volume: Volume, disks: Path = _DISKS) -> str:
    """The identity of the file system; empty if the system does not know it. FAT and exFAT have only 32 bits."""
    return _name_in(disks / "by-uuid", volume)


def label_of(volume: Volume, disks: Path = _DISKS) -> str:
    """The label that the file system was given when it was formatted; empty if there is none."""
    return _name_in(disks / "by-label", volume)


def _name_in(names: Path, volume: Volume) -> str:
    device = _device_number(volume.device)
    if device is None:
        return ""
    try:
        return next((_plain(name.name) for name in sorted(names.iterdir()) if _device_number(name) == device), "")
    except OSError:
        return ""


def _device_number(path: str | Path) -> int | None:
    if not os.fspath(path).startswith("/"):
        return None
    try:
        found = os.stat(path)  # noqa: PTH116 -- of a device, by any bytes
    except (OSError, ValueError):
        return None
    return found.st_rdev if stat.S_ISBLK(found.st_mode) else None


def _plain(name: str) -> str:
    """udev escapes what is unusual in a name: `NO\\x20NAME`."""
    raw = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw
