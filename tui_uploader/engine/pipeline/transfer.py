"""Send one file to the storage: as one PUT, or in parts of which no stored one is sent again."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from io import FileIO
from typing import Any

from tui_uploader.cloud.contract import MAX_SINGLE_PUT, ByteRange, ObjectStore, Part
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import file_parts, open_multiparts, stored_files
from tui_uploader.engine.scheduling.concurrency import MOST_STREAMS_AGAINST_LOSS, part_size
from tui_uploader.engine.sources.open import OpenFile, check_unmodified, open_checked
from tui_uploader.engine.sources.threads import read_seconds
from tui_uploader.errors import SourceChanged, Unsupported
from tui_uploader.intake.fingerprint import crc32_joined, crc32_of
from tui_uploader.intake.naming import holds_identity
from tui_uploader.model.files import Proof
from tui_uploader.text import byte_count


@dataclass(frozen=True, slots=True)
class Slice:
    """The range of a part in its file."""

    number: int
    offset: int
    length: int


def slices(size: int, length: int) -> list[Slice]:
    """Return the parts of a file of `size` bytes."""
    return [
        Slice(number, offset, min(length, size - offset))
        for number, offset in enumerate(range(0, size, length), start=1)
    ]


def confirmed(journaled: Iterable[Part], listed: Sequence[Part] | None) -> list[Part]:
    """Return the parts that need not be sent again: in the journal and, if it can be listed, in the storage."""
    if listed is None:
        return list(journaled)
    there = {part.number: part for part in listed}
    return [
        part
        for part in journaled
        if part.number in there and (there[part.number].etag, there[part.number].size) == (part.etag, part.size)
    ]


class Transfer:
    """The transfer of one file in the stage SENDING, which is journaled as stored at the end."""

    def __init__(self, context: EngineContext, row: FileRecord, store: ObjectStore) -> None:
        assert row.object is not None and row.crc32 is not None
        self._context = context
        self._row = row
        self._store = store
        self._name = row.object
        self._crc32 = row.crc32

    async def run(self) -> None:
        """Send the file. Cancelling stops it at once.

        Raises what the storage raises, SourceChanged, SourceVanished, SourceUnreadable.
        """
        async with open_checked(self._context.sources, self._context.journal, self._row) as source:
            goodput = self._context.progress.goodput(self._context.clocks.monotonic())
            wanted = self._row.part_size or part_size(self._row.size, goodput, self._context.streams.limit)
            if self._row.size <= wanted:
                await self._send_whole(source)
                return
            try:
                multipart, done = await self._begin_or_resume(wanted)
            except Unsupported:
                if self._row.size > MAX_SINGLE_PUT:
                    raise Unsupported(
                        f"The storage accepts no multipart uploads from this account, and the file's "
                        f"{byte_count(self._row.size)} exceed the {byte_count(MAX_SINGLE_PUT)} of a single upload."
                    ) from None
                await self._send_whole(source)
                return
            await self._send_parts(source, multipart, slices(self._row.size, wanted), done)

    async def is_stored_already(self) -> bool:
        """Whether the object of that name has this file's content; then the file is journaled as stored.

        Without permission to look, the object counts as another file's, because storing twice is better than losing an
        image; only a name that contains the identity proves the content.
        """
        row = self._row
        try:
            there = await self._store.head(self._name)
        except Unsupported:
            if row.identity is None or not holds_identity(self._name, row.identity):
                return False
            return await self._note_stored("", Proof.NONE)
        if there is None or there.size != row.size:
            return False
        if there.crc32 is not None:
            same, proof = there.crc32 == self._crc32, Proof.CRC32
        else:
            proof = Proof.MD5
            async with open_checked(self._context.sources, self._context.journal, row) as source:
                same = there.etag == await self._context.sources.run_within(
                    read_seconds(row.size), row.path, _md5_of, source.file
                )
        return same and await self._note_stored(there.etag, proof)

    async def _note_stored(self, etag: str, proof: Proof) -> bool:
        row, now = self._row, self._context.clocks.wall()

        def store(connection: sqlite3.Connection) -> None:
            file_parts.forget(connection, row.id)
            stored_files.mark_stored(connection, row.id, etag, proof, now)
            # It may have been registered before as well; then the service rightly does not count it.
            stored_files.ask_registration(connection, [row.id])

        await self._context.journal.write(store, then=lambda: self._context.progress.forget_parts(row.id))
        return True

    async def _send_whole(self, source: OpenFile) -> None:
        row, context = self._row, self._context
        async with context.streams.slot(row.upload, row.size) as release:
            with context.progress.transferring(row.upload, row.id, row.size) as transfer:
                body = ByteRange(source.file, 0, row.size, self._crc32, _in_this_loop(release), row.path)
                stored = await self._store.put(self._name, body, transfer.note_sent)
                await check_unmodified(context.sources, source)
                await context.journal.write(self._as_stored(stored.etag, stored.proof), then=transfer.stored)

    async def _begin_or_resume(self, size: int) -> tuple[str, list[Part]]:
        """Return the id of the multipart upload, and its parts that need not be sent again."""
        row, context = self._row, self._context
        if row.multipart is not None:
            journaled = await context.journal.read(lambda connection: file_parts.of_file(connection, row.id))
            if sum(part.size for part in journaled) == row.size:
                # Only the completion or its answer is missing, so that the multipart upload may no longer exist.
                return row.multipart, journaled
            listed = await self._store.list_parts(self._name, row.multipart)
            return row.multipart, confirmed(journaled, listed)
        await context.journal.write(partial(open_multiparts.intend, project=row.project, object_name=self._name))
        multipart = await self._store.create_multipart(self._name)
        await context.journal.write(lambda connection: file_parts.begin_multipart(connection, row.id, multipart, size))
        return multipart, []

    async def _send_parts(self, source: OpenFile, multipart: str, planned: list[Slice], done: list[Part]) -> None:
        row, context = self._row, self._context
        parts = {part.number: part for part in done}
        context.progress.set_parts(row.upload, row.id, sum(part.size for part in done))
        left = iter([piece for piece in planned if piece.number not in parts])

        async def send_what_is_left() -> None:
            for piece in left:
                parts[piece.number] = await self._send_part(source, multipart, piece)

        # Each waits for a slot, of which there may be more at any time.
        workers = min(MOST_STREAMS_AGAINST_LOSS, len(planned) - len(parts))
        await all_or_first_error([send_what_is_left() for _ in range(workers)])
        ordered = [parts[piece.number] for piece in planned]
        if crc32_joined((part.crc32 or 0, part.size) for part in ordered) != self._crc32:
            raise SourceChanged(
                f"{self._name} has changed since it was checked. It is checked again, and changed parts are sent again."
            )
        await check_unmodified(context.sources, source)
        stored = await self._store.complete_multipart(self._name, multipart, ordered, row.size)
        await context.journal.write(
            self._as_stored(stored.etag, stored.proof), then=lambda: context.progress.forget_parts(row.id)
        )

    def _as_stored(self, etag: str, proof: Proof) -> Callable[[sqlite3.Connection], None]:
        """The change that journals the file as stored now."""
        now = self._context.clocks.wall()
        return partial(stored_files.mark_stored, file_id=self._row.id, etag=etag, proof=proof, now=now)

    async def _send_part(self, source: OpenFile, multipart: str, piece: Slice) -> Part:
        row, context = self._row, self._context
        async with context.streams.slot(row.upload, piece.length) as release:
            crc32 = await context.sources.run_within(
                read_seconds(piece.length), row.path, crc32_of, source.file, piece.offset, piece.length
            )
            with context.progress.transferring(row.upload, row.id, piece.length) as transfer:
                body = ByteRange(source.file, piece.offset, piece.length, crc32, _in_this_loop(release), row.path)
                part = await self._store.put_part(self._name, multipart, piece.number, body, transfer.note_sent)
                context.storage.accepted(row.project)  # the other files need not wait for the end of this one
                confirmed_part = Part(part.number, piece.length, part.etag, crc32, part.proof)
                await context.journal.write(
                    lambda connection: file_parts.add(connection, row.id, confirmed_part), then=transfer.stored_as_part
                )
                return confirmed_part


def _in_this_loop(act: Callable[[], None]) -> Callable[[], None]:
    """Return a function that other threads can call to run `act` in this event loop."""
    loop = asyncio.get_running_loop()

    def soon() -> None:
        loop.call_soon_threadsafe(act)

    return soon


def _md5_of(source: FileIO) -> str:
    """Return the MD5, which S3 uses as the ETag of an object that was stored by one PUT."""
    return hashlib.file_digest(source, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


async def all_or_first_error(workers: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all workers; the first error cancels the others and is raised."""
    tasks = [asyncio.create_task(worker) for worker in workers]
    try:
        for finished in asyncio.as_completed(tasks):
            await finished
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
