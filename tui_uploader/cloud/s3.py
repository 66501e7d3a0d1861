"""The object store of one project: single PUTs and multipart uploads, with the storage key kept fresh.

What proves that an object is stored: S3 compares the CRC32 in the signed headers with the bytes it received before it
answers 200 with an ETag, and repeats the checksum in its reply, which then has to be ours. A store that does not know
this checksum (rclone's is one) ignores the header; there the ETag after a body of exactly the announced length is what
there is. The ETag's own value is not judged: it is an MD5 only where the bucket is not encrypted with KMS.

What proves that nothing was overwritten: objects are written on the condition that their name is free, and S3 answers
412 where it is not. A store that refuses the condition itself gets it no more, which is logged. One that ignores it
(rclone's is one) overwrites; there the engine's own choice of names is all there is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from urllib.parse import quote

from tui_uploader.cloud import s3_xml, sigv4
from tui_uploader.cloud.attempts import Attempt, condition_unknown, next_attempt
from tui_uploader.cloud.contract import Part, SentCallback, Span, StoredObject
from tui_uploader.cloud.likeness import Found, Likeness, Verdict, after_completion, is_the_same, likeness_of_parts
from tui_uploader.cloud.messages import Reply, Request
from tui_uploader.cloud.pool import ConnectionPool
from tui_uploader.cloud.renewal import Renewable, ServerClock
from tui_uploader.cloud.s3_headers import (
    ABSENT_ONLY,
    CHECKSUM_ALGORITHM,
    CHECKSUM_MODE,
    OWNER_ACL,
    confirmed_crc32,
    crc32_header,
    etag_of,
    found_in,
    unintelligible,
)
from tui_uploader.cloud.storage_key import DEFAULT_REGION, StorageKey, endpoint_of, is_region
from tui_uploader.cloud.translate import DENIED_CODES, foreign_answer, s3_failure
from tui_uploader.cloud.transport import Deadlines, Origin
from tui_uploader.errors import (
    CloudRefused,
    MultipartGone,
    NameTaken,
    NotPossibleNow,
    Unsupported,
    UploaderError,
)
from tui_uploader.text import printable

_MAX_LIST_PAGES = 100
_CLEARED_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    """One S3 call, before it is signed."""

    method: str
    object_name: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Span = b""
    acl: bool = False
    """Whether this kind of call takes the ACL."""
    absent_only: bool = False
    """Whether the call makes an object, which must not replace another."""
    weight: int = 0
    """Bytes that the store has to look at before it answers."""


@dataclass(frozen=True, slots=True)
class _Answer:
    reply: Reply
    error: UploaderError | None
    """None for a success."""
    repeated: bool
    """An attempt before this one stayed without an answer: it may have taken effect."""

    def success(self) -> Reply:
        """Raises the error."""
        if self.error is not None:
            raise self.error
        return self.reply


class S3Store:
    """An `ObjectStore` over S3's REST protocol."""

    def __init__(
        self,
        project_id: str,
        keys: Renewable[StorageKey],
        pool: ConnectionPool,
        cloud: Origin,
        clock: ServerClock,
        deadlines: Deadlines,
    ) -> None:
        self._project_id = project_id
        self._keys = keys
        self._pool = pool
        self._cloud = cloud
        self._clock = clock
        self._deadlines = deadlines
        self._region: str | None = None
        """As a refusal named it."""
        self._acl_wanted = True
        self._acl_proven = False
        self._knows_conditions = True
        self._cleared: tuple[StorageKey, float] | None = None
        """A key that was refused right after it was made, and until when that tells anything."""
        self._refused_features: set[str] = set()
        self._completing: set[str] = set()
        """Uploads whose completion was asked for, and not refused since."""

    # ------------------------------------------------------------------------------------------- the contract

    def key(self, object_name: str) -> str:
        current = self._keys.current
        if current is None:
            raise NotPossibleNow(f"The storage key of project {self._project_id} was not fetched yet.")
        return _object_key(current, object_name)

    async def open(self) -> None:
        await self._keys.get()

    async def put(self, object_name: str, body: Span, sent: SentCallback) -> StoredObject:
        header = crc32_header(body)
        call = _Call("PUT", object_name, headers=(header,), body=body, acl=True, absent_only=True, weight=body.length)
        answer = await self._answer(call, sent)
        if isinstance(answer.error, NameTaken):
            stored = await self._put_before(object_name, body) if answer.repeated else None
            if stored is None:
                raise _name_taken(object_name) from answer.error
            sent(body.length)
            return stored
        reply = answer.success()
        return StoredObject(body.length, etag_of(reply), confirmed_crc32(reply, body))

    async def create_multipart(self, object_name: str) -> str:
        call = _Call("POST", object_name, query=(("uploads", ""),), headers=(CHECKSUM_ALGORITHM,), acl=True)
        reply = await self._feature("multipart uploads", call)
        document = s3_xml.parsed(reply.body)
        upload_id = "" if document is None else document.fields.get("UploadId", "")
        if not upload_id:
            raise unintelligible("its answer names no upload")
        return upload_id

    async def put_part(self, object_name: str, upload_id: str, number: int, body: Span, sent: SentCallback) -> Part:
        call = _Call(
            "PUT",
            object_name,
            query=(("partNumber", str(number)), ("uploadId", upload_id)),
            headers=(crc32_header(body),),
            body=body,
            weight=body.length,
        )
        reply = await self._send(call, sent)
        confirmed_crc32(reply, body)
        return Part(number, body.length, etag_of(reply), body.crc32)

    async def list_parts(self, object_name: str, upload_id: str) -> Sequence[Part] | None:
        parts: list[Part] = []
        marker = ""
        for _ in range(_MAX_LIST_PAGES):
            query = (("part-number-marker", marker),) if marker else ()
            call = _Call("GET", object_name, query=(*query, ("uploadId", upload_id)))
            try:
                reply = await self._feature("lists of parts", call)
            except Unsupported:
                return None
            document = s3_xml.parsed(reply.body)
            if document is None or document.name != "ListPartsResult":
                raise unintelligible("its list of parts is none")
            parts += s3_xml.listed_parts(document)
            following = document.fields.get("NextPartNumberMarker", "")
            if document.fields.get("IsTruncated", "").lower() != "true" or following in ("", marker):
                break
            marker = following
        return parts

    async def complete_multipart(
        self, object_name: str, upload_id: str, parts: Sequence[Part], size: int
    ) -> StoredObject:
        asked_before = upload_id in self._completing
        self._completing.add(upload_id)
        body = s3_xml.completion(parts)
        call = _Call("POST", object_name, query=(("uploadId", upload_id),), body=body, absent_only=True, weight=size)
        answer = await self._answer(call)
        if isinstance(answer.error, MultipartGone | NameTaken):
            unanswered = asked_before or answer.repeated
            return await self._completed_before(object_name, upload_id, parts, size, answer.error, unanswered)
        document = s3_xml.parsed(answer.success().body)
        if document is None or document.name != "CompleteMultipartUploadResult":
            raise unintelligible("its answer to the completion is none")
        return StoredObject(size, document.fields.get("ETag", "").strip('"'))

    async def abort_multipart(self, object_name: str, upload_id: str) -> None:
        try:
            await self._send(_Call("DELETE", object_name, query=(("uploadId", upload_id),)))
        except MultipartGone:
            pass
        self._completing.discard(upload_id)

    async def head(self, object_name: str) -> StoredObject | None:
        found = await self._look(object_name)
        return None if found is None else found.stored

    # -------------------------------------------------------------------------------------------- how it is done

    async def _feature(self, feature: str, call: _Call, *, missing_ok: bool = False) -> Reply:
        """A call that the store may not offer to us; that it does not is remembered.

        Raises Unsupported.
        """
        if feature in self._refused_features:
            raise Unsupported(f"The store does not offer {feature} to us.")
        try:
            return await self._send(call, missing_ok=missing_ok)
        except (CloudRefused, Unsupported) as error:
            if isinstance(error, _Denied | Unsupported):
                self._refused_features.add(feature)
                raise Unsupported(f"The store does not offer {feature} to us.") from error
            raise

    async def _look(self, object_name: str) -> Found | None:
        """Raises Unsupported."""
        call = _Call("HEAD", object_name, headers=(CHECKSUM_MODE,))
        reply = await self._feature("looking at objects", call, missing_ok=True)
        return None if reply.status == 404 else found_in(reply)

    async def _put_before(self, object_name: str, body: Span) -> StoredObject | None:
        """The object, if it is what an attempt made whose answer was lost."""
        try:
            stored = await self.head(object_name)
        except Unsupported:
            return None
        return stored if stored is not None and await asyncio.to_thread(is_the_same, stored, body) else None

    async def _completed_before(
        self,
        object_name: str,
        upload_id: str,
        parts: Sequence[Part],
        size: int,
        refusal: MultipartGone | NameTaken,
        unanswered: bool,
    ) -> StoredObject:
        """The object, if it is what a completion made whose answer was lost. Raises NameTaken, MultipartGone."""
        name_taken = isinstance(refusal, NameTaken)
        if name_taken:
            self._completing.discard(upload_id)
        try:
            found = await self._look(object_name)
            likeness = Likeness.NOTHING if found is None else likeness_of_parts(found, parts, size)
        except Unsupported:
            found, likeness = None, Likeness.HIDDEN
        verdict = after_completion(likeness, name_taken=name_taken, unanswered=unanswered)
        if found is not None and verdict is Verdict.STORED:
            return found.stored
        if verdict is Verdict.GONE:
            raise refusal
        raise _name_taken(object_name) from refusal

    async def _send(self, call: _Call, sent: SentCallback | None = None, *, missing_ok: bool = False) -> Reply:
        """The reply of a call that succeeded."""
        answer = await self._answer(call, sent)
        if missing_ok and answer.reply.status == 404:
            return answer.reply
        return answer.success()

    async def _answer(self, call: _Call, sent: SentCallback | None = None) -> _Answer:
        """The last answer to a call; each thing that a refusal blames is put right once. Raises LinkError."""
        key = await self._keys.get()
        attempt = Attempt(
            renewed=False,
            acl=call.acl and self._acl_wanted,
            absent_only=call.absent_only and self._knows_conditions,
        )
        refused: set[Attempt] = set()
        corrected: set[str] = set()
        repeated = False
        while True:
            reply = await self._pool.exchange(*self._signed(call, key, attempt), sent)
            repeated = repeated or reply.repeated
            fields, code, error = self._judged(reply, key)
            if error is None:
                self._learn(call, attempt, refused)
                return _Answer(reply, None, repeated)
            if not self._corrects(reply, fields, code, corrected):
                refused.add(attempt)
                following = next_attempt(
                    attempt,
                    refused,
                    code,
                    condition_unknown=attempt.absent_only and condition_unknown(reply, fields),
                    acl_proven=self._acl_proven,
                    key_cleared=self._is_cleared(key),
                )
                if following is None:
                    if code in DENIED_CODES and attempt.renewed:
                        self._cleared = (key, self._clock.now() + _CLEARED_SECONDS)
                    return _Answer(reply, _denied(error) if code in DENIED_CODES else error, repeated)
                if following.renewed and not attempt.renewed:
                    key = await self._keys.replace(key)
                attempt = following
            if sent is not None:
                sent(0)

    def _signed(self, call: _Call, key: StorageKey, attempt: Attempt) -> tuple[Origin, Request]:
        region = self._region or key.region
        endpoint = endpoint_of(key, region, self._cloud)
        path = endpoint.path(_object_key(key, call.object_name))
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in call.query)
        target = f"{path}?{query}" if query else path
        headers = sigv4.signed_headers(
            call.method,
            f"{endpoint.origin.url}{target}",
            [("Host", endpoint.origin.netloc), *call.headers, *_headers_of(attempt)],
            access_key=key.access_key,
            secret_key=key.secret_key,
            session_token=key.session_token,
            region=region or DEFAULT_REGION,
            now=self._clock.now(),
        )
        patience = self._deadlines.reply_to(call.weight)
        return endpoint.origin, Request(call.method, target, headers, call.body, patience)

    def _judged(self, reply: Reply, key: StorageKey) -> tuple[Mapping[str, str], str, UploaderError | None]:
        """Fields, code and error of a refusal; a success has no error."""
        document = s3_xml.error_of(reply.body) if reply.body else None
        if reply.ok and document is None:
            return {}, "", foreign_answer(reply, self._host(key))
        fields = {} if document is None else document.fields
        code = fields.get("Code", "")
        if not code and not reply.body:
            # HEAD has no body to name the reason in; an expired key is 400 to it.
            code = {400: "ExpiredToken", 403: "AccessDenied"}.get(reply.status, "")
        message = key.redacted(fields.get("Message", ""))
        return fields, code, s3_failure(reply, self._host(key), code, message, self._clock.now())

    def _host(self, key: StorageKey) -> str:
        return endpoint_of(key, self._region or key.region, self._cloud).origin.host

    def _corrects(self, reply: Reply, fields: Mapping[str, str], code: str, corrected: set[str]) -> bool:
        """Take the time or the region from a refusal; each at most once in a call."""
        if code == "RequestTimeTooSkewed" and "time" not in corrected:
            corrected.add("time")
            return self._clock.learn(fields.get("ServerTime")) or self._clock.learn(reply.headers.get("date"))
        if reply.status in (301, 307, 400) and "region" not in corrected:
            region = reply.headers.get("x-amz-bucket-region") or fields.get("Region", "")
            if is_region(region) and region != self._region:
                corrected.add("region")
                self._region = region
                return True
        return False

    def _is_cleared(self, key: StorageKey) -> bool:
        return self._cleared is not None and self._cleared[0] is key and self._clock.now() < self._cleared[1]

    def _learn(self, call: _Call, attempt: Attempt, refused: Set[Attempt]) -> None:
        """From the attempt that succeeded."""
        if attempt.acl:
            self._acl_proven = True
        elif replace(attempt, acl=True) in refused:
            self._acl_wanted = False
        if call.absent_only and not attempt.absent_only and self._knows_conditions:
            self._knows_conditions = False
            _log.warning("The store of project %s cannot be kept from overwriting objects.", self._project_id)


class _Denied(CloudRefused):
    """Refused for want of a right, whatever the key."""

    @property
    def kind(self) -> str:
        return CloudRefused.__name__


def _denied(error: UploaderError) -> UploaderError:
    return _Denied(error.message) if isinstance(error, CloudRefused) else error


def _name_taken(object_name: str) -> NameTaken:
    return NameTaken(f"The project has an object named {printable(object_name, 200)} already; it was not overwritten.")


def _object_key(key: StorageKey, object_name: str) -> str:
    return f"{key.prefix}/{object_name}" if key.prefix else object_name


def _headers_of(attempt: Attempt) -> list[tuple[str, str]]:
    return [*([OWNER_ACL] if attempt.acl else []), *([ABSENT_ONLY] if attempt.absent_only else [])]
