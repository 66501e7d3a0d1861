"""Proxies that open tunnels, refuse to, or try to answer for the store."""

from __future__ import annotations

import contextlib
import io
import ssl
from collections.abc import Iterator

import pytest

from tests.cloud.http.test_connection import QUICK, put
from tests.cloud.servers import CERTIFICATE, Call, Hangup, server_context, serving
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Origin
from tui_uploader.errors import LinkDown, LinkError, NotTheService, ProxyRefused, TrustFailed
from tui_uploader.settings import Settings


@contextlib.contextmanager
def proxy(answer: str = "200 Connected") -> Iterator[tuple[str, list[Call]]]:
    """Opens tunnels, whatever the name asked for, to a TLS server that stands behind it; gives its address and the
    requests it got for itself."""

    def handle(call: Call) -> None:
        call.raw(f"HTTP/1.1 {answer}\r\n\r\n".encode())
        if not answer.startswith("200"):
            call.close()
            return
        try:
            tunnel = server_context().wrap_socket(call._socket, server_side=True)
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


async def test_a_proxy_opens_a_tunnel_and_gets_its_own_password_only() -> None:
    with proxy() as (address, calls):
        assert (await through(address)).ok
    assert (calls[0].method, calls[0].target) == ("CONNECT", "storage.test:443")
    assert calls[0].headers["proxy-authorization"] == "Basic dXNlcjpwYXNzIHdvcmQ="


async def test_behind_a_proxy_the_server_still_has_to_prove_its_name() -> None:
    with proxy() as (address, _), pytest.raises(TrustFailed, match=r"elsewhere\.test"):
        await through(address, "elsewhere.test")


@pytest.mark.parametrize(
    ("answer", "error"),
    [("407 Authentication Required", ProxyRefused), ("403 Forbidden", ProxyRefused), ("502 Bad Gateway", LinkDown)],
)
async def test_a_proxy_that_does_not_let_us_through(answer: str, error: type[LinkError]) -> None:
    with proxy(answer) as (address, _), pytest.raises(error, match=answer[:3]) as told:
        await through(address)
    assert "pass word" not in told.value.message


CONNECTED = "200 Connected\r\n\r\n"
FORGED = "HTTP/1.1 200 OK\r\nETag: forged\r\nContent-Length: 0"


@pytest.mark.parametrize("filler", ["", "-" * (io.DEFAULT_BUFFER_SIZE - len(f"HTTP/1.1 {CONNECTED}"))])
async def test_a_proxy_cannot_answer_for_the_store_before_the_channel_to_it_stands(filler: str) -> None:
    """The second forgery begins where the buffer of a reader ends that has read the answer to CONNECT."""
    with proxy(f"{CONNECTED}{filler}{FORGED}") as (address, _), pytest.raises(NotTheService):
        await through(address)
