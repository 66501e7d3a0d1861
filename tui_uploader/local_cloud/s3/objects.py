"""S3 operations on whole objects: PUT, HEAD, GET and both versions of the list."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from typing import BinaryIO
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tui_uploader.local_cloud.s3.announced_checksums import announced, check
from tui_uploader.local_cloud.s3.body_writer import BodyWriter, receive_body
from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.request import S3Request
from tui_uploader.local_cloud.s3.xml import DECLARATION, Child, document
from tui_uploader.local_cloud.storage.checksums import Algorithm, Checksum, Digests
from tui_uploader.local_cloud.storage.errors import NoSuchObject
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.storage.objects import IncomingFile, LocalObjectStore, ObjectListing, ObjectRecord
from tui_uploader.local_cloud.threads import Threads

_MOST_KEYS = 1000
_READ_AT_A_TIME = 512 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class ObjectOperations:
    def __init__(self, store: LocalObjectStore, threads: Threads) -> None:
        self._store = store
        self._threads = threads

    async def put(self, request: S3Request) -> Response:
        refuse_copy(request)
        only_if_absent = if_absent(request)
        async with self.received(request) as (incoming, digests, algorithm):
            checksum = Checksum(algorithm, digests.value(algorithm)) if algorithm else None
            stored = ObjectRecord(
                request.key,
                incoming.size,
                request.etag(digests.md5),
                self._store.now(),
                checksum,
                request.kept_headers(),
            )
            await self._threads.run(self._store.publish, incoming, stored, only_if_absent=only_if_absent)
        return Response(headers={"etag": f'"{stored.etag}"'} | checksum_headers(checksum))

    @asynccontextmanager
    async def received(
        self, request: S3Request, also: Algorithm | None = None
    ) -> AsyncIterator[tuple[IncomingFile, Digests, Algorithm | None]]:
        """The verified body in a sealed file, its digests, and the checksum algorithm of the request, if any.

        The file is deleted when the block raises. `also`: one more digest to compute. Raises S3Refusal.
        """
        expected = announced(request.headers, request.claim.payload)
        decoder = request.decoder()
        digests = expected.digests(also)
        incoming = await self._threads.run(self._store.receive)
        try:
            writer = BodyWriter(incoming, digests, decoder)
            await receive_body(request.http, writer, self._threads)
            check(expected, digests, await self._threads.run(writer.finish))
            yield incoming, digests, expected.algorithm
        except BaseException:
            await self._threads.run(incoming.discard)
            raise

    async def head(self, request: S3Request) -> Response:
        stored = await self._threads.run(self._store.find, request.key)
        if stored is None:
            raise NoSuchObject("The specified key does not exist.")
        if _is_unchanged(request, stored):
            return Response(status_code=304, headers={"etag": f'"{stored.etag}"'})
        return Response(headers=_object_headers(request, stored) | {"content-length": str(stored.size)})

    async def get(self, request: S3Request) -> Response:
        stored, file = await self._threads.run(self._store.open, request.key)
        try:
            if _is_unchanged(request, stored):
                file.close()
                return Response(status_code=304, headers={"etag": f'"{stored.etag}"'})
            span = byte_range(request.headers.get("range"), stored.size)
        except S3Refusal:
            file.close()
            raise
        start, end = span or (0, stored.size)
        headers = _object_headers(request, stored, whole=span is None) | {"content-length": str(end - start)}
        if span:
            headers["content-range"] = f"bytes {start}-{end - 1}/{stored.size}"
        return FileResponse(self._threads, file, start, end - start, 206 if span else 200, headers)

    async def list(self, request: S3Request) -> Response:
        second = request.parameters.get("list-type") == "2"
        limit = request.number("max-keys", _MOST_KEYS, 0, 2**31 - 1)
        prefix, delimiter = request.parameters.get("prefix", ""), request.parameters.get("delimiter", "")
        after = _list_after(request) if second else request.parameters.get("marker", "")
        list_own = partial(self._store.listing, within=f"{request.credentials.prefix}/")
        listing = await self._threads.run(list_own, prefix, delimiter, after, min(limit, _MOST_KEYS))
        return xml_response(document("ListBucketResult", _listed(request, listing, second=second, limit=limit)))


class FileResponse(StreamingResponse):
    """Streams a range of an open file, and closes it afterwards, also after an error."""

    def __init__(
        self, threads: Threads, file: BinaryIO, start: int, length: int, status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(_read_range(threads, file, start, length), status_code=status, headers=headers)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


async def _read_range(threads: Threads, file: BinaryIO, start: int, length: int) -> AsyncGenerator[bytes, None]:
    await threads.run(file.seek, start)
    while length:
        data = await threads.run(file.read, min(length, _READ_AT_A_TIME))
        if not data:
            raise EOFError(f"{file.name} was truncated while it was read")
        length -= len(data)
        yield data


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of the Range header; None for the whole object, also for a header that S3 ignores.

    Raises S3Refusal (InvalidRange).
    """
    found = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if not found or not (found[1] or found[2]):
        return None
    if found[1]:
        start, end = int(found[1]), min(int(found[2] or size), size - 1) + 1
        if found[2] and int(found[2]) < start:
            return None
    else:
        start, end = max(0, size - int(found[2])), size
    if start >= end:
        raise S3Refusal("InvalidRange", "The requested range is not satisfiable")
    return start, end


def refuse_copy(request: S3Request) -> None:
    """Raises S3Refusal for a PUT that copies another object."""
    if "x-amz-copy-source" in request.headers:
        raise S3Refusal("NotImplemented", "Objects are not copied here.")


def if_absent(request: S3Request) -> bool:
    """Whether the request allows only a new object. Raises S3Refusal for conditions that are not implemented."""
    condition = request.headers.get("if-none-match")
    if condition not in (None, "*") or "if-match" in request.headers:
        raise S3Refusal("NotImplemented", "Of the conditional writes, only If-None-Match: * is implemented here.")
    return condition == "*"


def checksum_headers(checksum: Checksum | None) -> dict[str, str]:
    if checksum is None:
        return {}
    return {checksum.algorithm.header: checksum.value, "x-amz-checksum-type": checksum.type.value}


def xml_response(text: str) -> Response:
    return Response(DECLARATION + text, media_type="application/xml")


def iso_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _is_unchanged(request: S3Request, stored: ObjectRecord) -> bool:
    """Whether the client has this object already (304). Raises S3Refusal when If-Match names another one."""
    wanted, known = request.headers.get("if-match"), request.headers.get("if-none-match")
    if wanted is not None and wanted != "*" and stored.etag not in _etags(wanted):
        raise S3Refusal("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    return known is not None and (known == "*" or stored.etag in _etags(known))


def _etags(header: str) -> list[str]:
    return [etag.strip().strip('"') for etag in header.split(",")]


def _object_headers(request: S3Request, stored: ObjectRecord, *, whole: bool = True) -> dict[str, str]:
    headers = {
        "content-type": "binary/octet-stream",
        **stored.headers,
        "etag": f'"{stored.etag}"',
        "last-modified": formatdate(stored.modified, usegmt=True),
        "accept-ranges": "bytes",
    }
    # S3 returns the checksum only on request, and only with the whole object.
    if whole and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers |= checksum_headers(stored.checksum)
    return headers


def _list_after(request: S3Request) -> str:
    token = request.parameters.get("continuation-token")
    if token is None:
        return request.parameters.get("start-after", "")
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise S3Refusal("InvalidArgument", "The continuation token provided is incorrect") from error


def _listed(request: S3Request, listing: ObjectListing, *, second: bool, limit: int) -> list[Child]:
    in_url_encoding = request.parameters.get("encoding-type") == "url"

    def name(text: str) -> str:
        return quote(text, safe="/") if in_url_encoding else text

    def given(parameter: str) -> str | None:
        return name(request.parameters[parameter]) if parameter in request.parameters else None

    further = listing.next_after
    children: list[Child] = [
        ("Name", BUCKET),
        ("Prefix", given("prefix") or ""),
        ("Delimiter", given("delimiter")),
        ("EncodingType", "url" if in_url_encoding else None),
        ("MaxKeys", limit),
        ("IsTruncated", further is not None),
    ]
    if second:
        token = None if further is None else base64.b64encode(further.encode(), altchars=b"-_").decode()
        children += [
            ("KeyCount", len(listing.objects) + len(listing.common_prefixes)),
            ("StartAfter", given("start-after")),
            ("ContinuationToken", request.parameters.get("continuation-token")),
            ("NextContinuationToken", token),
        ]
    else:
        children += [("Marker", given("marker") or ""), ("NextMarker", None if further is None else name(further))]
    children += [("Contents", _listed_object(stored, name(stored.key))) for stored in listing.objects]
    children += [("CommonPrefixes", [("Prefix", name(prefix))]) for prefix in listing.common_prefixes]
    return children


def _listed_object(stored: ObjectRecord, name: str) -> list[Child]:
    return [
        ("Key", name),
        ("LastModified", iso_time(stored.modified)),
        ("ETag", f'"{stored.etag}"'),
        ("ChecksumAlgorithm", stored.checksum.algorithm.value.upper() if stored.checksum else None),
        ("ChecksumType", stored.checksum.type.value if stored.checksum else None),
        ("Size", stored.size),
        ("StorageClass", "STANDARD"),
    ]
