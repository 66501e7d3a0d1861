"""A project's storage key: what the service sends, how long it is good for, and where it is to be used.

The rules for endpoints: an override wins over acceleration and is addressed path-style; else the bucket is part of
the host name, of its region's endpoint where the region is known (Amazon S3 user guide, "Virtual hosting of buckets").
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from tui_uploader.cloud.renewal import Lifetime, ServerClock, lifetime, moment_of
from tui_uploader.cloud.transport import Origin, is_loopback, origin_of
from tui_uploader.errors import CloudUnintelligible, UsageError

RENEWAL_MARGIN = 600.0
ASSUMED_LIFETIME = 45 * 60.0 + RENEWAL_MARGIN
"""Where the service does not say when a key ends: it is replaced after 45 minutes."""
DEFAULT_REGION = "us-east-1"

_REGION = re.compile(r"[a-z0-9-]{1,40}")
_HOST_LABEL_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_HEADER_TEXT = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class StorageKey:
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

    def redacted(self, text: str) -> str:
        """`text` without the secrets, should the store have quoted them."""
        for secret in (self.session_token, self.secret_key):
            if secret:
                text = text.replace(secret, "…")
        return text


def storage_key(fields: dict[str, object], clock: ServerClock) -> StorageKey:
    """The key in a reply of `s3_credentials`; learns the time where the reply tells it.

    Raises CloudUnintelligible.
    """
    server_time = fields.get("server_time")
    if isinstance(server_time, str):
        clock.learn(server_time)
    region, override = _text(fields, "region"), _text(fields, "endpoint_override")
    if region is not None and not _REGION.fullmatch(region):
        raise CloudUnintelligible("The service named a region for the store that cannot be one.")
    token = _text(fields, "session_token")
    return StorageKey(
        access_key=_credential(_text(fields, "access_key")),
        secret_key=_credential(_text(fields, "secret_key")),
        session_token=None if token is None else _credential(token),
        bucket=_required(_text(fields, "bucket")),
        prefix=_required(_text(fields, "key")).strip("/"),
        region=region,
        accelerated=fields.get("is_bucket_accelerated") is True,
        override=override,
        life=_life(fields.get("expiration"), clock.now()),
    )


def _life(expiration: object, now: float) -> Lifetime:
    end = moment_of(expiration) if isinstance(expiration, str) else None
    # A moment that has passed is no end: the two clocks are not what they seem.
    seconds = ASSUMED_LIFETIME if end is None or end <= now else end - now
    return lifetime(now, seconds, RENEWAL_MARGIN)


def _text(fields: dict[str, object], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and value else None


def _required(value: str | None) -> str:
    if value is None:
        raise CloudUnintelligible("The service's storage key lacks what is needed to use it.")
    return value


def _credential(value: str | None) -> str:
    if value is None or not _HEADER_TEXT.fullmatch(value):
        raise CloudUnintelligible("The service's storage key lacks what is needed to use it.")
    return value


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a bucket is reached."""

    origin: Origin
    root: str
    """Path in front of object keys: empty, or a slash and the bucket; percent-encoded."""

    def path(self, key: str) -> str:
        """Percent-encoded once; S3 signs paths as they are sent, dots and double slashes included."""
        return f"{self.root}/{quote(key.encode('utf-8', 'surrogateescape'), safe='/-_.~')}"


def endpoint_of(key: StorageKey, region: str | None, cloud: Origin) -> Endpoint:
    """`region` is what was learned, or the key's. Raises UsageError for plain http to another machine."""
    bucket = quote(key.bucket, safe="-_.~")
    if key.override is not None:
        return Endpoint(_override_origin(key.override, cloud), f"/{bucket}")
    named = _HOST_LABEL_BUCKET.fullmatch(key.bucket) is not None
    if key.accelerated and named:
        return Endpoint(Origin(True, f"{key.bucket}.s3-accelerate.amazonaws.com", 443), "")
    domain = "amazonaws.com.cn" if region is not None and region.startswith("cn-") else "amazonaws.com"
    host = f"s3.{region}.{domain}" if region is not None else f"s3.{domain}"
    if not named:  # a dot in the bucket's name would not match the certificate
        return Endpoint(Origin(True, host, 443), f"/{bucket}")
    return Endpoint(Origin(True, f"{key.bucket}.{host}", 443), "")


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


def is_region(text: str) -> bool:
    return _REGION.fullmatch(text) is not None
