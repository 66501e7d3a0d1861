"""Options of a local cloud, and the address that it serves."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Profile(StrEnum):
    """How much of PIX4Dcloud's behaviour the local cloud offers."""

    DEFAULT = "default"
    """Everything that is documented, observed or inferred."""
    STRICT = "strict"
    """Only what is certain: no optional fields or rights, and additional fields and values that no client knows."""


class Checksums(StrEnum):
    """Checksums that the store verifies and returns."""

    CRC32 = "crc32"
    """As Amazon S3: all announced checksums are verified; ETags are MD5s."""
    CONTENT_MD5 = "content-md5"
    """As many others: only `Content-MD5` is verified; ETags are MD5s."""
    ETAG = "etag"
    """Nothing is verified; ETags are MD5s."""
    NONE = "none"
    """Nothing is verified; ETags are random."""


@dataclass(frozen=True, slots=True)
class LocalCloudOptions:
    """Times are seconds."""

    root: Path
    """Folder of all data; created when missing."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 0
    """0 picks a free one."""
    profile: Profile = Profile.DEFAULT
    checksums: Checksums = Checksums.CRC32
    credentials_lifetime: float = 3600.0
    """Lifetime of S3 credentials."""
    token_lifetime: float = 36000.0
    """Lifetime of an access token."""
    processing_seconds: float = 60.0
    """Duration of processing, including the time in the queue."""
    faults: tuple[str, ...] = ()
    """Faults to inject; see `faults.plan.parse_fault` for the format."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    """None when `tls_cert` contains the key."""


@dataclass(frozen=True, slots=True)
class LocalCloudAddress:
    """URL of a local cloud, REST and S3 alike, and its login. The secret is in no repr."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    root: Path
    login_is_new: bool = False
    """The login was generated at this start."""
    remarks: tuple[str, ...] = ()
    """Sentences for the user about who can reach the server and read the folder."""

    def as_json(self) -> str:
        """One line for scripts, including the secret."""
        return json.dumps(
            {
                "url": self.url,
                "s3_url": self.url,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "root": str(self.root),
            }
        )

    def for_people(self) -> str:
        """Lines for a terminal; with the secret only when it has just been generated."""
        lines = [f"Local cloud at {self.url}, data folder {self.root}"]
        if self.login_is_new:
            lines += [
                f"  client id      {self.client_id}",
                f"  client secret  {self.client_secret}",
                "  The secret is not shown at later starts; `--json` prints it.",
            ]
        else:
            lines.append(f"  client id      {self.client_id}")
        return "\n".join(lines)
