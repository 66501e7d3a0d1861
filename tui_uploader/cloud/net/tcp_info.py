"""Read the kernel's state of a sending connection (`struct tcp_info` of <linux/tcp.h>), and tune its retransmissions.

Linux only; on other systems nothing is read or set.
"""

from __future__ import annotations

import socket
import struct
import sys

from tui_uploader.cloud.contract import TcpInfo

_TCP_INFO_LENGTH = 160
_FIELDS = struct.Struct("=BxB21xI28xI8xI28xI44xI4xI")
"""In the first 160 bytes: `tcpi_state` at 0, `tcpi_retransmits` at 2, `tcpi_unacked` at 24, `tcpi_last_ack_recv` at 56,
`tcpi_rtt` at 68, `tcpi_total_retrans` at 100, `tcpi_min_rtt` at 148, `tcpi_data_segs_out` at 156. Times are in µs, that
of the last acknowledgement in ms."""

_SYN_SENT = 2  # <linux/tcp.h>
_SECONDS_BETWEEN_SYNS = 1.0
"""The shortest interval: one second for the first four since Linux 6.5, doubling from one second before."""

_TCP_RTO_MAX_MS = 44  # <linux/tcp.h>
_OFTEN_MS, _DEFAULT_MS = 1000, 120_000


def read_tcp_info(sock: socket.socket) -> TcpInfo | None:
    """The TCP info of `sock`; None where the kernel does not provide it."""
    if sys.platform != "linux":
        return None
    try:
        data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_LENGTH)
        loss_based = not _has_bbr(sock)
    except OSError:
        return None
    if len(data) < _TCP_INFO_LENGTH:
        return None
    state, attempts, unacknowledged, silence, round_trip, retransmitted, least, segments = _FIELDS.unpack(data)
    # Before the first acknowledgement, the kernel counts the silence from its boot.
    silent = attempts * _SECONDS_BETWEEN_SYNS if state == _SYN_SENT else silence / 1e3
    return TcpInfo(unacknowledged, silent, round_trip / 1e6, least / 1e6, segments, retransmitted, loss_based)


def remeasure_link(sock: socket.socket) -> None:
    """Let BBR measure the bandwidth anew, as at the start of a connection.

    A running BBR tries a quarter more in every eighth round trip; a new one doubles its rate in each. The kernel starts
    anew when the algorithm is changed.
    """
    if sys.platform != "linux":
        return
    try:
        if _has_bbr(sock):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    except OSError:
        pass


def retransmit(sock: socket.socket, *, often: bool) -> None:
    """Retransmit every second (`often`), or at doubling intervals as usual.

    Every second during an outage, a transfer resumes as soon as the link is back. Only for a while: if the round trip
    takes more than a second, everything would be sent twice.
    """
    if sys.platform == "linux":
        try:
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS, _OFTEN_MS if often else _DEFAULT_MS)
        except OSError:  # a kernel before 6.15
            pass


def _has_bbr(sock: socket.socket) -> bool:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0") == b"bbr"
