"""The object store of one project: single PUTs and multipart uploads, with the storage key kept fresh.

What proves that an object is stored: S3 compares the CRC32 in the signed headers with the bytes it received before it
answers 200 with an ETag, and repeats the checksum in its reply, which then has to be ours. A store that does not know
this checksum (rclone's is one) ignores the header; there `Content-MD5` goes along and the ETag is compared, see
`proofs`. Where that proves nothing either, the object counts as stored and not verified.

What proves that nothing was overwritten: objects are written on the condition that their name is free, and S3 answers
412 where it is not. A store that refuses the condition itself gets it no more, which is logged. One that ignores it
(rclone's is one) overwrites; there the engine's own choice of names is all there is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from tui_uploader.cloud.contract import ByteRange, Multipart, Part, SentCallback, StoredObject
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.s3 import xml
from tui_uploader.cloud.s3.bodies import ProvenBodies
from tui_uploader.cloud.s3.client import S3Call, S3Client
from tui_uploader.cloud.s3.headers import (
    ABSENT_ONLY,
    CHECKSUM_ALGORITHM,
    CHECKSUM_MODE,
    OWNER_ACL,
    crc32_in,
    etag_of,
    found_in,
    unintelligible,
)
from tui_uploader.cloud.s3.object_match import (
    CompletionOutcome,
    FoundObject,
    ObjectMatch,
    completion_outcome,
    match_parts,
    prove_same,
)
from tui_uploader.cloud.s3.proofs import proof_of_parts
from tui_uploader.errors import (
    ChecksumRefused,
    CloudRefused,
    CloudUnintelligible,
    MultipartGone,
    NameTaken,
    StoredDamaged,
    Unsupported,
)
from tui_uploader.model import Proof
from tui_uploader.redaction import holds_secret, without_secrets
from tui_uploader.text import printable

_MAX_LIST_PAGES = 100
_PART_ATTEMPTS = 3

_log = logging.getLogger(__name__)


class S3Store:
    """An `ObjectStore` over S3's REST protocol."""

    def __init__(self, calls: S3Client) -> None:
        self._calls = calls
        self._bodies = ProvenBodies(calls)
        self._completing: set[str] = set()
        """Uploads whose completion was asked for, and not refused since."""

    # ------------------------------------------------------------------------------------------- the contract

    def key(self, object_name: str) -> str:
        return self._calls.object_key(object_name)

    async def open(self) -> None:
        await self._calls.open()

    async def put(self, object_name: str, body: ByteRange, sent: SentCallback) -> StoredObject:
        call, md5 = await self._bodies.prepared(S3Call("PUT", object_name, options=OWNER_ACL | ABSENT_ONLY), body)
        answer = await self._calls.answer(call, sent)
        if isinstance(answer.error, NameTaken):
            stored = await self._put_before(object_name, body) if answer.repeated else None
            if stored is None:
                raise _name_taken(object_name) from answer.error
            sent(body.length)
            return stored
        reply = answer.success()
        proof = await self._bodies.proof(call, body, reply, md5)
        if proof is None:
            raise StoredDamaged(
                f"The storage keeps {printable(object_name, 200)} with other bytes than were sent: they were damaged "
                "on the way. That object is not added to the project; the file has to be sent again under another name."
            )
        return StoredObject(body.length, etag_of(reply), crc32_in(reply), proof)

    async def create_multipart(self, object_name: str) -> str:
        call = S3Call("POST", object_name, query=(("uploads", ""),), options=OWNER_ACL | CHECKSUM_ALGORITHM)
        reply = await self._calls.feature("multipart uploads", call)
        document = xml.parsed(reply.body)
        upload_id = "" if document is None else document.fields.get("UploadId", "")
        if not upload_id or holds_secret(upload_id):  # it is written down as it is
            raise unintelligible("its answer names no upload")
        return upload_id

    async def put_part(
        self, object_name: str, upload_id: str, number: int, body: ByteRange, sent: SentCallback
    ) -> Part:
        query = (("partNumber", str(number)), ("uploadId", upload_id))
        for _ in range(_PART_ATTEMPTS):
            # The same number again replaces the part: damage on the way costs the part, and not the whole file.
            call, md5 = await self._bodies.prepared(S3Call("PUT", object_name, query=query), body)
            try:
                reply = await self._calls.send(call, sent)
            except ChecksumRefused as error:
                refusal = error
            else:
                proof = await self._bodies.proof(call, body, reply, md5)
                if proof is not None:
                    return Part(number, body.length, etag_of(reply), body.crc32, proof)
                refusal = ChecksumRefused(
                    f"Part {number} of {printable(object_name, 200)} reached the storage with other bytes than were "
                    f"read, {_PART_ATTEMPTS} times. The file has to be sent again."
                )
            sent(0)
        raise refusal

    async def list_parts(self, object_name: str, upload_id: str) -> Sequence[Part] | None:
        parts: list[Part] = []
        marker = 0
        for _ in range(_MAX_LIST_PAGES):
            query = (("part-number-marker", str(marker)),) if marker else ()
            call = S3Call("GET", object_name, query=(*query, ("uploadId", upload_id)))
            try:
                reply = await self._look_up("lists of parts", call)
            except Unsupported:
                return None
            page = xml.page_of_parts(xml.parsed(reply.body), marker)
            if page is None:
                break
            parts += page.parts
            if page.following is None:
                return parts
            marker = page.following
        _log.warning("The store's list of the parts of %r cannot be understood; the journal's is used.", object_name)
        return None

    async def complete_multipart(
        self, object_name: str, upload_id: str, parts: Sequence[Part], size: int
    ) -> StoredObject:
        asked_before = upload_id in self._completing
        self._completing.add(upload_id)
        call = S3Call(
            "POST",
            object_name,
            query=(("uploadId", upload_id),),
            body=xml.completion(parts, checksums=True),
            plain_body=xml.completion(parts, checksums=False),
            weight=size,
            options=ABSENT_ONLY,
        )
        answer = await self._calls.answer(call)
        if isinstance(answer.error, MultipartGone | NameTaken):
            unanswered = asked_before or answer.repeated
            return await self._completed_before(object_name, upload_id, parts, size, answer.error, unanswered)
        document = xml.parsed(answer.success().body)
        if document is None or not document.answers("CompleteMultipartUpload"):
            raise unintelligible("it answered the completion of a multipart upload with something else")
        etag, checksum = document.fields.get("ETag", "").strip('"'), document.fields.get("ChecksumCRC32", "")
        return StoredObject(size, without_secrets(etag), proof=proof_of_parts(parts, etag, checksum))

    async def list_multiparts(self, object_name: str) -> Sequence[Multipart] | None:
        query = (("max-uploads", "1000"), ("prefix", self.key(object_name)), ("uploads", ""))
        try:
            reply = await self._look_up("lists of multipart uploads", S3Call("GET", None, query=query))
        except Unsupported:
            return None
        document = xml.parsed(reply.body)
        if document is None or not document.answers("ListMultipartUploads"):
            _log.warning("The store's list of multipart uploads of %r cannot be understood.", object_name)
            return None
        return xml.listed_multiparts(document, self.key(object_name), self._calls.now())

    async def abort_multipart(self, object_name: str, upload_id: str) -> None:
        try:
            await self._calls.send(S3Call("DELETE", object_name, query=(("uploadId", upload_id),)))
        except MultipartGone:
            pass
        self._completing.discard(upload_id)

    async def head(self, object_name: str) -> StoredObject | None:
        found = await self._look(object_name)
        return None if found is None else found.stored

    # -------------------------------------------------------------------------------------------- how it is done

    async def _look_up(self, feature: str, call: S3Call, *, missing_ok: bool = False) -> Reply:
        """The answer to a call that only spares work: what the store refuses, or says otherwise than S3 does, is as if
        it did not offer the call. Raises Unsupported for both."""
        try:
            return await self._calls.feature(feature, call, missing_ok=missing_ok)
        except (CloudRefused, CloudUnintelligible) as error:
            raise Unsupported(error.message) from error

    async def _look(self, object_name: str) -> FoundObject | None:
        """Raises Unsupported, also for an answer that cannot be understood: it tells as little."""
        call = S3Call("HEAD", object_name, options=CHECKSUM_MODE)
        reply = await self._look_up("looking at objects", call, missing_ok=True)
        if reply.status == 404:
            return None
        try:
            return found_in(reply)
        except CloudUnintelligible as error:
            raise Unsupported(error.message) from error

    async def _put_before(self, object_name: str, body: ByteRange) -> StoredObject | None:
        """The object, if it is what an attempt made whose answer was lost."""
        try:
            stored = await self.head(object_name)
        except Unsupported:
            return None
        if stored is None:
            return None
        proof = await self._calls.in_thread(partial(prove_same, stored, body))
        return None if proof is Proof.NONE else replace(stored, proof=proof)

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
            match = ObjectMatch.NOTHING if found is None else match_parts(found, parts, size)
        except Unsupported:
            found, match = None, ObjectMatch.HIDDEN
        outcome = completion_outcome(match, name_taken=name_taken, unanswered=unanswered)
        if found is not None and outcome is CompletionOutcome.STORED:
            proof = proof_of_parts(parts, found.stored.etag, found.checksum)
            return replace(found.stored, proof=proof if match is ObjectMatch.SAME else Proof.NONE)
        if outcome is CompletionOutcome.GONE:
            raise refusal
        raise _name_taken(object_name) from refusal


def _name_taken(object_name: str) -> NameTaken:
    return NameTaken(f"The project has an object named {printable(object_name, 200)} already; it was not overwritten.")
