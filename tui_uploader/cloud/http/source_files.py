"""Files that are being sent: hashing a part of one, and the errors of a file that stops giving its bytes."""

from __future__ import annotations

import errno
import hashlib
import os
import time

from tui_uploader.cloud.contract import ByteRange
from tui_uploader.errors import SourceChanged, SourceUnreadable
from tui_uploader.text import printable

_READ_SIZE = 1024**2
_FILE_ERRORS = frozenset({errno.EIO, errno.EBADMSG, errno.ENODATA, errno.ESTALE, errno.EBADF, errno.EISDIR})


class FileRead:
    """The state of a thread that reads a file, for the event loop to watch and to stop."""

    def __init__(self) -> None:
        self.stopped = False
        self.since: tuple[float, str] | None = None
        """Since when (monotonic) the thread has waited for the disk, and for which file; None: it is not waiting."""


def md5_of(body: ByteRange, reading: FileRead) -> bytes:
    """The MD5 digest of a body. Blocks, so call it in a thread.

    Raises SourceUnreadable, and SourceChanged where the file has become shorter.
    """
    digest = hashlib.md5(usedforsecurity=False)
    done = 0
    while done < body.length and not reading.stopped:
        reading.since = (time.monotonic(), body.path)
        try:
            data = os.pread(body.file.fileno(), min(_READ_SIZE, body.length - done), body.offset + done)
        except OSError as error:
            raise unreadable(error, body) from error
        finally:
            reading.since = None
        if not data:
            raise shrunk(body)
        digest.update(data)
        done += len(data)
    return digest.digest()


def sendfile_error(error: OSError, body: ByteRange, offset: int) -> Exception:
    """The error of `os.sendfile`, which does not say whether the file or the socket failed.

    Reads the next byte of the file to find out.
    """
    try:
        os.pread(body.file.fileno(), 1, offset)
    except OSError as of_file:
        return unreadable(of_file, body)
    return unreadable(error, body) if error.errno in _FILE_ERRORS else error


def unreadable(error: OSError, body: ByteRange) -> SourceUnreadable:
    return SourceUnreadable(f"{_name_of(body)} cannot be read any more: {error.strerror}.")


def shrunk(body: ByteRange) -> SourceChanged:
    return SourceChanged(f"{_name_of(body)} became shorter while it was being sent.")


def _name_of(body: ByteRange) -> str:
    return printable(body.path or str(getattr(body.file, "name", "The file")))
