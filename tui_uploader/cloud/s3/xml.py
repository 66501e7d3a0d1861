"""Read and write the XML documents of S3: errors, upload ids, lists of parts, completion. Input is untrusted."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape

from tui_uploader.cloud.contract import MAX_PARTS, Multipart, Part, StoredObject
from tui_uploader.cloud.server_clock import moment_of
from tui_uploader.redaction import holds_secret
from tui_uploader.text import whole_number

MAX_XML = 2 * 1024**2
"""Bytes. The longest document that S3 sends, a page of a thousand uploads, has well under a million."""
_MAX_ELEMENTS = 60_000
_MAX_DEPTH = 16
_MOST_BYTES = 2**63 - 1
_LONGEST_TOKEN = 4096
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Document:
    """The name of the root element and the texts of its children, without namespaces."""

    name: str
    fields: dict[str, str]
    rows: tuple[dict[str, str], ...] = ()
    """The fields of each `Part`, `Upload` and `Contents` among the children."""

    def answers(self, call: str) -> bool:
        """Whether this is S3's reply to `call`; some stores, such as moto, use another suffix."""
        return self.name in (f"{call}Result", f"{call}Response")


class _Reader:
    """Reads the name of the root, its fields, and the fields of its rows; ignores everything deeper.

    Ignores namespaces: expat would put the full address in front of every name, and a long address would make gigabytes
    of names. Raises ValueError for a document type, whose entities could explode, and for more or deeper elements than
    any document of S3 has.
    """

    def __init__(self) -> None:
        self.name = ""
        self.fields: dict[str, str] = {}
        self.rows: list[dict[str, str]] = []
        self._path: list[str] = []
        self._elements = 0
        self._text: list[str] = []
        self._in_row = False

    def document(self, body: bytes) -> Document:
        """Raises ExpatError, ValueError, LookupError."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.StartDoctypeDeclHandler = self._doctype
        parser.Parse(body, True)
        return Document(self.name, self.fields, tuple(self.rows))

    def _doctype(self, *_: object) -> NoReturn:
        raise ValueError("a document type")

    def _start(self, name: str, _: object) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or len(self._path) >= _MAX_DEPTH:
            raise ValueError("not a document of S3")
        bare = name.rpartition(":")[2]
        if not self._path:
            self.name = bare
        elif len(self._path) == 1 and bare in ("Part", "Upload", "Contents"):
            self._in_row = True
            self.rows.append({})
        self._path.append(bare)
        self._text.clear()

    def _end(self, _: object) -> None:
        name = self._path.pop()
        text = "".join(self._text)
        self._text.clear()
        if name != "Key":  # whose spaces belong to it
            text = text.strip()
        if len(self._path) == 1:
            self.fields[name] = text
            self._in_row = False
        elif len(self._path) == 2 and self._in_row:
            self.rows[-1][name] = text


def parsed(body: bytes) -> Document | None:
    """Parse a document; None for anything but plain XML, and for a document too large for S3."""
    text = body.strip()
    if not text or len(text) > MAX_XML:
        return None
    try:
        return _Reader().document(text)
    except (expat.ExpatError, ValueError, LookupError):
        return None


@dataclass(frozen=True, slots=True)
class PageOfParts:
    """One page of ListParts."""

    parts: tuple[Part, ...]
    following: int | None
    """The marker after which the next page begins; None for the last page."""


def page_of_parts(document: Document | None, marker: int) -> PageOfParts | None:
    """Parse the page of ListParts that was requested with `marker` (0: the first page).

    None for anything that a correct store cannot send: another document, a part with missing fields or an impossible
    number, or a marker that leads back.
    """
    if document is None or not document.answers("ListParts"):
        return None
    try:
        parts = tuple(
            Part(
                number=int(fields["PartNumber"]),
                size=int(fields["Size"]),
                etag=fields["ETag"].strip('"'),
                crc32=crc32_from_text(fields.get("ChecksumCRC32")),
            )
            for fields in document.rows
        )
        more = document.fields.get("IsTruncated", "").lower() == "true"
        following = int(document.fields.get("NextPartNumberMarker", "")) if more else None
    except (KeyError, ValueError):
        return None
    if not all(marker < part.number <= MAX_PARTS and part.size >= 0 for part in parts):
        return None
    if any(holds_secret(part.etag) for part in parts):
        return None
    if following is not None and not marker < following <= MAX_PARTS:
        return None
    return PageOfParts(parts, following)


def listed_multiparts(document: Document, key: str, now: float) -> list[Multipart]:
    """The uploads of exactly this key, with their age at `now`; one with an invalid start time counts as new."""
    found = [fields for fields in document.rows if fields.get("Key") == key and fields.get("UploadId")]
    begun = [moment_of(fields.get("Initiated")) for fields in found]
    return [
        Multipart(fields["UploadId"], 0.0 if moment is None else max(0.0, now - moment))
        for fields, moment in zip(found, begun, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class PageOfObjects:
    """One page of ListObjectsV2."""

    objects: tuple[tuple[str, StoredObject], ...]
    """With their keys."""
    following: str | None
    """The token of the next page; None for the last page."""


def page_of_objects(document: Document | None, prefix: str) -> PageOfObjects | None:
    """Parse a page of ListObjectsV2; leaves out keys without the prefix, and those with control characters, which XML
    cannot tell apart.

    None for anything that a correct store cannot send: another document, keys in an encoding that was not asked for,
    an object without a key or a valid size, or another page without its token.
    """
    if document is None or document.name != "ListBucketResult" or document.fields.get("EncodingType"):
        return None
    objects = []
    for fields in document.rows:
        key, size = fields.get("Key"), whole_number(fields.get("Size", ""), _MOST_BYTES)
        if not key or size is None:
            return None
        if key.startswith(prefix) and not _CONTROL.search(key):
            objects.append((key, StoredObject(size, fields.get("ETag", "").strip('"'))))
    if holds_secret("\n".join(stored.etag for _, stored in objects)):
        return None
    if document.fields.get("IsTruncated", "").lower() != "true":
        return PageOfObjects(tuple(objects), None)
    token = document.fields.get("NextContinuationToken", "")
    return PageOfObjects(tuple(objects), token) if 0 < len(token) <= _LONGEST_TOKEN else None


def completion(parts: Sequence[Part], *, checksums: bool) -> bytes:
    """The body of CompleteMultipartUpload: parts in ascending order, with their checksums if known and wanted."""
    rows = []
    for part in sorted(parts, key=lambda part: part.number):
        checksum = (
            "" if part.crc32 is None or not checksums else f"<ChecksumCRC32>{crc32_text(part.crc32)}</ChecksumCRC32>"
        )
        etag = escape(f'"{part.etag}"')
        rows.append(f"<Part><PartNumber>{part.number}</PartNumber><ETag>{etag}</ETag>{checksum}</Part>")
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    document = f'<CompleteMultipartUpload xmlns="{namespace}">{"".join(rows)}</CompleteMultipartUpload>'
    return document.encode()


def crc32_text(crc32: int) -> str:
    """A CRC32 in the format of `x-amz-checksum-crc32`: base64 of the four bytes, big-endian."""
    return base64.b64encode(struct.pack(">I", crc32)).decode("ascii")


def crc32_from_text(text: str | None) -> int | None:
    """Parse a CRC32; None if missing, and for the composite checksum of a multipart object (`…-3`)."""
    if not text:
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return int(struct.unpack(">I", raw)[0]) if len(raw) == 4 else None
