"""Multipart uploads. Every acknowledged part is on disk and in the database, so it survives a crash.

All calls block and are meant for worker threads.
"""

from __future__ import annotations

import itertools
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tui_uploader.local_cloud.storage.checksums import (
    Algorithm,
    Checksum,
    ChecksumType,
    multipart_checksum,
    multipart_etag,
)
from tui_uploader.local_cloud.storage.errors import (
    ChecksumMismatch,
    MultipartBusy,
    NoSuchMultipart,
    PartChecksumMissing,
    PartMismatch,
    PartsOutOfOrder,
    PartTooSmall,
    SizeMismatch,
)
from tui_uploader.local_cloud.storage.objects import LocalObjectStore, ObjectRecord

MIN_PART = 5 * 1024**2
MAX_PARTS = 10_000
"""Amazon S3 user guide, "Multipart upload limits"; the last part may be smaller."""


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    id: str
    key: str
    checksum: tuple[Algorithm, ChecksumType] | None
    """The requested checksum of the object; None for none."""
    headers: Mapping[str, str]
    created: float


@dataclass(frozen=True, slots=True)
class PartRecord:
    number: int
    size: int
    md5: str
    """Hexadecimal; the part's ETag."""
    checksum: tuple[Algorithm, str] | None
    modified: float
    incoming: str
    """Name of its file in `incoming/`."""


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A part as CompleteMultipartUpload names it."""

    number: int
    etag: str
    """Without quotes."""
    checksums: tuple[tuple[Algorithm, str], ...] = ()


class MultipartStore:
    def __init__(self, store: LocalObjectStore, min_part: int = MIN_PART) -> None:
        self._store = store
        self._min_part = min_part
        self._ending: set[str] = set()
        self._ending_lock = threading.Lock()

    def create(
        self, key: str, checksum: tuple[Algorithm, ChecksumType] | None, headers: Mapping[str, str]
    ) -> MultipartUpload:
        upload = MultipartUpload(secrets.token_urlsafe(48), key, checksum, headers, self._store.now())
        algorithm, kind = checksum or (None, None)
        row = (upload.id, key, algorithm, kind, json.dumps(dict(headers)), upload.created)
        with self._store.database.transaction() as sql:
            sql.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)", row)
        return upload

    def upload(self, upload_id: str, key: str) -> MultipartUpload:
        """Raises NoSuchMultipart."""
        with self._store.database.locked() as sql:
            return _upload(sql, upload_id, key)

    def uploads(self, prefix: str, after: str = "", behind: str = "", limit: int = 1000) -> list[MultipartUpload]:
        """Uploads whose keys begin with `prefix` and follow `after`; with `behind`, also those of the key `after` that
        are listed after the upload with that id."""
        query = (
            "SELECT id, key, checksum_algorithm, checksum_type, headers, created FROM uploads u"
            " WHERE substr(key, 1, length(?1)) = ?1 AND (key > ?2 OR (?3 <> '' AND key = ?2 AND (created, id) >"
            " (SELECT created, id FROM uploads WHERE id = ?3))) ORDER BY key, created, id LIMIT ?4"
        )
        with self._store.database.locked() as sql:
            return [_upload_of(row) for row in sql.execute(query, (prefix, after, behind, limit))]

    def put_part(self, upload: MultipartUpload, part: PartRecord) -> None:
        """Record a part whose file is sealed, replacing an earlier one of the same number.

        Raises NoSuchMultipart, MultipartBusy.
        """
        algorithm, value = part.checksum or (None, None)
        row = (upload.id, part.number, part.size, part.md5, algorithm, value, part.modified, part.incoming)
        with self._store.database.transaction() as sql:
            _upload(sql, upload.id, upload.key)
            if upload.id in self._ending:
                raise _busy()
            earlier = sql.execute(
                "SELECT incoming FROM parts WHERE upload = ? AND number = ?", (upload.id, part.number)
            ).fetchone()
            sql.execute("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        if earlier:
            self._remove(earlier[0])

    def parts(self, upload: MultipartUpload, after: int = 0, limit: int = MAX_PARTS) -> list[PartRecord]:
        """Parts with a number above `after`, in order."""
        query = "SELECT * FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?"
        with self._store.database.locked() as sql:
            return [_part(row) for row in sql.execute(query, (upload.id, after, limit))]

    def complete(
        self,
        upload_id: str,
        key: str,
        named: Sequence[NamedPart],
        expected: tuple[Algorithm, str] | None = None,
        *,
        size: int | None = None,
        only_if_absent: bool = False,
    ) -> ObjectRecord:
        """Assemble the object from the named parts; `expected` and `size` are its announced checksum and size.

        Raises StorageRefusal.
        """
        with self._ending_upload(upload_id):
            upload = self.upload(upload_id, key)
            stored = self.parts(upload)
            selected = _selected(named, stored, upload, self._min_part)
            whole = ObjectRecord(
                key=key,
                size=sum(part.size for part in selected),
                etag=multipart_etag([part.md5 for part in selected]),
                modified=self._store.now(),
                checksum=_whole_checksum(upload, selected),
                headers=upload.headers,
            )
            _check_whole(whole, expected, size)
            self._assemble(upload, whole, selected, only_if_absent=only_if_absent)
            for part in stored:
                self._remove(part.incoming)
            return whole

    def abort(self, upload_id: str, key: str) -> None:
        """Delete an upload and its parts. Raises NoSuchMultipart, MultipartBusy."""
        with self._ending_upload(upload_id):
            upload = self.upload(upload_id, key)
            parts = self.parts(upload)
            with self._store.database.transaction() as sql:
                _delete(sql, upload_id)
            for part in parts:
                self._remove(part.incoming)

    def _assemble(
        self, upload: MultipartUpload, whole: ObjectRecord, parts: Sequence[PartRecord], *, only_if_absent: bool
    ) -> None:
        incoming = self._store.receive()
        try:
            for part in parts:
                incoming.append(self._store.incoming / part.incoming)
            incoming.seal()
            self._store.publish(
                incoming,
                whole,
                only_if_absent=only_if_absent,
                in_the_same_commit=lambda sql: _delete(sql, upload.id),
            )
        except BaseException:
            incoming.discard()
            raise

    def _remove(self, incoming: str) -> None:
        (self._store.incoming / incoming).unlink(missing_ok=True)

    @contextmanager
    def _ending_upload(self, upload_id: str) -> Iterator[None]:
        """Keep the parts of an upload unchanged while it is completed or aborted. Raises MultipartBusy."""
        with self._ending_lock:
            if upload_id in self._ending:
                raise _busy()
            self._ending.add(upload_id)
        try:
            yield
        finally:
            with self._ending_lock:
                self._ending.discard(upload_id)


def _busy() -> MultipartBusy:
    return MultipartBusy("A conflicting conditional operation is currently in progress against this resource.")


def _upload(sql: sqlite3.Connection, upload_id: str, key: str) -> MultipartUpload:
    query = "SELECT id, key, checksum_algorithm, checksum_type, headers, created FROM uploads WHERE id = ? AND key = ?"
    row = sql.execute(query, (upload_id, key)).fetchone()
    if row is None:
        raise NoSuchMultipart(
            "The specified upload does not exist. The upload ID may be invalid, "
            "or the upload may have been aborted or completed.",
        )
    return _upload_of(row)


def _upload_of(row: tuple[str, str, str | None, str | None, str, float]) -> MultipartUpload:
    upload_id, key, algorithm, kind, headers, created = row
    checksum = (Algorithm(algorithm), ChecksumType(kind)) if algorithm and kind else None
    return MultipartUpload(upload_id, key, checksum, json.loads(headers), created)


def _delete(sql: sqlite3.Connection, upload_id: str) -> None:
    sql.execute("DELETE FROM parts WHERE upload = ?", (upload_id,))
    sql.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))


def _part(row: tuple[str, int, int, str, str | None, str | None, float, str]) -> PartRecord:
    _, number, size, md5, algorithm, value, modified, incoming = row
    checksum = (Algorithm(algorithm), value) if algorithm and value else None
    return PartRecord(number, size, md5, checksum, modified, incoming)


def _selected(
    named: Sequence[NamedPart], stored: Sequence[PartRecord], upload: MultipartUpload, min_part: int
) -> list[PartRecord]:
    """The stored parts that the client names. Raises StorageRefusal for a list that S3 would refuse."""
    numbers = [part.number for part in named]
    if any(left >= right for left, right in itertools.pairwise(numbers)):
        raise PartsOutOfOrder("The list of parts was not in ascending order.")
    by_number = {part.number: part for part in stored}
    selected = [_matching(part, by_number.get(part.number), upload) for part in named]
    if any(part.size < min_part for part in selected[:-1]):
        raise PartTooSmall("Your proposed upload is smaller than the minimum allowed size")
    return selected


def _matching(named: NamedPart, stored: PartRecord | None, upload: MultipartUpload) -> PartRecord:
    invalid = PartMismatch(
        "One or more of the specified parts could not be found. The part may not have been uploaded, "
        "or the specified entity tag may not match the part's entity tag.",
    )
    if stored is None or stored.md5 != named.etag:
        raise invalid
    for algorithm, value in named.checksums:
        if stored.checksum and stored.checksum[0] is algorithm and stored.checksum[1] != value:
            raise invalid
    if upload.checksum and upload.checksum[1] is ChecksumType.COMPOSITE:
        algorithm = upload.checksum[0]
        if algorithm not in dict(named.checksums):
            raise PartChecksumMissing(
                f"The upload was created using a {algorithm.value} checksum. The complete request must include the "
                f"checksum for each part. It was missing for part {named.number} in the request.",
            )
    return stored


def _whole_checksum(upload: MultipartUpload, parts: Sequence[PartRecord]) -> Checksum | None:
    if upload.checksum is None:
        return None
    algorithm, kind = upload.checksum
    return multipart_checksum(algorithm, kind, [(part.checksum[1], part.size) for part in parts if part.checksum])


def _check_whole(whole: ObjectRecord, expected: tuple[Algorithm, str] | None, size: int | None) -> None:
    if size is not None and size != whole.size:
        raise SizeMismatch("The provided 'x-amz-mp-object-size' header does not match what was computed.")
    if expected and whole.checksum and expected != (whole.checksum.algorithm, whole.checksum.value):
        raise ChecksumMismatch(f"The {expected[0].value.upper()} you specified did not match the calculated checksum.")
