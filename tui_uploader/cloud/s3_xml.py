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

from tui_uploader.cloud.contract import Multipart, Part
from tui_uploader.cloud.renewal import moment_of
from tui_uploader.errors import CloudUnintelligible


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


def error_of(body: bytes) -> Document | None:
    """The `<Error>` document that `body` is, also under a status of 200."""
    document = parsed(body)
    return document if document is not None and document.name == "Error" else None


def listed_parts(document: Document) -> list[Part]:
    """Raises CloudUnintelligible."""
    try:
        return [
            Part(
                number=int(fields["PartNumber"]),
                size=int(fields["Size"]),
                etag=fields["ETag"].strip('"'),
                crc32=crc32_from_text(fields.get("ChecksumCRC32")),
            )
            for fields in document.rows
        ]
    except (KeyError, ValueError) as error:
        raise CloudUnintelligible("The store's list of parts cannot be understood.") from error


def listed_multiparts(document: Document, key: str, now: float) -> list[Multipart]:
    """Those of exactly this key, with their age at `now`; one whose beginning is told in no time that there is counts
    as new."""
    found = [fields for fields in document.rows if fields.get("Key") == key and fields.get("UploadId")]
    begun = [moment_of(fields.get("Initiated")) for fields in found]
    return [
        Multipart(fields["UploadId"], 0.0 if moment is None else max(0.0, now - moment))
        for fields, moment in zip(found, begun, strict=True)
    ]


def completion(parts: Sequence[Part]) -> bytes:
    """The body of CompleteMultipartUpload; parts in rising order, with their checksums where they are known."""
    rows = []
    for part in sorted(parts, key=lambda part: part.number):
        checksum = "" if part.crc32 is None else f"<ChecksumCRC32>{crc32_text(part.crc32)}</ChecksumCRC32>"
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
