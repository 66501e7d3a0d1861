"""Bodies and the checksums that go with them: which are sent along, and what the store's answer proves."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.http.source_files import md5_of
from tui_uploader.cloud.s3.capabilities import Option
from tui_uploader.cloud.s3.client import S3Call, S3Client
from tui_uploader.cloud.s3.headers import checksums_of, crc32_in, etag_of
from tui_uploader.model import Proof


class ProvenBodies:
    """The MD5 of a body costs a second read of the file and about as much processor time as all the rest of sending
    it, so it is made only for stores whose answers bring no CRC32: after the first body, before all others."""

    def __init__(self, calls: S3Client) -> None:
        self._calls = calls

    async def prepared(self, call: S3Call, body: ByteRange) -> tuple[S3Call, bytes | None]:
        """The call with the body and its checksums, and the MD5 where the store needs it.

        Raises SourceUnreadable, SourceChanged.
        """
        store = await self._calls.capabilities()
        takes_md5 = bool(store.wanted(call.kind, {Option.CONTENT_MD5}))
        md5 = None
        if store.answers_to(call.kind).wants_md5(takes_content_md5=takes_md5):
            md5 = await self._calls.in_thread(partial(md5_of, body))
        options = {**call.options, **checksums_of(body, md5)}
        return replace(call, body=body, weight=body.length, options=options), md5

    async def proof(self, call: S3Call, body: ByteRange, reply: Reply, md5: bytes | None) -> Proof | None:
        """What the answer to a body proves; None: the store received other bytes.

        Raises CloudUnintelligible for an answer without ETag, SourceUnreadable, SourceChanged.
        """
        answers = (await self._calls.capabilities()).answers_to(call.kind)
        etag, crc32 = etag_of(reply), crc32_in(reply)
        answers.note(checksum=crc32 is not None)
        if crc32 is not None:
            return Proof.CRC32 if crc32 == body.crc32 else None
        if not answers.may_prove(reply.headers, etag) or (md5 is None and answers.is_opaque):
            return Proof.NONE
        if md5 is None:
            md5 = await self._calls.in_thread(partial(md5_of, body))
        return answers.proof(etag, md5.hex())
