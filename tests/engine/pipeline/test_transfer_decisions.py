"""Decisions of a transfer: the parts to send, and whether an existing object is this file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness
from tests.engine.world import SETTINGS, World
from tests.photos import jpeg, write_photo
from tui_uploader.cloud.contract import ByteRange, ObjectStore, Part, StoredObject
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import deduplication, files, uploads
from tui_uploader.engine.journal.tables.known_contents import Content
from tui_uploader.engine.pipeline.transfer import Slice, Transfer, confirmed, slices
from tui_uploader.intake.fingerprint import fingerprint
from tui_uploader.intake.scan import candidate_of
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model.states import FileStage


@pytest.mark.parametrize(
    ("size", "length", "expected"),
    [
        (0, 5, []),
        (5, 5, [Slice(1, 0, 5)]),
        (6, 5, [Slice(1, 0, 5), Slice(2, 5, 1)]),
        (10, 5, [Slice(1, 0, 5), Slice(2, 5, 5)]),
        (3, 5, [Slice(1, 0, 3)]),
    ],
)
def test_slices(size: int, length: int, expected: list[Slice]) -> None:
    assert slices(size, length) == expected


ONE, TWO = Part(1, 5, "one", 11), Part(2, 5, "two", 22)


@pytest.mark.parametrize(
    ("journaled", "listed", "expected"),
    [
        ([ONE, TWO], None, [ONE, TWO]),
        ([ONE, TWO], [], []),
        ([ONE, TWO], [replace(TWO, crc32=None), replace(ONE, crc32=None)], [ONE, TWO]),
        ([ONE], [ONE, TWO], [ONE]),
        ([ONE, TWO], [ONE, replace(TWO, etag="other")], [ONE]),
        ([ONE, TWO], [replace(ONE, size=4), TWO], [TWO]),
        ([], [ONE], []),
    ],
)
def test_parts_known_to_journal_and_storage_are_not_sent_again(
    journaled: list[Part], listed: Sequence[Part] | None, expected: list[Part]
) -> None:
    assert confirmed(journaled, listed) == expected


async def sending(harness: JournalHarness, photo: Path) -> FileRecord:
    """The photo's row, in the stage SENDING."""
    found = candidate_of(str(photo))
    read = fingerprint(found.path)
    await harness.begin()
    await harness.find(found)
    await harness.write(lambda c: uploads.mark_scanned(c, harness.upload, ["/card"]))
    row = await harness.row(str(photo))
    await harness.write(lambda c: deduplication.settle_check(c, row.id, found, Content(read.identity, read.crc32)))
    picked = await harness.write(lambda c: files.pick(c, row.id))
    assert picked is not None
    return picked


async def put(store: ObjectStore, path: Path) -> None:
    read = fingerprint(str(path))
    with path.open("rb", buffering=0) as file:
        await store.put("DJI_0001.JPG", ByteRange(file, 0, path.stat().st_size, read.crc32), lambda sent: None)


PHOTO = jpeg(3000)
SAME_SIZE = PHOTO[:1000] + bytes([PHOTO[1000] ^ 1]) + PHOTO[1001:]


@pytest.mark.parametrize(
    ("there", "profile", "tells_checksum", "ours"),
    [
        (PHOTO, Profile.DEFAULT, True, True),
        (PHOTO, Profile.DEFAULT, False, True),
        (SAME_SIZE, Profile.DEFAULT, True, False),
        (SAME_SIZE, Profile.DEFAULT, False, False),
        (PHOTO + b"x", Profile.DEFAULT, True, False),
        (None, Profile.DEFAULT, True, False),
        (PHOTO, Profile.STRICT, True, False),
    ],
    ids=["ours", "ours-md5", "other", "other-md5", "other-size", "nothing", "no-right-to-look"],
)
async def test_an_existing_object_counts_as_stored_only_with_the_same_content(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: bytes | None,
    profile: Profile,
    tells_checksum: bool,
    ours: bool,
) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", profile=profile))
    photo = write_photo(world.card / "DJI_0001.JPG")
    photo.write_bytes(PHOTO)
    async with world.cloud_running(), world.engine() as _:
        cloud = Pix4dCloud(world.login(), SETTINGS)
        store = cloud.store((await cloud.create_project("Theirs")).id)
        await store.open()
        if there is not None:
            (tmp_path / "there").write_bytes(there)
            await put(store, tmp_path / "there")
        if not tells_checksum:
            forget_checksums(store, monkeypatch)
        harness = JournalHarness(world.journal)
        row = await sending(harness, photo)
        world.context.progress.set_parts(row.upload, row.id, 7)
        assert await Transfer(world.context, row, store).is_stored_already() is ours
        after = await harness.row(str(photo))
        assert after.stage is (FileStage.STORED if ours else FileStage.SENDING)
        assert (after.etag is not None) is ours
        assert world.context.progress.sent_of_files() == ({} if ours else {row.id: 7})
        await cloud.close()


def forget_checksums(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a storage without checksums, which has only the ETag."""
    head = store.head

    async def without_checksum(name: str) -> StoredObject | None:
        found = await head(name)
        return found and replace(found, crc32=None)

    monkeypatch.setattr(store, "head", without_checksum)
