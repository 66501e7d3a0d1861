"""Serve the local cloud: one port for REST and S3, one folder for all data.

`serve` runs it as the main task of a process, `running` inside another program's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from tui_uploader.errors import UsageError
from tui_uploader.http_server.server import HttpServer
from tui_uploader.local_cloud.faults.middleware import FaultMiddleware
from tui_uploader.local_cloud.faults.plan import FaultPlan, parse_fault
from tui_uploader.local_cloud.middleware import AbortableProtocol, MeterMiddleware, ReplyMiddleware
from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions
from tui_uploader.local_cloud.rest.api import RestApp
from tui_uploader.local_cloud.routes import is_rest
from tui_uploader.local_cloud.s3.api import S3App
from tui_uploader.local_cloud.s3.objects import ObjectOperations
from tui_uploader.local_cloud.s3.parts import MultipartOperations
from tui_uploader.local_cloud.storage.database import RootDatabase, RootLock
from tui_uploader.local_cloud.storage.meter import TrafficMeter
from tui_uploader.local_cloud.storage.multipart import MultipartStore
from tui_uploader.local_cloud.storage.objects import LocalObjectStore
from tui_uploader.local_cloud.storage.projects import ProjectStore, RootLogin
from tui_uploader.local_cloud.storage.results import ResultStore
from tui_uploader.local_cloud.storage.root import prepare_root
from tui_uploader.local_cloud.threads import Threads
from tui_uploader.local_cloud.tokens import TokenService
from tui_uploader.settings import APP

_KEEP_ALIVE = 75
"""Seconds until an idle connection is closed."""
_LAST_REQUESTS = 2
"""Seconds that running requests have when the server stops."""


async def serve(options: LocalCloudOptions, ready: Callable[[LocalCloudAddress], None]) -> None:
    """Run until SIGTERM, SIGINT or cancellation; `ready` is called once the server listens.

    Raises UsageError when the root, the address, a fault or the TLS files cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with running(options) as address:
            ready(address)
            await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@asynccontextmanager
async def running(options: LocalCloudOptions, now: Callable[[], float] = time.time) -> AsyncIterator[LocalCloudAddress]:
    """Serve in this event loop while the block runs; signal handlers are not touched.

    Raises UsageError when the root, the address, a fault or the TLS files cannot be used.
    """
    plan = FaultPlan([parse_fault(text) for text in options.faults])
    with _listening(options) as listener, _opened(options, now) as parts:
        hit = partial(parts.meter.count, faults=1)
        faults = FaultMiddleware(_apis(parts, options, now), plan, on_hit=hit)
        app = ReplyMiddleware(MeterMiddleware(faults, parts.meter), now)
        server = _server(app, options)
        task = asyncio.create_task(server.serve([listener]))
        try:
            await server.listening(task)
            yield _address(options, listener, parts)
        finally:
            server.stop()
            await _wait_for(task)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Storage and threads that both APIs share."""

    objects: LocalObjectStore
    projects: ProjectStore
    results: ResultStore
    login: RootLogin
    threads: Threads
    meter: TrafficMeter
    remarks: tuple[str, ...]


@contextmanager
def _opened(options: LocalCloudOptions, now: Callable[[], float]) -> Iterator[_Parts]:
    """Open everything in the root, and recover from a crash."""
    root = options.root
    remarks = prepare_root(root)
    try:
        lock = RootLock(root)
    except OSError as error:
        raise UsageError(f"Cannot use {root} as the folder of a local cloud: {error.strerror}.") from error
    with contextlib.ExitStack() as stack:
        stack.callback(lock.release)
        database = RootDatabase(root)
        stack.callback(database.close)
        objects = LocalObjectStore(root, database, now)
        stack.callback(objects.close)
        objects.recover()
        projects = ProjectStore(database, now)
        login = projects.login()
        meter = TrafficMeter(root)
        stack.callback(meter.close)
        threads = Threads()
        stack.callback(threads.close)
        yield _Parts(objects, projects, ResultStore(database, projects, now), login, threads, meter, remarks)


def _apis(parts: _Parts, options: LocalCloudOptions, now: Callable[[], float]) -> ASGIApp:
    tokens = TokenService(parts.login.signing_key)
    objects = ObjectOperations(parts.objects, parts.threads)
    multipart = MultipartOperations(parts.objects, MultipartStore(parts.objects), objects, parts.threads)
    s3 = S3App(objects, multipart, tokens, options.profile, now, options.checksums)
    rest = RestApp(parts.projects, parts.results, parts.login, tokens, options, parts.threads, now)

    async def by_path(scope: Scope, receive: Receive, send: Send) -> None:
        await (rest if is_rest(scope["path"]) else s3)(scope, receive, send)

    return by_path


def _server(app: ASGIApp, options: LocalCloudOptions) -> HttpServer:
    """Raises UsageError when the TLS files cannot be used."""
    try:
        return HttpServer(
            app,
            keep_alive=_KEEP_ALIVE,
            last_requests=_LAST_REQUESTS,
            protocol=AbortableProtocol,
            certificate=options.tls_cert,
            private_key=options.tls_key,
        )
    except OSError as error:  # includes ssl.SSLError
        raise UsageError(f"Cannot use the TLS certificate {options.tls_cert} or its key: {error}.") from error


@contextmanager
def _listening(options: LocalCloudOptions) -> Iterator[socket.socket]:
    """A bound socket. Raises UsageError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"Cannot resolve {options.host}:{options.port}: {error}.") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(f"The local cloud cannot listen on {options.host}:{options.port}: {reason}.") from error
        yield listener


def _address(options: LocalCloudOptions, listener: socket.socket, parts: _Parts) -> LocalCloudAddress:
    host, port = listener.getsockname()[:2]
    remarks = (*parts.remarks, *_reachability(host, port, encrypted=options.tls_cert is not None))
    if ipaddress.ip_address(host).is_unspecified:
        # It listens on all addresses; from this computer, loopback always works.
        host = "::1" if ":" in host else "127.0.0.1"
    scheme = "https" if options.tls_cert else "http"
    url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    login = parts.login
    return LocalCloudAddress(url, login.client_id, login.client_secret, options.root, login.is_new, remarks)


def _reachability(host: str, port: int, *, encrypted: bool) -> tuple[str, ...]:
    """Remarks on who can reach a server that listens on `host`."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if address.is_loopback:
        return ()
    where = f"every address of this computer, port {port}" if address.is_unspecified else f"{host}, port {port}"
    reach = f"The local cloud listens on {where}: every computer that can reach this one can try to sign in."
    plain = (
        f"It serves plain http: others in the network can read images and secrets in transit, and {APP} on another"
        " computer refuses to sign in. Serve https with --tls-cert and --tls-key."
    )
    return (reach,) if encrypted else (reach, plain)


async def _wait_for(task: asyncio.Task[None]) -> None:
    """Wait until the server has ended, also when this is cancelled; then raise the cancellation."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
