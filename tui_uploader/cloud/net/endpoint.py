"""The way to a cloud: which addresses are acceptable, through which proxy, and whom TLS trusts.

One setting of proxy and trust serves the REST API and S3 alike: where they differ, sign-in works and the upload fails.
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

# httpx logs whole URLs, botocore logs what it signs, with the session token in it: neither may reach any log.
_LEAKY_LOGGERS = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "botocore": logging.WARNING}

_NAME = re.compile(rb"(?=.{1,254}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds without progress after which an attempt is given up. None of them limits a transfer that moves."""

    connect: float = 10.0
    """Until the other side accepts a connection; the same again for the TLS handshake."""
    stall: float = 30.0
    """While bytes are due to move and none does."""
    reply: float = 60.0
    """From the last byte of a request to the first of its reply, and a second more for every 50 MB of it."""

    @property
    def request(self) -> float:
        """Until the first byte of the final reply to a short request, whatever comes before it: connecting through a
        proxy, the handshake, the request, and interim answers."""
        return 3 * self.connect + self.stall + self.reply

    def reply_to(self, size: int) -> float:
        """At most ten minutes: S3 is known to take minutes over the completion of large objects."""
        return min(600.0, self.reply + size / 50e6)


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what one connection can reach."""

    tls: bool
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """As the `Host` header has it: without the scheme's own port."""
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
    """Raises UsageError for an address that is none or carries a name and password, and for plain http to another
    machine."""
    cloud_address(url)
    parts, port = _parts_of(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{printable(url, 200)} is no address of a cloud; it has to look like https://cloud.pix4d.com."
        )
    if not _is_host(parts.hostname):
        raise UsageError(
            f"{printable(url, 200)} is no address of a cloud: its host is no name that a machine can have."
        )
    tls = parts.scheme == "https"
    if not tls and not is_loopback(parts.hostname):
        raise UsageError(
            f"{printable(parts.hostname, 200)} is to be reached by plain http, where everybody on the way could read "
            "the secret. Use https; plain http is accepted for this machine alone."
        )
    return Origin(tls, parts.hostname, port or (443 if tls else 80))


def _is_host(host: str) -> bool:
    """Whether it is an IP address, or a name that a resolver can be asked for."""
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
        raise UsageError(f"{printable(url, 200)} is no web address: {printable(str(error), 200)}.") from error


def proxy_for(origin: Origin, settings: Settings) -> Proxy | None:
    """The proxy on the way to `origin`; none to this machine. Raises ProxyUnusable."""
    if is_loopback(origin.host):
        return None
    try:
        return chosen_proxy(origin.host, origin.port, settings, os.environ)
    except UsageError as error:
        raise ProxyUnusable(error.message) from None


def trust_for(origin: Origin, settings: Settings) -> ssl.SSLContext | None:
    """None without TLS. Raises TrustFailed where the configured authority cannot be used."""
    try:
        return tls_context(settings) if origin.tls else None
    except UsageError as error:
        raise TrustFailed(error.message) from error


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Trusts what the system trusts, and `settings.ca_file`. Raises UsageError where that cannot be read.

    One for each user of it: truststore holds a lock of the context during handshakes.
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
            raise UsageError(f"The authority file {settings.ca_file} cannot be used: {error.strerror}.") from error
    return context


def _openssl_finds_authorities() -> bool:
    """On Linux, truststore does what OpenSSL does, but for each connection anew: 20 ms each time."""
    return sys.platform == "linux" and ssl.get_default_verify_paths().cafile is not None


def rest_client(
    origin: Origin, settings: Settings, deadlines: Deadlines, tls: ssl.SSLContext | None
) -> httpx.AsyncClient:
    """For the REST API: never follows a redirect, since a redirected POST loses its body. Raises ProxyUnusable."""
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
