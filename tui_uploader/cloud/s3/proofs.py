"""How a store proves that it holds what was sent: pure decisions, and what is remembered of a store for them.

The CRC32 in its answer is the best proof. Where none comes back, the ETag is compared with the MD5 of the body: most
stores have it there (Amazon S3 API reference, "Object": not where objects are encrypted with KMS or a customer's key).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum

from tui_uploader.cloud.contract import Part
from tui_uploader.cloud.s3.object_match import multipart_checksum, multipart_etag
from tui_uploader.model import Proof

_MD5 = re.compile(r"[0-9a-f]{32}")
_MOST_STRANGE = 3
_STRENGTH = (Proof.NONE, Proof.MD5, Proof.CRC32)


class Etags(Enum):
    """What the ETags of a store are."""

    UNKNOWN = "unknown"
    MD5 = "md5"
    OPAQUE = "opaque"


class AnswersToBodies:
    """What the answers of a store to one kind of call, which brings a body, were seen to tell."""

    def __init__(self) -> None:
        self.etags = Etags.UNKNOWN
        self._strange = 0
        self._silent = False

    def wants_md5(self, *, takes_content_md5: bool) -> bool:
        """Whether the MD5 of the next body is needed before it is sent.

        Without a checksum in its answers, a store may still compare `Content-MD5` before it stores anything.
        """
        return self._silent and (takes_content_md5 or not self.is_opaque)

    @property
    def is_opaque(self) -> bool:
        """Whether ETags prove nothing here."""
        return self.etags is Etags.OPAQUE

    def note(self, *, checksum: bool) -> None:
        """Whether the latest answer brought a checksum."""
        self._silent = not checksum

    def may_prove(self, headers: Mapping[str, str], etag: str) -> bool:
        """Whether the ETag of an answer without a checksum may be the MD5 of the body."""
        encryption = headers.get("x-amz-server-side-encryption", "").lower()
        foreign = encryption.startswith("aws:kms") or "x-amz-server-side-encryption-customer-algorithm" in headers
        return not foreign and _MD5.fullmatch(etag) is not None

    def proof(self, etag: str, md5: str) -> Proof | None:
        """What an ETag that may be an MD5 proves; None: the store holds other bytes.

        An ETag that differs tells of damage where others were MD5s. Of a store whose ETags never were, the first few
        count as damage too, and then as what they are: nothing that can be compared.
        """
        if etag == md5:
            self.etags = Etags.MD5
            return Proof.MD5
        if self.etags is Etags.UNKNOWN:
            self._strange += 1
            if self._strange > _MOST_STRANGE:
                self.etags = Etags.OPAQUE
        return Proof.NONE if self.is_opaque else None


def proof_of_parts(parts: Sequence[Part], etag: str, checksum: str) -> Proof:
    """How an object is proven that the store says it made of these parts. `checksum`: its composite CRC32, or empty."""
    if checksum and checksum == multipart_checksum(parts):
        return Proof.CRC32
    expected = multipart_etag(parts)
    if expected is not None and "-" in etag and etag != expected:
        return Proof.NONE
    return min((part.proof for part in parts), key=_STRENGTH.index, default=Proof.NONE)
