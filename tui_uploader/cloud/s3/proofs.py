"""Decide how a store has proven that it holds what was sent, from its reply and from earlier replies.

The CRC32 in a reply is the best proof. Without it, the ETag is compared with the MD5 of the body, which it is in most
stores (Amazon S3 API reference, "Object": not for objects encrypted with KMS or a customer's key).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

from tui_uploader.cloud.contract import Part
from tui_uploader.cloud.s3.object_match import multipart_checksum, multipart_etag
from tui_uploader.model.files import Proof

_MD5 = re.compile(r"[0-9a-f]{32}")
_MAX_MISMATCHES = 3
_STRENGTH = (Proof.NONE, Proof.MD5, Proof.CRC32)


class Etags(Enum):
    """The kind of ETags that a store gives."""

    UNKNOWN = "unknown"
    MD5 = "md5"
    OPAQUE = "opaque"


class ReplyHistory:
    """What a store's replies to one kind of call with a body have shown so far."""

    def __init__(self) -> None:
        self.etags = Etags.UNKNOWN
        self._mismatches = 0
        self._without_checksum = False

    def wants_md5(self, *, takes_content_md5: bool) -> bool:
        """Whether the MD5 of the next body is needed before it is sent.

        A store whose replies have no checksum may still compare `Content-MD5` before it stores anything.
        """
        return self._without_checksum and (takes_content_md5 or not self.is_opaque)

    @property
    def is_opaque(self) -> bool:
        """Whether the store's ETags prove nothing."""
        return self.etags is Etags.OPAQUE

    def note(self, *, checksum: bool) -> None:
        """Note whether the latest reply had a checksum."""
        self._without_checksum = not checksum

    def may_prove(self, headers: Mapping[str, str], etag: str) -> bool:
        """Whether the ETag of a reply without a checksum may be the MD5 of the body."""
        encryption = headers.get("x-amz-server-side-encryption", "").lower()
        foreign = encryption.startswith("aws:kms") or "x-amz-server-side-encryption-customer-algorithm" in headers
        return not foreign and _MD5.fullmatch(etag) is not None

    def proof(self, etag: str, md5: str) -> Proof | None:
        """The proof in an ETag that may be an MD5; None: the store received different data.

        A mismatch is damage if earlier ETags were MD5s. If none ever was, the first few mismatches count as damage too;
        after that the store's ETags are taken as opaque.
        """
        if etag == md5:
            self.etags = Etags.MD5
            return Proof.MD5
        if self.etags is Etags.UNKNOWN:
            self._mismatches += 1
            if self._mismatches > _MAX_MISMATCHES:
                self.etags = Etags.OPAQUE
        return Proof.NONE if self.is_opaque else None


def proof_of_parts(parts: Sequence[Part], etag: str, checksum: str) -> Proof:
    """The proof for an object that was joined from `parts`. `checksum`: its composite CRC32, or empty."""
    if checksum and checksum == multipart_checksum(parts):
        return Proof.CRC32
    expected = multipart_etag(parts)
    if expected is not None and "-" in etag and etag != expected:
        return Proof.NONE
    return min((part.proof for part in parts), key=_STRENGTH.index, default=Proof.NONE)
