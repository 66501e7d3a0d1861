"""Identify the mount of a file, and whether its file system keeps a ctime that no program can set.

Numbers of devices, inodes and mounts are reused after a card was taken out, so another card at the same path may have
all of them. Since version 6.8 Linux also numbers mounts without reuse until the next boot (statx(2),
STATX_MNT_ID_UNIQUE); together with the kernel's boot id that identifies one mount. Older kernels and other systems have
no such number; there a mount is never recognised.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import xxhash

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_AT_EMPTY_PATH, _AT_STATX_DONT_SYNC = 0x1000, 0x4000
_STATX_MNT_ID_UNIQUE = 0x4000
_STATX_BYTES, _MASK_AT, _MOUNT_ID_AT = 256, 0, 144
"""Size of `struct statx` of <linux/stat.h>, and offsets of stx_mask (32 bits) and stx_mnt_id (64 bits)."""
_STATFS_BYTES = 256
"""More than `struct statfs` of any machine; it begins with f_type, a long."""

_KEEPS_CTIME = frozenset(
    {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # xfs
        0x9123683E,  # btrfs
        0xF2F52010,  # f2fs
        0x2FC12FC1,  # zfs
        0x01021994,  # tmpfs
    }
)
"""Types (statfs(2)) of file systems whose inode numbers and ctime are the kernel's own. FAT and exFAT set the ctime
with the mtime or not at all; those of network and FUSE file systems come from another program."""


@dataclass(frozen=True, slots=True)
class Mount:
    """The mount of a file."""

    identity: str = ""
    """16 hex digits that no other mount has or will have; empty where the system has no such number."""
    keeps_ctime: bool = False
    """Every change of a file sets a new ctime, and inode numbers are stable."""


UNKNOWN = Mount()


def mount_of(descriptor: int) -> Mount:
    """The mount of an open file or folder. For a thread: its two system calls may wait for a disk."""
    if sys.platform != "linux":
        return UNKNOWN
    return Mount(_identity(descriptor), _type(descriptor) in _KEEPS_CTIME)


def mount_at(path: str) -> Mount:
    """The mount at `path`; UNKNOWN if that cannot be opened."""
    if sys.platform != "linux":
        return UNKNOWN
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return UNKNOWN
    try:
        return mount_of(descriptor)
    finally:
        os.close(descriptor)


def _identity(descriptor: int) -> str:
    boot, statx = _boot_id(), getattr(_libc(), "statx", None)
    if not boot or statx is None:
        return ""
    buffer = ctypes.create_string_buffer(_STATX_BYTES)
    if statx(descriptor, b"", _AT_EMPTY_PATH | _AT_STATX_DONT_SYNC, _STATX_MNT_ID_UNIQUE, buffer) != 0:
        return ""
    (mask,) = struct.unpack_from("=I", buffer, _MASK_AT)
    if not mask & _STATX_MNT_ID_UNIQUE:
        return ""
    (number,) = struct.unpack_from("=Q", buffer, _MOUNT_ID_AT)
    # One mount of btrfs contains several subvolumes, each with its own device number and inode numbers.
    device = os.fstat(descriptor).st_dev
    return xxhash.xxh3_64_hexdigest(f"{boot} {number} {device}".encode())


def _type(descriptor: int) -> int | None:
    fstatfs = getattr(_libc(), "fstatfs", None)
    buffer = ctypes.create_string_buffer(_STATFS_BYTES)
    if fstatfs is None or fstatfs(descriptor, buffer) != 0:
        return None
    return ctypes.c_long.from_buffer(buffer).value


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


@cache
def _boot_id() -> str:
    """Empty if the kernel has none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
