"""An HTTP/1.1 connection that sends files from a worker thread with little CPU time.

Bodies go out by `sendfile`, or through a small buffer for TLS; both release the interpreter lock. The socket never
blocks: every wait is a poll that notices an early reply, ends when another thread cuts the connection, and has a
deadline that restarts with each acknowledgement from the other side.
"""

from __future__ import annotations

import errno
import http.client
import io
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from tui_uploader.cloud.contract import ByteRange, SentCallback
from tui_uploader.cloud.http.error_mapping import Stalled, proxy_answer
from tui_uploader.cloud.http.messages import MAX_REPLY, Reply, ReplySource, Request
from tui_uploader.cloud.http.reply_limits import ReplyLimits
from tui_uploader.cloud.http.source_files import sendfile_error, shrunk, unreadable
from tui_uploader.cloud.net.endpoint import Deadlines, Origin, is_loopback
from tui_uploader.cloud.net.happy_eyeballs import connect
from tui_uploader.cloud.net.proxies import Proxy
from tui_uploader.cloud.net.sockets import (
    Address,
    BodyProgress,
    drop_on_close,
    limit_silence,
    thread_buffer,
    unacknowledged,
)
from tui_uploader.cloud.throttle import Throttle
from tui_uploader.errors import CloudUnintelligible

T = TypeVar("T")

_PLAIN_CHUNK = 256 * 1024
# OpenSSL takes a buffer as a whole, so this is also the granularity of progress on a slow link.
_TLS_CHUNK = 64 * 1024
_POLL_SLICE = 0.5
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_BROKEN_PIPE = (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError)
_SENDFILE_IMPOSSIBLE = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTSOCK})


class Cut(Exception):
    """The connection was cut from this side."""


class Unanswered(Exception):
    """A reused connection was closed before the first byte of the reply; the request may be sent again."""


class ConnectFailed(Exception):
    """Connecting failed; the cause is the error."""


class HttpConnection:
    """A connection to one origin. Used by one thread at a time; `cut` may be called from any thread."""

    def __init__(
        self, origin: Origin, proxy: Proxy | None, tls: ssl.SSLContext | None, deadlines: Deadlines, throttle: Throttle
    ) -> None:
        self.origin = origin
        self.reusable = False
        self.idle_since = 0.0
        self.reads: tuple[float, str] | None = None
        """Since when (monotonic) the thread has waited for the disk, and for which file; None: it is not waiting."""
        self.proxy = proxy
        self._tls = tls
        self._deadlines = deadlines
        self._throttle = throttle
        self._loopback = is_loopback(origin.host if proxy is None else proxy.host)
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._is_cut = False
        self._inbox = bytearray()
        self._ended = False
        """The other side has closed its end."""
        self._read_to_end = False
        """Everything up to that end has been read."""
        self._limits = ReplyLimits(origin.host, deadlines.reply, time.monotonic)

    # ------------------------------------------------------------------------------------------- from any thread

    def cut(self) -> None:
        """Abort the exchange under way; its thread gets `Cut`."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                try:
                    # Not SSLSocket.shutdown, which would discard TLS state that the thread is using.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:
                    pass
        self._throttle.wake()

    def close(self, *, drop: bool = False) -> None:
        """`drop`: discard queued data; otherwise the kernel still sends it."""
        with self._lock:
            self.reusable = False
            if self._socket is not None:
                if drop:
                    drop_on_close(self._socket)
                self._socket.close()
                self._socket = None

    def with_socket(self, call: Callable[[socket.socket], T]) -> T | None:
        """The result of `call(socket)`; None if there is no socket."""
        with self._lock:
            return None if self._socket is None else call(self._socket)

    def is_stale(self) -> bool:
        """Whether an idle connection cannot be used again: it was closed, or sent unsolicited data."""
        if self._socket is None or not self.reusable:
            return True
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        return bool(poller.poll(0))

    # ------------------------------------------------------------------------------------- from the sending thread

    def exchange(self, addresses: Sequence[Address], request: Request, sent: SentCallback | None) -> Reply:
        """Send `request` and read its reply; connect first if needed.

        Raises `Cut`, `Unanswered`, `ConnectFailed`, `Stalled`, OSError and `http.client.HTTPException` for failures of
        the connection, and SourceError for those of the file.
        """
        was_idle = self._socket is not None
        self.reusable = False
        self._inbox.clear()
        self._ended = self._read_to_end = False
        try:
            if not was_idle:
                self._open(addresses)
            limit_silence(self._sock)
            if self._receive() and self._inbox:
                raise Unanswered if was_idle else http.client.HTTPException("a reply before the request")
            reply = self._exchange(request, sent)
        except (*_BROKEN_PIPE, http.client.RemoteDisconnected) as error:
            self.close(drop=True)
            self._check_cut()
            if was_idle and not self._inbox:
                raise Unanswered from error
            raise
        except BaseException:
            self.close(drop=True)
            self._check_cut()
            raise
        if not self.reusable:
            self.close()
        return reply

    def _check_cut(self) -> None:
        if self._is_cut:
            raise Cut

    def _open(self, addresses: Sequence[Address]) -> None:
        try:
            connect(addresses, self._deadlines.connect, loopback=self._loopback, on_attempt=self._adopt)
            self._check_cut()
            if self.proxy is not None and self.origin.tls:
                self._tunnel(self.proxy)
            if self._tls is not None and self.origin.tls:
                self._shake_hands(self._tls)
        except (OSError, Stalled, http.client.HTTPException) as error:
            self._check_cut()
            raise ConnectFailed from error

    def _adopt(self, sock: socket.socket) -> None:
        with self._lock:
            self._socket = sock
        self._check_cut()

    @property
    def _sock(self) -> socket.socket:
        if self._socket is None:
            raise Cut
        return self._socket

    def _tunnel(self, proxy: Proxy) -> None:
        target = f"{self.origin.host}:{self.origin.port}"
        headers = [("Host", target)]
        if proxy.authorization is not None:
            headers.append(("Proxy-Authorization", proxy.authorization))
        self._send_bytes(Request("CONNECT", target, headers).head())
        # Byte by byte: data that a proxy sends after its reply must be noticed, not lost in a buffer.
        response = self._response("CONNECT", self._deadlines.stall, read_ahead=1)
        response.begin()
        if response.status != 200:
            raise proxy_answer(response.status, self.origin.host, proxy.address)
        if self._inbox:
            # It would be read as the storage's reply once TLS is up: a forged "200 OK" that TLS does not protect.
            raise http.client.HTTPException("the proxy sent more than its reply to CONNECT")

    def _shake_hands(self, context: ssl.SSLContext) -> None:
        self._sock.getpeername()  # fails after a reset, for which `wrap_socket` before Python 3.13 leaks the descriptor
        wrapped = context.wrap_socket(
            self._sock, server_hostname=self.origin.host, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        self._adopt(wrapped)
        end = time.monotonic() + self._deadlines.reply
        while True:
            try:
                wrapped.do_handshake()
                return
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wanted:
                events = select.POLLIN if isinstance(wanted, ssl.SSLWantReadError) else select.POLLOUT
                self._wait(events, min(self._deadlines.connect, end - time.monotonic()))

    def _exchange(self, request: Request, sent: SentCallback | None) -> Reply:
        progress = BodyProgress(self._sock, sent) if sent is not None else None
        try:
            whole = self._send_bytes(request.head()) and self._send_body(request.body, progress)
        except _BROKEN_PIPE:
            # The reply to a refused body has often arrived already when the refusal breaks the connection.
            if not self._receive():
                raise
            whole = False
        if whole:
            if isinstance(request.body, ByteRange):
                request.body.handed_over()
            self._await_reply(request.reply_timeout, progress)
        reply, keeps_alive = self._read_reply(request.method, request.reply_timeout)
        if reply.ok and not whole:
            raise http.client.HTTPException("success for a request that was not sent completely")
        if reply.ok and sent is not None:
            sent(request.length)
        self.reusable = whole and keeps_alive and not self._inbox and not self._ended
        return reply

    # ------------------------------------------------------------------------------------------------- sending

    def _send_body(self, body: bytes | ByteRange, progress: BodyProgress | None) -> bool:
        """Send `body`; False if the other side replied before it had everything."""
        if isinstance(body, bytes):
            return self._send_bytes(body)
        if isinstance(self._sock, ssl.SSLSocket):
            return self._use_throttle_buffer(body, 0, progress)
        return self._sendfile(body, progress)

    def _sendfile(self, body: ByteRange, progress: BodyProgress | None) -> bool:
        source, target, done, allowed = body.file.fileno(), self._sock.fileno(), 0, 0
        while done < body.length:
            if not (allowed := allowed or self._allowance(min(_PLAIN_CHUNK, body.length - done))):
                return False
            self.reads = (time.monotonic(), body.path)
            try:
                count = os.sendfile(target, source, body.offset + done, allowed)
            except BlockingIOError:
                if not self._wait_writable(progress):
                    return False
                continue
            except OSError as error:
                if error.errno in _SENDFILE_IMPOSSIBLE and not self._is_cut:
                    return self._use_throttle_buffer(body, done, progress)
                raise sendfile_error(error, body, body.offset + done) from error
            finally:
                self.reads = None
            if count == 0:
                raise shrunk(body)
            done += count
            allowed -= count
            if progress is not None:
                progress.accepted(count)
        return True

    def _allowance(self, wanted: int) -> int:
        """How many bytes may be sent now; 0 after an early reply, which under a rate limit is noticed only here."""
        allowed = self._throttle.take(wanted, lambda: self._is_cut)
        self._check_cut()
        return 0 if self._throttle.rate is not None and self._receive() else allowed

    def _use_throttle_buffer(self, body: ByteRange, done: int, progress: BodyProgress | None) -> bool:
        buffer = thread_buffer(_TLS_CHUNK)
        while done < body.length:
            step = buffer[: self._allowance(min(len(buffer), body.length - done))]
            if not step:
                return False
            self.reads = (time.monotonic(), body.path)
            try:
                count = os.preadv(body.file.fileno(), [step], body.offset + done)
            except OSError as error:
                raise unreadable(error, body) from error
            finally:
                self.reads = None
            if count == 0:
                raise shrunk(body)
            if not self._send_bytes(step[:count], progress):
                return False
            done += count
        return True

    def _send_bytes(self, data: bytes | memoryview, progress: BodyProgress | None = None) -> bool:
        rest = memoryview(data)
        while rest:
            try:
                count = self._sock.send(rest)
            except _WOULD_BLOCK:
                if not self._wait_writable(progress):
                    return False
                continue
            rest = rest[count:]
            if progress is not None:
                progress.accepted(count)
        return True

    def _wait_writable(self, progress: BodyProgress | None) -> bool:
        """Wait until more can be sent; False if the other side replies first."""
        events = self._wait(select.POLLIN | select.POLLOUT, self._deadlines.stall, progress)
        # Readable data may be a TLS session ticket, which is not a reply.
        return not (events & ~select.POLLOUT and self._receive())

    # --------------------------------------------------------------------------------------------------- waiting

    def _wait(
        self, mask: int, limit: float, progress: BodyProgress | None = None, reply_timeout: float | None = None
    ) -> int:
        """The poll events among `mask`, or errors. Raises `Stalled` after `limit` seconds without an acknowledgement
        from the other side; once everything is acknowledged, after `reply_timeout`."""
        poller = select.poll()
        poller.register(self._sock, mask)
        since, queued = time.monotonic(), unacknowledged(self._sock)
        while True:
            allowed = limit
            if reply_timeout is not None and not queued:
                allowed = reply_timeout
                limit_silence(self._sock, all_arrived=True)
            left = since + allowed - time.monotonic()
            if left <= 0:
                raise Stalled(allowed)
            events = poller.poll(min(_POLL_SLICE, left) * 1000)
            self._check_cut()
            if events:
                return events[0][1]
            if progress is not None:
                progress.report()
            still_queued = unacknowledged(self._sock)
            if still_queued < queued:
                since, queued = time.monotonic(), still_queued

    def _await_reply(self, reply_timeout: float, progress: BodyProgress | None) -> None:
        while not self._inbox and not self._receive():
            self._wait(select.POLLIN, self._deadlines.stall, progress, reply_timeout)

    # ------------------------------------------------------------------------------------------------- receiving

    def _receive(self) -> bool:
        """Move what has arrived into the inbox; False if nothing has. The end of the stream counts as something."""
        try:
            data = self._sock.recv(64 * 1024)
        except _WOULD_BLOCK:
            return False
        self._ended = self._ended or not data
        self._inbox += data
        return True

    def _receive_into(self, buffer: memoryview) -> int:
        """Fill `buffer` and return the number of bytes; waits for the first byte, 0 means the end of the stream."""
        while not self._inbox and not self._ended:
            if not self._receive():
                self._wait(select.POLLIN, min(self._deadlines.stall, self._limits.left))
        if not self._inbox:
            self._read_to_end = True
        count = min(len(buffer), len(self._inbox))
        buffer[:count] = self._inbox[:count]
        del self._inbox[:count]
        self._limits.received(count)
        return count

    def _response(
        self, method: str, reply_timeout: float, read_ahead: int = io.DEFAULT_BUFFER_SIZE
    ) -> http.client.HTTPResponse:
        self._limits = ReplyLimits(self.origin.host, reply_timeout, time.monotonic)
        source = ReplySource(self._receive_into, read_ahead)
        return http.client.HTTPResponse(cast(socket.socket, source), method=method)

    def _read_reply(self, method: str, reply_timeout: float) -> tuple[Reply, bool]:
        """The reply, and whether the connection stays open after it."""
        response = self._response(method, reply_timeout)
        response.begin()
        if self._read_to_end:  # http.client mistakes the end of the stream for the end of the headers
            raise http.client.IncompleteRead(b"")
        self._limits.head_ended()
        body = response.read(MAX_REPLY + 1)
        if len(body) > MAX_REPLY:
            raise CloudUnintelligible(f"The reply from {self.origin.host} is too long.")
        if response.length:
            raise http.client.IncompleteRead(body, response.length)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, body), not response.will_close
