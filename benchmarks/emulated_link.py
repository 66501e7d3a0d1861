"""Emulate a field link on one machine: commands behind it reach this machine's servers through the kernel's own TCP.

The commands run in a network namespace whose only route is a TUN device; another one is on this side, and `carrier`
forwards packets between them like a poor link. So both ends retransmit, time out and control congestion exactly as in
the field. Nothing survives the process: the kernel removes unnamed namespaces and devices that no process holds.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.carrier import BIN_SECONDS, Conditions, DirectionCounts

_TUN = "/dev/net/tun"
_CLONE_NEWNET = 0x40000000  # <linux/sched.h>
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000  # <linux/if_tun.h>
_MOST_LINKS = 256
_QUEUE_OF_DEVICE = "4000"


@dataclass(frozen=True, slots=True)
class Carried:
    """Counts of the link between `begin` and `end`."""

    conditions: Conditions
    seconds: float
    cpu: float
    """Processor seconds of the emulation."""
    up: DirectionCounts
    down: DirectionCounts

    @property
    def utilisation(self) -> float:
        """Share of the possible bytes that the commands sent; headers count, outages do not."""
        return self.up.carried / (self.conditions.bytes_per_second * self.conditions.up_seconds(self.seconds))

    @property
    def late_share(self) -> float:
        """Share of packets that the emulation forwarded late; above 1 %, do not trust the results."""
        return (self.up.late + self.down.late) / max(1, self.up.packets + self.down.packets)

    def back_after(self, outage: int) -> float | None:
        """Seconds from the end of an outage until the link carries a fifth of its rate; None for never."""
        start, length = self.conditions.outages[outage]
        end = start + length
        first = int(end / BIN_SECONDS)
        enough = self.conditions.bytes_per_second * BIN_SECONDS / 5
        for index, carried in enumerate(self.up.bins[first:], start=first):
            if carried >= enough:
                return max(0.0, index * BIN_SECONDS - end)
        return None


class EmulatedLink:
    """A running link, created by `emulated`."""

    def __init__(self, conditions: Conditions, address: str, namespace: int, carrier: subprocess.Popen[str]) -> None:
        self._conditions = conditions
        self._namespace = namespace
        self._carrier = carrier
        self.address = address
        """Address on which servers must listen to be reachable over the link."""

    def behind(self, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` behind the link, while the link runs."""
        return ["nsenter", f"--net=/proc/{os.getpid()}/fd/{self._namespace}", "--", *command]

    def begin(self) -> None:
        """Start outages and counts now."""
        if self._carrier.stdin is None:
            raise RuntimeError("the carrier has no stdin")
        self._carrier.stdin.write("b")
        self._carrier.stdin.flush()

    def end(self) -> Carried:
        """Stop the link, and return its counts."""
        output, _ = self._carrier.communicate()
        fields = json.loads(output)
        up, down = DirectionCounts(**fields["up"]), DirectionCounts(**fields["down"])
        return Carried(self._conditions, fields["seconds"], fields["cpu"], up, down)


@contextmanager
def emulated(conditions: Conditions, *, congestion_control: str = "reno") -> Iterator[EmulatedLink]:
    """Run a link during the block; `congestion_control` is the default of commands behind it.

    Raises OSError and CalledProcessError when `impediment` returns a reason.
    """
    with ExitStack() as opened:
        number, far = _far_device()
        opened.callback(os.close, far)
        namespace = _new_namespace()
        opened.callback(os.close, namespace)
        near = _device_in(namespace, f"near{number}")
        opened.callback(os.close, near)
        here, there = f"198.18.{number}.1", f"198.18.{number}.2"
        inside = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{namespace}", "--"]
        _bring_up([], f"far{number}", here, there)
        _bring_up(inside, f"near{number}", there, here)
        _run(*inside, "ip", "link", "set", "lo", "up")
        _run(*inside, "ip", "route", "add", "default", "dev", f"near{number}")
        _run(*inside, "sysctl", "-qw", f"net.ipv4.tcp_congestion_control={congestion_control}")
        carrier = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.carrier", str(near), str(far), json.dumps(asdict(conditions))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(near, far),
            cwd=Path(__file__).parents[1],
        )
        opened.callback(carrier.wait)
        opened.callback(carrier.kill)
        yield EmulatedLink(conditions, here, namespace, carrier)


def impediment() -> str | None:
    """Why no link can be emulated here; None when it can."""
    missing = [name for name in ("ip", "nsenter", "sysctl") if shutil.which(name) is None]
    if missing:
        return f"{missing[0]} is not installed"
    try:
        os.close(_new_namespace())
        os.close(_opened_device("probe%d"))
    except (OSError, AttributeError) as error:
        return f"network namespaces and {_TUN} need CAP_NET_ADMIN and CAP_SYS_ADMIN: {error}"
    return None


# 198.18.0.0/15 is reserved for benchmarks (RFC 2544), so no real network is hidden.
def _far_device() -> tuple[int, int]:
    """A link number that is free on this machine, and the device on this side."""
    for number in range(_MOST_LINKS):
        try:
            return number, _opened_device(f"far{number}")
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
    raise OSError(errno.EBUSY, f"{_MOST_LINKS} links are emulated on this machine already")


def _opened_device(name: str) -> int:
    device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except OSError:
        os.close(device)
        raise
    return device


def _bring_up(inside: Sequence[str], device: str, own: str, other: str) -> None:
    _run(*inside, "ip", "addr", "add", own, "peer", other, "dev", device)
    _run(*inside, "ip", "link", "set", device, "up", "txqueuelen", _QUEUE_OF_DEVICE)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _new_namespace() -> int:
    """A descriptor of a new network namespace, which keeps it alive."""

    def leave_and_open() -> int:
        _checked(_libc().unshare(_CLONE_NEWNET))
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return _in_a_thread(leave_and_open)


def _device_in(namespace: int, name: str) -> int:
    def enter_and_open() -> int:
        _checked(_libc().setns(namespace, _CLONE_NEWNET))
        return _opened_device(name)

    return _in_a_thread(enter_and_open)


def _in_a_thread(work: Callable[[], int]) -> int:
    """Open the device in a thread, for network namespaces are per thread."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work).result()


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
