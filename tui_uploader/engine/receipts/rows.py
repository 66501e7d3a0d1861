"""What a receipt says, from the journal: page by page, so that an upload of any size costs little memory."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial

from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.tables import receipts
from tui_uploader.engine.journal.tables.receipts import About, Delivery
from tui_uploader.model.receipts import ReceiptHead, ReceiptRow
from tui_uploader.settings import APP, VERSION

_PAGE = 2000


def head_of(about: About, now: float) -> ReceiptHead:
    upload, project = about.upload, about.project
    account, _, cloud = project.account.rpartition("@")
    return ReceiptHead(
        program=f"{APP} {VERSION}",
        created_at=moment(now) or "",
        upload=upload.id,
        state=str(upload.state),
        added_at=moment(upload.added_at) or "",
        ended_at=moment(upload.ended_at),
        project=project.name,
        project_id=project.remote_id,
        account=account,
        cloud=cloud,
        kind=str(project.kind),
        sources=about.sources,
    )


async def pages_of(journal: Journal, upload: int) -> AsyncIterator[list[ReceiptRow]]:
    """The rows of the upload's receipt in the order of paths.

    Each page is what the journal says at that time: an upload that still runs may deliver more.
    """
    after = (b"", 0)
    while page := await journal.read(partial(receipts.page, upload=upload, after=after, most=_PAGE)):
        yield [row_of(delivery) for delivery in page]
        after = (page[-1].path, page[-1].id)


def row_of(delivery: Delivery) -> ReceiptRow:
    return ReceiptRow(
        path=os.fsdecode(delivery.path),
        size=delivery.size,
        xxh128=delivery.identity,
        crc32=None if delivery.crc32 is None else f"{delivery.crc32:08x}",
        object=delivery.object,
        etag=delivery.etag or None,
        proof=delivery.proof,
        stored_at=moment(delivery.stored_at),
        registered_at=moment(delivery.uploaded_at),
        duplicate_of=None if delivery.original is None else os.fsdecode(delivery.original),
        type=delivery.result_type,
        replaced_at=moment(delivery.replaced_at),
    )


def moment(at: float | None) -> str | None:
    """`2026-05-11T10:15:00.000Z`; None for a time that no calendar has."""
    if at is None:
        return None
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None
