"""The MD5 of a body: what stores that give no checksum are asked to compare, and mostly have as the ETag."""

from __future__ import annotations

import hashlib
import os
import time

from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.source_errors import shrunk, unreadable

_READ_AT_A_TIME = 1024**2


class FileRead:
    """What a thread that reads a file tells of the disk, and how it is told to stop."""

    def __init__(self) -> None:
        self.stopped = False
        self.since: tuple[float, str] | None = None
        """Since when (monotonic) it waits for the disk, and for which file; None: it does not."""


def md5_of(body: ByteRange, reading: FileRead) -> bytes:
    """Blocking: call it in a thread. Raises SourceUnreadable, SourceChanged where the file has become shorter."""
    digest = hashlib.md5(usedforsecurity=False)
    done = 0
    while done < body.length and not reading.stopped:
        reading.since = (time.monotonic(), body.path)
        try:
            data = os.pread(body.file.fileno(), min(_READ_AT_A_TIME, body.length - done), body.offset + done)
        except OSError as error:
            raise unreadable(error, body) from error
        finally:
            reading.since = None
        if not data:
            raise shrunk(body)
        digest.update(data)
        done += len(data)
    return digest.digest()
