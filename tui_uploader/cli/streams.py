"""The standard streams of a command: writing to them never fails, and what could not be written is remembered.

A command's work must not depend on whether its words can be shown: a log on a full disk, a pipe that `head` has left,
a stream that cron has closed. So stdout and stderr are replaced for the time of a command by streams that take note of
the first error and drop the rest, and the interpreter has nothing left to complain about when it flushes at its end
(it would exit with 120).
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
"""Exit code of a command whose answer is all that it does, and which could not write it."""
READER_GONE = 128 + 13
"""The same where the reader of a pipe has left: what shells report for a program that SIGPIPE ended."""

_STDIN, _STDOUT, _STDERR = 0, 1, 2


class Output(io.TextIOBase):
    """A stream for text that never raises: from the first error on, everything is dropped.

    `stream` is None where the program was started with the descriptor closed.
    """

    def __init__(self, stream: TextIO | None, *, ascii_only: bool = False) -> None:
        super().__init__()
        self._stream = stream
        self.ascii_only = ascii_only
        """Write our own typographic characters as ASCII, and tell libraries that nothing else can be shown."""
        self.error: OSError | ValueError | None = None
        """Why something could not be written."""

    @property
    def is_heard(self) -> bool:
        """False when nothing that is written can arrive."""
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

    def flush(self) -> None:
        if self._stream is not None and self.error is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.is_heard and self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Raises io.UnsupportedOperation where there is no descriptor."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def lose_reader(self) -> None:
        """Take note that the reader has left, which nothing that was written has shown yet."""
        if self.error is None:
            self._lose(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def _lose(self, error: OSError | ValueError) -> None:
        self.error = error
        # What is still buffered is written by the interpreter when it ends: it must go where nothing fails.
        with contextlib.suppress(OSError, ValueError):
            descriptor = self.fileno()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


def open_closed_descriptors() -> None:
    """Let stdin, stdout and stderr lead to nowhere where the program was started with them closed.

    Otherwise the next file or socket that is opened gets the number of one of them, and with it what anybody writes
    there.
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
    """Stdout and stderr as `Output` until the block ends, and flushed then."""
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):
            # A character that the stream cannot carry is escaped; it must not end the command.
            stream.reconfigure(errors="backslashreplace")
    outputs = [Output(stream, ascii_only=not (unicode_shown and _is_utf8(stream))) for stream in before]
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
    """The exit code of a command that could not write its answer to `stream`, and the sentence about it.

    None when everything was written, or when whoever started the command had closed the stream and wants no answer.
    The reader of a pipe knows that it has left, so there is no sentence about that.
    """
    error = stream.error if isinstance(stream, Output) else None
    if error is None:
        return None
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return READER_GONE, None
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return OUTPUT_LOST, f"The answer could not be written to stdout: {reason}."
