"""The object store of one project: single PUTs and multipart uploads.

Proof that an object is stored: S3 compares the CRC32 in the signed headers with the data it received before it replies
200 with an ETag, and repeats the checksum, which must be ours. A store that does not know this checksum, such as
rclone's, ignores the header; it gets `Content-MD5`, and its ETag is compared (see `proofs`). If that proves nothing
either, the object counts as stored but not verified.

Proof that nothing was overwritten: objects are written on the condition that their name is free, and S3 replies 412 if
it is not. If a store refuses the condition, it is left out, and the log says so. A store that ignores it, such as
rclone's, overwrites; there, only the engine's choice of names protects objects.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from tui_uploader.cloud.contract import ByteRange, Multipart, Part, SentCallback, StoredObject
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.s3 import xml
from tui_uploader.cloud.s3.bodies import BodyVerifier
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
from tui_uploader.model.files import Proof
from tui_uploader.redaction import holds_secret, without_secrets
from tui_uploader.text import printable

_MAX_LIST_PAGES = 100
_KEYS_A_PAGE = 1000
_PART_ATTEMPTS = 3

_log = logging.getLogger(__name__)


class S3Store:
    """An `ObjectStore` over S3's REST protocol."""

    def __init__(self, client: S3Client) -> None:
        self._client = client
        self._bodies = BodyVerifier(client)
        self._completing: set[str] = set()
        """Ids of uploads whose completion was requested, and not refused since."""

    # --------------------------------------------------------------------------------------------- ObjectStore

    def key(self, object_name: str) -> str:
        return self._client.object_key(object_name)

    async def open(self) -> None:
        await self._client.open()

    async def put(self, object_name: str, body: ByteRange, sent: SentCallback) -> StoredObject:
        call, md5 = await self._bodies.prepared(S3Call("PUT", object_name, options=OWNER_ACL | ABSENT_ONLY), body)
        answer = await self._client.answer(call, sent)
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
                f"Checksum mismatch: the storage saved {printable(object_name, 200)} with different data than was "
                "sent. That object is not added to the project; the file must be sent again under another name."
            )
        return StoredObject(body.length, etag_of(reply), crc32_in(reply), proof)

    async def create_multipart(self, object_name: str) -> str:
        call = S3Call("POST", object_name, query=(("uploads", ""),), options=OWNER_ACL | CHECKSUM_ALGORITHM)
        reply = await self._client.feature("multipart uploads", call)
        document = xml.parsed(reply.body)
        upload_id = "" if document is None else document.fields.get("UploadId", "")
        if not upload_id or holds_secret(upload_id):  # it is stored as it is
            raise unintelligible("it has no upload id")
        return upload_id

    async def put_part(
        self, object_name: str, upload_id: str, number: int, body: ByteRange, sent: SentCallback
    ) -> Part:
        query = (("partNumber", str(number)), ("uploadId", upload_id))
        for _ in range(_PART_ATTEMPTS):
            # Sending the same number again replaces the part: damage in transit costs one part, not the whole file.
            call, md5 = await self._bodies.prepared(S3Call("PUT", object_name, query=query), body)
            try:
                reply = await self._client.send(call, sent)
            except ChecksumRefused as error:
                refusal = error
            else:
                proof = await self._bodies.proof(call, body, reply, md5)
                if proof is not None:
                    return Part(number, body.length, etag_of(reply), body.crc32, proof)
                refusal = ChecksumRefused(
                    f"Checksum mismatch: the storage received part {number} of {printable(object_name, 200)} with "
                    f"different data than was read, {_PART_ATTEMPTS} times. The file must be sent again."
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
        _log.warning("Invalid list of the parts of %r from the storage; using the journal's list.", object_name)
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
        answer = await self._client.answer(call)
        if isinstance(answer.error, MultipartGone | NameTaken):
            unanswered = asked_before or answer.repeated
            return await self._completed_before(object_name, upload_id, parts, size, answer.error, unanswered)
        document = xml.parsed(answer.success().body)
        if document is None or not document.answers("CompleteMultipartUpload"):
            raise unintelligible("it does not confirm the completed multipart upload")
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
            _log.warning("Invalid list of multipart uploads of %r from the storage.", object_name)
            return None
        return xml.listed_multiparts(document, self.key(object_name), self._client.now())

    async def abort_multipart(self, object_name: str, upload_id: str) -> None:
        try:
            await self._client.send(S3Call("DELETE", object_name, query=(("uploadId", upload_id),)))
        except MultipartGone:
            pass
        self._completing.discard(upload_id)

    async def head(self, object_name: str) -> StoredObject | None:
        found = await self._look(object_name)
        return None if found is None else found.stored

    async def list_objects(self, most: int) -> Mapping[str, StoredObject]:
        prefix, found, tokens = self.key(""), dict[str, StoredObject](), [""]
        while len(tokens) <= _MAX_LIST_PAGES:
            asked = (("list-type", "2"), ("max-keys", str(_KEYS_A_PAGE)), ("prefix", prefix))
            token = (("continuation-token", tokens[-1]),) if tokens[-1] else ()
            reply = await self._look_up("lists of objects", S3Call("GET", None, query=(*token, *asked)))
            page = xml.page_of_objects(xml.parsed(reply.body), prefix)
            if page is None:
                break
            before = len(found)
            found |= {key.removeprefix(prefix): stored for key, stored in page.objects}
            if len(found) < before + len(page.objects):
                break  # a name occurred twice
            if len(found) > most:
                raise Unsupported(f"The project has more than {most:,} objects.")
            if page.following is None:
                return found
            if page.following in tokens:
                break
            tokens.append(page.following)
        _log.warning("Invalid list of objects from the storage; asking about each of them.")
        raise Unsupported("The storage sent an invalid list of objects.")

    # -------------------------------------------------------------------------------------------------- helpers

    async def _look_up(self, feature: str, call: S3Call, *, missing_ok: bool = False) -> Reply:
        """The reply to a call that only saves work. Raises Unsupported also for refusals and invalid replies."""
        try:
            return await self._client.feature(feature, call, missing_ok=missing_ok)
        except (CloudRefused, CloudUnintelligible) as error:
            raise Unsupported(error.message) from error

    async def _look(self, object_name: str) -> FoundObject | None:
        """The object, or None. Raises Unsupported, also for an invalid reply, which says just as little."""
        call = S3Call("HEAD", object_name, options=CHECKSUM_MODE)
        reply = await self._look_up("looking at objects", call, missing_ok=True)
        if reply.status == 404:
            return None
        try:
            return found_in(reply)
        except CloudUnintelligible as error:
            raise Unsupported(error.message) from error

    async def _put_before(self, object_name: str, body: ByteRange) -> StoredObject | None:
        """The object, if an earlier attempt stored it and only the reply was lost."""
        try:
            stored = await self.head(object_name)
        except Unsupported:
            return None
        if stored is None:
            return None
        proof = await self._client.in_thread(partial(prove_same, stored, body))
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
        """The object, if an earlier completion made it and only the reply was lost. Raises NameTaken, MultipartGone."""
        name_taken = isinstance(refusal, NameTaken)
        if name_taken:
            self._completing.discard(upload_id)
        try:
            found = await self._look(object_name)
            match = ObjectMatch.MISSING if found is None else match_parts(found, parts, size)
        except Unsupported:
            found, match = None, ObjectMatch.UNKNOWN
        outcome = completion_outcome(match, name_taken=name_taken, unanswered=unanswered)
        if found is not None and outcome is CompletionOutcome.STORED:
            proof = proof_of_parts(parts, found.stored.etag, found.checksum)
            return replace(found.stored, proof=proof if match is ObjectMatch.SAME else Proof.NONE)
        if outcome is CompletionOutcome.GONE:
            raise refusal
        raise _name_taken(object_name) from refusal


def _name_taken(object_name: str) -> NameTaken:
    return NameTaken(f"The project already has an object named {printable(object_name, 200)}; it was not overwritten.")
