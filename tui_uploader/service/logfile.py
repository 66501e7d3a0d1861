"""The engine's log: bounded, readable by its user only, also for the output of libraries."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tui_uploader.errors import EngineWillNotStart
from tui_uploader.redaction import without_secrets
from tui_uploader.text import printable

LARGEST_FILE = 1024**2
OLD_FILES = 2

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogFormatter(logging.Formatter):
    """Removes the secrets that this process knows from lines and tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class PrivateLog(RotatingFileHandler):
    """Three files of at most 1 MiB, mode 0600; with `capture_output`, stdout and stderr go to the newest one."""

    def __init__(self, path: Path, *, capture_output: bool) -> None:
        self._capture_output = capture_output
        super().__init__(
            path, maxBytes=LARGEST_FILE, backupCount=OLD_FILES, encoding="utf-8", errors="backslashreplace"
        )

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)
        if self._capture_output:
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
        return os.fdopen(descriptor, "a", encoding=self.encoding, errors=self.errors)


@contextlib.contextmanager
def logging_to(path: Path, *, foreground: bool) -> Iterator[None]:
    """Log to `path`; in the foreground also to stderr, in the background stdout and stderr are redirected to it.

    Raises EngineWillNotStart.
    """
    try:
        handlers: list[logging.Handler] = [PrivateLog(path, capture_output=not foreground)]
    except OSError as error:
        raise EngineWillNotStart(
            f"Cannot start the engine: cannot write its log {printable(os.fspath(path))} ({error.strerror})."
        ) from error
    if foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    root = logging.getLogger()
    logging.raiseExceptions = False  # no traceback for each line when the log cannot be written
    for handler in handlers:
        handler.setFormatter(LogFormatter(_FORMAT))
        root.addHandler(handler)
    # Libraries log every request with its signed URL; only their warnings are useful.
    logging.getLogger("tui_uploader").setLevel(logging.INFO)
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
