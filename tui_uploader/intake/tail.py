"""What the end of a file tells about whether it was written to its end.

Programs that copy files often give the copy its full size first. Until they have written the rest, it reads as zeros,
and it stays that way where the copy was broken off.
"""

from __future__ import annotations

from typing import BinaryIO

FARTHEST_LOOK = 1 << 20
_FIRST_LOOK = 1 << 12


def ends_in_zeros(file: BinaryIO, size: int) -> int:
    """How many bytes at the end of a file of `size` bytes are zero, counting at most the last `FARTHEST_LOOK`.

    Reads 4 KiB from the end of most files; more only where those are all zeros. Moves the file's position.
    """
    zeros, look = 0, _FIRST_LOOK
    most = min(size, FARTHEST_LOOK)
    while zeros < most:
        length = min(look, most - zeros)
        file.seek(size - zeros - length)
        chunk = file.read(length)
        run = len(chunk) - len(chunk.rstrip(b"\0"))
        zeros += run
        if run < length:
            break
        look *= 4
    return zeros
