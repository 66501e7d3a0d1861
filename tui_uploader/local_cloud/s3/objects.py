"""S3's calls on whole objects: PUT, HEAD, GET and the two lists."""

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

from tui_uploader.local_cloud.bodies import Intake, take_in
from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.request import Call
from tui_uploader.local_cloud.s3.xml import DECLARATION, Child, document
from tui_uploader.local_cloud.storage.checksums import Algorithm, Checksum, Digests, announced, check
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.storage.objects import Incoming, Listing, ObjectStore, StoredObject
from tui_uploader.local_cloud.threads import Threads

_MOST_KEYS = 1000
_READ_AT_A_TIME = 512 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class ObjectCalls:
    def __init__(self, store: ObjectStore, threads: Threads) -> None:
        self._store = store
        self._threads = threads

    async def put(self, call: Call) -> Response:
        refuse_copy(call)
        only_if_absent = if_absent(call)
        async with self.taken_in(call) as (incoming, digests, algorithm):
            checksum = Checksum(algorithm, digests.value(algorithm)) if algorithm else None
            stored = StoredObject(
                call.key, incoming.size, call.etag(digests.md5), self._store.now(), checksum, call.kept_headers()
            )
            await self._threads.run(self._store.land, incoming, stored, only_if_absent=only_if_absent)
        return Response(headers={"etag": f'"{stored.etag}"'} | checksum_headers(checksum))

    @asynccontextmanager
    async def taken_in(
        self, call: Call, also: Algorithm | None = None
    ) -> AsyncIterator[tuple[Incoming, Digests, Algorithm | None]]:
        """The body on the disk, checked, with its sums and the algorithm that the request announced, if any.

        Whatever goes wrong inside, the bytes are thrown away. Raises S3Refusal.
        """
        expected = announced(call.headers, call.claim.payload)
        decoder = call.decoder()
        digests = Digests(expected, also)
        incoming = await self._threads.run(self._store.receive)
        try:
            intake = Intake(incoming, digests, decoder)
            await take_in(call.request, intake, self._threads)
            check(expected, digests, await self._threads.run(intake.finish))
            yield incoming, digests, expected.algorithm
        except BaseException:
            await self._threads.run(incoming.discard)
            raise

    async def head(self, call: Call) -> Response:
        stored = await self._threads.run(self._store.find, call.key)
        if stored is None:
            raise S3Refusal("NoSuchKey", "The specified key does not exist.")
        if _is_unchanged(call, stored):
            return Response(status_code=304, headers={"etag": f'"{stored.etag}"'})
        return Response(headers=_object_headers(call, stored) | {"content-length": str(stored.size)})

    async def get(self, call: Call) -> Response:
        stored, file = await self._threads.run(self._store.open, call.key)
        try:
            if _is_unchanged(call, stored):
                file.close()
                return Response(status_code=304, headers={"etag": f'"{stored.etag}"'})
            span = byte_range(call.headers.get("range"), stored.size)
        except S3Refusal:
            file.close()
            raise
        start, end = span or (0, stored.size)
        headers = _object_headers(call, stored, whole=span is None) | {"content-length": str(end - start)}
        if span:
            headers["content-range"] = f"bytes {start}-{end - 1}/{stored.size}"
        return FileResponse(self._threads, file, start, end - start, 206 if span else 200, headers)

    async def list(self, call: Call) -> Response:
        second = call.parameters.get("list-type") == "2"
        limit = call.whole_number("max-keys", _MOST_KEYS, 0, 2**31 - 1)
        prefix, delimiter = call.parameters.get("prefix", ""), call.parameters.get("delimiter", "")
        after = _list_after(call) if second else call.parameters.get("marker", "")
        list_own = partial(self._store.listing, within=f"{call.storage_key.prefix}/")
        listing = await self._threads.run(list_own, prefix, delimiter, after, min(limit, _MOST_KEYS))
        return xml_response(document("ListBucketResult", _listed(call, listing, second=second, limit=limit)))


class FileResponse(StreamingResponse):
    """A stretch of an open file, which is closed whatever happens."""

    def __init__(
        self, threads: Threads, file: BinaryIO, start: int, length: int, status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(_stretch(threads, file, start, length), status_code=status, headers=headers)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


async def _stretch(threads: Threads, file: BinaryIO, start: int, length: int) -> AsyncGenerator[bytes, None]:
    await threads.run(file.seek, start)
    while length:
        data = await threads.run(file.read, min(length, _READ_AT_A_TIME))
        if not data:
            raise EOFError(f"{file.name} has been cut while it was read")
        length -= len(data)
        yield data


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte, and the one behind the last; None for everything, as for a header that S3 does not understand.

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


def refuse_copy(call: Call) -> None:
    """Raises S3Refusal for a PUT whose content is to come from another object."""
    if "x-amz-copy-source" in call.headers:
        raise S3Refusal("NotImplemented", "Objects are not copied here.")


def if_absent(call: Call) -> bool:
    """The object may be stored only if there is none. Raises S3Refusal for conditions that writes do not know here."""
    condition = call.headers.get("if-none-match")
    if condition not in (None, "*") or "if-match" in call.headers:
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


def _is_unchanged(call: Call, stored: StoredObject) -> bool:
    """Raises S3Refusal where If-Match names another object."""
    wanted, known = call.headers.get("if-match"), call.headers.get("if-none-match")
    if wanted is not None and wanted != "*" and stored.etag not in _etags(wanted):
        raise S3Refusal("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    return known is not None and (known == "*" or stored.etag in _etags(known))


def _etags(header: str) -> list[str]:
    return [etag.strip().strip('"') for etag in header.split(",")]


def _object_headers(call: Call, stored: StoredObject, *, whole: bool = True) -> dict[str, str]:
    headers = {
        "content-type": "binary/octet-stream",
        **stored.headers,
        "etag": f'"{stored.etag}"',
        "last-modified": formatdate(stored.modified, usegmt=True),
        "accept-ranges": "bytes",
    }
    # S3 tells the checksum only to those who ask, and only with the whole object.
    if whole and call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers |= checksum_headers(stored.checksum)
    return headers


def _list_after(call: Call) -> str:
    token = call.parameters.get("continuation-token")
    if token is None:
        return call.parameters.get("start-after", "")
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise S3Refusal("InvalidArgument", "The continuation token provided is incorrect") from error


def _listed(call: Call, listing: Listing, *, second: bool, limit: int) -> list[Child]:
    in_url_encoding = call.parameters.get("encoding-type") == "url"

    def name(text: str) -> str:
        return quote(text, safe="/") if in_url_encoding else text

    def given(parameter: str) -> str | None:
        return name(call.parameters[parameter]) if parameter in call.parameters else None

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
            ("ContinuationToken", call.parameters.get("continuation-token")),
            ("NextContinuationToken", token),
        ]
    else:
        children += [("Marker", given("marker") or ""), ("NextMarker", None if further is None else name(further))]
    children += [("Contents", _listed_object(stored, name(stored.key))) for stored in listing.objects]
    children += [("CommonPrefixes", [("Prefix", name(prefix))]) for prefix in listing.common_prefixes]
    return children


def _listed_object(stored: StoredObject, name: str) -> list[Child]:
    return [
        ("Key", name),
        ("LastModified", iso_time(stored.modified)),
        ("ETag", f'"{stored.etag}"'),
        ("ChecksumAlgorithm", stored.checksum.algorithm.value.upper() if stored.checksum else None),
        ("ChecksumType", stored.checksum.type.value if stored.checksum else None),
        ("Size", stored.size),
        ("StorageClass", "STANDARD"),
    ]
