"""Receipts that the engine writes when an upload becomes complete, and their copies."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.world import SETTINGS, World, add, settled
from tests.photos import write_flight, write_photo
from tests.receipts.tool import ascmhl, schema_errors
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.receipts.copies import copy_receipt
from tui_uploader.errors import NoSuchUpload
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import FileSelection
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.projects import NewProject
from tui_uploader.model.receipts import ReceiptFormat, ReceiptTotals, ReceiptVerdict
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import AddRequest, UploadStatus
from tui_uploader.receipts.checking import check
from tui_uploader.receipts.history import HistoryUpdate
from tui_uploader.settings import CARD, ReceiptSettings


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", port=0))
    async with world.cloud_running():
        yield world


def copying(world: World, to: str) -> World:
    world.settings = replace(SETTINGS, receipts=ReceiptSettings(to))
    return world


async def with_receipt(manager: UploadManager, upload: int) -> UploadStatus:
    await until(lambda: manager.queries.upload_status(upload).receipt)
    return manager.queries.upload_status(upload)


async def events(manager: UploadManager, kind: EventKind) -> list[PastEvent]:
    return [event for event in await manager.queries.history(0, 500) if event.kind is kind]


async def event_of(manager: UploadManager, kind: EventKind, number: int = 1) -> PastEvent:
    """The newest event of a kind, as soon as there are so many."""
    newest = manager.queries.status().history
    while len(found := await events(manager, kind)) < number:
        await until(lambda before=newest: manager.queries.status().history != before)  # type: ignore[misc]
        newest = manager.queries.status().history
    return found[-1]


async def test_a_complete_upload_has_a_receipt_beside_the_journal(world: World) -> None:
    photos = write_flight(world.card / "DCIM", 3)
    shutil.copy(photos[0], world.card / "DCIM" / "Zwilling.JPG")
    async with world.engine() as manager:
        status = await add(manager, world.card)
        found = await with_receipt(manager, status.upload)
        assert found.state is UploadState.COMPLETE and found.receipt is not None
        path = Path(found.receipt)
        assert path.parent == world.directories.data / "receipts"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert [each.name for each in path.parent.iterdir()] == [path.name]
        checked = check(path)
        assert checked.verdict is ReceiptVerdict.VALID, checked
        document = json.loads(path.read_text())
        assert [row["path"] for row in document["files"]] == sorted(
            [*map(str, photos), str(world.card / "DCIM" / "Zwilling.JPG")]
        )
        first, copy = document["files"][0], document["files"][-1]
        assert first["size"] == photos[0].stat().st_size
        assert first["stored_at"] <= first["registered_at"]
        assert first["proof"] and first["etag"] and first["object"]
        assert copy["duplicate_of"] == str(photos[0])
        assert {name: copy[name] for name in ("xxh128", "object", "etag")} == {
            name: first[name] for name in ("xxh128", "object", "etag")
        }
        assert document["totals"]["files"] == 3
        assert document["totals"]["duplicates"] == 1
        assert document["head"]["project_id"] == found.project
        assert not await events(manager, EventKind.RECEIPT_WRITTEN), "it is always there: no news"


async def test_the_tool_of_the_format_accepts_what_is_written_to_the_card(world: World) -> None:
    photos = write_flight(world.card / "DCIM", 3)
    async with copying(world, CARD).engine() as manager:
        status = await add(manager, world.card)
        written = await event_of(manager, EventKind.RECEIPT_WRITTEN)
        assert written.upload == status.upload
    assert check(Path(written.detail)).verdict is ReceiptVerdict.VALID
    (manifest,) = (world.card / "ascmhl").glob("*.mhl")
    assert check(manifest).verdict is ReceiptVerdict.VALID
    assert ascmhl("verify", world.card) == (0, "")
    assert ascmhl("diff", world.card) == (0, "")
    code, said = ascmhl("info", world.card)
    assert code == 0 and "Generation 1" in said
    assert not schema_errors(manifest)
    assert not schema_errors(manifest.with_name("ascmhl_chain.xml"))

    code, said = ascmhl("create", "-h", "xxh128", world.card)
    assert code == 0, said
    lists = sorted((world.card / "ascmhl").glob("*.mhl"))
    assert len(lists) == 2, "the tool continues the history"
    assert ascmhl("verify", world.card) == (0, "")

    (world.card / "DCIM" / "new.jpg").write_bytes(b"new")
    assert ascmhl("diff", world.card)[0] != 0
    (world.card / "DCIM" / "new.jpg").unlink()
    whole = photos[0].read_bytes()
    photos[0].write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    code, said = ascmhl("verify", world.card)
    assert code != 0 and "hash mismatch" in said and photos[0].name in said
    photos[0].unlink()
    code, said = ascmhl("verify", world.card)
    assert code != 0 and photos[0].name in said


async def test_a_receipt_is_written_again_when_the_upload_completes_again(world: World) -> None:
    photos = write_flight(world.card, 2)
    copy = shutil.copy(photos[0], world.card / "Z.JPG")
    async with world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        first = await with_receipt(manager, upload)
        path = Path(first.receipt or "")
        await manager.remove(upload, FileSelection(names=(str(copy),)))
        before = path.read_bytes()
        await manager.restore(upload, FileSelection(names=(str(copy),)))
        await until(lambda: path.read_bytes() != before)
        again = await settled(manager, upload)
        assert again.receipt == first.receipt
        assert check(path).verdict is ReceiptVerdict.VALID
        assert [each.name for each in path.parent.iterdir()] == [path.name]


async def _as_before_the_acknowledgement(world: World, *, intended: bool) -> None:
    """What a crash leaves: the journal knows where the receipt goes, or not even that."""
    changed = "receipt_at = NULL" if intended else "receipt_at = NULL, receipt = NULL"
    with closing(sqlite3.connect(world.directories.journal)) as connection:
        connection.execute(f"UPDATE uploads SET {changed}")
        connection.commit()


@pytest.mark.parametrize("intended", [True, False])
async def test_a_receipt_that_a_crash_prevented_is_written_on_the_next_start(world: World, intended: bool) -> None:
    write_flight(world.card, 2)
    async with world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        path = Path((await with_receipt(manager, upload)).receipt or "")
    await _as_before_the_acknowledgement(world, intended=intended)
    path.with_name(f".{path.name}.part").write_bytes(b"interrupted")
    path.write_bytes(b"of another program, as far as the journal knows")
    async with world.engine() as manager:
        found = Path((await with_receipt(manager, upload)).receipt or "")
        assert check(found).verdict is ReceiptVerdict.VALID
        assert (found == path) is intended
        assert intended or path.read_bytes().startswith(b"of another"), "a file of unknown origin is not replaced"


async def test_a_receipt_that_cannot_be_written_is_told_once_and_written_later(world: World) -> None:
    write_flight(world.card, 2)
    obstacle = world.directories.data / "receipts"
    obstacle.parent.mkdir(parents=True)
    obstacle.write_bytes(b"")
    async with world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        assert (await event_of(manager, EventKind.RECEIPT_FAILED)).upload == upload
        status = await settled(manager, upload)
        assert (status.state, status.receipt, status.notice) == (UploadState.COMPLETE, None, None)
        looks = world.time.looks
        await world.in_the_long_run(lambda: world.time.looks > looks + 200, leap=400.0)
        assert len(await events(manager, EventKind.RECEIPT_FAILED)) == 1
        obstacle.unlink()
        await world.in_the_long_run(lambda: manager.queries.upload_status(upload).receipt)
        assert check(Path(manager.queries.upload_status(upload).receipt or "")).verdict is ReceiptVerdict.VALID


async def test_copies_go_to_a_folder_and_replace_nothing_else(world: World, tmp_path: Path) -> None:
    write_flight(world.card, 2)
    folder = tmp_path / "office"
    folder.mkdir()
    async with copying(world, str(folder)).engine() as manager:
        upload = (await add(manager, world.card)).upload
        copy = Path((await event_of(manager, EventKind.RECEIPT_WRITTEN)).detail)
        receipt = Path(manager.queries.upload_status(upload).receipt or "")
        assert copy == folder / receipt.name
        assert copy.read_bytes() == receipt.read_bytes()
        other = (await manager.add(AddRequest((str(world.card),), NewProject("Other")))).upload
        path = Path((await with_receipt(manager, other)).receipt or "")
        await event_of(manager, EventKind.RECEIPT_WRITTEN, 2)
        assert sorted(each.name for each in folder.iterdir()) == sorted([receipt.name, path.name])
    assert not (world.card / "ascmhl").exists()
    head = check(receipt).head
    assert head is not None
    assert copy_receipt(receipt, head, str(folder)) == str(copy), "that of the same upload is replaced"
    copy.write_bytes(b"edited")
    assert copy_receipt(receipt, head, str(folder)) == str(copy.with_stem(f"{copy.stem}-2"))
    assert copy.read_bytes() == b"edited"


async def copied_later(world: World, to: str, change: Callable[[], object]) -> PastEvent:
    """Upload the card, change something, and have the receipt copied by the next engine. Returns what that told."""
    async with world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        await with_receipt(manager, upload)
    change()
    kinds = (EventKind.RECEIPT_WRITTEN, EventKind.RECEIPT_FAILED)
    async with copying(world, to).engine() as manager:
        await until(lambda: manager.queries.status().history > 0)
        seen: list[PastEvent] = []
        while not seen:
            newest = manager.queries.status().history
            seen = [event for kind in kinds for event in await events(manager, kind)]
            if not seen:
                await until(lambda before=newest: manager.queries.status().history != before)  # type: ignore[misc]
        status = await settled(manager, upload)
        assert (status.state, status.notice) == (UploadState.COMPLETE, None), "the upload is not affected"
        return seen[0]


def _other_card(card: Path) -> None:
    for photo in card.glob("*.JPG"):
        photo.write_bytes(b"another photo")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda card: shutil.rmtree(card), "card"),
        (lambda card: [photo.unlink() for photo in card.glob("*.JPG")], "is missing or has another size"),
        (_other_card, "is missing or has another size"),
        (lambda card: (card / "ascmhl").mkdir(), "has no ascmhl_chain.xml"),
        (lambda card: (card / "ascmhl").write_bytes(b""), "not a folder"),
    ],
)
async def test_a_card_that_cannot_be_written_to_is_told_and_left_as_it_is(
    world: World, change: Callable[[Path], object], told: str
) -> None:
    write_flight(world.card, 2)
    event = await copied_later(world, CARD, lambda: change(world.card))
    assert event.kind is EventKind.RECEIPT_FAILED
    assert told in event.detail and event.detail.endswith(".")
    left = [path.name for path in world.card.rglob("*")] if world.card.exists() else []
    assert not [name for name in left if name.endswith((".mhl", ".part", ".json")) or name == ".ascmhl-new"]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errno.ENOSPC, "is full."),
        (errno.EROFS, "is write-protected"),
        (errno.EACCES, "is write-protected"),
        (errno.EIO, "nput/output error"),
        (errno.ENODEV, "taken out"),
    ],
)
async def test_why_a_card_takes_no_receipt(world: World, monkeypatch: pytest.MonkeyPatch, code: int, told: str) -> None:
    """Such cards are no fault of this test machine: the system's answer is simulated."""
    write_flight(world.card, 2)
    before = {path.name for path in world.card.rglob("*")}

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(HistoryUpdate, "write", refuse)
    event = await copied_later(world, CARD, lambda: None)
    assert (event.kind, told in event.detail) == (EventKind.RECEIPT_FAILED, True), event.detail
    await until(lambda: {path.name for path in world.card.rglob("*")} == before)


async def test_a_folder_for_copies_is_never_created(world: World, tmp_path: Path) -> None:
    """It may be on a disk that is not mounted."""
    write_flight(world.card, 2)
    event = await copied_later(world, str(tmp_path / "nas" / "receipts"), lambda: None)
    assert (event.kind, "is not there" in event.detail) == (EventKind.RECEIPT_FAILED, True)
    assert not (tmp_path / "nas").exists()


async def test_each_uploaded_folder_has_its_own_history(world: World) -> None:
    first, second = world.card / "DCIM" / "100", world.card / "DCIM" / "101"
    write_flight(first, 2)
    photos = write_flight(second, 2)
    write_photo(second / "not uploaded" / "x.JPG")
    async with copying(world, CARD).engine() as manager:
        status = await add(manager, first, *photos)
        await event_of(manager, EventKind.RECEIPT_WRITTEN, 2)
        text = b"".join([piece async for piece in _pieces(manager, status.upload, ReceiptFormat.MHL)])
    assert ascmhl("verify", first) == (0, "")
    code, said = ascmhl("verify", second)
    assert code and said.count("found new file") == 1
    assert sorted(path.name for path in world.card.iterdir()) == ["DCIM"]
    packing_list = world.folder / "list.mhl"
    packing_list.write_bytes(text)
    assert not schema_errors(packing_list)
    code, said = ascmhl("verify", "-pl", packing_list, world.card / "DCIM")
    assert code and said.count("found new file") == 1


async def _pieces(manager: UploadManager, upload: int, form: ReceiptFormat) -> AsyncIterator[bytes]:
    with await manager.receipts.written(upload, form) as file:
        yield file.read()


async def test_a_history_of_the_card_itself_is_continued(world: World) -> None:
    write_flight(world.card / "DCIM" / "100", 2)
    write_photo(world.card / "other.JPG")
    assert ascmhl("create", "-h", "xxh128", world.card)[0] == 0
    async with copying(world, CARD).engine() as manager:
        await add(manager, world.card / "DCIM")
        await event_of(manager, EventKind.RECEIPT_WRITTEN)
    assert not (world.card / "DCIM" / "ascmhl").exists()
    assert len(list((world.card / "ascmhl").glob("*.mhl"))) == 2
    assert ascmhl("verify", world.card) == (0, "")


async def test_the_receipt_stays_when_the_journal_keeps_only_the_record(world: World) -> None:
    photos = write_flight(world.card, 3)
    world.settings = replace(SETTINGS, keep_dismissed_days=1.0)
    async with world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        path = Path((await with_receipt(manager, upload)).receipt or "")
        written = path.read_bytes()
        await manager.dismiss(upload)
        world.time.passed += 2 * 86_400.0
        await world.in_the_long_run(lambda: world.summary.past[upload].condensed)
        await until(lambda: not world.files(upload, FileStage.FOUND))
        assert path.read_bytes() == written
        text = b"".join([piece async for piece in _pieces(manager, upload, ReceiptFormat.JSON)])
        assert json.loads(text)["files"] == json.loads(written)["files"]
        listed = b"".join([piece async for piece in _pieces(manager, upload, ReceiptFormat.MHL)])
        assert [f">{photo.name}<".encode() in listed for photo in photos] == [True] * 3


async def test_a_receipt_of_an_unfinished_upload_says_what_is_missing(world: World) -> None:
    photos = write_flight(world.card, 2)
    broken = write_photo(world.card / "broken.JPG")
    broken.write_bytes(broken.read_bytes()[:500])
    async with world.engine() as manager:
        upload = (await add(manager, world.card)).upload
        status = await settled(manager, upload)
        assert (status.counts.failed, status.receipt) == (1, None), "only complete uploads have one automatically"
        for form in (ReceiptFormat.JSON, ReceiptFormat.CSV):
            path = world.folder / f"receipt.{form}"
            path.write_bytes(b"".join([piece async for piece in _pieces(manager, upload, form)]))
            found = check(path)
            assert (found.verdict, found.totals) == (
                ReceiptVerdict.VALID,
                ReceiptTotals(2, sum(photo.stat().st_size for photo in photos), 0, 1),
            )
        with pytest.raises(NoSuchUpload):
            await manager.receipts.written(99, ReceiptFormat.JSON)
        assert [each.name for each in (world.directories.data / "receipts").iterdir()] == []


async def test_a_name_that_is_no_text_is_in_every_receipt_but_the_list(world: World) -> None:
    write_flight(world.card, 1)
    odd = Path(os.fsdecode(os.fsencode(world.card) + b"/\xff.JPG"))
    write_photo(odd)
    event = await copied_later(world, CARD, lambda: None)
    assert (event.kind, "json and csv" in event.detail) == (EventKind.RECEIPT_FAILED, True)
    (path,) = (world.directories.data / "receipts").iterdir()
    assert check(path).verdict is ReceiptVerdict.VALID
    assert str(odd) in [row["path"] for row in json.loads(path.read_text())["files"]]
