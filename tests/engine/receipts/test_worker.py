"""Receipts that the engine writes when an upload becomes complete, and their copies."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engine.world import SETTINGS, World, add
from tests.photos import write_flight
from tests.receipts.tool import ascmhl, schema_errors
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.receipts import ReceiptVerdict
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.receipts.checking import check
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
