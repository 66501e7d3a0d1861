"""Session credentials for a project's storage: parsing, lifetime, and the endpoint they are for.

Endpoints: an override wins over acceleration and is addressed path-style; otherwise the bucket is part of the host name
of its region's endpoint, if the region is known (Amazon S3 user guide, "Virtual hosting of buckets").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from tui_uploader.cloud.net.endpoint import Origin, is_loopback, origin_of
from tui_uploader.cloud.refresh import Lifetime, lifetime
from tui_uploader.cloud.s3.endpoint_policy import is_bucket, is_header_text, is_prefix, is_region
from tui_uploader.cloud.server_clock import ServerClock, moment_of
from tui_uploader.errors import CloudUnintelligible, UsageError
from tui_uploader.redaction import Secrets

RENEWAL_MARGIN = 600.0
ASSUMED_LIFETIME = 45 * 60.0 + RENEWAL_MARGIN
"""For credentials without an expiry: they are renewed after 45 minutes."""
DEFAULT_REGION = "us-east-1"

_HOST_LABEL_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    """Temporary credentials for a project's part of a bucket. The repr omits the secrets."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    bucket: str
    prefix: str
    """The base path of the project's objects, without slashes at its ends."""
    region: str | None
    accelerated: bool
    override: str | None
    """`host[:port]` of a store other than Amazon's."""
    life: Lifetime
    secrets: Secrets = field(repr=False, compare=False)
    """The secret key and the session token. The access key is a name that stores may show."""


def session_credentials(fields: dict[str, object], clock: ServerClock) -> SessionCredentials:
    """Parse a reply of `s3_credentials`, and set `clock` by the time in it, if any. Raises CloudUnintelligible."""
    server_time = fields.get("server_time")
    if isinstance(server_time, str):
        clock.learn(server_time)
    region, override = _text(fields, "region"), _text(fields, "endpoint_override")
    token, secret = _text(fields, "session_token"), _text(fields, "secret_key")
    secrets = Secrets(token, secret)
    if region is not None and not is_region(region):
        raise _unusable("region")
    if override is not None:
        _check_address(override)
    return SessionCredentials(
        access_key=_credential("access_key", _text(fields, "access_key")),
        secret_key=_credential("secret_key", secret),
        session_token=None if token is None else _credential("session_token", token),
        bucket=_bucket(_text(fields, "bucket")),
        prefix=_prefix(_text(fields, "key")),
        region=region,
        accelerated=fields.get("is_bucket_accelerated") is True,
        override=override,
        life=_life(fields.get("expiration"), clock.now()),
        secrets=secrets,
    )


def _life(expiration: object, now: float) -> Lifetime:
    end = moment_of(expiration) if isinstance(expiration, str) else None
    # An expiry in the past cannot be right: one of the clocks is wrong.
    seconds = ASSUMED_LIFETIME if end is None or end <= now else end - now
    return lifetime(now, seconds, RENEWAL_MARGIN)


def _text(fields: dict[str, object], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def _unusable(name: str) -> CloudUnintelligible:
    # Without the value, which may be a secret.
    return CloudUnintelligible(f"The service sent unusable storage credentials: `{name}` is not valid.")


def _credential(name: str, value: str | None) -> str:
    if value is None or not is_header_text(value):
        raise _unusable(name)
    return value


def _bucket(value: str | None) -> str:
    if value is None or not is_bucket(value):
        raise _unusable("bucket")
    return value


def _prefix(value: str | None) -> str:
    """A prefix without its trailing slash. Raises CloudUnintelligible unless it is a plain path, since object keys
    become part of addresses, messages and signatures."""
    if value is None or not is_prefix(value):
        raise _unusable("key")
    return value.removesuffix("/")


def _check_address(override: str) -> None:
    """Raise CloudUnintelligible unless it is an address; whether it is allowed is up to `storage_endpoint`."""
    scheme, separator, rest = override.rpartition("://")
    try:
        origin_of(f"https://{rest}")
    except UsageError as error:
        raise _unusable("endpoint_override") from error
    # `urlsplit` ignores line breaks, so the text itself is checked.
    if not is_header_text(override) or (separator and scheme.lower() not in ("http", "https")):
        raise _unusable("endpoint_override")


@dataclass(frozen=True, slots=True)
class StorageEndpoint:
    """The address of a bucket."""

    origin: Origin
    root: str
    """The path in front of object keys, percent-encoded: empty, or a slash and the bucket."""

    def path(self, key: str) -> str:
        """The path of an object, percent-encoded once: S3 signs paths as they are sent, dots and double slashes too."""
        return f"{self.root}/{quote(key.encode('utf-8', 'surrogateescape'), safe='/-_.~')}"


def storage_endpoint(credentials: SessionCredentials, region: str | None, cloud: Origin) -> StorageEndpoint:
    """The endpoint for `credentials`. `region`: the learned one, or theirs.

    Raises UsageError for plain http to another machine.
    """
    bucket = quote(credentials.bucket, safe="-_.~")
    if credentials.override is not None:
        return StorageEndpoint(_override_origin(credentials.override, cloud), f"/{bucket}")
    named = _HOST_LABEL_BUCKET.fullmatch(credentials.bucket) is not None
    if credentials.accelerated and named:
        return StorageEndpoint(Origin(True, f"{credentials.bucket}.s3-accelerate.amazonaws.com", 443), "")
    domain = "amazonaws.com.cn" if region is not None and region.startswith("cn-") else "amazonaws.com"
    host = f"s3.{region}.{domain}" if region is not None else f"s3.{domain}"
    if not named:  # a bucket name with a dot would not match the certificate
        return StorageEndpoint(Origin(True, host, 443), f"/{bucket}")
    return StorageEndpoint(Origin(True, f"{credentials.bucket}.{host}", 443), "")


def _override_origin(override: str, cloud: Origin) -> Origin:
    if "://" in override:
        return origin_of(override)
    try:
        tls = origin_of(f"https://{override}")
    except UsageError as error:
        raise CloudUnintelligible("The service sent an invalid storage address.") from error
    if not cloud.tls and is_loopback(cloud.host) and is_loopback(tls.host):
        return origin_of(f"http://{override}")
    return tls
