"""Forward the packets of an emulated link: rate, delay, overflowing queue, seeded losses, outages.

A separate process, and cheap although in Python: 50 Mbit/s are 4,000 packets per second in each direction. It reports
how late it forwarded, because without a free processor the results would describe the machine instead of the link.
"""

from __future__ import annotations

import gc
import json
import math
import os
import random
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace

BIN_SECONDS = 0.1
_LATE = 0.005
_BATCH = 64
_LARGEST_PACKET = 65535


@dataclass(frozen=True, slots=True)
class Conditions:
    """Properties of a link, the same in both directions. Times are seconds."""

    bits_per_second: float
    round_trip: float
    loss: float = 0.0
    """Share of packets lost at random."""
    queue: float = 0.2
    """Longest wait at the bottleneck; a packet that would wait longer is dropped."""
    outages: tuple[tuple[float, float], ...] = ()
    """Start, counted from `begin`, and length. All packets are dropped silently."""
    seed: int = 1

    @property
    def bytes_per_second(self) -> float:
        return self.bits_per_second / 8

    def is_down(self, moment: float) -> bool:
        return any(start <= moment < start + length for start, length in self.outages)

    def up_seconds(self, seconds: float) -> float:
        """Seconds without an outage among the first `seconds`."""
        return seconds - sum(max(0.0, min(seconds, start + length) - start) for start, length in self.outages)


@dataclass(slots=True)
class DirectionCounts:
    """Counts of one direction."""

    carried: int = 0
    """Bytes of IP packets."""
    packets: int = 0
    lost: int = 0
    """Lost at random and in outages."""
    overflowed: int = 0
    late: int = 0
    """Packets that this process forwarded more than 5 ms late."""
    latest: float = 0.0
    bins: list[int] = field(default_factory=list)
    """Bytes carried in each tenth of a second."""


class Direction:
    """One direction of the link: a packet is lost, dropped or due at a time. Times are seconds since `begin`."""

    def __init__(self, conditions: Conditions, seed: int) -> None:
        self._conditions = conditions
        self._delay = conditions.round_trip / 2
        self._chance = random.Random(seed).random
        self._free_at = -math.inf
        self._in_transit: deque[tuple[float, bytes]] = deque()
        self.counts = DirectionCounts()

    def offer(self, packet: bytes, now: float) -> None:
        if self._chance() < self._conditions.loss or self._conditions.is_down(now):
            self.counts.lost += 1
            return
        starts = max(now, self._free_at)
        if starts - now > self._conditions.queue:
            self.counts.overflowed += 1
            return
        self._free_at = starts + len(packet) / self._conditions.bytes_per_second
        self._in_transit.append((self._free_at + self._delay, packet))

    def arrivals(self, now: float) -> Iterator[bytes]:
        """Packets that have arrived at the other end by now."""
        while self._in_transit and self._in_transit[0][0] <= now:
            due, packet = self._in_transit.popleft()
            if self._conditions.is_down(due):
                self.counts.lost += 1
                continue
            self._count(len(packet), now, now - due)
            yield packet

    @property
    def next_due(self) -> float:
        return self._in_transit[0][0] if self._in_transit else math.inf

    def _count(self, size: int, now: float, late: float) -> None:
        counts = self.counts
        counts.carried += size
        counts.packets += 1
        counts.late += late > _LATE
        counts.latest = max(counts.latest, late)
        index = max(0, int(now / BIN_SECONDS))
        counts.bins += [0] * (index + 1 - len(counts.bins))
        counts.bins[index] += size


def carry(
    conditions: Conditions, near: int, far: int, control: int, clock: Callable[[], float] = time.monotonic
) -> dict[str, object]:
    """Forward between two TUN devices until `control` closes. Losses and counts begin with a byte from `control`."""
    calm = replace(conditions, loss=0.0, outages=())
    up, down = Direction(calm, 0), Direction(calm, 0)
    began = clock()
    poller = select.poll()
    for descriptor in (near, far, control):
        poller.register(descriptor, select.POLLIN)
    while True:
        wait = min(up.next_due, down.next_due) - (clock() - began)
        events = poller.poll(None if wait == math.inf else max(0, math.ceil(wait * 1000)))
        now = clock() - began
        for descriptor, _ in events:
            if descriptor != control:
                _read_all(descriptor, up if descriptor == near else down, now)
            elif os.read(control, 1):
                began = clock()
                up, down = Direction(conditions, conditions.seed), Direction(conditions, conditions.seed + 1)
                now = 0.0
            else:
                return {
                    "seconds": now,
                    "cpu": time.process_time(),
                    "up": asdict(up.counts),
                    "down": asdict(down.counts),
                }
        _forward(up, far, now)
        _forward(down, near, now)


def _read_all(descriptor: int, direction: Direction, now: float) -> None:
    for _ in range(_BATCH):
        try:
            packet = os.read(descriptor, _LARGEST_PACKET)
        except BlockingIOError:
            return
        direction.offer(packet, now)


def _forward(direction: Direction, descriptor: int, now: float) -> None:
    for packet in direction.arrivals(now):
        try:
            os.write(descriptor, packet)
        except OSError:  # the device's own queue is full, another bottleneck that overflows
            direction.counts.overflowed += 1


def _raise_priority() -> None:
    """Run before other processes, if permitted; otherwise packets are late, and the counts say so."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (AttributeError, OSError):
        pass


def main(arguments: Sequence[str]) -> None:
    """Arguments: descriptors of the near and far device, conditions as JSON. Prints the counts as JSON."""
    near, far, conditions = int(arguments[0]), int(arguments[1]), json.loads(arguments[2])
    conditions["outages"] = tuple((start, length) for start, length in conditions["outages"])
    _raise_priority()
    gc.disable()  # no cycles arise here, and a collection is a pause
    print(json.dumps(carry(Conditions(**conditions), near, far, sys.stdin.fileno())), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
