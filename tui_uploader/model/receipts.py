"""Receipts: the record of what an upload delivered, and what a check of one found."""

from __future__ import annotations

from enum import StrEnum

import msgspec

VERSION = 1
"""Of the formats JSON and CSV of this program."""


class ReceiptFormat(StrEnum):
    JSON = "json"
    CSV = "csv"
    MHL = "mhl"
    """ASC MHL 2.0 of the American Society of Cinematographers: paths, sizes and checksums, which its tools verify."""


class ReceiptHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a receipt is about. Times are in UTC, like `2026-05-11T10:15:00.000Z`."""

    program: str
    """That wrote it: `tui-uploader 0.1.0`."""
    created_at: str
    upload: int
    state: str
    """Of the upload at that time."""
    added_at: str
    ended_at: str | None
    """When it was completed or cancelled; None: neither, or not recorded."""
    project: str
    project_id: str | None
    """None: the project does not exist at the service yet."""
    account: str
    cloud: str
    """Address of the cloud."""
    kind: str
    sources: tuple[str, ...]
    """Paths that were uploaded, as far as they are still known."""

    def same_upload(self, other: ReceiptHead) -> bool:
        """Whether both are about one upload of one engine."""
        about = (self.upload, self.added_at, self.project_id, self.account, self.cloud)
        return about == (other.upload, other.added_at, other.project_id, other.account, other.cloud)


class ReceiptRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A file whose content the project has."""

    path: str
    """Absolute; undecodable bytes as surrogate escapes."""
    size: int
    xxh128: str | None
    """XXH3 128 bit of the content, 32 hex digits."""
    crc32: str | None
    """8 hex digits."""
    object: str | None
    """Name in the project."""
    etag: str | None
    proof: str | None
    """See `model.files.Proof`."""
    stored_at: str | None
    """When the storage confirmed the object; None: not recorded, by an older version."""
    registered_at: str | None
    duplicate_of: str | None = None
    """Path of the file that delivered this content, if that is another one: object, proof and times are its own."""
    type: str | None = None
    """Of a processed result."""
    replaced_at: str | None = None
    """When another result took its place, so that the project no longer has it."""


class ReceiptTotals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: int = 0
    """Delivered, without duplicates."""
    bytes: int = 0
    """Of them."""
    duplicates: int = 0
    not_delivered: int = 0
    """Files of the upload that are waiting, being sent, or failed: the receipt does not list them."""


class ReceiptVerdict(StrEnum):
    VALID = "valid"
    """Nothing was changed since it was written."""
    EDITED = "edited"
    """Changed, cut off, or not as this program writes it."""
    UNKNOWN = "unknown"
    """No receipt, or of another version."""


class CheckedReceipt(msgspec.Struct, frozen=True):
    """The answer of `receipt --check`."""

    verdict: ReceiptVerdict
    reason: str = ""
    """A sentence; empty for a valid one."""
    format: ReceiptFormat | None = None
    head: ReceiptHead | None = None
    """Of a valid JSON or CSV."""
    totals: ReceiptTotals | None = None
