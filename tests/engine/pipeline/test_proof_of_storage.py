"""Storage without checksums, and links that damage data: a damaged file never counts as uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.journal.harness import JournalHarness, candidate, content
from tests.engine.world import World, add, files_by_name
from tests.local_cloud.root_reader import registered_images
from tests.photos import write_flight
from tui_uploader.engine.journal.tables import commands, files
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.pipeline.send import check_again, give_up
from tui_uploader.errors import StoredDamaged
from tui_uploader.local_cloud.options import Checksums, LocalCloudOptions
from tui_uploader.model.files import FileSelection, Proof
from tui_uploader.model.states import FileStage
from tui_uploader.model.uploads import UploadStatus

PHOTOS = 8


def world_with(folder: Path, checksums: Checksums, *faults: str) -> World:
    return World(folder, LocalCloudOptions(root=folder / "cloud", checksums=checksums, faults=faults))


async def in_the_end(world: World, manager: UploadManager) -> UploadStatus:
    def status() -> UploadStatus:
        return manager.queries.status().uploads[0]

    await world.in_the_long_run(lambda: status().settled, 60.0)
    return status()


@pytest.mark.parametrize(
    ("checksums", "fault", "verified", "left"),
    [
        (Checksums.CRC32, "flip:route=put,every=3,after=1", Proof.CRC32, range(1)),
        # The first files are sent before the abilities of the storage are known.
        (Checksums.CONTENT_MD5, "flip:route=put,every=3,after=1", Proof.MD5, range(4)),
        (Checksums.ETAG, "flip:route=put,every=3,after=1", Proof.MD5, range(3, 9)),
        (Checksums.ETAG, "flip:route=put,times=1", Proof.MD5, range(1, 2)),
        # ETags that look like MD5s and differ count as damage, until nothing ever matched.
        (Checksums.NONE, "flip:times=0", Proof.NONE, range(3, 4)),
    ],
)
async def test_registered_objects_equal_the_files_on_the_card(
    tmp_path: Path, checksums: Checksums, fault: str, verified: Proof, left: range
) -> None:
    """`left`: the number of damaged objects that may stay in the storage, under names of their own."""
    world = world_with(tmp_path, checksums, fault)
    photos = write_flight(world.card, PHOTOS)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        status = await in_the_end(world, manager)
        shown = await files_by_name(manager, upload.upload)
    assert status.counts.uploaded == PHOTOS, status
    assert {item.verified for item in shown.values()} == {verified}
    objects = world.objects()
    registered = registered_images(world.options.root, int(status.project or ""))
    assert {key.rpartition("/")[2] for key in registered} == {item.object for item in shown.values()}
    for photo in photos:
        assert objects[shown[photo.name].object or ""] == photo.read_bytes()
    assert len(objects) - PHOTOS in left


async def test_only_a_damaged_part_is_sent_again(tmp_path: Path) -> None:
    world = world_with(tmp_path, Checksums.ETAG, "flip:route=part,every=2,times=2")
    (photo,) = write_flight(world.card, 1)
    with photo.open("ab") as file:
        file.write(bytes(24 * 1024**2))
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card)
        status = await in_the_end(world, manager)
        (item,) = (await files_by_name(manager, upload.upload)).values()
    assert (status.counts.uploaded, item.verified) == (1, Proof.MD5)
    assert world.objects() == {photo.name: photo.read_bytes()}


async def test_the_name_of_a_damaged_object_is_never_used_again(harness: JournalHarness) -> None:
    """Not even the last name, whose object otherwise counts as ours by the name alone."""
    await harness.find(candidate("/card/a.jpg"))
    damaged, used = StoredDamaged("The storage keeps other bytes."), []
    for attempt in range(4):
        row = await harness.check("/card/a.jpg", content("a"))
        used.append(row.object)
        assert await harness.write(lambda c, row=row: files.pick(c, row.id)) is not None  # type: ignore[misc]
        if attempt < 3:
            await harness.write(lambda c, row=row: check_again(c, row, damaged))  # type: ignore[misc]
        else:
            await harness.write(lambda c, row=row: give_up(c, row.id, damaged))  # type: ignore[misc]
    assert len(set(used)) == 4 and used[0] == "a.jpg" and content("a") in (used[3] or "")
    await harness.write(lambda c: commands.retry(c, harness.upload, FileSelection(all=True)))
    row = await harness.check("/card/a.jpg", content("a"))
    assert (row.stage, row.error) == (FileStage.FAILED, "NameTaken")
