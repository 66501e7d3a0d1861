"""Add checksums to request bodies, and check the store's replies against them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tui_uploader.cloud.contract import ByteRange
from tui_uploader.cloud.http.messages import Reply
from tui_uploader.cloud.http.source_files import md5_of
from tui_uploader.cloud.s3.capabilities import Option
from tui_uploader.cloud.s3.client import S3Call, S3Client
from tui_uploader.cloud.s3.headers import checksums_of, crc32_in, etag_of
from tui_uploader.model.files import Proof


class BodyVerifier:
    """Sends checksums with bodies, and decides what the replies prove.

    The MD5 of a body costs a second read of the file and as much CPU time as the rest of sending it. So it is computed
    only for stores whose replies have no CRC32: after sending the first body, and before all others.
    """

    def __init__(self, client: S3Client) -> None:
        self._client = client

    async def prepared(self, call: S3Call, body: ByteRange) -> tuple[S3Call, bytes | None]:
        """The call with the body and its checksums, and the MD5 if the store needs it.

        Raises SourceUnreadable, SourceChanged.
        """
        store = await self._client.capabilities()
        takes_md5 = bool(store.usable(call.kind, {Option.CONTENT_MD5}))
        md5 = None
        if store.replies_to(call.kind).wants_md5(takes_content_md5=takes_md5):
            md5 = await self._client.in_thread(partial(md5_of, body))
        options = {**call.options, **checksums_of(body, md5)}
        return replace(call, body=body, weight=body.length, options=options), md5

    async def proof(self, call: S3Call, body: ByteRange, reply: Reply, md5: bytes | None) -> Proof | None:
        """The proof in the reply to a body; None: the store received different data.

        Raises CloudUnintelligible for a reply without ETag, SourceUnreadable, SourceChanged.
        """
        replies = (await self._client.capabilities()).replies_to(call.kind)
        etag, crc32 = etag_of(reply), crc32_in(reply)
        replies.note(checksum=crc32 is not None)
        if crc32 is not None:
            return Proof.CRC32 if crc32 == body.crc32 else None
        if not replies.may_prove(reply.headers, etag) or (md5 is None and replies.is_opaque):
            return Proof.NONE
        if md5 is None:
            md5 = await self._client.in_thread(partial(md5_of, body))
        return replies.proof(etag, md5.hex())
