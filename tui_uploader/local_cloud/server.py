"""The local cloud as a server: one port for REST and S3, one folder for everything it keeps.

`serve` is for a process of its own, `running` for another's event loop. `python -m tui_uploader.local_cloud.server`
is the smallest process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from tui_uploader.errors import UploaderError, UsageError
from tui_uploader.http_server.server import HttpServer
from tui_uploader.local_cloud.faults.middleware import FaultLayer
from tui_uploader.local_cloud.faults.plan import FaultPlan, parsed
from tui_uploader.local_cloud.middleware import CuttableProtocol, Edge
from tui_uploader.local_cloud.options import Checksums, ExternalS3, LocalCloudAddress, LocalCloudOptions, Profile
from tui_uploader.local_cloud.rest.api import Rest
from tui_uploader.local_cloud.routes import is_rest
from tui_uploader.local_cloud.s3.api import S3
from tui_uploader.local_cloud.s3.objects import ObjectCalls
from tui_uploader.local_cloud.s3.parts import PartCalls
from tui_uploader.local_cloud.storage.database import Database, RootLock
from tui_uploader.local_cloud.storage.meter import Meter, Metered
from tui_uploader.local_cloud.storage.multipart import MultipartStore
from tui_uploader.local_cloud.storage.objects import ObjectStore
from tui_uploader.local_cloud.storage.projects import KeptLogin, ProjectStore
from tui_uploader.local_cloud.storage.root import prepared
from tui_uploader.local_cloud.threads import Threads
from tui_uploader.local_cloud.tokens import PassOffice
from tui_uploader.settings import APP

__all__ = ["ExternalS3", "LocalCloudAddress", "LocalCloudOptions", "Profile", "running", "serve"]

logger = logging.getLogger(__name__)

_KEEP_ALIVE = 75
"""Seconds that an idle connection is kept."""
_LAST_REQUESTS = 2
"""Seconds that requests get to end when the server stops."""


async def serve(options: LocalCloudOptions, ready: Callable[[LocalCloudAddress], None]) -> None:
    """Run until SIGTERM, SIGINT or cancellation; `ready` is called once the server listens.

    Raises UsageError when the root, the address, a fault or the TLS files are of no use.
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
    """A local cloud in this event loop, listening while the block runs. Signals are left alone.

    Raises UsageError when the root, the address, a fault or the TLS files are of no use.
    """
    plan = FaultPlan([parsed(text) for text in options.faults])
    with _listening(options) as listener, _opened(options, now) as parts:
        hit = partial(parts.meter.count, faults=1)
        app = Edge(Metered(FaultLayer(_apis(parts, options, now), plan, on_hit=hit), parts.meter), now)
        server = _server(app, options)
        task = asyncio.create_task(server.serve([listener]))
        try:
            await server.listening(task)
            yield _address(options, listener, parts)
        finally:
            server.stop()
            await _ended(task)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What both APIs stand on."""

    database: Database
    objects: ObjectStore
    projects: ProjectStore
    login: KeptLogin
    threads: Threads
    meter: Meter
    remarks: tuple[str, ...]


@contextmanager
def _opened(options: LocalCloudOptions, now: Callable[[], float]) -> Iterator[_Parts]:
    """Everything that is kept in the root, recovered from whatever end it had."""
    root = options.root
    remarks = prepared(root)
    try:
        lock = RootLock(root)
    except OSError as error:
        raise UsageError(f"{root} cannot be used as the folder of a local cloud: {error.strerror}.") from error
    with contextlib.ExitStack() as stack:
        stack.callback(lock.release)
        database = Database(root)
        stack.callback(database.close)
        objects = ObjectStore(root, database, now)
        stack.callback(objects.close)
        objects.recover()
        projects = ProjectStore(database, now, objects_are_here=options.external_s3 is None)
        login = projects.login(options.client_id, options.client_secret)
        meter = Meter(root)
        stack.callback(meter.close)
        threads = Threads()
        stack.callback(threads.close)
        yield _Parts(database, objects, projects, login, threads, meter, remarks)


def _apis(parts: _Parts, options: LocalCloudOptions, now: Callable[[], float]) -> ASGIApp:
    passes = PassOffice(parts.login.signing_key)
    object_calls = ObjectCalls(parts.objects, parts.threads)
    part_calls = PartCalls(parts.objects, MultipartStore(parts.objects), object_calls, parts.threads)
    s3 = S3(object_calls, part_calls, passes, options.profile, now, options.checksums)
    rest = Rest(parts.projects, parts.login, passes, options, parts.threads, now)

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        await (rest if is_rest(scope["path"]) else s3)(scope, receive, send)

    return either


def _server(app: ASGIApp, options: LocalCloudOptions) -> HttpServer:
    """Raises UsageError when the TLS files are of no use."""
    try:
        return HttpServer(
            app,
            keep_alive=_KEEP_ALIVE,
            last_requests=_LAST_REQUESTS,
            protocol=CuttableProtocol,
            certificate=options.tls_cert,
            private_key=options.tls_key,
        )
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(f"The TLS certificate {options.tls_cert} or its key cannot be used: {error}.") from error


@contextmanager
def _listening(options: LocalCloudOptions) -> Iterator[socket.socket]:
    """A bound socket. Raises UsageError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"There is no address {options.host}:{options.port} here: {error}.") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(f"The local cloud cannot listen at {options.host}:{options.port}: {reason}.") from error
        yield listener


def _address(options: LocalCloudOptions, listener: socket.socket, parts: _Parts) -> LocalCloudAddress:
    host, port = listener.getsockname()[:2]
    remarks = (*parts.remarks, *_about_others(host, port, encrypted=options.tls_cert is not None))
    if ipaddress.ip_address(host).is_unspecified:
        # Listening everywhere has no address of its own; from this machine, loopback always works.
        host = "::1" if ":" in host else "127.0.0.1"
    scheme = "https" if options.tls_cert else "http"
    url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    s3_url = options.external_s3.endpoint if options.external_s3 else url
    login = parts.login
    return LocalCloudAddress(url, s3_url, login.client_id, login.client_secret, options.root, login.is_new, remarks)


def _about_others(host: str, port: int, *, encrypted: bool) -> tuple[str, ...]:
    """What it means for other computers that the server listens at `host`."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if address.is_loopback:
        return ()
    where = f"every address of this computer, port {port}" if address.is_unspecified else f"{host}, port {port}"
    reach = f"It listens at {where}: every computer that can reach this one can try to sign in."
    plain = (
        f"It speaks plain http, so everybody in the network can read images and secrets on their way; {APP} on another"
        " computer refuses to sign in. Serve https with --tls-cert and --tls-key."
    )
    return (reach,) if encrypted else (reach, plain)


async def _ended(task: asyncio.Task[None]) -> None:
    """The server has let go of everything when this returns, also when the waiting itself is cancelled."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a local cloud.")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--profile", type=Profile, choices=list(Profile), default=Profile.DEFAULT)
    parser.add_argument("--checksums", type=Checksums, choices=list(Checksums), default=Checksums.CRC32)
    parser.add_argument("--credentials-lifetime", type=float, default=3600.0, metavar="SECONDS")
    parser.add_argument("--token-lifetime", type=float, default=36000.0, metavar="SECONDS")
    parser.add_argument("--processing-seconds", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--fault", action="append", default=[], dest="faults", metavar="NAME[:KEY=VALUE,...]")
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--json", action="store_true", help="print one line with everything that a script needs")
    arguments = vars(parser.parse_args())
    as_json = arguments.pop("json")
    options = LocalCloudOptions(**arguments | {"faults": tuple(arguments["faults"])})

    def tell(address: LocalCloudAddress) -> None:
        sys.stdout.write((address.as_json() if as_json else address.for_people()) + "\n")
        sys.stdout.flush()

    try:
        asyncio.run(serve(options, tell))
    except UploaderError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
