"""S3 operations on multipart uploads: create, part, list, complete, abort."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from starlette.responses import Response, StreamingResponse

from tui_uploader.local_cloud.bodies import read_body
from tui_uploader.local_cloud.s3.announced_checksums import AnnouncedChecksums, algorithm_of, announced, check
from tui_uploader.local_cloud.s3.errors import S3Refusal, s3_refusal
from tui_uploader.local_cloud.s3.objects import ObjectOperations, if_absent, iso_time, refuse_copy, xml_response
from tui_uploader.local_cloud.s3.request import LARGEST_SIZE, S3Request
from tui_uploader.local_cloud.s3.xml import DECLARATION, Child, document, error_document, named_parts
from tui_uploader.local_cloud.storage.checksums import Algorithm, ChecksumType
from tui_uploader.local_cloud.storage.errors import StorageRefusal
from tui_uploader.local_cloud.storage.multipart import MAX_PARTS, MultipartStore, MultipartUpload, PartRecord
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.storage.objects import LocalObjectStore, ObjectRecord
from tui_uploader.local_cloud.threads import Threads
from tui_uploader.text import whole_number

_LONGEST_LIST = 4 * 1024**2
"""Bytes of a CompleteMultipartUpload document; 10,000 parts with checksums need about 2 MB."""
_MOST_LISTED = 1000
_PATIENCE = 10.0
"""Seconds after which the reply to Complete begins although the object is still being assembled."""


class MultipartOperations:
    def __init__(
        self,
        store: LocalObjectStore,
        parts: MultipartStore,
        objects: ObjectOperations,
        threads: Threads,
        patience: float = _PATIENCE,
    ) -> None:
        self._store = store
        self._parts = parts
        self._objects = objects
        self._threads = threads
        self._patience = patience
        self._completing: set[asyncio.Task[ObjectRecord]] = set()

    async def create(self, request: S3Request) -> Response:
        upload = await self._threads.run(
            self._parts.create, request.key, _wanted_checksum(request), request.kept_headers()
        )
        children: list[Child] = [("Bucket", BUCKET), ("Key", request.key), ("UploadId", upload.id)]
        response = xml_response(document("InitiateMultipartUploadResult", children))
        if upload.checksum:
            algorithm, kind = upload.checksum
            response.headers["x-amz-checksum-algorithm"] = algorithm.value.upper()
            response.headers["x-amz-checksum-type"] = kind.value
        return response

    async def put(self, request: S3Request) -> Response:
        refuse_copy(request)
        number = request.number("partNumber", 0, 1, MAX_PARTS)
        upload = await self._upload(request)
        algorithm = upload.checksum[0] if upload.checksum else None
        _check_part_checksum(request, upload)
        async with self._objects.received(request, algorithm) as (incoming, digests, given):
            kept = algorithm or given
            part = PartRecord(
                number=number,
                size=incoming.size,
                md5=request.etag(digests.md5),
                checksum=(kept, digests.value(kept)) if kept else None,
                modified=self._store.now(),
                incoming=incoming.name,
            )
            await self._threads.run(self._parts.put_part, upload, part)
        checksum = {part.checksum[0].header: part.checksum[1]} if part.checksum else {}
        return Response(headers={"etag": f'"{part.md5}"'} | checksum)

    async def list_uploads(self, request: S3Request) -> Response:
        """Sorted by key, then by time of creation."""
        limit = min(request.number("max-uploads", _MOST_LISTED, 0, 2**31 - 1), _MOST_LISTED)
        prefix, after = request.parameters.get("prefix", ""), request.parameters.get("key-marker", "")
        behind = request.parameters.get("upload-id-marker", "") if after else ""
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

    async def list(self, request: S3Request) -> Response:
        limit = min(request.number("max-parts", _MOST_LISTED, 0, 2**31 - 1), _MOST_LISTED)
        after = request.number("part-number-marker", 0, 0, 2**31 - 1)
        upload = await self._upload(request)
        found = await self._threads.run(self._parts.parts, upload, after, limit + 1)
        shown = found[:limit]
        children: list[Child] = [
            ("Bucket", BUCKET),
            ("Key", request.key),
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

    async def complete(self, request: S3Request, request_id: str) -> Response:
        """Assemble the object. When that takes long, the reply begins with white space meanwhile, as that of S3."""
        body = await read_body(request.http, _LONGEST_LIST)
        _check_signed(body, request)
        named = named_parts(body)
        work = asyncio.create_task(
            self._threads.run(
                partial(
                    self._parts.complete,
                    request.parameters["uploadId"],
                    request.key,
                    named,
                    _expected_whole(request),
                    size=_expected_size(request),
                    only_if_absent=if_absent(request),
                )
            )
        )
        # The object is assembled even when the client disconnects.
        self._completing.add(work)
        work.add_done_callback(self._completed)
        await asyncio.wait([work], timeout=self._patience)
        if work.done():
            return xml_response(_completed(request, work.result()))
        return StreamingResponse(self._waiting_for(work, request, request_id), media_type="application/xml")

    def _completed(self, work: asyncio.Task[ObjectRecord]) -> None:
        self._completing.discard(work)
        if not work.cancelled():
            work.exception()  # retrieved, also when the client has disconnected

    async def _waiting_for(
        self, work: asyncio.Task[ObjectRecord], request: S3Request, request_id: str
    ) -> AsyncGenerator[str, None]:
        yield DECLARATION
        while not work.done():
            await asyncio.wait([work], timeout=self._patience)
            yield " "
        try:
            yield _completed(request, work.result())
        except StorageRefusal as refusal:
            yield error_document(s3_refusal(refusal), request.resource, request_id)

    async def abort(self, request: S3Request) -> Response:
        await self._threads.run(self._parts.abort, request.parameters["uploadId"], request.key)
        return Response(status_code=204)

    async def _upload(self, request: S3Request) -> MultipartUpload:
        return await self._threads.run(self._parts.upload, request.parameters["uploadId"], request.key)


def _check_signed(body: bytes, request: S3Request) -> None:
    expected = AnnouncedChecksums(payload_sha256=announced(request.headers, request.claim.payload).payload_sha256)
    digests = expected.digests()
    digests.update(body)
    check(expected, digests, {})


def _wanted_checksum(request: S3Request) -> tuple[Algorithm, ChecksumType] | None:
    word, kind = request.headers.get("x-amz-checksum-algorithm"), request.headers.get("x-amz-checksum-type")
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


def _check_part_checksum(request: S3Request, upload: MultipartUpload) -> None:
    """Raises S3Refusal for a part without the checksum that the composite checksum needs, or with another one."""
    if upload.checksum is None:
        return
    expected, given = upload.checksum[0], announced(request.headers, request.claim.payload).algorithm
    missing = given is None and upload.checksum[1] is ChecksumType.COMPOSITE
    if missing or (given and given is not expected):
        actual = given.value if given else "null"
        raise S3Refusal(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {expected.value}, "
            f"actual checksum Type: {actual}",
        )


def _expected_whole(request: S3Request) -> tuple[Algorithm, str] | None:
    return announced(request.headers, request.claim.payload).checksum


def _expected_size(request: S3Request) -> int | None:
    text = request.headers.get("x-amz-mp-object-size")
    if text is None:
        return None
    size = whole_number(text, LARGEST_SIZE)
    if size is None:
        raise S3Refusal("InvalidRequest", "Value for x-amz-mp-object-size header is invalid.")
    return size


def _completed(request: S3Request, stored: ObjectRecord) -> str:
    checksum = stored.checksum
    children: list[Child] = [
        ("Location", f"{request.http.scope['scheme']}://{request.headers['host']}{request.resource}"),
        ("Bucket", BUCKET),
        ("Key", request.key),
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


def _listed_part(part: PartRecord) -> list[Child]:
    children: list[Child] = [
        ("PartNumber", part.number),
        ("LastModified", iso_time(part.modified)),
        ("ETag", f'"{part.md5}"'),
        ("Size", part.size),
    ]
    return children + ([(part.checksum[0].xml_name, part.checksum[1])] if part.checksum else [])
