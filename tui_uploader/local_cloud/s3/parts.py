"""S3's calls on objects in parts: create, part, list, complete, abort."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from starlette.responses import Response, StreamingResponse

from tui_uploader.local_cloud.bodies import read_body
from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.objects import ObjectCalls, if_absent, iso_time, refuse_copy, xml_response
from tui_uploader.local_cloud.s3.request import Call
from tui_uploader.local_cloud.s3.xml import DECLARATION, Child, document, error_document, named_parts
from tui_uploader.local_cloud.storage.checksums import (
    Algorithm,
    Announced,
    ChecksumType,
    Digests,
    algorithm_of,
    announced,
    check,
)
from tui_uploader.local_cloud.storage.multipart import MAX_PARTS, MultipartStore, MultipartUpload, StoredPart
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.storage.objects import ObjectStore, StoredObject
from tui_uploader.local_cloud.threads import Threads

_LONGEST_LIST = 4 * 1024**2
"""Bytes of a CompleteMultipartUpload document; 10,000 parts with checksums need some 2 MB."""
_MOST_LISTED = 1000
_PATIENCE = 10.0
"""Seconds until a reply to Complete begins although the object is not together yet."""


class PartCalls:
    def __init__(
        self,
        store: ObjectStore,
        parts: MultipartStore,
        objects: ObjectCalls,
        threads: Threads,
        patience: float = _PATIENCE,
    ) -> None:
        self._store = store
        self._parts = parts
        self._objects = objects
        self._threads = threads
        self._patience = patience
        self._completing: set[asyncio.Task[StoredObject]] = set()

    async def create(self, call: Call) -> Response:
        upload = await self._threads.run(self._parts.create, call.key, _wanted_checksum(call), call.kept_headers())
        children: list[Child] = [("Bucket", BUCKET), ("Key", call.key), ("UploadId", upload.id)]
        response = xml_response(document("InitiateMultipartUploadResult", children))
        if upload.checksum:
            algorithm, kind = upload.checksum
            response.headers["x-amz-checksum-algorithm"] = algorithm.value.upper()
            response.headers["x-amz-checksum-type"] = kind.value
        return response

    async def put(self, call: Call) -> Response:
        refuse_copy(call)
        number = call.whole_number("partNumber", 0, 1, MAX_PARTS)
        upload = await self._upload(call)
        algorithm = upload.checksum[0] if upload.checksum else None
        _check_part_checksum(call, upload)
        async with self._objects.taken_in(call, algorithm) as (incoming, digests, given):
            kept = algorithm or given
            part = StoredPart(
                number=number,
                size=incoming.size,
                md5=call.etag(digests.md5),
                checksum=(kept, digests.value(kept)) if kept else None,
                modified=self._store.now(),
                incoming=incoming.name,
            )
            await self._threads.run(self._parts.put_part, upload, part)
        checksum = {part.checksum[0].header: part.checksum[1]} if part.checksum else {}
        return Response(headers={"etag": f'"{part.md5}"'} | checksum)

    async def list_uploads(self, call: Call) -> Response:
        """By key and, of one key, in the order in which they were begun."""
        limit = min(call.whole_number("max-uploads", _MOST_LISTED, 0, 2**31 - 1), _MOST_LISTED)
        prefix, after = call.parameters.get("prefix", ""), call.parameters.get("key-marker", "")
        behind = call.parameters.get("upload-id-marker", "") if after else ""
        found = await self._threads.run(self._parts.uploads, prefix, after, behind, limit + 1)
        shown = found[:limit]
        children: list[Child] = [
            ("Bucket", BUCKET),
            ("KeyMarker", after),
            ("UploadIdMarker", behind),
            ("NextKeyMarker", shown[-1].key if shown else None),
            ("NextUploadIdMarker", shown[-1].id if shown else None),
            ("Prefix", prefix),
            ("MaxUploads", limit),
            ("IsTruncated", len(found) > limit and limit > 0),
        ]
        children += [("Upload", _listed_upload(upload)) for upload in shown]
        return xml_response(document("ListMultipartUploadsResult", children))

    async def list(self, call: Call) -> Response:
        limit = min(call.whole_number("max-parts", _MOST_LISTED, 0, 2**31 - 1), _MOST_LISTED)
        after = call.whole_number("part-number-marker", 0, 0, 2**31 - 1)
        upload = await self._upload(call)
        found = await self._threads.run(self._parts.parts, upload, after, limit + 1)
        shown = found[:limit]
        children: list[Child] = [
            ("Bucket", BUCKET),
            ("Key", call.key),
            ("UploadId", upload.id),
            ("PartNumberMarker", after),
            ("NextPartNumberMarker", shown[-1].number if shown else None),
            ("MaxParts", limit),
            ("IsTruncated", len(found) > limit and limit > 0),
            ("StorageClass", "STANDARD"),
            ("ChecksumAlgorithm", upload.checksum[0].value.upper() if upload.checksum else None),
            ("ChecksumType", upload.checksum[1].value if upload.checksum else None),
        ]
        children += [("Part", _listed_part(part)) for part in shown]
        return xml_response(document("ListPartsResult", children))

    async def complete(self, call: Call, request_id: str) -> Response:
        """The object, or, when that takes its time, a reply that begins at once with white space, as S3 does it."""
        body = await read_body(call.request, _LONGEST_LIST)
        _check_signed(body, call)
        named = named_parts(body)
        work = asyncio.create_task(
            self._threads.run(
                partial(
                    self._parts.complete,
                    call.parameters["uploadId"],
                    call.key,
                    named,
                    _expected_whole(call),
                    size=_expected_size(call),
                    only_if_absent=if_absent(call),
                )
            )
        )
        # The object comes together even when its client has left.
        self._completing.add(work)
        work.add_done_callback(self._completed)
        await asyncio.wait([work], timeout=self._patience)
        if work.done():
            return xml_response(_completed(call, work.result()))
        return StreamingResponse(self._waiting_for(work, call, request_id), media_type="application/xml")

    def _completed(self, work: asyncio.Task[StoredObject]) -> None:
        self._completing.discard(work)
        if not work.cancelled():
            work.exception()  # looked at, also when nobody waits for the reply any more

    async def _waiting_for(
        self, work: asyncio.Task[StoredObject], call: Call, request_id: str
    ) -> AsyncGenerator[str, None]:
        yield DECLARATION
        while not work.done():
            await asyncio.wait([work], timeout=self._patience)
            yield " "
        try:
            yield _completed(call, work.result())
        except S3Refusal as refusal:
            yield error_document(refusal, call.resource, request_id)

    async def abort(self, call: Call) -> Response:
        await self._threads.run(self._parts.abort, call.parameters["uploadId"], call.key)
        return Response(status_code=204)

    async def _upload(self, call: Call) -> MultipartUpload:
        return await self._threads.run(self._parts.upload, call.parameters["uploadId"], call.key)


def _check_signed(body: bytes, call: Call) -> None:
    expected = Announced(payload_sha256=announced(call.headers, call.claim.payload).payload_sha256)
    digests = Digests(expected)
    digests.update(body)
    check(expected, digests, {})


def _wanted_checksum(call: Call) -> tuple[Algorithm, ChecksumType] | None:
    word, kind = call.headers.get("x-amz-checksum-algorithm"), call.headers.get("x-amz-checksum-type")
    if word is None:
        return None
    algorithm = algorithm_of(word)
    try:
        wanted = ChecksumType((kind or ChecksumType.COMPOSITE).upper())
    except ValueError as error:
        raise S3Refusal("InvalidRequest", "Value for x-amz-checksum-type header is invalid.") from error
    if wanted is ChecksumType.FULL_OBJECT and algorithm is not Algorithm.CRC32:
        raise S3Refusal(
            "InvalidRequest", f"The FULL_OBJECT checksum type cannot be used with the {word} checksum algorithm."
        )
    return algorithm, wanted


def _check_part_checksum(call: Call, upload: MultipartUpload) -> None:
    """S3 takes no part without the checksum that a composite one is made of."""
    if upload.checksum is None:
        return
    expected, given = upload.checksum[0], announced(call.headers, call.claim.payload).algorithm
    missing = given is None and upload.checksum[1] is ChecksumType.COMPOSITE
    if missing or (given and given is not expected):
        actual = given.value if given else "null"
        raise S3Refusal(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {expected.value}, "
            f"actual checksum Type: {actual}",
        )


def _expected_whole(call: Call) -> tuple[Algorithm, str] | None:
    return announced(call.headers, call.claim.payload).checksum


def _expected_size(call: Call) -> int | None:
    text = call.headers.get("x-amz-mp-object-size")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise S3Refusal("InvalidRequest", "Value for x-amz-mp-object-size header is invalid.")
    return int(text)


def _completed(call: Call, stored: StoredObject) -> str:
    checksum = stored.checksum
    children: list[Child] = [
        ("Location", f"{call.request.scope['scheme']}://{call.headers['host']}{call.resource}"),
        ("Bucket", BUCKET),
        ("Key", call.key),
        ("ETag", f'"{stored.etag}"'),
    ]
    if checksum:
        children += [(checksum.algorithm.xml_name, checksum.value), ("ChecksumType", checksum.type.value)]
    return document("CompleteMultipartUploadResult", children)


def _listed_upload(upload: MultipartUpload) -> list[Child]:
    return [
        ("Key", upload.key),
        ("UploadId", upload.id),
        ("StorageClass", "STANDARD"),
        ("Initiated", iso_time(upload.created)),
        ("ChecksumAlgorithm", upload.checksum[0].value.upper() if upload.checksum else None),
        ("ChecksumType", upload.checksum[1].value if upload.checksum else None),
    ]


def _listed_part(part: StoredPart) -> list[Child]:
    children: list[Child] = [
        ("PartNumber", part.number),
        ("LastModified", iso_time(part.modified)),
        ("ETag", f'"{part.md5}"'),
        ("Size", part.size),
    ]
    return children + ([(part.checksum[0].xml_name, part.checksum[1])] if part.checksum else [])
