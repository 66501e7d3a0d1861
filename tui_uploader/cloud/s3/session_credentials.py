"""A project's storage key: what the service sends, how long it is good for, and where it is to be used.

The rules for endpoints: an override wins over acceleration and is addressed path-style; else the bucket is part of
the host name, of its region's endpoint where the region is known (Amazon S3 user guide, "Virtual hosting of buckets").
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
"""Where the service does not say when a key ends: it is replaced after 45 minutes."""
DEFAULT_REGION = "us-east-1"

_HOST_LABEL_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    """Credentials for one project's part of a bucket. The secrets are in no repr."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    bucket: str
    prefix: str
    """Base path of the project's objects, without a slash at its ends."""
    region: str | None
    accelerated: bool
    override: str | None
    """`host[:port]` of another store than Amazon's."""
    life: Lifetime
    secrets: Secrets = field(repr=False, compare=False)
    """Of the secret key and the session token; the access key is a name that stores may show."""


def session_credentials(fields: dict[str, object], clock: ServerClock) -> SessionCredentials:
    """The key in a reply of `s3_credentials`; learns the time where the reply tells it.

    Raises CloudUnintelligible.
    """
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
    # A moment that has passed is no end: the two clocks are not what they seem.
    seconds = ASSUMED_LIFETIME if end is None or end <= now else end - now
    return lifetime(now, seconds, RENEWAL_MARGIN)


def _text(fields: dict[str, object], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def _unusable(name: str) -> CloudUnintelligible:
    """Without the value: it may be a secret, or anything at all."""
    return CloudUnintelligible(f"The service sent storage credentials that cannot be used: `{name}` is not valid.")


def _credential(name: str, value: str | None) -> str:
    if value is None or not is_header_text(value):
        raise _unusable(name)
    return value


def _bucket(value: str | None) -> str:
    if value is None or not is_bucket(value):
        raise _unusable("bucket")
    return value


def _prefix(value: str | None) -> str:
    """Without a slash at its end. Raises CloudUnintelligible for one that is no plain path: keys go into addresses,
    sentences and signatures."""
    if value is None or not is_prefix(value):
        raise _unusable("key")
    return value.removesuffix("/")


def _check_address(override: str) -> None:
    """Whether it is an address at all; whether it may be used is for `storage_endpoint` to say."""
    scheme, separator, rest = override.rpartition("://")
    try:
        origin_of(f"https://{rest}")
    except UsageError as error:
        raise _unusable("endpoint_override") from error
    # `urlsplit` passes over line breaks, so the text itself is looked at.
    if not is_header_text(override) or (separator and scheme.lower() not in ("http", "https")):
        raise _unusable("endpoint_override")


@dataclass(frozen=True, slots=True)
class StorageEndpoint:
    """Where a bucket is reached."""

    origin: Origin
    root: str
    """Path in front of object keys: empty, or a slash and the bucket; percent-encoded."""

    def path(self, key: str) -> str:
        """Percent-encoded once; S3 signs paths as they are sent, dots and double slashes included."""
        return f"{self.root}/{quote(key.encode('utf-8', 'surrogateescape'), safe='/-_.~')}"


def storage_endpoint(key: SessionCredentials, region: str | None, cloud: Origin) -> StorageEndpoint:
    """`region` is what was learned, or the key's. Raises UsageError for plain http to another machine."""
    bucket = quote(key.bucket, safe="-_.~")
    if key.override is not None:
        return StorageEndpoint(_override_origin(key.override, cloud), f"/{bucket}")
    named = _HOST_LABEL_BUCKET.fullmatch(key.bucket) is not None
    if key.accelerated and named:
        return StorageEndpoint(Origin(True, f"{key.bucket}.s3-accelerate.amazonaws.com", 443), "")
    domain = "amazonaws.com.cn" if region is not None and region.startswith("cn-") else "amazonaws.com"
    host = f"s3.{region}.{domain}" if region is not None else f"s3.{domain}"
    if not named:  # a dot in the bucket's name would not match the certificate
        return StorageEndpoint(Origin(True, host, 443), f"/{bucket}")
    return StorageEndpoint(Origin(True, f"{key.bucket}.{host}", 443), "")


def _override_origin(override: str, cloud: Origin) -> Origin:
    if "://" in override:
        return origin_of(override)
    try:
        tls = origin_of(f"https://{override}")
    except UsageError as error:
        raise CloudUnintelligible("The service named an address for the store that cannot be one.") from error
    if not cloud.tls and is_loopback(cloud.host) and is_loopback(tls.host):
        return origin_of(f"http://{override}")
    return tls
