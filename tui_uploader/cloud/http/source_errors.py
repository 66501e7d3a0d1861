"""What it means when a file does not give the bytes that it should."""

from __future__ import annotations

import errno
import os

from tui_uploader.cloud.contract import ByteRange
from tui_uploader.errors import SourceChanged, SourceUnreadable
from tui_uploader.text import printable

_BROKEN_SOURCE = frozenset({errno.EIO, errno.EBADMSG, errno.ENODATA, errno.ESTALE, errno.EBADF, errno.EISDIR})


def blamed(error: OSError, span: ByteRange, offset: int) -> Exception:
    """Of an error of `sendfile`, which may be the file's or the socket's: the file is asked for its next byte."""
    try:
        os.pread(span.file.fileno(), 1, offset)
    except OSError as of_file:
        return unreadable(of_file, span)
    return unreadable(error, span) if error.errno in _BROKEN_SOURCE else error


def unreadable(error: OSError, span: ByteRange) -> SourceUnreadable:
    return SourceUnreadable(f"{_name_of(span)} cannot be read any more: {error.strerror}.")


def shrunk(span: ByteRange) -> SourceChanged:
    return SourceChanged(f"{_name_of(span)} became shorter while it was being sent.")


def _name_of(span: ByteRange) -> str:
    return printable(span.path or str(getattr(span.file, "name", "The file")))
