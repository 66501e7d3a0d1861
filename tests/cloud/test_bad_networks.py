"""Networks that answer in place of the server: portals, proxies, TLS inspection. Their success replies never count."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cloud.servers import Call, Handler, serving
from tests.cloud.stores import QUICK, byte_range, ignore, open_store
from tui_uploader.cloud.contract import ByteRange, Part
from tui_uploader.cloud.http.error_mapping import link_failure
from tui_uploader.cloud.http.messages import Request
from tui_uploader.cloud.http.pool import ConnectionPool
from tui_uploader.cloud.net.endpoint import Origin
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.cloud.s3.store import S3Store
from tui_uploader.errors import (
    CloudFault,
    CloudUnintelligible,
    LinkDown,
    LinkError,
    NotTheService,
    ProxyRefused,
    TrustFailed,
    UploaderError,
)
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Settings

LOGIN_PAGE = "<!DOCTYPE html><html><body><form>Voucher code</form></body></html>"
PARTS = (Part(1, 10, "e1", 7),)


@pytest.fixture
def body(tmp_path: Path) -> Iterator[ByteRange]:
    with byte_range(tmp_path / "DJI_0001.JPG") as made:
        yield made


def says(status: int, text: str = "", **headers: str) -> Handler:
    def handle(call: Call) -> None:
        call.read_body()
        call.reply(status, text, **headers)

    return handle


# ------------------------------------------------------------------------------------------------- portals and S3

PORTALS: list[tuple[Handler, type[UploaderError]]] = [
    (says(200, LOGIN_PAGE), NotTheService),
    (says(200, LOGIN_PAGE, ETag='"1"'), NotTheService),
    (says(200, "welcome", content_type="text/html"), NotTheService),
    (says(200, "\ufeff  <HTML>", content_type="text/plain"), NotTheService),
    (says(302, location="http://portal.example/login"), NotTheService),
    (says(302, location="/login"), NotTheService),
    (says(303), NotTheService),
    (says(307, LOGIN_PAGE, location="/login"), NotTheService),
    (says(511, LOGIN_PAGE), NotTheService),
    (says(407), ProxyRefused),
    (says(502, LOGIN_PAGE), CloudFault),
    (says(404, LOGIN_PAGE), CloudUnintelligible),
    (says(200, "OK"), CloudUnintelligible),
    (says(200, "OK", ETag='"1"'), CloudUnintelligible),
    (says(204), CloudUnintelligible),
    (says(200, '{"welcome": true}', content_type="application/json"), CloudUnintelligible),
]
Asked = Callable[[S3Store, ByteRange], object]


async def put(store: S3Store, body: ByteRange) -> None:
    await store.put("a.jpg", body, ignore)


async def part(store: S3Store, body: ByteRange) -> None:
    await store.put_part("a.jpg", "u", 1, body, ignore)


async def complete(store: S3Store, body: ByteRange) -> None:
    await store.complete_multipart("a.jpg", "u", PARTS, 10)


async def create(store: S3Store, body: ByteRange) -> None:
    await store.create_multipart("a.jpg")


@pytest.mark.parametrize("call", [put, part, complete, create])
@pytest.mark.parametrize(("portal", "error"), PORTALS)
async def test_a_portals_reply_to_an_upload_never_counts(
    call: Asked, portal: Handler, error: type[UploaderError], body: ByteRange
) -> None:
    """A PUT is confirmed by an ETag and an empty body, a completion by S3's XML."""
    with serving(portal) as server:
        async with open_store(server.url) as opened:
            with pytest.raises(error) as caught:
                await call(opened.store, body)  # type: ignore[misc]
    assert caught.value.retryable or isinstance(caught.value, LinkError), "no file fails for it"


# ------------------------------------------------------------------------------------------------------------ TLS


@contextlib.contextmanager
def presenting(certificate: str) -> Iterator[int]:
    """A TLS server with this certificate. Yields its port."""
    path = Path(__file__).with_name(certificate)
    with serving(says(200, ETag='"1"'), tls=True, certificate=path) as server:
        yield server.port


@pytest.mark.parametrize(
    ("certificate", "host", "advice"),
    [
        ("certificate_of_2120.pem", "127.0.0.1", "clock is slow: set the date"),
        ("certificate_of_1999.pem", "127.0.0.1", "If this machine's date is wrong"),
        ("loopback.pem", "127.0.0.1", "ca_file"),
    ],
)
async def test_an_invalid_certificate_comes_with_advice(certificate: str, host: str, advice: str) -> None:
    trusted = None if certificate == "loopback.pem" else Path(__file__).with_name(certificate)
    settings = Settings(ca_file=trusted)
    with presenting(certificate) as port:
        pool = ConnectionPool(settings, QUICK)
        with pytest.raises(TrustFailed, match=advice):
            await pool.exchange(Origin(True, host, port), Request("PUT", "/b/n", [], b"x"))
        await pool.close()
        cloud = Pix4dCloud(Login(f"https://{host}:{port}", "id", "secret"), settings, deadlines=QUICK)
        with pytest.raises(TrustFailed, match=advice):
            await cloud.sign_in()
        await cloud.close()


async def test_a_certificate_of_another_host_comes_with_advice() -> None:
    trusted = Path(__file__).with_name("loopback.pem")
    with serving(says(200), tls=True) as server:
        cloud = Pix4dCloud(
            Login(f"https://127.0.0.2:{server.port}", "id", "secret"), Settings(ca_file=trusted), deadlines=QUICK
        )
        with pytest.raises(LinkError):
            await cloud.sign_in()
        await cloud.close()
    error = ssl.SSLCertVerificationError("x")
    error.verify_code, error.verify_message = 62, "Hostname mismatch"
    assert "login page" in link_failure(error, "cloud.example").message


# --------------------------------------------------------------------------------------------------------- proxies


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        ("407 Proxy Authentication Required", ProxyRefused, r"The proxy 127\.0\.0\.1:\d+ requires .*setting `proxy`"),
        ("403 Forbidden", ProxyRefused, r"The proxy 127\.0\.0\.1:\d+ refused to connect.*setting `proxy`"),
        ("502 Bad Gateway", LinkDown, r"The proxy 127\.0\.0\.1:\d+ cannot reach storage\.test \(HTTP 502\)"),
        ("504 Gateway Timeout", LinkDown, r"HTTP 504"),
    ],
)
async def test_errors_name_the_proxy_and_the_setting(answer: str, error: type[LinkError], sentence: str) -> None:
    def refuse(call: Call) -> None:
        call.raw(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        call.close()

    with serving(refuse) as server:
        await both_through(f"http://user:hidden@127.0.0.1:{server.port}", error, sentence)


async def test_an_unreachable_proxy_is_named() -> None:
    with serving(says(200)) as server:
        gone = server.port
    sentence = rf"storage\.test \(through the proxy 127\.0\.0\.1:{gone}\) refused"
    await both_through(f"127.0.0.1:{gone}", LinkDown, sentence)


async def both_through(proxy: str, error: type[LinkError], sentence: str) -> None:
    """Check that both clients fail with `error` and `sentence`, without quoting the password."""
    settings = Settings(proxy=proxy)
    pool = ConnectionPool(settings, QUICK)
    with pytest.raises(error, match=sentence) as caught:
        await pool.exchange(Origin(True, "storage.test", 443), Request("PUT", "/b/n", [], b"x"))
    await pool.close()
    cloud = Pix4dCloud(Login("https://storage.test", "id", "secret"), settings, deadlines=QUICK)
    with pytest.raises(error, match=sentence) as also:
        await cloud.sign_in()
    await cloud.close()
    assert "hidden" not in caught.value.message + also.value.message
