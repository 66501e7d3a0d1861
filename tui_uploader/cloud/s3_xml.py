"""The few XML documents of S3: errors, upload ids, lists of parts, completion. All of them come from outside."""

from __future__ import annotations

import base64
import binascii
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn
from xml.sax.saxutils import escape

from tui_uploader.cloud.contract import MAX_PARTS, Multipart, Part
from tui_uploader.cloud.renewal import moment_of


@dataclass(frozen=True, slots=True)
class Document:
    """The root's name and the text of its children, namespaces left out."""

    name: str
    fields: dict[str, str]
    rows: tuple[dict[str, str], ...] = ()
    """The fields of each `Part` and `Upload` among the children."""


class _Plain(ElementTree.TreeBuilder):
    """Builds trees of documents that bring no document type: it could define entities that explode."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        raise ValueError("a document type")


def parsed(body: bytes) -> Document | None:
    """None for anything that is no plain XML document."""
    text = body.strip()
    if not text:
        return None
    try:
        root = ElementTree.fromstring(text, parser=ElementTree.XMLParser(target=_Plain()))
    except (ElementTree.ParseError, ValueError, LookupError):
        return None
    rows = tuple(_fields(child) for child in root if _bare(child.tag) in ("Part", "Upload"))
    return Document(_bare(root.tag), _fields(root), rows)


def _fields(element: ElementTree.Element) -> dict[str, str]:
    return {_bare(child.tag): (child.text or "").strip() for child in element}


def _bare(tag: str) -> str:
    return tag.rpartition("}")[2]


@dataclass(frozen=True, slots=True)
class PageOfParts:
    parts: tuple[Part, ...]
    following: int | None
    """The marker that the next page begins behind; None: this is the last page."""


def page_of_parts(document: Document | None, marker: int) -> PageOfParts | None:
    """A page of ListParts that was asked for with `marker` (0: from the beginning).

    None where it is no such page, or one that a correct store cannot give: a part without its facts or with a number
    that no part can have, or a marker that leads back.
    """
    if document is None or document.name != "ListPartsResult":
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
    if following is not None and not marker < following <= MAX_PARTS:
        return None
    return PageOfParts(parts, following)


def listed_multiparts(document: Document, key: str, now: float) -> list[Multipart]:
    """Those of exactly this key, with their age at `now`; one whose beginning is told in no time that there is counts
    as new."""
    found = [fields for fields in document.rows if fields.get("Key") == key and fields.get("UploadId")]
    begun = [moment_of(fields.get("Initiated")) for fields in found]
    return [
        Multipart(fields["UploadId"], 0.0 if moment is None else max(0.0, now - moment))
        for fields, moment in zip(found, begun, strict=True)
    ]


def completion(parts: Sequence[Part], *, checksums: bool) -> bytes:
    """The body of CompleteMultipartUpload: parts in rising order, with those of their checksums that are known."""
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
    """Base64 of the four bytes, highest first, as all `x-amz-checksum-crc32` have it."""
    return base64.b64encode(struct.pack(">I", crc32)).decode("ascii")


def crc32_from_text(text: str | None) -> int | None:
    """None for no checksum, and for the composite one of a multipart object (`…-3`)."""
    if not text:
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return int(struct.unpack(">I", raw)[0]) if len(raw) == 4 else None
