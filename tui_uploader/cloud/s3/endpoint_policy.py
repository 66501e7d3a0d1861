"""Decide whether files may be sent to the storage endpoint that a service names in its storage credentials.

The service names an address, a bucket and a prefix. Whatever they are, files are sent encrypted and to a valid host,
and a service on the internet cannot direct them to this machine or its private network.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from tui_uploader.cloud.net.endpoint import Origin, is_loopback
from tui_uploader.errors import StorageRefused
from tui_uploader.text import printable

_ADDRESS = re.compile(
    r"(?:(?P<scheme>[A-Za-z]+)://)?(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:/\[\]]+))(?::(?P<port>\d{1,5}))?/?"
)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")
_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,254}")
"""Amazon's names, long legacy ones included, and those of stores that put a tenant in front of a colon."""
_MAX_PREFIX = 900
"""Bytes; S3 has at most 1,024 for a whole key."""

_CREDENTIALS = ("access_key", "secret_key", "session_token")
_HEADER_TEXT = re.compile(r"[\x21-\x7e]{1,8192}")

_WHAT_NOW = (
    "Nothing is sent, and the files wait. Contact the operator of the service; once it is fixed, sign in again with"
    " `tui-uploader login`."
)

_INTERNAL_NAMES = ("localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa")
"""Names of private networks; ICANN will never delegate `home` and `corp`."""
_NETWORKS_OF_IPV4 = (ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b::/96"))
"""IPv6 networks whose addresses end in an IPv4 address: IPv4-compatible (deprecated), and NAT64."""


def check_storage_endpoint(fields: Mapping[str, object], service: Origin) -> None:
    """Raise StorageRefused for storage credentials with an unsafe endpoint, or unusable in a request.

    `fields`: those of the service's reply. Missing fields are not checked here.
    """
    for name in _CREDENTIALS:
        value = fields.get(name)
        if isinstance(value, str) and value and not is_header_text(value):
            raise StorageRefused(
                f"{printable(service.host, 200)} issued unusable storage credentials: `{name}` contains characters "
                f"that are not allowed in an HTTP header. {_WHAT_NOW}"
            )
    for name, (is_right, complaint) in _RULES.items():
        value = fields.get(name)
        if isinstance(value, str) and value and not is_right(value):
            raise _refused(service, name, f"{_quoted(value)} {complaint}")
    address = fields.get("endpoint_override")
    if isinstance(address, str) and address and (fault := _fault_of_address(address, service)) is not None:
        raise _refused(service, "endpoint_override", fault)


def _refused(service: Origin, field: str, fault: str) -> StorageRefused:
    return StorageRefused(
        f"{printable(service.host, 200)} names an unsafe storage endpoint for the files: {fault} (`{field}`). "
        f"{_WHAT_NOW}"
    )


def _quoted(text: str) -> str:
    return f"'{printable(text, 100)}'"


# ------------------------------------------------------------------------------------------------------ the address


def _fault_of_address(address: str, service: Origin) -> str | None:
    if "@" in address:  # not quoted: it may contain a password
        return "the storage address contains a user name"
    found = _ADDRESS.fullmatch(address)
    if found is None or not (_is_host(found) and 0 < int(found["port"] or 443) <= 65535):
        return f"the storage address {_quoted(address)} is not a valid host and port"
    host = found["v6"] or found["name"]
    scheme = (found["scheme"] or ("https" if service.tls or not is_loopback(host) else "http")).lower()
    if scheme not in ("http", "https"):
        return f"the storage {_quoted(host)} uses {_quoted(scheme)} instead of https"
    if scheme == "http" and (service.tls or not is_loopback(service.host) or not is_loopback(host)):
        return f"the storage {_quoted(host)} uses unencrypted http"
    if is_internal(host) and not is_internal(service.host) and host.lower() != service.host.lower():
        return f"the storage {_quoted(host)} is on this machine or a private network, but the service is not"
    return None


def _is_host(found: re.Match[str]) -> bool:
    """Whether it is a name, or an address in its usual form; `127.1` and `0x7f000001` are disguises."""
    host = found["name"] or ""
    try:
        if found["v6"] is not None:
            return bool(ipaddress.IPv6Address(found["v6"]))
        if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            return bool(ipaddress.IPv4Address(host))
    except ValueError:
        return False
    labels = host.removesuffix(".").split(".")
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels) and _is_international(labels)


def _is_international(labels: list[str]) -> bool:
    """Whether all Punycode labels can be decoded (RFC 3490)."""
    try:
        return all(label.encode().decode("idna") for label in labels if label.lower().startswith("xn--"))
    except UnicodeError:
        return False


def is_internal(host: str) -> bool:
    """Whether `host` is, by its form alone, this machine or on a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith(tuple(f".{suffix}" for suffix in _INTERNAL_NAMES))
    address = _inner(address)
    return not address.is_global or address.is_multicast


def _inner(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address embeds, if it does (RFC 4291, 3056, 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _NETWORKS_OF_IPV4):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


# --------------------------------------------------------------------------------------------------- single fields


def is_header_text(text: str) -> bool:
    return _HEADER_TEXT.fullmatch(text) is not None


def is_bucket(text: str) -> bool:
    return ".." not in text and _BUCKET.fullmatch(text) is not None


def is_prefix(text: str) -> bool:
    """Whether `text` is a plain path, optionally with a trailing slash."""
    segments = text.removesuffix("/").split("/")
    plain = text.isprintable() and "\\" not in text and not {"", ".", ".."} & set(segments)
    return plain and len(text.encode()) <= _MAX_PREFIX  # printable text has no surrogates


def is_region(text: str) -> bool:
    return _REGION.fullmatch(text) is not None


_RULES = {
    "bucket": (is_bucket, "is not a valid bucket name"),
    "key": (is_prefix, "is not a plain path in a bucket"),
    "region": (is_region, "is not a valid region name"),
}
"""By field of the service's reply: the check, and the complaint if it fails."""
