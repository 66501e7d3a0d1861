"""Proxies that open a tunnel, refuse to, or try to reply in place of the store."""

from __future__ import annotations

import contextlib
import io
import ssl
from collections.abc import Iterator

import pytest

from tests.cloud.http.test_connection import QUICK, put
from tests.cloud.servers import CERTIFICATE, Call, Hangup, serving
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Origin
from tui_uploader.errors import LinkDown, LinkError, NotTheService, ProxyRefused, TrustFailed
from tui_uploader.settings import Settings


@contextlib.contextmanager
def proxy(answer: str = "200 Connected") -> Iterator[tuple[str, list[Call]]]:
    """A proxy that connects every tunnel to the same TLS server. Yields its address and the requests to the proxy."""

    def handle(call: Call) -> None:
        call.raw(f"HTTP/1.1 {answer}\r\n\r\n".encode())
        if not answer.startswith("200"):
            call.close()
            return
        try:
            tunnel = call.start_tls()
        except ssl.SSLError:
            raise Hangup from None
        with tunnel:
            received = b""
            while b"0123456789" not in received:
                if not (data := tunnel.recv(10_000)):
                    raise Hangup
                received += data
            tunnel.sendall(b"HTTP/1.1 200 OK\r\nETag: 1\r\nContent-Length: 0\r\n\r\n")
            tunnel.recv(1)
        raise Hangup

    with serving(handle) as server:
        yield f"http://user:pass%20word@127.0.0.1:{server.port}", server.calls


async def through(address: str, host: str = "storage.test") -> Reply:
    pool = ConnectionPool(Settings(ca_file=CERTIFICATE, proxy=address), QUICK)
    try:
        return await pool.exchange(Origin(True, host, 443), put(b"0123456789"))
    finally:
        await pool.close()


async def test_a_proxy_gets_only_its_own_password() -> None:
    with proxy() as (address, calls):
        assert (await through(address)).ok
    assert (calls[0].method, calls[0].target) == ("CONNECT", "storage.test:443")
    assert calls[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNzIHdvcmQ="


async def test_the_certificate_is_checked_behind_a_proxy() -> None:
    with proxy() as (address, _), pytest.raises(TrustFailed, match=r"elsewhere\.test"):
        await through(address, "elsewhere.test")


@pytest.mark.parametrize(
    ("answer", "error"),
    [("407 Authentication Required", ProxyRefused), ("403 Forbidden", ProxyRefused), ("502 Bad Gateway", LinkDown)],
)
async def test_a_proxy_that_refuses_to_connect(answer: str, error: type[LinkError]) -> None:
    with proxy(answer) as (address, _), pytest.raises(error, match=answer[:3]) as caught:
        await through(address)
    assert "pass word" not in caught.value.message


CONNECTED = "200 Connected\r\n\r\n"
FORGED = "HTTP/1.1 200 OK\r\nETag: forged\r\nContent-Length: 0"


@pytest.mark.parametrize("filler", ["", "-" * (io.DEFAULT_BUFFER_SIZE - len(f"HTTP/1.1 {CONNECTED}"))])
async def test_a_proxy_cannot_reply_in_place_of_the_store_before_tls_is_up(filler: str) -> None:
    """The second forgery begins at the end of the buffer that holds the reply to CONNECT."""
    with proxy(f"{CONNECTED}{filler}{FORGED}") as (address, _), pytest.raises(NotTheService):
        await through(address)
