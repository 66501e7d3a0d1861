"""The object store of one project: single PUTs and multipart uploads, with the storage key kept fresh.

What proves that an object is stored: S3 compares the CRC32 in the signed headers with the bytes it received before it
answers 200 with an ETag, and repeats the checksum in its reply, which then has to be ours. A store that does not know
this checksum (rclone's is one) ignores the header; there the ETag after a body of exactly the announced length is what
there is. The ETag's own value is not judged: it is an MD5 only where the bucket is not encrypted with KMS.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from urllib.parse import quote

from tui_uploader.cloud import s3_xml, sigv4
from tui_uploader.cloud.contract import Part, SentCallback, Span, StoredObject
from tui_uploader.cloud.messages import Reply, Request
from tui_uploader.cloud.pool import ConnectionPool
from tui_uploader.cloud.renewal import Renewable, ServerClock
from tui_uploader.cloud.storage_key import DEFAULT_REGION, StorageKey, endpoint_of, is_region
from tui_uploader.cloud.translate import (
    ACL_CODES,
    DENIED_CODES,
    KEY_EXPIRED_CODES,
    foreign_answer,
    s3_failure,
)
from tui_uploader.cloud.transport import Deadlines, Origin
from tui_uploader.errors import (
    ChecksumRefused,
    CloudRefused,
    CloudUnintelligible,
    MultipartGone,
    NotPossibleNow,
    Unsupported,
    UploaderError,
)

_OWNER_ACL = ("x-amz-acl", "bucket-owner-full-control")
_CRC32_HEADER = "x-amz-checksum-crc32"
_MAX_LIST_PAGES = 100
_CLEARED_SECONDS = 60.0
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a call is tried with: a key that was renewed on this call's complaint, the ACL."""

    renewed: bool
    acl: bool


def next_attempt(
    last: Attempt, refused: Set[Attempt], code: str, *, acl_proven: bool, key_cleared: bool
) -> Attempt | None:
    """What to try after a refusal with `code`; None when nothing is left. Never the same attempt twice.

    AccessDenied may mean an expired key or an unwanted ACL. An ACL that was accepted before is the lesser suspect;
    otherwise the greater one, since dropping it costs no call. `key_cleared`: this very key was refused right after
    it was made, so its age is not the reason.
    """
    if code in KEY_EXPIRED_CODES:
        candidates = [replace(last, renewed=True)]
    elif code in ACL_CODES:
        candidates = [replace(last, acl=False)]
    elif code in DENIED_CODES:
        order = [(True, True), (True, False)] if acl_proven else [(False, False), (True, True), (True, False)]
        carried = any(attempt.acl for attempt in refused)
        candidates = [Attempt(renewed, acl) for renewed, acl in order if carried or not acl]
        if key_cleared:
            candidates = [Attempt(last.renewed, False)]
        elif last.renewed:
            candidates = [attempt for attempt in candidates if attempt.renewed]
    else:
        return None
    return next((candidate for candidate in candidates if candidate not in refused), None)


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
    weight: int = 0
    """Bytes that the store has to look at before it answers."""


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
        self._cleared: tuple[StorageKey, float] | None = None
        """A key that was refused right after it was made, and until when that tells anything."""
        self._refused_features: set[str] = set()
        self._completing: set[str] = set()
        """Uploads whose completion was asked for."""

    # ------------------------------------------------------------------------------------------- the contract

    def key(self, object_name: str) -> str:
        current = self._keys.current
        if current is None:
            raise NotPossibleNow(f"The storage key of project {self._project_id} was not fetched yet.")
        return _object_key(current, object_name)

    async def open(self) -> None:
        await self._keys.get()

    async def put(self, object_name: str, body: Span, sent: SentCallback) -> StoredObject:
        reply = await self._send(
            _Call("PUT", object_name, headers=(_checksum_header(body),), body=body, acl=True, weight=body.length), sent
        )
        return StoredObject(body.length, _etag(reply), _confirmed_crc32(reply, body))

    async def create_multipart(self, object_name: str) -> str:
        call = _Call(
            "POST", object_name, query=(("uploads", ""),), headers=(("x-amz-checksum-algorithm", "CRC32"),), acl=True
        )
        reply = await self._feature("multipart uploads", call)
        document = s3_xml.parsed(reply.body)
        upload_id = "" if document is None else document.fields.get("UploadId", "")
        if not upload_id:
            raise _unintelligible("its answer names no upload")
        return upload_id

    async def put_part(self, object_name: str, upload_id: str, number: int, body: Span, sent: SentCallback) -> Part:
        call = _Call(
            "PUT",
            object_name,
            query=(("partNumber", str(number)), ("uploadId", upload_id)),
            headers=(_checksum_header(body),),
            body=body,
            weight=body.length,
        )
        reply = await self._send(call, sent)
        _confirmed_crc32(reply, body)
        return Part(number, body.length, _etag(reply), body.crc32)

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
                raise _unintelligible("its list of parts is none")
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
        call = _Call("POST", object_name, query=(("uploadId", upload_id),), body=body, weight=size)
        try:
            reply = await self._send(call)
        except MultipartGone as gone:
            stored = await self._completed_before(object_name, parts, size, asked_before)
            if stored is None:
                raise gone
        else:
            document = s3_xml.parsed(reply.body)
            if document is None or document.name != "CompleteMultipartUploadResult":
                raise _unintelligible("its answer to the completion is none")
            stored = StoredObject(size, document.fields.get("ETag", "").strip('"'))
        return stored

    async def abort_multipart(self, object_name: str, upload_id: str) -> None:
        try:
            await self._send(_Call("DELETE", object_name, query=(("uploadId", upload_id),)))
        except MultipartGone:
            pass
        self._completing.discard(upload_id)

    async def head(self, object_name: str) -> StoredObject | None:
        call = _Call("HEAD", object_name, headers=(("x-amz-checksum-mode", "ENABLED"),))
        reply = await self._feature("looking at objects", call, missing_ok=True)
        if reply.status == 404:
            return None
        length = reply.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit():
            raise _unintelligible("it does not tell an object's size")
        return StoredObject(int(length), _etag(reply), s3_xml.crc32_from_text(reply.headers.get(_CRC32_HEADER)))

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

    async def _completed_before(
        self, object_name: str, parts: Sequence[Part], size: int, asked_before: bool
    ) -> StoredObject | None:
        """The object, if the upload is gone because an earlier completion succeeded and its reply was lost."""
        try:
            stored = await self.head(object_name)
        except Unsupported:
            return None
        if stored is None or stored.size != size:
            return None
        expected = multipart_etag(parts)
        if expected is not None and "-" in stored.etag:
            return stored if stored.etag == expected else None
        return stored if asked_before else None

    async def _send(self, call: _Call, sent: SentCallback | None = None, *, missing_ok: bool = False) -> Reply:
        """The reply of a call that succeeded; each thing that a refusal blames is put right once."""
        key = await self._keys.get()
        attempt = Attempt(renewed=False, acl=call.acl and self._acl_wanted)
        refused: set[Attempt] = set()
        corrected: set[str] = set()
        while True:
            reply = await self._pool.exchange(*self._signed(call, key, attempt.acl), sent)
            code, error = self._judged(reply, key)
            if error is None or (missing_ok and reply.status == 404 and foreign_answer(reply, key.bucket) is None):
                self._learn_acl(attempt, refused)
                return reply
            if not self._corrects(reply, code, corrected):
                refused.add(attempt)
                following = next_attempt(
                    attempt, refused, code, acl_proven=self._acl_proven, key_cleared=self._is_cleared(key)
                )
                if following is None:
                    if code in DENIED_CODES and attempt.renewed:
                        self._cleared = (key, self._clock.now() + _CLEARED_SECONDS)
                    raise _denied(error) if code in DENIED_CODES else error
                if following.renewed and not attempt.renewed:
                    key = await self._keys.replace(key)
                attempt = following
            if sent is not None:
                sent(0)

    def _signed(self, call: _Call, key: StorageKey, acl: bool) -> tuple[Origin, Request]:
        region = self._region or key.region
        endpoint = endpoint_of(key, region, self._cloud)
        path = endpoint.path(_object_key(key, call.object_name))
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in call.query)
        target = f"{path}?{query}" if query else path
        headers = sigv4.signed_headers(
            call.method,
            f"{endpoint.origin.url}{target}",
            [("Host", endpoint.origin.netloc), *call.headers, *((_OWNER_ACL,) if acl else ())],
            access_key=key.access_key,
            secret_key=key.secret_key,
            session_token=key.session_token,
            region=region or DEFAULT_REGION,
            now=self._clock.now(),
        )
        patience = self._deadlines.reply_to(call.weight)
        return endpoint.origin, Request(call.method, target, headers, call.body, patience)

    def _judged(self, reply: Reply, key: StorageKey) -> tuple[str, UploaderError | None]:
        """Code and error of a refusal; a success has no error."""
        document = s3_xml.error_of(reply.body) if reply.body else None
        if reply.ok and document is None:
            return "", foreign_answer(reply, self._host(key))
        code = "" if document is None else document.fields.get("Code", "")
        message = "" if document is None else document.fields.get("Message", "")
        if not code and not reply.body:
            # HEAD has no body to name the reason in; an expired key is 400 to it.
            code = {400: "ExpiredToken", 403: "AccessDenied"}.get(reply.status, "")
        error = s3_failure(reply, self._host(key), code, key.redacted(message), self._clock.now())
        return code, error

    def _host(self, key: StorageKey) -> str:
        return endpoint_of(key, self._region or key.region, self._cloud).origin.host

    def _corrects(self, reply: Reply, code: str, corrected: set[str]) -> bool:
        """Take the time or the region from a refusal; each at most once in a call."""
        document = s3_xml.error_of(reply.body)
        fields = {} if document is None else document.fields
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

    def _learn_acl(self, attempt: Attempt, refused: Set[Attempt]) -> None:
        if attempt.acl:
            self._acl_proven = True
        elif Attempt(attempt.renewed, acl=True) in refused:
            self._acl_wanted = False


class _Denied(CloudRefused):
    """Refused for want of a right, whatever the key."""

    @property
    def kind(self) -> str:
        return CloudRefused.__name__


def _denied(error: UploaderError) -> UploaderError:
    return _Denied(error.message) if isinstance(error, CloudRefused) else error


def _unintelligible(why: str) -> CloudUnintelligible:
    return CloudUnintelligible(f"The store cannot be understood: {why}.")


def _object_key(key: StorageKey, object_name: str) -> str:
    return f"{key.prefix}/{object_name}" if key.prefix else object_name


def _checksum_header(body: Span) -> tuple[str, str]:
    return _CRC32_HEADER, s3_xml.crc32_text(body.crc32)


def _etag(reply: Reply) -> str:
    """Every store names one; an answer without it came from somebody else."""
    etag = reply.headers.get("etag", "").strip('"')
    if not etag:
        raise _unintelligible("it accepted the bytes without naming an ETag")
    return etag


def _confirmed_crc32(reply: Reply, body: Span) -> int | None:
    """The checksum that the store says it found. Raises ChecksumRefused when that is another one."""
    confirmed = s3_xml.crc32_from_text(reply.headers.get(_CRC32_HEADER))
    if confirmed is not None and confirmed != body.crc32:
        raise ChecksumRefused("The store holds other bytes than those that were read: the checksums differ.")
    return confirmed


def multipart_etag(parts: Sequence[Part]) -> str | None:
    """The ETag that S3 gives an object of these parts, where theirs are MD5s: the MD5 of the MD5s, and their count."""
    if not parts or not all(_MD5.fullmatch(part.etag) for part in parts):
        return None
    ordered = sorted(parts, key=lambda part: part.number)
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in ordered), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(ordered)}"
