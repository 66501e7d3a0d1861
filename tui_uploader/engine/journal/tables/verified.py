"""SQL of the files of verifications, and of the files of uploads that they are compared with."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tui_uploader.engine.journal.columns import candidate_in, columns_of, word
from tui_uploader.engine.journal.tables.transitions import marks
from tui_uploader.intake.scan import Candidate
from tui_uploader.model.files import Proof
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.verification import CardFileKind, Evidence, Finding, VerifiedFile


@dataclass(frozen=True, slots=True)
class Holder:
    """A file of an upload that has the content, or the path, of a file of a card."""

    file: int
    upload: int
    project: int
    stage: FileStage
    size: int
    object: str | None
    crc32: int | None
    etag: str | None
    proof: Proof | None
    reason: str | None
    upload_state: UploadState
    replaced: bool = False
    """A result whose place another one took: the project no longer has it."""
    same_content: bool = True
    """False: only the path is the same."""


@dataclass(frozen=True, slots=True)
class VerifiedRow:
    """A file of a card."""

    found: Candidate
    kind: CardFileKind
    identity: str | None
    """None: not read yet."""
    finding: Finding | None
    """None: not judged yet."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found out about a file, as columns."""

    path: str
    finding: Finding
    reason: str | None = None
    project: int | None = None
    upload: int | None = None
    object: str | None = None
    evidence: Evidence | None = None


NewRow = tuple[Candidate, CardFileKind, str | None, Finding | None, str | None]
"""File, kind, identity, finding, and reason."""

_HOLDER = "f.upload, f.project, f.size, f.object, f.crc32, f.etag, f.proof, f.replaced_at, u.state AS upload_state"


def known(connection: sqlite3.Connection, number: int, paths: Sequence[str]) -> dict[str, VerifiedRow]:
    """Return the rows at these paths, by path."""
    return {
        os.fsdecode(row["path"]): _row(row)
        for row in connection.execute(
            f"SELECT * FROM verified WHERE verification = ? AND path IN ({marks(paths)})",
            (number, *(os.fsencode(path) for path in paths)),
        )
    }


def put(connection: sqlite3.Connection, number: int, walk: int, rows: Iterable[NewRow]) -> None:
    """Write what a walk found, in place of what an earlier one found at the same path."""
    connection.executemany(
        "INSERT OR REPLACE INTO verified (verification, path, size, mtime_ns, inode, ctime_ns, mount, kind, walk,"
        " identity, finding, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (number, os.fsencode(found.path), *columns_of(found).values(), kind, walk, identity, finding, reason)
            for found, kind, identity, finding, reason in rows
        ),
    )


def last_walk(connection: sqlite3.Connection, number: int) -> int:
    return int(connection.execute("SELECT walks FROM verifications WHERE id = ?", (number,)).fetchone()[0])


def forget_unseen(connection: sqlite3.Connection, number: int, walk: int) -> None:
    """Delete what only earlier walks found."""
    connection.execute("DELETE FROM verified WHERE verification = ? AND walk < ?", (number, walk))


def unjudged(
    connection: sqlite3.Connection, number: int, after: str | None, limit: int, *, unread_only: bool
) -> list[VerifiedRow]:
    """Return the next files without a finding, by path."""
    rows = connection.execute(
        "SELECT * FROM verified WHERE verification = ? AND path > ? AND finding IS NULL"
        f" {'AND identity IS NULL' if unread_only else ''} ORDER BY path LIMIT ?",
        (number, b"" if after is None else os.fsencode(after), limit),
    )
    return [_row(row) for row in rows]


def after(connection: sqlite3.Connection, number: int, path: str | None, limit: int) -> list[VerifiedRow]:
    """Return the next files that are not apart, by path."""
    rows = connection.execute(
        "SELECT * FROM verified WHERE verification = ? AND path > ? AND finding IS NOT ? ORDER BY path LIMIT ?",
        (number, b"" if path is None else os.fsencode(path), Finding.APART, limit),
    )
    return [_row(row) for row in rows]


def note_read(connection: sqlite3.Connection, number: int, read: Iterable[tuple[Candidate, str]]) -> None:
    """Write the identities of contents, and the files as they were when they were read."""
    connection.executemany(
        "UPDATE verified SET size = ?, mtime_ns = ?, inode = ?, ctime_ns = ?, mount = ?, identity = ?"
        " WHERE verification = ? AND path = ?",
        ((*columns_of(found).values(), identity, number, os.fsencode(found.path)) for found, identity in read),
    )


def judge(connection: sqlite3.Connection, number: int, outcomes: Iterable[Outcome]) -> None:
    connection.executemany(
        "UPDATE verified SET finding = ?, reason = ?, project = ?, upload = ?, object = ?, evidence = ?"
        " WHERE verification = ? AND path = ?",
        (
            (
                *(each.finding, each.reason, each.project, each.upload, each.object, each.evidence),
                *(number, os.fsencode(each.path)),
            )
            for each in outcomes
        ),
    )


def give_up_unjudged(connection: sqlite3.Connection, number: int, reason: str) -> int:
    """Give all files without a finding that they were not read. Returns their number."""
    return connection.execute(
        "UPDATE verified SET finding = ?, reason = ? WHERE verification = ? AND finding IS NULL",
        (Finding.UNREADABLE, reason, number),
    ).rowcount


def holders(connection: sqlite3.Connection, identities: Sequence[str]) -> dict[str, list[Holder]]:
    """Return the files of uploads that have these contents, by identity."""
    found: dict[str, list[Holder]] = {}
    for row in connection.execute(
        f"SELECT f.id AS file, f.stage, f.identity, f.reason, {_HOLDER} FROM files f JOIN uploads u ON u.id = f.upload"
        f" WHERE f.identity IN ({marks(identities)})"
        f" UNION ALL SELECT f.file, '{FileStage.REGISTERED}', f.identity, NULL, {_HOLDER}"
        f" FROM delivered f JOIN uploads u ON u.id = f.upload WHERE f.identity IN ({marks(identities)})",
        (*identities, *identities),
    ):
        found.setdefault(row["identity"], []).append(_holder(row, same_content=True))
    return found


def holders_at(connection: sqlite3.Connection, paths: Sequence[str]) -> dict[str, list[Holder]]:
    """Return the files of uploads at these paths, by path: their contents are others, or were never read."""
    found: dict[str, list[Holder]] = {}
    for path in paths:
        rows = connection.execute(
            # Uploads first, because the index begins with the upload.
            f"SELECT f.id AS file, f.stage, f.reason, {_HOLDER} FROM uploads u CROSS JOIN files f"
            " INDEXED BY files_by_path ON f.upload = u.id AND f.path = ? ORDER BY u.id DESC LIMIT 20",
            (os.fsencode(path),),
        ).fetchall()
        if rows:
            found[path] = [_holder(row, same_content=False) for row in rows]
    return found


def undeliver(connection: sqlite3.Connection, number: int, reason: str) -> int:
    """Take back that files are delivered whose contents are no longer registered. Returns their number."""
    same = "f.identity = v.identity AND f.project = v.project AND f.object = v.object AND f.replaced_at IS NULL"
    return connection.execute(
        "UPDATE verified AS v SET finding = ?, reason = ?, evidence = NULL WHERE v.verification = ? AND v.finding = ?"
        " AND NOT EXISTS (SELECT 1 FROM files f INDEXED BY files_by_content"
        f" WHERE {same} AND f.stage = '{FileStage.REGISTERED}')"
        f" AND NOT EXISTS (SELECT 1 FROM delivered f INDEXED BY delivered_by_content WHERE {same})",
        (Finding.MISSING, reason, number, Finding.DELIVERED),
    ).rowcount


@dataclass(frozen=True, slots=True)
class Totals:
    """Files of a verification, and their bytes, by the columns that its status shows."""

    finding: Finding | None
    kind: CardFileKind
    evidence: Evidence | None
    project: int | None
    upload: int | None
    files: int
    bytes: int


def totals(connection: sqlite3.Connection, number: int) -> list[Totals]:
    rows = connection.execute(
        "SELECT finding, kind, evidence, project, upload, COUNT(*) AS files, CAST(TOTAL(size) AS INTEGER) AS bytes"
        " FROM verified WHERE verification = ? GROUP BY finding, kind, evidence, project, upload",
        (number,),
    )
    return [
        Totals(
            None if row["finding"] is None else word(Finding, row["finding"]),
            word(CardFileKind, row["kind"]),
            None if row["evidence"] is None else word(Evidence, row["evidence"]),
            row["project"],
            row["upload"],
            row["files"],
            row["bytes"],
        )
        for row in rows
    ]


def counted(connection: sqlite3.Connection, number: int) -> int:
    """Return the number of files that are not apart."""
    row = connection.execute(
        "SELECT COUNT(*) FROM verified WHERE verification = ? AND finding IS NOT ?", (number, Finding.APART)
    ).fetchone()
    return int(row[0])


def window(
    connection: sqlite3.Connection,
    number: int,
    finding: Finding | None,
    folder: str | None,
    offset: int,
    limit: int,
) -> tuple[int, list[VerifiedFile]]:
    """Return the number of judged files, with this finding and directly in this folder, and a part of them by path."""
    where, values = "v.verification = ? AND v.finding IS NOT NULL", [number]
    parameters: list[object] = list(values)
    if finding is not None:
        where += " AND v.finding = ?"
        parameters.append(finding)
    if folder is not None:
        start = os.fsencode(folder.rstrip("/")) + b"/"
        # In bytes, 0 follows the slash.
        where += " AND v.path >= ? AND v.path < ? AND instr(substr(v.path, ?), x'2f') = 0"
        parameters += [start, start[:-1] + b"0", len(start) + 1]
    (total,) = connection.execute(f"SELECT COUNT(*) FROM verified v WHERE {where}", parameters).fetchone()
    rows = connection.execute(
        "SELECT v.*, p.name AS project_name FROM verified v LEFT JOIN projects p ON p.id = v.project"
        f" WHERE {where} ORDER BY v.path LIMIT ? OFFSET ?",
        (*parameters, limit, offset),
    )
    return int(total), [_file(row) for row in rows]


def each(connection: sqlite3.Connection, number: int) -> Iterator[tuple[str, CardFileKind, int, Finding]]:
    """Yield path, kind, size and finding of all judged files, by path."""
    for row in connection.execute(
        "SELECT path, kind, size, finding FROM verified WHERE verification = ? AND finding IS NOT NULL ORDER BY path",
        (number,),
    ):
        yield os.fsdecode(row["path"]), word(CardFileKind, row["kind"]), row["size"], word(Finding, row["finding"])


def _row(row: sqlite3.Row) -> VerifiedRow:
    finding = None if row["finding"] is None else word(Finding, row["finding"])
    return VerifiedRow(candidate_in(row), word(CardFileKind, row["kind"]), row["identity"], finding)


def _holder(row: sqlite3.Row, *, same_content: bool) -> Holder:
    return Holder(
        file=row["file"],
        upload=row["upload"],
        project=row["project"],
        stage=word(FileStage, row["stage"]),
        size=row["size"],
        object=row["object"],
        crc32=row["crc32"],
        etag=row["etag"],
        proof=None if row["proof"] is None else word(Proof, row["proof"]),
        reason=row["reason"],
        upload_state=word(UploadState, row["upload_state"]),
        replaced=row["replaced_at"] is not None,
        same_content=same_content,
    )


def _file(row: sqlite3.Row) -> VerifiedFile:
    return VerifiedFile(
        path=os.fsdecode(row["path"]),
        size=row["size"],
        kind=word(CardFileKind, row["kind"]),
        finding=word(Finding, row["finding"]),
        reason=row["reason"],
        project=row["project_name"] or "",
        object=row["object"],
        evidence=None if row["evidence"] is None else word(Evidence, row["evidence"]),
    )
