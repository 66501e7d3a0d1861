"""A pool of connections to the stores and of the threads that use them: the asyncio side of `connection`."""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from tui_uploader.cloud.contract import SentCallback, TcpInfo
from tui_uploader.cloud.http.connection import ConnectFailed, Cut, HttpConnection, T, Unanswered
from tui_uploader.cloud.http.error_mapping import Stalled, link_failure
from tui_uploader.cloud.http.messages import Reply, Request
from tui_uploader.cloud.http.source_files import FileRead
from tui_uploader.cloud.net.endpoint import Deadlines, Origin, proxy_for, silence_leaky_loggers, trust_for
from tui_uploader.cloud.net.probe import first_success, wait_accepted
from tui_uploader.cloud.net.proxies import Proxy
from tui_uploader.cloud.net.resolver import Resolver
from tui_uploader.cloud.net.sockets import Address, resolve
from tui_uploader.cloud.net.tcp_info import read_tcp_info, remeasure_link, retransmit
from tui_uploader.cloud.throttle import Throttle
from tui_uploader.errors import LinkDown
from tui_uploader.settings import Settings
from tui_uploader.threads import DaemonThreads

MAX_THREADS = 208
"""The most streams that the engine opens (192), and some more for short calls. Threads start when needed."""
_MAX_IDLE_SECONDS = 20.0
_GRACE = 1.2
"""Seconds in which a connection that retransmits every second notices that the link is back."""
_MAX_SILENCE = 3.0
"""Seconds in which a working connection receives an acknowledgement."""
_RELEASE_SECONDS = 3.0
"""Seconds in which a thread releases a connection that was cut, unless it is waiting for the disk."""
_MAX_ROUND_TRIP = 0.5
"""Seconds. Retransmitting every second makes sense only if acknowledgements arrive well before."""


class ConnectionPool:
    """Sends requests over kept connections. Belongs to one event loop."""

    def __init__(self, settings: Settings, deadlines: Deadlines) -> None:
        silence_leaky_loggers()
        self._settings = settings
        self._deadlines = deadlines
        self.throttle = Throttle()
        """The rate limit for file bodies. May be replaced by a shared one before the first request."""
        self._threads = DaemonThreads(MAX_THREADS, "store")
        self._resolver = Resolver()
        self._idle: dict[Origin, list[HttpConnection]] = {}
        self._busy: set[HttpConnection] = set()
        self._abandoned: set[HttpConnection] = set()
        """Connections of cancelled requests whose thread still waits for a disk."""
        self._readings: set[FileRead] = set()
        self._known: dict[Origin, Sequence[Address]] = {}
        self._tls: ssl.SSLContext | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    async def exchange(self, origin: Origin, request: Request, sent: SentCallback | None = None) -> Reply:
        """Send `request` and return its reply, whatever its status.

        A kept connection that turns out to be closed is replaced once; the reply is then marked as `repeated`. If the
        awaiting task is cancelled, the transfer has ended when this returns. Raises LinkError and SourceError.
        """
        kept = self._take(origin)
        if kept is not None:
            try:
                return await self._run(kept, (), request, sent)
            except Unanswered:
                if sent is not None:
                    sent(0)
        proxy = proxy_for(origin, self._settings)
        addresses = await self._resolved(origin, proxy)
        tls = self._context(origin) if origin.tls else None
        fresh = HttpConnection(origin, proxy, tls, self._deadlines, self.throttle)
        reply = await self._run(fresh, addresses, request, sent)
        return replace(reply, repeated=kept is not None)

    async def in_thread(self, work: Callable[[FileRead], T]) -> T:
        """The result of `work`, which reads a file. If cancelled, the thread is not waited for: a disk may hang."""
        reading = FileRead()
        job = self._threads.submit(work, reading)
        self._readings.add(reading)
        job.add_done_callback(lambda _: self._readings.discard(reading))
        try:
            return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            reading.stopped = True
            if not job.cancel():
                self._threads.replace_stuck(job)
            raise

    def tcp_info(self) -> list[TcpInfo]:
        """The TCP info of the connections in use, where the kernel provides it."""
        return [found for connection in self._busy if (found := connection.with_socket(read_tcp_info)) is not None]

    def stalled_reads(self, seconds: float) -> list[str]:
        """Paths of files whose disk has not answered for this many seconds."""
        limit = time.monotonic() - seconds
        reads = [connection.reads for connection in (*self._busy, *tuple(self._abandoned))]
        reads += [reading.since for reading in tuple(self._readings)]
        return [read[1] for read in reads if read is not None and read[0] < limit]

    def remeasure_link(self) -> None:
        """Let the connections in use measure the bandwidth anew, after others have stopped using the link."""
        for connection in self._busy:
            connection.with_socket(remeasure_link)

    async def probe(self, origin: Origin, seconds: float) -> None:
        """Resolve the name anew and return when one of its addresses accepts a connection.

        Raises LinkError if none does, with a ConnectionRefusedError as its cause if one refused.
        """
        await self._accepted(origin, await self._resolved(origin, proxy_for(origin, self._settings)), seconds)

    async def probe_known(self, origin: Origin, seconds: float) -> None:
        """As `probe`, but also at the addresses known from before: a link that is back may carry packets before the
        resolver answers."""
        attempts = [self.probe(origin, seconds)]
        if known := self._known.get(origin):
            attempts.append(self._accepted(origin, known, seconds))
        await first_success(attempts)

    async def _accepted(self, origin: Origin, addresses: Sequence[Address], seconds: float) -> None:
        try:
            await wait_accepted(addresses, seconds)
        except OSError as error:
            raise link_failure(error, origin.host, connected=False) from error

    @property
    def known(self) -> tuple[Origin, ...]:
        """The origins that connections were attempted to."""
        return tuple(self._known)

    def forget(self, origin: Origin) -> None:
        """Forget an origin that does not answer; the next exchange resolves it anew."""
        self._known.pop(origin, None)

    def doubt_link(self) -> None:
        """Close idle connections, which may lead to a dead address, and retransmit every second on busy ones."""
        self._close_idle()
        for connection in self._busy:
            found = connection.with_socket(read_tcp_info)
            if found is not None and found.round_trip < _MAX_ROUND_TRIP:
                connection.with_socket(partial(retransmit, often=True))

    def trust_link(self, *, was_gone: bool) -> None:
        """Close connections that were idle during an outage; busy ones get a moment to recover, then are cut."""
        if was_gone:
            self._close_idle()
        asyncio.get_running_loop().call_later(_GRACE, self._cut_silent)

    def _cut_silent(self) -> None:
        for connection in self._busy:
            connection.with_socket(partial(retransmit, often=False))
            found = connection.with_socket(read_tcp_info)
            if (
                found is not None
                and found.unacknowledged
                and found.silent > max(_MAX_SILENCE, _GRACE + found.round_trip)
            ):
                connection.cut()

    def _close_idle(self) -> None:
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()

    async def close(self) -> None:
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._busy:
            connection.cut()
        self._close_idle()
        self._resolver.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _context(self, origin: Origin) -> ssl.SSLContext | None:
        if self._tls is None:
            self._tls = trust_for(origin, self._settings)
        return self._tls

    def _keep(self, connection: HttpConnection) -> None:
        if self._closed:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.setdefault(connection.origin, []).append(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(_MAX_IDLE_SECONDS, self._close_stale)

    def _close_stale(self) -> None:
        """Close connections that have been idle for long: their keep-alive packets cost mobile data."""
        self._sweep = None
        kept = [connection for connections in self._idle.values() for connection in connections]
        self._idle.clear()
        for connection in kept:
            if time.monotonic() - connection.idle_since >= _MAX_IDLE_SECONDS:
                connection.close()
            else:
                self._idle.setdefault(connection.origin, []).append(connection)
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(_MAX_IDLE_SECONDS, self._close_stale)

    def _take(self, origin: Origin) -> HttpConnection | None:
        kept = self._idle.get(origin, [])
        while kept:
            connection = kept.pop()
            if time.monotonic() - connection.idle_since < _MAX_IDLE_SECONDS and not connection.is_stale():
                return connection
            connection.close()
        return None

    async def _resolved(self, origin: Origin, proxy: Proxy | None) -> Sequence[Address]:
        host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
        self._known[origin] = await self._looked_up(host, port)
        return self._known[origin]

    async def _looked_up(self, host: str, port: int) -> Sequence[Address]:
        try:
            if _is_address(host):
                return resolve(host, port)
            return await self._resolver.addresses(host, port, self._deadlines.connect)
        except TimeoutError as error:
            raise LinkDown(f"Resolving the name {host} timed out.") from error
        except OSError as error:
            raise link_failure(error, host, connected=False) from error

    async def _run(
        self, connection: HttpConnection, addresses: Sequence[Address], request: Request, sent: SentCallback | None
    ) -> Reply:
        host = connection.origin.host
        self._busy.add(connection)
        try:
            reply = await self._in_thread(connection, addresses, request, sent)
        except ConnectFailed as error:
            proxy = None if connection.proxy is None else connection.proxy.address
            cause = error.__cause__ or error
            raise link_failure(cause, host, connected=False, proxy=proxy) from error.__cause__
        except Cut as error:
            raise LinkDown(f"This program closed the connection to {host}.") from error
        except (OSError, Stalled, http.client.HTTPException) as error:
            raise link_failure(error, host) from error
        finally:
            self._busy.discard(connection)
        if connection.reusable:
            self._keep(connection)
        return reply

    async def _in_thread(
        self, connection: HttpConnection, addresses: Sequence[Address], request: Request, sent: SentCallback | None
    ) -> Reply:
        try:
            job = self._threads.submit(connection.exchange, addresses, request, sent)
        except RuntimeError as error:
            raise Cut from error
        ended = asyncio.wrap_future(job)
        try:
            return await asyncio.shield(ended)
        except asyncio.CancelledError:
            if not job.cancelled() and not await _stopped(connection, job, ended):
                self._abandon(connection, job)
            raise

    def _abandon(self, connection: HttpConnection, job: Future[Reply]) -> None:
        """Keep the shut-down socket open until the thread returns, so that nothing the thread still does reaches the
        store, or another connection that reuses the descriptor."""

        def end(_: Future[Reply]) -> None:
            connection.close()
            self._abandoned.discard(connection)

        self._abandoned.add(connection)
        self._threads.replace_stuck(job)
        job.add_done_callback(end)


async def _stopped(connection: HttpConnection, job: Future[Reply], ended: asyncio.Future[Reply]) -> bool:
    """Whether the thread has released the connection and the file, however often this task is cancelled.

    A thread that reads from a hung card does not.
    """
    if job.cancel():
        connection.close()
        return True
    connection.cut()
    end = time.monotonic() + _RELEASE_SECONDS
    while not ended.done() and (left := end - time.monotonic()) > 0:
        try:
            await asyncio.wait({ended}, timeout=left)
        except asyncio.CancelledError:
            continue
    ended.add_done_callback(_retrieve_exception)
    if ended.done():
        connection.close()
        return True
    return False


def _retrieve_exception(ended: asyncio.Future[Reply]) -> None:
    if not ended.cancelled():
        ended.exception()  # otherwise asyncio reports it as never retrieved


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
