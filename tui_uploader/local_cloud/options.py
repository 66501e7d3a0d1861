"""What a local cloud can be told when it starts, and what it tells back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Profile(StrEnum):
    """How much of the service's behaviour a client may count on."""

    DEFAULT = "default"
    """Everything that is known, seen or inferred of the service works."""
    STRICT = "strict"
    """Only what is certain: no optional field or right, and words and fields that no client has heard of."""


class Checksums(StrEnum):
    """What the store compares with the bytes that arrive, and tells of those that it keeps."""

    CRC32 = "crc32"
    """As Amazon's: all checksums that requests announce, and MD5s as ETags."""
    CONTENT_MD5 = "content-md5"
    """As many others: `Content-MD5` is compared, and ETags are MD5s; no other checksum is known."""
    ETAG = "etag"
    """Nothing is compared; ETags are MD5s."""
    NONE = "none"
    """Nothing is compared, and ETags say nothing."""


@dataclass(frozen=True, slots=True)
class ExternalS3:
    """Another S3 server that takes the objects; the local cloud then hands out this key and stores none itself."""

    endpoint: str
    """`http://host:port`, or `host:port`."""
    access_key: str
    secret_key: str = field(repr=False)
    region: str
    bucket: str

    @property
    def host(self) -> str:
        """The endpoint without its scheme, as `endpoint_override` carries it."""
        return self.endpoint.rpartition("//")[2].rstrip("/")


@dataclass(frozen=True, slots=True)
class LocalCloudOptions:
    """Times are seconds."""

    root: Path
    """Folder of everything that is kept; made when missing."""
    host: str = "127.0.0.1"
    """Address to listen at. Loopback, unless somebody decides otherwise."""
    port: int = 0
    """0 takes a free one."""
    profile: Profile = Profile.DEFAULT
    checksums: Checksums = Checksums.CRC32
    credentials_lifetime: float = 3600.0
    """How long an S3 key is good."""
    token_lifetime: float = 36000.0
    """How long a bearer token is good."""
    processing_seconds: float = 60.0
    """From the start of processing to its end, the waiting included."""
    faults: tuple[str, ...] = ()
    """What shall go wrong; see `faults.parsed` for the words."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    """None: the key is in `tls_cert` too."""
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    """A login to use and to keep; without one, the root's own, made up at its first start."""
    external_s3: ExternalS3 | None = None


@dataclass(frozen=True, slots=True)
class LocalCloudAddress:
    """Where a local cloud listens and who may sign in. The secret is in no repr."""

    url: str
    s3_url: str
    client_id: str
    client_secret: str = field(repr=False)
    root: Path
    login_is_new: bool = False
    """The login was made up at this very start."""
    remarks: tuple[str, ...] = ()
    """Sentences about who can reach what; they go beside the answer."""

    def as_json(self) -> str:
        """One line for scripts, with the secret."""
        return json.dumps(
            {
                "url": self.url,
                "s3_url": self.s3_url,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "root": str(self.root),
            }
        )

    def for_people(self) -> str:
        """Some lines for a terminal; the secret only when it has just been made up."""
        lines = [f"Local cloud at {self.url}, keeping everything in {self.root}"]
        if self.login_is_new:
            lines += [
                f"  client id      {self.client_id}",
                f"  client secret  {self.client_secret}",
                "  The secret is not shown again; `--json` prints it.",
            ]
        else:
            lines.append(f"  client id      {self.client_id}")
        return "\n".join(lines)
