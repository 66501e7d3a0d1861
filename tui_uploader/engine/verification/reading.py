"""Read files of a card from beginning to end and hash them, many in one call of a thread.

Nothing is taken from memory of earlier reads. A file that was written to a moment ago is not read yet: file systems
date changes in steps of up to two seconds, so a second change in the same step would not show.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import xxhash

from tui_uploader.errors import SourceError, SourceVanished
from tui_uploader.intake.scan import Candidate
from tui_uploader.intake.source import cause, open_folder, open_in, open_source, source_error

_BUFFER_SIZE = 1 << 20
_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class FileToRead:
    found: Candidate
    """As the walk found it."""
    real: str
    """Its path without symbolic links."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The outcome of reading one file: its identity, a reason why it could not be read, or neither: it is too young."""

    found: Candidate
    """As it was when it was read."""
    identity: str | None = None
    """xxh3-128 of the content, 32 hex digits."""
    reason: str | None = None
    vanished: bool = False
    """Its card may be gone."""
    changing: bool = False
    """It was written to a moment ago, or while it was read."""


@dataclass(eq=False, slots=True)
class ReadCall:
    """One call of a thread, as the event loop sees it."""

    bytes: int = 0
    """Read so far; set by the thread."""
    files: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set by the event loop: the results are no longer wanted."""

    def moved(self) -> tuple[int, int]:
        """Changes as long as the card answers."""
        return self.files, self.bytes


class _ThreadBuffer(threading.local):
    def __init__(self) -> None:
        self.view = memoryview(bytearray(_BUFFER_SIZE))


_buffer = _ThreadBuffer()


def read_files(
    files: Sequence[FileToRead], call: ReadCall, settle_seconds: float, now: Callable[[], float] = time.time
) -> list[ReadFile]:
    """Read all files, or those until `call` is stopped. Blocking: for a thread. Raises nothing.

    `settle_seconds`: how long ago the newest change of a file has to be. `now`: the clock of the file system.
    """
    outcomes = []
    with _Folder() as folder:
        for file in files:
            if call.stopped.is_set():
                break
            outcome = _read(file, folder, call, settle_seconds, now)
            if outcome is None:
                break
            outcomes.append(outcome)
            call.files += 1
    return outcomes


class _Folder:
    """The folder of the file that was opened last: many files in a row are in one, and each step on the way to it is
    a call of its own."""

    def __init__(self) -> None:
        self._real = ""
        self._descriptor: int | None = None

    def __enter__(self) -> _Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    @contextlib.contextmanager
    def opened(self, file: FileToRead) -> Iterator[tuple[int, os.stat_result]]:
        """As `open_source`."""
        path = file.found.path
        folder, _, name = file.real.rpartition("/")
        try:
            if self._descriptor is None or folder != self._real:
                self._leave()
                self._descriptor, self._real = open_folder(path, folder), folder
            descriptor = open_in(self._descriptor, path, name)
        except OSError as error:
            raise source_error(path, error) from error
        try:
            with open_source(path, descriptor) as found:
                yield found
        finally:
            os.close(descriptor)

    def _leave(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _read(
    file: FileToRead, folder: _Folder, call: ReadCall, settle_seconds: float, now: Callable[[], float]
) -> ReadFile | None:
    """None: stopped."""
    begun = call.bytes
    try:
        with folder.opened(file) as (descriptor, before):
            seen = _as_seen(file.found, before)
            newest = max(before.st_mtime_ns, before.st_ctime_ns) / _NANOSECONDS
            if 0 <= now() - newest < settle_seconds:
                return ReadFile(seen, changing=True)
            identity = _hashed(descriptor, call)
            if identity is None:
                return None
            after = os.fstat(descriptor)
    except SourceError as error:
        call.bytes = begun
        return ReadFile(file.found, reason=_reason(error), vanished=isinstance(error, SourceVanished))
    facts = (before.st_size, before.st_mtime_ns, before.st_ctime_ns)
    if facts != (after.st_size, after.st_mtime_ns, after.st_ctime_ns) or call.bytes - begun != after.st_size:
        call.bytes = begun
        return ReadFile(_as_seen(file.found, after), changing=True)
    return ReadFile(seen, identity)


def _reason(error: SourceError) -> str:
    if isinstance(error, SourceVanished):
        return "vanished during the verification"
    return f"cannot be read: {cause(error.__cause__)}" if isinstance(error.__cause__, OSError) else error.message


def _hashed(descriptor: int, call: ReadCall) -> str | None:
    identity, view, stopped = xxhash.xxh3_128(), _buffer.view, call.stopped
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    while count := os.readv(descriptor, [view]):
        identity.update(view[:count])
        call.bytes += count
        if stopped.is_set():
            return None
    return identity.hexdigest()


def _as_seen(found: Candidate, status: os.stat_result) -> Candidate:
    """The file as it is now. Its mount stays the one of the walk: a later walk shows whether it was another."""
    ctime_ns = None if found.ctime_ns is None else status.st_ctime_ns
    return Candidate(found.path, status.st_size, status.st_mtime_ns, status.st_ino, ctime_ns, found.mount)
