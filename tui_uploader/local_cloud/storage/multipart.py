"""Objects sent in parts. Every acknowledged part is on the disk and in the database, and so outlives any end.

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

from tui_uploader.local_cloud.s3.errors import S3Refusal
from tui_uploader.local_cloud.s3.xml import NamedPart
from tui_uploader.local_cloud.storage.checksums import (
    Algorithm,
    Checksum,
    ChecksumType,
    multipart_checksum,
    multipart_etag,
)
from tui_uploader.local_cloud.storage.objects import ObjectStore, StoredObject

MIN_PART = 5 * 1024**2
MAX_PARTS = 10_000
"""Amazon S3 user guide, "Multipart upload limits"; the last part may be smaller."""


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    id: str
    key: str
    checksum: tuple[Algorithm, ChecksumType] | None
    """What the object's checksum shall be; None when the client asked for none."""
    headers: Mapping[str, str]
    created: float


@dataclass(frozen=True, slots=True)
class StoredPart:
    number: int
    size: int
    md5: str
    """Hexadecimal; the part's ETag."""
    checksum: tuple[Algorithm, str] | None
    modified: float
    incoming: str
    """Name of the file that holds it."""


class MultipartStore:
    def __init__(self, store: ObjectStore, min_part: int = MIN_PART) -> None:
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
        """Raises S3Refusal (NoSuchUpload)."""
        with self._store.database.turn() as sql:
            return _upload(sql, upload_id, key)

    def uploads(self, prefix: str, after: str = "", behind: str = "", limit: int = 1000) -> list[MultipartUpload]:
        """Those whose keys begin with `prefix` and follow `after`; with `behind`, also those of the key `after` that
        are listed later than that id."""
        query = (
            "SELECT id, key, checksum_algorithm, checksum_type, headers, created FROM uploads u"
            " WHERE substr(key, 1, length(?1)) = ?1 AND (key > ?2 OR (?3 <> '' AND key = ?2 AND (created, id) >"
            " (SELECT created, id FROM uploads WHERE id = ?3))) ORDER BY key, created, id LIMIT ?4"
        )
        with self._store.database.turn() as sql:
            return [_upload_of(row) for row in sql.execute(query, (prefix, after, behind, limit))]

    def put_part(self, upload: MultipartUpload, part: StoredPart) -> None:
        """Record a part whose bytes are sealed, instead of an earlier one of its number. Raises S3Refusal."""
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

    def parts(self, upload: MultipartUpload, after: int = 0, limit: int = MAX_PARTS) -> list[StoredPart]:
        """By their numbers, those behind `after`."""
        query = "SELECT * FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?"
        with self._store.database.turn() as sql:
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
    ) -> StoredObject:
        """Put the named parts together. `expected` and `size` are what the whole object has to be.

        Raises S3Refusal.
        """
        with self._ending_of(upload_id):
            upload = self.upload(upload_id, key)
            stored = self.parts(upload)
            chosen = _chosen(named, stored, upload, self._min_part)
            whole = StoredObject(
                key=key,
                size=sum(part.size for part in chosen),
                etag=multipart_etag([part.md5 for part in chosen]),
                modified=self._store.now(),
                checksum=_whole_checksum(upload, chosen),
                headers=upload.headers,
            )
            _check_whole(whole, expected, size)
            self._assemble(upload, whole, chosen, only_if_absent=only_if_absent)
            for part in stored:
                self._remove(part.incoming)
            return whole

    def abort(self, upload_id: str, key: str) -> None:
        """Forget an upload and its parts. Raises S3Refusal (NoSuchUpload)."""
        with self._ending_of(upload_id):
            upload = self.upload(upload_id, key)
            parts = self.parts(upload)
            with self._store.database.transaction() as sql:
                _forget(sql, upload_id)
            for part in parts:
                self._remove(part.incoming)

    def _assemble(
        self, upload: MultipartUpload, whole: StoredObject, parts: Sequence[StoredPart], *, only_if_absent: bool
    ) -> None:
        incoming = self._store.receive()
        try:
            for part in parts:
                incoming.append(self._store.incoming / part.incoming)
            incoming.seal()
            self._store.land(
                incoming,
                whole,
                only_if_absent=only_if_absent,
                in_the_same_commit=lambda sql: _forget(sql, upload.id),
            )
        except BaseException:
            incoming.discard()
            raise

    def _remove(self, incoming: str) -> None:
        (self._store.incoming / incoming).unlink(missing_ok=True)

    @contextmanager
    def _ending_of(self, upload_id: str) -> Iterator[None]:
        """While an upload is completed or aborted its parts stay as they are. Raises S3Refusal for a second end."""
        with self._ending_lock:
            if upload_id in self._ending:
                raise _busy()
            self._ending.add(upload_id)
        try:
            yield
        finally:
            with self._ending_lock:
                self._ending.discard(upload_id)


def _busy() -> S3Refusal:
    return S3Refusal(
        "OperationAborted", "A conflicting conditional operation is currently in progress against this resource."
    )


def _upload(sql: sqlite3.Connection, upload_id: str, key: str) -> MultipartUpload:
    query = "SELECT id, key, checksum_algorithm, checksum_type, headers, created FROM uploads WHERE id = ? AND key = ?"
    row = sql.execute(query, (upload_id, key)).fetchone()
    if row is None:
        raise S3Refusal(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, "
            "or the upload may have been aborted or completed.",
        )
    return _upload_of(row)


def _upload_of(row: tuple[str, str, str | None, str | None, str, float]) -> MultipartUpload:
    upload_id, key, algorithm, kind, headers, created = row
    checksum = (Algorithm(algorithm), ChecksumType(kind)) if algorithm and kind else None
    return MultipartUpload(upload_id, key, checksum, json.loads(headers), created)


def _forget(sql: sqlite3.Connection, upload_id: str) -> None:
    sql.execute("DELETE FROM parts WHERE upload = ?", (upload_id,))
    sql.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))


def _part(row: tuple[str, int, int, str, str | None, str | None, float, str]) -> StoredPart:
    _, number, size, md5, algorithm, value, modified, incoming = row
    checksum = (Algorithm(algorithm), value) if algorithm and value else None
    return StoredPart(number, size, md5, checksum, modified, incoming)


def _chosen(
    named: Sequence[NamedPart], stored: Sequence[StoredPart], upload: MultipartUpload, min_part: int
) -> list[StoredPart]:
    """The stored parts that the client names. Raises S3Refusal where its list is none that S3 would take."""
    numbers = [part.number for part in named]
    if any(left >= right for left, right in itertools.pairwise(numbers)):
        raise S3Refusal("InvalidPartOrder", "The list of parts was not in ascending order.")
    by_number = {part.number: part for part in stored}
    chosen = [_matching(part, by_number.get(part.number), upload) for part in named]
    if any(part.size < min_part for part in chosen[:-1]):
        raise S3Refusal("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    return chosen


def _matching(named: NamedPart, stored: StoredPart | None, upload: MultipartUpload) -> StoredPart:
    invalid = S3Refusal(
        "InvalidPart",
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
            raise S3Refusal(
                "InvalidRequest",
                f"The upload was created using a {algorithm.value} checksum. The complete request must include the "
                f"checksum for each part. It was missing for part {named.number} in the request.",
            )
    return stored


def _whole_checksum(upload: MultipartUpload, parts: Sequence[StoredPart]) -> Checksum | None:
    if upload.checksum is None:
        return None
    algorithm, kind = upload.checksum
    return multipart_checksum(algorithm, kind, [(part.checksum[1], part.size) for part in parts if part.checksum])


def _check_whole(whole: StoredObject, expected: tuple[Algorithm, str] | None, size: int | None) -> None:
    if size is not None and size != whole.size:
        raise S3Refusal(
            "InvalidRequest", "The provided 'x-amz-mp-object-size' header does not match what was computed."
        )
    if expected and whole.checksum and expected != (whole.checksum.algorithm, whole.checksum.value):
        raise S3Refusal(
            "BadDigest", f"The {expected[0].value.upper()} you specified did not match the calculated checksum."
        )
