"""The proxy on the way to a host: which setting names it, which hosts need none, and what can be used.

The variables are those of curl (https://everything.curl.dev/usingcurl/proxies/env.html), and so is the meaning of
`NO_PROXY`. A proxy's address may hold a password, so no sentence quotes it.
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

_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""In curl's order. `http_proxy` is for plain http, which goes to this machine alone."""
_DEFAULT_PORT = 8080
_MAX_PORT = 65535
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_secrets: dict[str, Secrets] = {}
"""Of the proxies, by where they are named."""
_EXPECTED = "It has to look like http://host:port."


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. The credentials are in no repr."""

    host: str
    port: int
    credentials: str | None = field(default=None, repr=False)
    """`user:password`, decoded."""

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authorization(self) -> str | None:
        """Value of the `Proxy-Authorization` header."""
        if self.credentials is None:
            return None
        return "Basic " + base64.b64encode(self.credentials.encode("utf-8", "surrogateescape")).decode("ascii")


def chosen_proxy(host: str, port: int, settings: Settings, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy on the way to `host`: the setting's, else the environment's; None where `NO_PROXY` names the host.

    Raises UsageError naming the setting or the variable that cannot be used.
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
    """Where a proxy may be named, and what stands there, in the order in which they count."""
    if settings.proxy is not None:
        by_variable = environment.get("TUI_UPLOADER_PROXY") == settings.proxy
        yield ("TUI_UPLOADER_PROXY" if by_variable else "`proxy` in config.toml"), settings.proxy
    for name in _VARIABLES:
        yield name, environment.get(name, "")


def proxy_of(address: str, source: str = "The setting `proxy`") -> Proxy:
    """`http://[user:password@]host[:port]`, or the same without `http://`. Raises UsageError that begins with `source`.

    A user name and a password may hold any character, `/` and `@` too; the last `@` ends them.
    """
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "http", address
    credentials, location = _credentials_and_location(rest)
    _keep_secrets(source, credentials)
    if scheme.lower() != "http":
        raise UsageError(f"{source} names {_kind(scheme)}, and only HTTP proxies can be used. {_EXPECTED}")
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
    """Keep the passwords of all proxies that are named out of sentences, whether they are used or not."""
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
        return "a proxy that is reached by TLS (https://)"
    return "a proxy of an unknown kind"


def _host_and_port(location: str, source: str) -> tuple[str, int]:
    """Raises UsageError."""
    found = re.fullmatch(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>.*))?", location)
    if found is None:
        raise UsageError(f"{source} names a proxy whose host cannot be read. {_EXPECTED}")
    host, port = found["v6"] or found["name"] or "", found["port"] or str(_DEFAULT_PORT)
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) <= _MAX_PORT):
        raise UsageError(f"{source} names a proxy whose port is no number from 1 to {_MAX_PORT}. {_EXPECTED}")
    try:
        return (str(ipaddress.IPv6Address(host)) if found["v6"] else _host_name(host)), int(port)
    except ValueError:  # of ipaddress and of the codec
        problem = "whose host is no valid name or address" if host else "without a host"
        raise UsageError(f"{source} names a proxy {problem}. {_EXPECTED}") from None


def _host_name(host: str) -> str:
    """As the resolver takes it. Raises ValueError."""
    name = host.encode("idna").decode("ascii")
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise ValueError(name)
    return name


def bypasses(no_proxy: str, host: str, port: int) -> bool:
    """Whether `NO_PROXY` sends connections to `host` past the proxy.

    Entries are separated by commas or blanks: a name (and all names below it, with or without a dot in front), an
    address, a network such as 10.0.0.0/8, each perhaps with `:port` behind it, or `*` for everything. As curl has it
    (lib/noproxy.c), which knows no ports, however: those are of Go and others.
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
