"""Carries the packets of an emulated link: a rate, a delay, a queue that overflows, losses by seed, outages.

A process of its own, in Python and yet cheap: 50 Mbit/s are 4,000 packets a second and as many back. It says how late
it was itself, because figures of a link that had no processor when it was due are figures of the machine.
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
    """What a link is like; both ways alike. Times are seconds."""

    bits_per_second: float
    round_trip: float
    loss: float = 0.0
    """Share of the packets that vanish, by chance."""
    queue: float = 0.2
    """How long a packet may have to wait at the bottleneck; one that would wait longer is dropped."""
    outages: tuple[tuple[float, float], ...] = ()
    """Start, counted from `begin`, and length. Nothing gets through, and nobody is told."""
    seed: int = 1

    @property
    def bytes_per_second(self) -> float:
        return self.bits_per_second / 8

    def dark(self, moment: float) -> bool:
        return any(start <= moment < start + length for start, length in self.outages)

    def lit_seconds(self, seconds: float) -> float:
        """How much of the first `seconds` was in no outage."""
        return seconds - sum(max(0.0, min(seconds, start + length) - start) for start, length in self.outages)


@dataclass(slots=True)
class OneWay:
    """What one direction did."""

    carried: int = 0
    """Bytes of IP packets."""
    packets: int = 0
    lost: int = 0
    """By chance, and in outages."""
    overflowed: int = 0
    late: int = 0
    """Packets that this process passed on more than 5 ms after they were due."""
    latest: float = 0.0
    bins: list[int] = field(default_factory=list)
    """Bytes carried in each tenth of a second."""


class Direction:
    """One way of the link: what is offered is lost, dropped or due at a moment. Moments are seconds since `begin`."""

    def __init__(self, conditions: Conditions, seed: int) -> None:
        self._conditions = conditions
        self._delay = conditions.round_trip / 2
        self._chance = random.Random(seed).random
        self._free_at = -math.inf
        self._flight: deque[tuple[float, bytes]] = deque()
        self.did = OneWay()

    def offer(self, packet: bytes, now: float) -> None:
        if self._chance() < self._conditions.loss or self._conditions.dark(now):
            self.did.lost += 1
            return
        starts = max(now, self._free_at)
        if starts - now > self._conditions.queue:
            self.did.overflowed += 1
            return
        self._free_at = starts + len(packet) / self._conditions.bytes_per_second
        self._flight.append((self._free_at + self._delay, packet))

    def arrivals(self, now: float) -> Iterator[bytes]:
        """What has come to the other end by now."""
        while self._flight and self._flight[0][0] <= now:
            due, packet = self._flight.popleft()
            if self._conditions.dark(due):
                self.did.lost += 1
                continue
            self._count(len(packet), now, now - due)
            yield packet

    @property
    def next_due(self) -> float:
        return self._flight[0][0] if self._flight else math.inf

    def _count(self, size: int, now: float, late: float) -> None:
        did = self.did
        did.carried += size
        did.packets += 1
        did.late += late > _LATE
        did.latest = max(did.latest, late)
        index = max(0, int(now / BIN_SECONDS))
        did.bins += [0] * (index + 1 - len(did.bins))
        did.bins[index] += size


def carry(
    conditions: Conditions, near: int, far: int, control: int, clock: Callable[[], float] = time.monotonic
) -> dict[str, object]:
    """Carry between two TUN devices until `control` ends. A byte from `control` begins: until then nothing is lost."""
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
                return {"seconds": now, "cpu": time.process_time(), "up": asdict(up.did), "down": asdict(down.did)}
        _pass_on(up, far, now)
        _pass_on(down, near, now)


def _read_all(descriptor: int, direction: Direction, now: float) -> None:
    for _ in range(_BATCH):
        try:
            packet = os.read(descriptor, _LARGEST_PACKET)
        except BlockingIOError:
            return
        direction.offer(packet, now)


def _pass_on(direction: Direction, descriptor: int, now: float) -> None:
    for packet in direction.arrivals(now):
        try:
            os.write(descriptor, packet)
        except OSError:  # the device's own queue is full: one more bottleneck that overflows
            direction.did.overflowed += 1


def _go_first() -> None:
    """A link does not wait for a processor. Without the right to go first it is late, and says so."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (AttributeError, OSError):
        pass


def main(arguments: Sequence[str]) -> None:
    """Descriptors of the near and the far device, and the conditions as JSON; prints what was carried as JSON."""
    near, far, conditions = int(arguments[0]), int(arguments[1]), json.loads(arguments[2])
    conditions["outages"] = tuple((start, length) for start, length in conditions["outages"])
    _go_first()
    gc.disable()  # no cycles are made here, and a collection is a pause
    print(json.dumps(carry(Conditions(**conditions), near, far, sys.stdin.fileno())), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
