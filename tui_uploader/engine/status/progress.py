"""What moves right now, in memory only: bytes under way, by file and upload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tui_uploader.engine.status.eta import RateMeter


class Flight:
    """One body on its way. `note_sent` runs in the sending thread and only ever sets a number."""

    __slots__ = ("_live", "file", "sent", "size", "upload")

    def __init__(self, live: Live, upload: int, file: int, size: int) -> None:
        self._live = live
        self.upload = upload
        self.file = file
        self.size = size
        self.sent = 0

    def note_sent(self, sent: int) -> None:
        self.sent = sent

    def land(self) -> None:
        """The file is stored: the journal counts its bytes from now on."""
        self._live.land(self)

    def land_as_part(self) -> None:
        """The part is stored, and its file is not whole yet."""
        self._live.land(self)
        self._live.add_part(self)


class Live:
    """The bytes of every flight, and of parts that arrived of files that are not whole yet."""

    def __init__(self, in_parts: Mapping[int, tuple[int, int]]) -> None:
        """`in_parts`: upload and bytes, by file."""
        self._flights: set[Flight] = set()
        self._in_parts = dict(in_parts)
        self._landed: dict[int, int] = defaultdict(int)
        self.meters: dict[int, RateMeter] = defaultdict(RateMeter)
        self.meter = RateMeter()

    @contextmanager
    def flight(self, upload: int, file: int, size: int) -> Iterator[Flight]:
        """A body of `size` bytes goes out; unless it lands before the end, its bytes no longer count."""
        flight = Flight(self, upload, file, size)
        self._flights.add(flight)
        try:
            yield flight
        finally:
            self._flights.discard(flight)

    def land(self, flight: Flight) -> None:
        self._flights.discard(flight)
        self._landed[flight.upload] += flight.size

    def add_part(self, flight: Flight) -> None:
        _, before = self._in_parts.get(flight.file, (flight.upload, 0))
        self._in_parts[flight.file] = (flight.upload, before + flight.size)

    def set_all_parts(self, in_parts: Mapping[int, tuple[int, int]]) -> None:
        """Upload and confirmed bytes of every unfinished file, by file, as the journal has them."""
        self._in_parts = dict(in_parts)

    def set_parts(self, upload: int, file: int, size: int) -> None:
        """`size` bytes of the unfinished file are confirmed."""
        self._in_parts[file] = (upload, size)

    def forget_parts(self, file: int) -> None:
        self._in_parts.pop(file, None)

    @property
    def flights(self) -> int:
        return len(self._flights)

    def sent_of_files(self) -> dict[int, int]:
        """Bytes sent of every file that is not whole yet, by file."""
        sent: dict[int, int] = defaultdict(int)
        for file, (_, size) in self._in_parts.items():
            sent[file] += size
        for flight in self._flights:
            sent[flight.file] += flight.sent
        return sent

    def sent_of_uploads(self) -> dict[int, int]:
        """The same by upload."""
        sent: dict[int, int] = defaultdict(int)
        for upload, size in self._in_parts.values():
            sent[upload] += size
        for flight in self._flights:
            sent[flight.upload] += flight.sent
        return sent

    @property
    def sent_in_flight(self) -> int:
        """Bytes that left of the bodies that are on their way."""
        return sum(flight.sent for flight in self._flights)

    @property
    def sent_since_start(self) -> int:
        """Bytes that left since the engine started, of bodies that landed or are on their way."""
        return sum(self._landed.values()) + sum(flight.sent for flight in self._flights)

    def measure(self, now: float) -> None:
        """Note what every upload, and the engine as a whole, has sent since it started (monotonic seconds)."""
        moving: dict[int, int] = defaultdict(int)
        for flight in self._flights:
            moving[flight.upload] += flight.sent
        for upload in self._landed.keys() | moving.keys():
            self.meters[upload].note(now, self._landed[upload] + moving[upload])
        self.meter.note(now, self.sent_since_start)

    def goodput(self, now: float) -> float | None:
        """Bytes a second of the engine as a whole; None while nothing was measured."""
        return self.meter.rate(now) or None
