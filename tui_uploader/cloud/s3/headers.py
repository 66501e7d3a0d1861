"""Headers of S3 requests, and the parsing of those in replies."""

from __future__ import annotations

import base64

from tui_uploader.cloud.contract import ByteRange, StoredObject
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.s3 import xml
from tui_uploader.cloud.s3.capabilities import Option
from tui_uploader.cloud.s3.object_match import FoundObject
from tui_uploader.errors import CloudUnintelligible
from tui_uploader.redaction import holds_secret
from tui_uploader.text import whole_number

OWNER_ACL = {Option.ACL: ("x-amz-acl", "bucket-owner-full-control")}
ABSENT_ONLY = {Option.IF_NONE_MATCH: ("If-None-Match", "*")}
"""Makes a write fail if an object has the name already (Amazon S3 user guide, "Conditional writes")."""
CHECKSUM_ALGORITHM = {Option.CHECKSUM_ALGORITHM: ("x-amz-checksum-algorithm", "CRC32")}
CHECKSUM_MODE = {Option.CHECKSUM_MODE: ("x-amz-checksum-mode", "ENABLED")}

_CRC32 = "x-amz-checksum-crc32"
_MOST_BYTES = 2**63 - 1


def checksums_of(body: ByteRange, md5: bytes | None) -> dict[Option, tuple[str, str]]:
    """Checksum headers of a body, for the store to compare; `md5` if it is known."""
    checksums = {Option.CHECKSUM: (_CRC32, xml.crc32_text(body.crc32))}
    if md5 is not None:
        checksums[Option.CONTENT_MD5] = ("Content-MD5", base64.b64encode(md5).decode("ascii"))
    return checksums


def etag_of(reply: Reply) -> str:
    """The ETag of a reply to a body, which every store sends, with nothing else. Raises CloudUnintelligible."""
    etag = reply.headers.get("etag", "").strip('"')
    if not etag:
        raise unintelligible("it has no ETag")
    if reply.body:
        raise unintelligible("it has a body where none belongs")
    if holds_secret(etag):  # it would be stored
        raise unintelligible("its ETag is not valid")
    return etag


def crc32_in(reply: Reply) -> int | None:
    """The checksum that the store computed, if it says so."""
    return xml.crc32_from_text(reply.headers.get(_CRC32))


def found_in(reply: Reply) -> FoundObject:
    """The object in a reply to HEAD. Raises CloudUnintelligible."""
    length, checksum = whole_number(reply.headers.get("content-length", ""), _MOST_BYTES), reply.headers.get(_CRC32, "")
    if length is None:
        raise unintelligible("it has no object size")
    return FoundObject(StoredObject(length, etag_of(reply), xml.crc32_from_text(checksum)), checksum)


def unintelligible(why: str) -> CloudUnintelligible:
    return CloudUnintelligible(f"Invalid reply from the storage: {why}.")
