"""What the kernel knows of a connection that sends, and what it can be asked to do for it.

Linux alone tells this much (`struct tcp_info` of <linux/tcp.h>); elsewhere nothing is known, and nothing asked.
"""

from __future__ import annotations

import socket
import struct
import sys

from tui_uploader.cloud.contract import TcpInfo

_TCP_INFO_LENGTH = 160
_FIELDS = struct.Struct("=BxB21xI28xI8xI28xI44xI4xI")
"""Of the first 160 bytes: `tcpi_state` at 0, `tcpi_retransmits` at 2, `tcpi_unacked` at 24, `tcpi_last_ack_recv` at 56,
`tcpi_rtt` at 68, `tcpi_total_retrans` at 100, `tcpi_min_rtt` at 148, `tcpi_data_segs_out` at 156. Times are µs, that of
the last acknowledgement ms."""

_SYN_SENT = 2  # <linux/tcp.h>
_SECONDS_BETWEEN_SYNS = 1.0
"""At least: each second for the first four since Linux 6.5, doubling from one second before."""

_TCP_RTO_MAX_MS = 44  # <linux/tcp.h>
_OFTEN_MS, _AS_USUAL_MS = 1000, 120_000


def read_tcp_info(sock: socket.socket) -> TcpInfo | None:
    """None where the kernel does not tell."""
    if sys.platform != "linux":
        return None
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_LENGTH)
        loss_based = not _has_bbr(sock)
    except OSError:
        return None
    if len(told) < _TCP_INFO_LENGTH:
        return None
    state, attempts, unacknowledged, silence, round_trip, repeated, least, segments = _FIELDS.unpack(told)
    # Where nothing was heard yet, the kernel counts the silence from when it booted.
    silent = attempts * _SECONDS_BETWEEN_SYNS if state == _SYN_SENT else silence / 1e3
    return TcpInfo(unacknowledged, silent, round_trip / 1e6, least / 1e6, segments, repeated, loss_based)


def remeasure_link(sock: socket.socket) -> None:
    """Let BBR measure the link anew, as at the start of a connection.

    What other connections leave to this one it would find by a quarter more in every eighth round trip; begun anew, it
    doubles its pace with each. The kernel begins anew where the algorithm changes.
    """
    if sys.platform != "linux":
        return
    try:
        if _has_bbr(sock):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"bbr")
    except OSError:
        pass


def keep_trying(sock: socket.socket, *, often: bool) -> None:
    """While packets vanish, send again every second, and not after pauses that double: so that a transfer goes on with
    the link. For a while only: where answers take more than a second, all would go out twice."""
    if sys.platform == "linux":
        try:
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS, _OFTEN_MS if often else _AS_USUAL_MS)
        except OSError:  # a kernel before 6.15
            pass


def _has_bbr(sock: socket.socket) -> bool:
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0") == b"bbr"
