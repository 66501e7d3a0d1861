"""Choose the proxy for a host from the settings and the environment.

The variables and the meaning of `NO_PROXY` are those of curl (https://everything.curl.dev/usingcurl/proxies/env.html).
A proxy's address may contain a password, so no message quotes it.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from tui_uploader.errors import UsageError
from tui_uploader.redaction import Secrets
from tui_uploader.settings import Settings
from tui_uploader.text import whole_number

_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""In curl's order. `http_proxy` is for plain http, which is only used for this machine."""
_DEFAULT_PORT = 8080
_MAX_PORT = 65535
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_secrets: dict[str, Secrets] = {}
"""Passwords of proxies, by the setting or variable that names the proxy."""
_EXPECTED = "Use the form http://host:port."


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. Its repr omits the credentials."""

    host: str
    port: int
    credentials: str | None = field(default=None, repr=False)
    """`user:password`, decoded."""

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authorization(self) -> str | None:
        """The value of the `Proxy-Authorization` header."""
        if self.credentials is None:
            return None
        return "Basic " + base64.b64encode(self.credentials.encode("utf-8", "surrogateescape")).decode("ascii")


def chosen_proxy(host: str, port: int, settings: Settings, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for `host`: from the settings, else from the environment; None if `NO_PROXY` covers the host.

    Raises UsageError naming the invalid setting or variable.
    """
    if bypasses(environment.get("no_proxy") or environment.get("NO_PROXY") or "", host, port):
        return None
    for source, address in _named(settings, environment):
        if address.strip():
            return proxy_of(address.strip(), source)
    if sys.platform == "darwin" and not urllib.request.proxy_bypass(host):
        address = urllib.request.getproxies().get("https", "")
        return proxy_of(address, "The system's network settings") if address else None
    return None


def _named(settings: Settings, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Settings and variables that may name a proxy, with their values, in order of precedence."""
    if settings.proxy is not None:
        by_variable = environment.get("TUI_UPLOADER_PROXY") == settings.proxy
        yield ("TUI_UPLOADER_PROXY" if by_variable else "`proxy` in config.toml"), settings.proxy
    for name in _VARIABLES:
        yield name, environment.get(name, "")


def proxy_of(address: str, source: str = "The setting `proxy`") -> Proxy:
    """Parse `http://[user:password@]host[:port]`, or the same without `http://`.

    User name and password may contain any character, even `/` and `@`; the last `@` ends them. Raises UsageError whose
    message begins with `source`.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "http", address
    credentials, location = _credentials_and_location(rest)
    _keep_secrets(source, credentials)
    if scheme.lower() != "http":
        raise UsageError(f"{source} names {_kind(scheme)}; only HTTP proxies are supported. {_EXPECTED}")
    host, port = _host_and_port(re.split(r"[/?#\\]", location, maxsplit=1)[0], source)
    return Proxy(host, port, credentials)


def _credentials_and_location(rest: str) -> tuple[str | None, str]:
    user_info, at, location = rest.rpartition("@")
    user, _, password = user_info.partition(":")
    return f"{unquote(user)}:{unquote(password)}" if at else None, location


def _without_scheme(address: str) -> str:
    _, separator, rest = address.partition("://")
    return rest if separator else address


def know_passwords(settings: Settings, environment: Mapping[str, str]) -> None:
    """Register the passwords of all named proxies, used or not, for redaction."""
    for source, address in _named(settings, environment):
        credentials, _ = _credentials_and_location(_without_scheme(address.strip()))
        _keep_secrets(source, credentials)


def _keep_secrets(source: str, credentials: str | None) -> None:
    secrets = frozenset((credentials, credentials.partition(":")[2])) - {""} if credentials else frozenset()
    before = _secrets.get(source)
    if before is None or before.secrets != secrets:
        _secrets[source] = Secrets(*secrets)


def _kind(scheme: str) -> str:
    kind = scheme.lower()
    if kind.startswith("socks"):
        return f"a SOCKS proxy ({kind}://)" if _SCHEME.fullmatch(kind) else "a SOCKS proxy"
    if kind == "https":
        return "an HTTPS proxy (https://)"
    return "a proxy of an unknown type"


def _host_and_port(location: str, source: str) -> tuple[str, int]:
    """Raises UsageError."""
    found = re.fullmatch(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>.*))?", location)
    if found is None:
        raise UsageError(f"{source} names a proxy with an invalid host. {_EXPECTED}")
    host, port = found["v6"] or found["name"] or "", whole_number(found["port"] or str(_DEFAULT_PORT), _MAX_PORT)
    if not port:
        raise UsageError(f"{source} names a proxy whose port is not a number from 1 to {_MAX_PORT}. {_EXPECTED}")
    try:
        return (str(ipaddress.IPv6Address(host)) if found["v6"] else _host_name(host)), port
    except ValueError:  # from ipaddress or the codec
        problem = "with an invalid host name or address" if host else "without a host"
        raise UsageError(f"{source} names a proxy {problem}. {_EXPECTED}") from None


def _host_name(host: str) -> str:
    """The name in the form that resolvers accept. Raises ValueError."""
    name = host.encode("idna").decode("ascii")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise ValueError(name)
    return name


def bypasses(no_proxy: str, host: str, port: int) -> bool:
    """Whether `NO_PROXY` exempts `host` from the proxy.

    Entries are separated by commas or blanks: a name (covers all names below it; a leading dot is ignored), an address,
    a network such as 10.0.0.0/8, each optionally followed by `:port`, or `*` for everything. As in curl
    (lib/noproxy.c), except that ports come from Go and others.
    """
    name = host.lower().rstrip(".")
    return any(_covers(entry, name, port) for entry in re.split(r"[\s,]+", no_proxy.lower()) if entry)


def _covers(entry: str, host: str, port: int) -> bool:
    pattern, wanted = _split_port(entry)
    if wanted not in ("", str(port)):
        return False
    if pattern == "*":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        suffix = pattern.removeprefix("*").strip(".")
        return bool(suffix) and (host == suffix or host.endswith(f".{suffix}"))
    try:
        return address in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, str]:
    """`[::1]:443` → `::1`, `443`; a bare IPv6 address or network has no port."""
    if entry.startswith("["):
        address, _, rest = entry[1:].partition("]")
        return (address + rest, "") if rest.startswith("/") else (address, rest.removeprefix(":"))
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""
