"""The emulated link: its arithmetic, and a real transfer over it where that is permitted."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from benchmarks.__main__ import selected
from benchmarks.carrier import Conditions, Direction, DirectionCounts
from benchmarks.emulated_link import Carried, emulated, impediment
from benchmarks.without_bbr import bbr_known

PACKET = bytes(1250)
CALM = Conditions(bits_per_second=1e6, round_trip=0.1)
"""A packet takes 10 ms to leave, and 50 ms to arrive."""


def arrived(direction: Direction, *moments: float) -> list[int]:
    """Numbers of packets that have arrived at each of the moments."""
    return [len(list(direction.arrivals(moment))) for moment in moments]


def test_packets_leave_at_the_rate_and_arrive_after_the_delay() -> None:
    direction = Direction(CALM, seed=1)
    for _ in range(3):
        direction.offer(PACKET, 1.0)
    assert direction.next_due == pytest.approx(1.06)
    assert arrived(direction, 1.059, 1.061, 1.071, 1.081, 9.0) == [0, 1, 1, 1, 0]
    assert (direction.counts.carried, direction.counts.packets) == (3 * len(PACKET), 3)


def test_an_idle_link_does_not_accumulate_its_rate() -> None:
    direction = Direction(CALM, seed=1)
    direction.offer(PACKET, 0.0)
    direction.offer(PACKET, 5.0)
    direction.offer(PACKET, 5.0)
    assert arrived(direction, 0.061, 5.061, 5.071) == [1, 1, 1]


def test_packets_that_would_wait_too_long_overflow() -> None:
    direction = Direction(replace(CALM, queue=0.205), seed=1)
    for _ in range(30):
        direction.offer(PACKET, 0.0)
    assert (direction.counts.overflowed, sum(arrived(direction, 9.0))) == (9, 21)


def test_losses_have_the_given_share_and_depend_on_the_seed() -> None:
    def fates(seed: int) -> list[bool]:
        direction = Direction(replace(CALM, bits_per_second=1e12, loss=0.03), seed)
        lost: list[bool] = []
        for number in range(10_000):
            before = direction.counts.lost
            direction.offer(PACKET, float(number))
            lost.append(direction.counts.lost > before)
        return lost

    assert fates(1) == fates(1) != fates(2)
    assert 200 < sum(fates(1)) < 400


def test_an_outage_also_drops_packets_in_transit() -> None:
    direction = Direction(replace(CALM, outages=((1.0, 2.0),)), seed=1)
    for moment in (0.9, 0.99, 1.5, 2.999, 3.0):
        direction.offer(PACKET, moment)
    assert (arrived(direction, 9.0), direction.counts.lost) == ([2], 3)


def test_packets_forwarded_late_are_counted() -> None:
    direction = Direction(CALM, seed=1)
    direction.offer(PACKET, 0.0)
    direction.offer(PACKET, 0.0)
    assert arrived(direction, 0.064, 0.1) == [1, 1]
    assert direction.counts.late == 1
    assert direction.counts.latest == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("seconds", "up"), [(1.0, 1.0), (5.0, 5.0), (7.0, 5.0), (15.0, 5.0), (20.0, 10.0), (26.0, 15.0)]
)
def test_outages_do_not_count_as_time(seconds: float, up: float) -> None:
    assert replace(CALM, outages=((5.0, 10.0), (25.0, 100.0))).up_seconds(seconds) == up


@pytest.mark.parametrize(
    ("bins", "after"),
    [([9000] * 40, 0.0), ([9000] * 10 + [0] * 27 + [9000] * 3, 0.7), ([9000] * 10 + [60] * 30, None)],
)
def test_time_until_a_link_is_used_again_after_an_outage(bins: list[int], after: float | None) -> None:
    carried = Carried(replace(CALM, outages=((1.0, 2.0),)), 4.0, 0.1, DirectionCounts(bins=bins), DirectionCounts())
    assert carried.back_after(0) == pytest.approx(after)


REASON = impediment()


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
def test_bytes_cross_the_link_at_its_rate_and_unchanged() -> None:
    sent = bytes(range(256)) * 2000
    received = bytearray()
    with emulated(Conditions(bits_per_second=8e6, round_trip=0.02, loss=0.01)) as link:
        with socket.create_server((link.address, 0)) as server:

            def receive() -> None:
                near, _ = server.accept()
                with near:
                    while data := near.recv(65536):
                        received.extend(data)

            thread = threading.Thread(target=receive)
            thread.start()
            program = (
                "import socket, sys; there = socket.create_connection((sys.argv[1], int(sys.argv[2])));"
                " there.sendall(bytes(range(256)) * 2000)"
            )
            link.begin()
            port = str(server.getsockname()[1])
            subprocess.run(link.behind([sys.executable, "-c", program, link.address, port]), check=True, timeout=60)
            thread.join(60)
        carried = link.end()
    assert bytes(received) == sent
    assert carried.up.carried > len(sent)
    assert carried.seconds > 0.5
    assert 0 < carried.utilisation <= 1.1
    assert carried.up.lost > 0


@pytest.mark.skipif(not bbr_known(), reason="this kernel has no BBR")
def test_a_program_without_permission_gets_the_error_of_the_kernel() -> None:
    program = "import socket; socket.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b'bbr')"
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.without_bbr", sys.executable, "-c", program], capture_output=True, text=True
    )
    assert "PermissionError" in ran.stderr


def test_a_row_of_the_benchmark_can_be_selected() -> None:
    assert selected(["link", "clean", "lossy", "upload"]) == {"link": ["clean", "lossy"], "upload": []}
    with pytest.raises(SystemExit, match="clean"):
        selected(["clean"])
