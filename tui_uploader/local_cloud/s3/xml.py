"""XML of S3: write replies, parse CompleteMultipartUpload.

The parser refuses document types, and with them entities: nothing can be expanded or fetched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.storage.checksums import Algorithm
from tui_uploader.local_cloud.storage.multipart import NamedPart
from tui_uploader.text import whole_number

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_LARGEST_PART_NUMBER = 2**31 - 1

Child = tuple[str, "str | int | bool | Sequence[Child] | None"]
"""A tag and its content: text, or child elements in order. None omits the element."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def document(root: str, children: Sequence[Child]) -> str:
    """A reply, without the XML declaration."""
    return f'<{root} xmlns="{NAMESPACE}">{_elements(children)}</{root}>'


def error_document(refusal: S3Refusal, resource: str, request_id: str) -> str:
    """An error, without the XML declaration; S3 gives errors no namespace."""
    children: list[Child] = [
        ("Code", refusal.code),
        ("Message", refusal.message),
        ("Resource", resource),
        ("RequestId", request_id),
    ]
    return f"<Error>{_elements(children)}</Error>"


def _elements(children: Sequence[Child]) -> str:
    return "".join(f"<{tag}>{_text(content)}</{tag}>" for tag, content in children if content is not None)


def _text(content: str | int | bool | Sequence[Child]) -> str:
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, int):
        return str(content)
    if isinstance(content, str):
        # XML 1.0 forbids most control characters; S3 writes them as references nevertheless.
        return _CONTROL.sub(lambda found: f"&#x{ord(found[0]):x};", escape(content))
    return _elements(content)


def named_parts(text: bytes) -> list[NamedPart]:
    """The parts of a CompleteMultipartUpload document, in document order.

    Raises S3Refusal (MalformedXML).
    """
    try:
        root = ElementTree.fromstring(text, parser=ElementTree.XMLParser(target=_NoDoctype()))
    except ElementTree.ParseError as error:
        raise _malformed() from error
    if _name(root) != "CompleteMultipartUpload" or not len(root):
        raise _malformed()
    return [_named_part(element) for element in root]


class _NoDoctype(ElementTree.TreeBuilder):
    """Tree builder that refuses document types."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        raise _malformed()


def _named_part(element: ElementTree.Element) -> NamedPart:
    fields = {_name(child): (child.text or "").strip() for child in element}
    try:
        if _name(element) != "Part":
            raise _malformed()
        checksums = tuple(
            (algorithm, fields[algorithm.xml_name]) for algorithm in Algorithm if algorithm.xml_name in fields
        )
        number, etag = whole_number(fields["PartNumber"], _LARGEST_PART_NUMBER), fields["ETag"].strip('"')
    except KeyError as error:
        raise _malformed() from error
    if number is None:
        raise _malformed()
    return NamedPart(number, etag, checksums)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _malformed() -> S3Refusal:
    return S3Refusal(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"
    )
