"""Bytes of running transfers and of incomplete files, by file and upload; in memory only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tui_uploader.engine.status.eta import RateMemory, RateMeter


class RunningTransfer:
    """One request body that is being sent. `note_sent` is called in the sending thread and only sets a number."""

    __slots__ = ("_progress", "file", "sent", "size", "upload")

    def __init__(self, progress: TransferProgress, upload: int, file: int, size: int) -> None:
        self._progress = progress
        self.upload = upload
        self.file = file
        self.size = size
        self.sent = 0

    def note_sent(self, sent: int) -> None:
        self.sent = sent

    def stored(self) -> None:
        """The file is stored: from now on the journal counts its bytes."""
        self._progress.note_stored(self)

    def stored_as_part(self) -> None:
        """The part is stored, but its file is not complete yet."""
        self._progress.note_stored(self)
        self._progress.add_part(self)


class TransferProgress:
    """Bytes of running transfers, and of stored parts of files that are not complete yet."""

    def __init__(self, in_parts: Mapping[int, tuple[int, int]], changed: Callable[[], None] = lambda: None) -> None:
        """`in_parts`: upload and bytes, by file. `changed` is called when a transfer begins or ends."""
        self._changed = changed
        self._running: set[RunningTransfer] = set()
        self._in_parts = dict(in_parts)
        self._stored: dict[int, int] = defaultdict(int)
        self.meters: dict[int, RateMeter] = defaultdict(RateMeter)
        self.meter = RateMeter()
        self.rates = RateMemory()

    @contextmanager
    def transferring(self, upload: int, file: int, size: int) -> Iterator[RunningTransfer]:
        """Count a body of `size` bytes while it is sent; after the block its bytes count only if it was stored."""
        transfer = RunningTransfer(self, upload, file, size)
        self._running.add(transfer)
        self._changed()
        try:
            yield transfer
        finally:
            self._running.discard(transfer)
            self._changed()

    def note_stored(self, transfer: RunningTransfer) -> None:
        self._running.discard(transfer)
        self._stored[transfer.upload] += transfer.size

    def add_part(self, transfer: RunningTransfer) -> None:
        _, before = self._in_parts.get(transfer.file, (transfer.upload, 0))
        self._in_parts[transfer.file] = (transfer.upload, before + transfer.size)

    def set_all_parts(self, in_parts: Mapping[int, tuple[int, int]]) -> None:
        """Upload and confirmed bytes of every unfinished file, by file, as the journal has them."""
        self._in_parts = dict(in_parts)

    def set_parts(self, upload: int, file: int, size: int) -> None:
        """`size` bytes of the unfinished file are confirmed."""
        self._in_parts[file] = (upload, size)

    def forget_parts(self, file: int) -> None:
        self._in_parts.pop(file, None)

    @property
    def running(self) -> int:
        return len(self._running)

    def moving(self) -> dict[int, int]:
        """Number of files that streams carry now, by upload; a file of which several parts are sent counts once."""
        return Counter(upload for upload, _ in {(transfer.upload, transfer.file) for transfer in self._running})

    def moving_files(self) -> frozenset[int]:
        """Files that streams carry now."""
        return frozenset(transfer.file for transfer in self._running)

    def sent_of_files(self) -> dict[int, int]:
        """Bytes sent of every incomplete file, by file."""
        sent: dict[int, int] = defaultdict(int)
        for file, (_, size) in self._in_parts.items():
            sent[file] += size
        for transfer in self._running:
            sent[transfer.file] += transfer.sent
        return sent

    def sent_of_uploads(self) -> dict[int, int]:
        """The same by upload."""
        sent: dict[int, int] = defaultdict(int)
        for upload, size in self._in_parts.values():
            sent[upload] += size
        for transfer in self._running:
            sent[transfer.upload] += transfer.sent
        return sent

    @property
    def sent_by_running(self) -> int:
        """Bytes sent of running transfers."""
        return sum(transfer.sent for transfer in self._running)

    @property
    def sent_since_start(self) -> int:
        """Bytes sent since the engine started, of stored bodies and running transfers."""
        return sum(self._stored.values()) + sum(transfer.sent for transfer in self._running)

    def measure(self, now: float, cap: int | None = None) -> None:
        """Take a sample of the bytes sent by each upload, and by all, while something is being sent.

        `now`: monotonic seconds; `cap`: the limit that applies, in bytes a second.
        """
        moving: dict[int, int] = defaultdict(int)
        for transfer in self._running:
            moving[transfer.upload] += transfer.sent
        for upload in self._stored.keys() | moving.keys():
            self.meters[upload].note(now, self._stored[upload] + moving[upload])
        self.meter.note(now, self.sent_since_start)
        self.rates.note(now, self.sent_since_start, cap)

    def goodput(self, now: float) -> float | None:
        """Bytes a second of all transfers; None while there is no measurement."""
        return self.meter.rate(now) or None
