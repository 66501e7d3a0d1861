"""Standard streams whose writes never fail; the first error is recorded.

A command's work must not depend on its output: a log on a full disk, a pipe that `head` has closed, a stream that cron
has closed. During a command, stdout and stderr are replaced by streams that record the first error and drop the rest.
Otherwise the interpreter's last flush could fail, and the program would exit with 120.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

from tui_uploader.text import without_ornament

OUTPUT_LOST = getattr(os, "EX_IOERR", 74)
"""Exit code of a command that only shows something and could not write it."""
READER_GONE = 128 + 13
"""The same where the reader of a pipe has gone: as shells report a program that SIGPIPE ended."""

_STDIN, _STDOUT, _STDERR = 0, 1, 2


class UnfailingStream(io.TextIOBase):
    """A text stream that never raises: after the first error, everything is dropped.

    `stream` is None where the program was started with the descriptor closed.
    """

    def __init__(self, stream: TextIO | None, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._stream = stream
        self.ascii_only = ascii_only
        """Write our own typographic characters as ASCII, and report ASCII as the encoding to libraries."""
        self.error: OSError | ValueError | None = None
        """Why the first failed write failed."""

    @property
    def works(self) -> bool:
        """False when nothing can be written any more."""
        return self._stream is not None and self.error is None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "ascii" if self.ascii_only else getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "backslashreplace"

    def write(self, text: str) -> int:
        if self._stream is not None and self.error is None:
            try:
                self._stream.write(without_ornament(text) if self.ascii_only else text)
            except (OSError, ValueError) as error:  # ValueError: the stream was closed within the program
                self._lose(error)
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Write bytes as they are, whatever the encoding of the session."""
        binary = getattr(self._stream, "buffer", None)
        if binary is None:
            self.write(data.decode("utf-8", "surrogateescape"))
        elif self.error is None:
            try:
                self._stream.flush()  # type: ignore[union-attr]
                binary.write(data)
            except (OSError, ValueError) as error:
                self._lose(error)

    def flush(self) -> None:
        if self._stream is not None and self.error is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.works and self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Raises io.UnsupportedOperation where there is no descriptor."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def lose_reader(self) -> None:
        """Record that the reader has gone, before any write has failed."""
        if self.error is None:
            self._lose(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def _lose(self, error: OSError | ValueError) -> None:
        self.error = error
        # The interpreter writes the rest of the buffer at its end: send that to /dev/null, where nothing fails.
        with contextlib.suppress(OSError, ValueError):
            descriptor = self.fileno()
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, descriptor)
            os.close(null)


def open_closed_descriptors() -> None:
    """Open /dev/null as stdin, stdout and stderr where the program was started with them closed.

    Otherwise the next file or socket that is opened would get one of these numbers, and receive what is written there.
    """
    for descriptor in (_STDIN, _STDOUT, _STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is this one: those below are open by now.
            os.open(os.devnull, os.O_RDONLY if descriptor == _STDIN else os.O_WRONLY)
            os.set_inheritable(descriptor, True)
    if sys.stdin is None:
        sys.stdin = os.fdopen(_STDIN, closefd=False)


@contextlib.contextmanager
def unfailing(*, unicode_shown: bool) -> Iterator[None]:
    """Replace stdout and stderr by `UnfailingStream`s until the block ends; then flush them."""
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            # A character that the stream cannot encode is escaped instead of raising.
            stream.reconfigure(errors="backslashreplace")
    outputs = [UnfailingStream(stream, ascii_only=not (unicode_shown and _is_utf8(stream))) for stream in before]
    sys.stdout, sys.stderr = outputs
    try:
        yield
    finally:
        for output in outputs:
            output.flush()
        sys.stdout, sys.stderr = before


def _is_utf8(stream: TextIO | None) -> bool:
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"


def loss_of(stream: object) -> tuple[int, str | None] | None:
    """The exit code of a command that could not write its answer to `stream`, and the error message.

    None if everything was written, or if the command was started with the stream closed and so needs no answer. There
    is no message for a pipe whose reader has gone.
    """
    error = stream.error if isinstance(stream, UnfailingStream) else None
    if error is None:
        return None
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return READER_GONE, None
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return OUTPUT_LOST, f"The answer could not be written to stdout: {reason}."
