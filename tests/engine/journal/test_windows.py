"""Windows on files: each order, filter and fold gives the rows that the same question gives on values in memory."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from itertools import product

import pytest
from msgspec.structs import replace

from tests.engine.journal.harness import JournalHarness, content
from tests.service import stand_in_files
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import projects, retention, uploads
from tui_uploader.engine.journal.views import windows
from tui_uploader.engine.status.file_holds import FileHold
from tui_uploader.engine.status.snapshot import file_item
from tui_uploader.errors import NoSuchUpload
from tui_uploader.model.files import FileItem, FileProperty, FileQuery, FileWindow, Hold, Proof, SortKey, runs_of
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStage, FileStatus, UploadState

_HOLDS = {FileStage.FOUND: Hold.CHECKING, FileStage.READY: Hold.QUEUED, FileStage.STORED: Hold.REGISTERING}
_HOLDING = (FileStage.READY, FileStage.SENDING, FileStage.STORED, FileStage.REGISTERED)
SORTS: tuple[SortKey, ...] = ("activity", "added", "name", "folder", "taken", "size", "status", "uploaded")


def crowd(connection: sqlite3.Connection, upload: int, project: int, number: int, chance: random.Random) -> None:
    """Add files of every stage to the upload."""
    first = connection.execute("SELECT IFNULL(MAX(id), 0) + 1 FROM files").fetchone()[0]
    for file_id in range(first, first + number):
        stage = chance.choice(list(FileStage))
        name = f"DJI_{chance.randrange(40):04}.{chance.choice(('JPG', 'jpg', 'TIF'))}"
        name = f"{file_id}_{name}" if chance.random() < 0.5 else name
        path = f"/card/{chance.choice(('100MEDIA', '101MEDIA', 'mapping/1'))}/{file_id}/{name}".encode()
        identity = f"{file_id:032x}" if stage not in (FileStage.FOUND, FileStage.FAILED) else None
        row = {
            "id": file_id,
            "upload": upload,
            "project": project,
            "path": path,
            "name": name,
            "size": chance.randrange(5),
            "mtime_ns": 1,
            "inode": 1,
            "stage": stage,
            "identity": identity,
            "object": name if stage in _HOLDING else None,
            "error": chance.choice(("SourceDamaged", "SourceVanished")) if stage is FileStage.FAILED else None,
            "uploaded_at": chance.randrange(5) if stage is FileStage.REGISTERED else None,
            "proof": chance.choice((*Proof, None)) if stage is FileStage.REGISTERED else None,
        }
        if row["object"] and chance.random() < 0.3:
            row["object"] = f"other-{name}"
        connection.execute(
            f"INSERT INTO files ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )
        if chance.random() < 0.8:
            place, taken_at = chance.choice((None, 46.5)), chance.choice((None, chance.randrange(9)))
            connection.execute(
                "INSERT INTO known (path, size, mtime_ns, inode, identity, crc32, latitude, longitude, taken_at)"
                " VALUES (?, ?, 1, 1, ?, 7, ?, ?, ?)",
                (path, row["size"], identity or "", place, place, taken_at),
            )


MOVING = frozenset(range(0, 1000, 3))
"""Files that streams carry, where they are being sent."""


def item(row: FileRecord, facts: windows.ImageFacts) -> FileItem:
    waits_for_stream = row.stage is FileStage.SENDING and row.id not in MOVING
    hold = Hold.QUEUED if waits_for_stream else _HOLDS.get(row.stage)
    return file_item(row, facts, FileHold(hold, None), {}, {})


def answered(connection: sqlite3.Connection, upload: int, query: FileQuery) -> FileWindow:
    statuses = [FileStatus(each) for each in query.unfolded.split(",") if each]
    found = windows.window(connection, upload, query, statuses, MOVING)
    items = tuple(item(row, facts) for row, facts in found.rows)
    return FileWindow(found.total, query.offset, items, found.folds, found.matching, found.anchor)


def everything(connection: sqlite3.Connection, uploads_: tuple[int, ...]) -> list[FileItem]:
    asked = FileQuery(limit=10_000)
    found = [windows.window(connection, upload, asked).rows for upload in uploads_]
    return sorted((item(row, facts) for rows in found for row, facts in rows), key=lambda each: each.id)


def queries() -> Iterator[FileQuery]:
    for sort, descending, fold in product(SORTS, (False, True), (0, 2)):
        yield FileQuery(sort=sort, descending=descending, fold=fold, limit=10_000)
        yield FileQuery(sort=sort, descending=descending, fold=fold, offset=7, limit=11)
    for sort in ("activity", "taken"):
        for text in ("dji_000", "!dji_000", "/100media/", "!/100MEDIA/", "mapping/1", "_", "%", "\\"):
            yield FileQuery(sort=sort, text=text, fold=2)
        for status in FileStatus:
            yield FileQuery(sort=sort, status=status)
            yield FileQuery(sort=sort, except_status=status, fold=3, unfolded="waiting,uploaded")
        for has in FileProperty:
            yield FileQuery(sort=sort, property=has)
            yield FileQuery(sort=sort, except_property=has, text="jpg", fold=1, unfolded="duplicate")
        yield FileQuery(sort=sort, verified=Proof.CRC32)


async def second_upload(harness: JournalHarness) -> int:
    """Another upload of the project."""

    def add(connection: sqlite3.Connection) -> int:
        connection.execute("UPDATE uploads SET state = ? WHERE id = ?", (UploadState.COMPLETE, harness.upload))
        return uploads.add_sources(connection, harness.project, ["/card"], True, 0.0)

    return await harness.write(add)


@pytest.mark.parametrize("whole_project", [False, True])
async def test_every_question_is_answered_as_in_memory(harness: JournalHarness, whole_project: bool) -> None:
    chance = random.Random(7)
    other = await second_upload(harness)
    foreign = await harness.write(lambda c: projects.add_project(c, "id@cloud", "Other", ProjectKind.IMAGES))
    elsewhere = await harness.write(lambda c: uploads.add_sources(c, foreign, ["/card"], True, 0.0))
    for upload, project in ((harness.upload, harness.project), (elsewhere, foreign), (other, harness.project)):
        await harness.write(lambda c, u=upload, p=project: crowd(c, u, p, 60, chance))  # type: ignore[misc]
    scope = (harness.upload, other) if whole_project else (other,)
    files = await harness.journal.read(lambda c: everything(c, scope))
    assert {file.upload for file in files} == set(scope)

    def ask_all(connection: sqlite3.Connection) -> None:
        for query in queries():
            for anchor in (None, *(file.id for file in files[::9])):
                asked = replace(query, whole_project=whole_project, anchor=anchor)
                assert answered(connection, other, asked) == stand_in_files.window(files, asked), asked
            for first, last in ((files[3].id, files[40].id), (files[40].id, files[3].id), (None, files[9].id)):
                asked = replace(query, whole_project=whole_project, first=first, last=last)
                runs = windows.matching_runs(connection, other, asked, MOVING)
                assert runs == runs_of(sorted(stand_in_files.between(files, asked))), asked
            runs = windows.matching_runs(connection, other, replace(query, whole_project=whole_project), MOVING)
            matching = sorted(file.id for file in stand_in_files.matching(files, query))
            assert [number for first, last in runs for number in range(first, last + 1)] == matching

    await harness.journal.read(ask_all)


async def test_condensed_uploads_of_the_project_count(harness: JournalHarness) -> None:
    for letter in "abc":
        await harness.upload_file(f"/card/{letter}.jpg", content(letter))
    other = await second_upload(harness)
    first, harness.upload = harness.upload, other
    await harness.upload_file("/card/d.jpg", content("d"))
    await harness.write(lambda c: c.execute("UPDATE uploads SET dismissed = 1 WHERE id = ?", (first,)).close())
    files = await harness.journal.read(lambda c: everything(c, (first, other)))
    asked = [FileQuery(sort=sort, whole_project=True, fold=2, anchor=files[0].id) for sort in SORTS]
    before = [await harness.journal.read(lambda c, q=query: answered(c, other, q)) for query in asked]  # type: ignore[misc]
    await harness.write(lambda c: retention.condense(c, first, 2))
    await harness.write(lambda c: retention.condense(c, first, 2))
    after = [await harness.journal.read(lambda c, q=query: answered(c, other, q)) for query in asked]  # type: ignore[misc]
    assert after == before
    assert {window.matching for window in after} == {4}


async def test_results_state_no_position(harness: JournalHarness) -> None:
    await harness.write(lambda c: crowd(c, harness.upload, harness.project, 60, random.Random(1)))
    await harness.write(lambda c: c.execute("UPDATE projects SET kind = 'results'").close())
    files = await harness.journal.read(lambda c: everything(c, (harness.upload,)))
    assert {file.located for file in files} == {None}
    query = FileQuery(property=FileProperty.NO_GPS)
    assert (await harness.journal.read(lambda c: answered(c, harness.upload, query))).total == 0


async def test_a_path_that_is_not_valid_text_is_found_by_its_bytes(harness: JournalHarness) -> None:
    await harness.write(lambda c: crowd(c, harness.upload, harness.project, 5, random.Random(1)))
    odd = b"/card/\xff\xfe/a.jpg"
    await harness.write(
        lambda c: c.execute(
            "INSERT INTO files (upload, project, path, name, size, mtime_ns, inode, stage)"
            " VALUES (?, ?, ?, 'a.jpg', 1, 1, 1, 'found')",
            (harness.upload, harness.project, odd),
        ).close()
    )
    query = FileQuery(text="\udcff\udcfe/")
    found = await harness.journal.read(lambda c: answered(c, harness.upload, query))
    assert [file.path for file in found.files] == ["/card/\udcff\udcfe/a.jpg"]


async def test_an_unknown_upload_has_no_window(harness: JournalHarness) -> None:
    with pytest.raises(NoSuchUpload):
        await harness.journal.read(lambda c: windows.window(c, 4711, FileQuery(whole_project=True)))
