"""Addresses of clouds: which are accepted, over which proxy they are reached, and which certificates are trusted.

REST API and S3 share proxy and trust settings: if they differed, sign-in could work and the upload fail.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import ssl
import sys
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx
import truststore

from tui_uploader.cloud.net.proxies import Proxy, chosen_proxy
from tui_uploader.errors import ProxyUnusable, TrustFailed, UsageError
from tui_uploader.settings import Settings, cloud_address
from tui_uploader.text import printable

# httpx logs whole URLs, botocore logs signed requests with the session token: neither may reach a log.
_LEAKY_LOGGERS = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "botocore": logging.WARNING}

_NAME = re.compile(rb"(?=.{1,254}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds without progress after which an attempt is given up. A transfer that moves is never limited."""

    connect: float = 10.0
    """Until the other side accepts a connection; the same again for the TLS handshake."""
    stall: float = 30.0
    """While data is due and none moves."""
    reply: float = 60.0
    """From the last byte of a request to the first byte of its reply, plus a second for every 50 MB of the request."""

    @property
    def request(self) -> float:
        """Until the first byte of the final reply to a short request: connecting over a proxy, TLS handshake, request
        and interim replies included."""
        return 3 * self.connect + self.stall + self.reply

    def reply_to(self, size: int) -> float:
        """The reply deadline for `size` bytes, at most ten minutes: S3 can take minutes to complete a large object."""
        return min(600.0, self.reply + size / 50e6)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: the other end of a connection."""

    tls: bool
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """The value of the `Host` header: without the scheme's default port."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.tls else 80) else f"{name}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.netloc}"


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> Origin:
    """The origin of an address.

    Raises UsageError for an invalid address, one with a user name or password, and for plain http to another machine.
    """
    cloud_address(url)
    parts, port = _parts_of(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"Invalid cloud address {printable(url, 200)}: use an address like https://cloud.pix4d.com.")
    if not _is_host(parts.hostname):
        raise UsageError(f"Invalid cloud address {printable(url, 200)}: its host name is not valid.")
    tls = parts.scheme == "https"
    if not tls and not is_loopback(parts.hostname):
        raise UsageError(
            f"The address of {printable(parts.hostname, 200)} starts with http, which would send the secret "
            "unencrypted. Use https; http is accepted only for this machine."
        )
    return Origin(tls, parts.hostname, port or (443 if tls else 80))


def _is_host(host: str) -> bool:
    """Whether it is an IP address or a resolvable name."""
    try:
        ipaddress.ip_address(host)
        return True
    except ValueError:
        pass
    try:
        return _NAME.fullmatch(host.encode("idna")) is not None
    except UnicodeError:  # such as a label above 63 bytes
        return False


def _parts_of(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:
        raise UsageError(f"Invalid address {printable(url, 200)}: {printable(str(error), 200)}.") from error


def proxy_for(origin: Origin, settings: Settings) -> Proxy | None:
    """The proxy for `origin`; None for none, as for this machine. Raises ProxyUnusable."""
    if is_loopback(origin.host):
        return None
    try:
        return chosen_proxy(origin.host, origin.port, settings, os.environ)
    except UsageError as error:
        raise ProxyUnusable(error.message) from None


def trust_for(origin: Origin, settings: Settings) -> ssl.SSLContext | None:
    """The TLS context for `origin`; None for plain http. Raises TrustFailed if the CA file cannot be used."""
    try:
        return tls_context(settings) if origin.tls else None
    except UsageError as error:
        raise TrustFailed(error.message) from error


def tls_context(settings: Settings) -> ssl.SSLContext:
    """A TLS context that trusts the system's authorities and `settings.ca_file`.

    Do not share it: truststore locks the context during handshakes. Raises UsageError if the file cannot be read.
    """
    context: ssl.SSLContext
    if _openssl_finds_authorities():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs()
    else:
        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(cafile=str(settings.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"Cannot use the CA file {settings.ca_file}: {error.strerror}.") from error
    return context


def _openssl_finds_authorities() -> bool:
    """On Linux, truststore does the same as OpenSSL, but for each connection anew, which takes 20 ms."""
    return sys.platform == "linux" and ssl.get_default_verify_paths().cafile is not None


def rest_client(
    origin: Origin, settings: Settings, deadlines: Deadlines, tls: ssl.SSLContext | None
) -> httpx.AsyncClient:
    """A client for the REST API. It follows no redirects: a redirected POST loses its body. Raises ProxyUnusable."""
    silence_leaky_loggers()
    proxy = proxy_for(origin, settings)
    return httpx.AsyncClient(
        verify=False if tls is None else tls,
        trust_env=False,
        proxy=None if proxy is None else _httpx_proxy(proxy),
        follow_redirects=False,
        timeout=httpx.Timeout(deadlines.stall, connect=deadlines.connect, read=deadlines.reply),
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=20),
        headers={"User-Agent": "tui-uploader", "Accept": "application/json", "Accept-Encoding": "gzip"},
    )


def _httpx_proxy(proxy: Proxy) -> httpx.Proxy:
    url = httpx.URL(scheme="http", host=proxy.host, port=proxy.port)
    return httpx.Proxy(url, headers={"Proxy-Authorization": proxy.authorization} if proxy.authorization else None)


def silence_leaky_loggers() -> None:
    for name, level in _LEAKY_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
