"""A real HTTP server on loopback that replies exactly as a test says, byte by byte if needed."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

CERTIFICATE = Path(__file__).with_name("loopback.pem")
"""Self-signed, for localhost, 127.0.0.1 and storage.test; its own authority. Valid until 2125."""


class Hangup(Exception):
    """The client closed the connection."""


@dataclass
class Call:
    """A request, and the means to reply to it."""

    method: str
    target: str
    headers: dict[str, str]
    connection: int
    """The number of the connection, from 0: shows whether one was reused."""
    _socket: socket.socket = field(repr=False)
    _early: bytearray = field(repr=False)
    body: bytes | None = None
    """None until it is read."""
    open: bool = True

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        found = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    @property
    def length(self) -> int:
        return int(self.headers.get("content-length", "0"))

    def read(self, count: int) -> bytes:
        while len(self._early) < count:
            data = self._socket.recv(256 * 1024)
            if not data:
                raise Hangup
            self._early += data
        taken = bytes(self._early[:count])
        del self._early[:count]
        return taken

    def read_body(self) -> bytes:
        if self.body is None:
            self.body = self.read(self.length)
        return self.body

    def json(self) -> dict[str, object]:
        value = json.loads(self.read_body())
        assert isinstance(value, dict)
        return value

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.read_body().decode()).items()}

    def raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def start_tls(self) -> ssl.SSLSocket:
        """The connection, encrypted from here on. Raises OSError."""
        return server_context().wrap_socket(self._socket, server_side=True)

    def reply(self, status: int = 200, body: bytes | str | object = b"", **headers: str) -> None:
        """Send a reply: bytes and text as they are, anything else as JSON; `retry_after=` means `Retry-After:`."""
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("content_type", "application/json")
        lines = [f"HTTP/1.1 {status} Whatever"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if "content_length" not in headers:
            lines.append(f"Content-Length: {len(body)}")
        self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + (b"" if self.method == "HEAD" else body))

    def error(self, status: int, code: str, inside: str = "", **headers: str) -> None:
        """Reply with an S3 error document."""
        document = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>because</Message>{inside}</Error>"
        self.reply(status, document, content_type="application/xml", **headers)

    def close(self) -> None:
        self.open = False

    def reset(self) -> None:
        """Close the connection with a TCP RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open = False


Handler = Callable[[Call], None]


class Server:
    """Serves until closed, each connection in its own thread."""

    def __init__(
        self,
        handler: Handler,
        *,
        tls: bool = False,
        certificate: Path = CERTIFICATE,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.calls: list[Call] = []
        self.faults: list[BaseException] = []
        """Exceptions of handlers, raised at the end of the test."""
        self._handler = handler
        self._tls = server_context(certificate) if tls else None
        self._listener = socket.create_server((address, port))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http{'s' if tls else ''}://{address}:{self.port}"
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        for fault in self.faults:
            raise fault

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return sum(thread.is_alive() for thread in self._threads[1:])

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            number = len(self._sockets) - 1
            thread = threading.Thread(target=self._serve, args=(sock, number), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets[number] = sock
            self._talk(sock, number)
        except (OSError, Hangup):
            pass
        except BaseException as fault:
            self.faults.append(fault)
        finally:
            sock.close()

    def _talk(self, sock: socket.socket, number: int) -> None:
        early = bytearray()
        while True:
            while b"\r\n\r\n" not in early:
                data = sock.recv(64 * 1024)
                if not data:
                    return
                early += data
            head, _, rest = bytes(early).partition(b"\r\n\r\n")
            early = bytearray(rest)
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            call = Call(method, target, headers, number, sock, early)
            self.calls.append(call)
            self._handler(call)
            if not call.open:
                return


class _ClosingSocket(ssl.SSLSocket):
    """Closed by an error: `wrap_socket` before Python 3.13 leaks the descriptor of a connection that was reset."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except OSError:
            self.close()
            raise


def server_context(certificate: Path = CERTIFICATE) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = _ClosingSocket
    context.load_cert_chain(certificate)
    return context


@contextlib.contextmanager
def serving(
    handler: Handler,
    *,
    tls: bool = False,
    certificate: Path = CERTIFICATE,
    address: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Server]:
    """A running server. At the end, exceptions of the handler are raised."""
    server = Server(handler, tls=tls, certificate=certificate, address=address, port=port)
    try:
        yield server
    finally:
        server.close()


def in_turn(*handlers: Handler) -> Handler:
    """A handler that passes each request to the next of `handlers`, and all further ones to the last."""
    count = 0
    lock = threading.Lock()

    def handle(call: Call) -> None:
        nonlocal count
        with lock:
            handler = handlers[min(count, len(handlers) - 1)]
            count += 1
        handler(call)

    return handle


def seen(calls: Sequence[Call]) -> list[str]:
    return [f"{call.method} {call.target}" for call in calls]
