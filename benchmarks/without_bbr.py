"""`python -m benchmarks.without_bbr COMMAND …`: run COMMAND without the permission to choose congestion control.

Many machines in the field allow their users only cubic and reno. This machine may allow all, and the setting is global.
So a system call filter (seccomp(2)) refuses the option to one program and its children, with the kernel's error.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys

_SETSOCKOPT = {"x86_64": 54, "aarch64": 208}  # <asm/unistd.h>
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2  # <linux/prctl.h>, <linux/seccomp.h>
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # <linux/filter.h>: LD|W|ABS, JMP|JEQ|K, RET|K
_NUMBER_AT, _LEVEL_AT, _OPTION_AT = 0, 24, 32
"""Offsets in `struct seccomp_data`: call number, and the lower halves of the second and third argument."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def bbr_known() -> bool:
    """Whether this kernel has BBR."""
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
        except OSError as error:
            return error.errno == errno.EPERM
    return True


def refuse_choice() -> None:
    """Refuse it to this process and its children, permanently. Raises OSError when the kernel rejects the filter."""
    call = _SETSOCKOPT.get(platform.machine())
    if call is None:
        raise OSError(errno.ENOSYS, f"the number of setsockopt is not known for {platform.machine()}")
    code = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (_LOAD, 0, 0, _NUMBER_AT),
            (_JUMP_IF_EQUAL, 0, 5, call),
            (_LOAD, 0, 0, _LEVEL_AT),
            (_JUMP_IF_EQUAL, 0, 3, socket.IPPROTO_TCP),
            (_LOAD, 0, 0, _OPTION_AT),
            (_JUMP_IF_EQUAL, 0, 1, socket.TCP_CONGESTION),
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
            (_RETURN, 0, 0, _ALLOW),
        )
    )
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    refuse_choice()
    os.execvp(sys.argv[1], sys.argv[1:])
