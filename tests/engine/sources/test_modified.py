"""Files that are modified after their check: before they are registered, and before processing starts."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.local_cloud.root_reader import registered_images
from tests.photos import jpeg, write_flight, write_photo
from tui_uploader.engine.sources import modified
from tui_uploader.errors import SourceChanged
from tui_uploader.intake.scan import Candidate, candidate_of
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import FileStage
from tui_uploader.model.uploads import Counts


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def test_a_stored_file_that_was_modified_is_not_registered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = write_photo(world.card / "DJI_0001.JPG")
    half = photo.read_bytes()
    looked: list[str] = []

    def written_just_before(path: str, real: str) -> Candidate:
        if not looked:
            photo.write_bytes(jpeg(9_000))
        looked.append(path)
        return candidate_of(path, real)

    monkeypatch.setattr(modified, "candidate_of", written_just_before)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        item = (await files_by_name(manager, upload.upload))["DJI_0001.JPG"]
        assert item.object is not None and item.object != "DJI_0001.JPG"
        assert world.objects() == {"DJI_0001.JPG": half, item.object: photo.read_bytes()}
        project = int((await manager.queries.upload(upload.upload)).project or 0)
        registered = registered_images(world.options.root, project)
        assert [key.rpartition("/")[2] for key in registered] == [item.object]


async def test_a_stored_file_that_was_only_touched_is_registered_and_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = write_photo(world.card / "DJI_0001.JPG")
    touched: list[bool] = []

    def touching(path: str, real: str) -> Candidate:
        if not touched:
            os.utime(photo, (1_600_000_000, 1_600_000_000))
            touched.append(True)
        return candidate_of(path, real)

    monkeypatch.setattr(modified, "candidate_of", touching)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=1)
        assert world.objects() == {photo.name: photo.read_bytes()} and touched
        assert world.bytes_sent == photo.stat().st_size


@pytest.mark.parametrize("how", ["vanished", "hangs", "another card"])
async def test_a_stored_file_is_registered_although_its_source_is_missing(
    world: World, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = write_flight(world.card, 3)
    go = threading.Event()

    def gone(path: str, real: str) -> Candidate:
        if how == "hangs":
            assert go.wait(30)
        if how == "another card":
            return replace(candidate_of(path, real), mount="of another card", size=7)
        for photo in photos:
            photo.unlink(missing_ok=True)
        return candidate_of(path, real)

    monkeypatch.setattr(modified, "candidate_of", gone)
    monkeypatch.setattr(modified, "_SECONDS_PER_BATCH", 0.1)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        try:
            await when(manager, upload.upload, lambda status: status.counts == Counts(uploaded=3))
        finally:
            go.set()


async def test_processing_does_not_start_automatically_on_modified_files(world: World) -> None:
    """They are named; uploading the folder again, or a request of the user, starts it."""
    photos = write_flight(world.card, 7)
    world.options = replace(world.options, processing_seconds=0.2)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        for photo in photos[:4]:
            photo.write_bytes(jpeg(5_000))
        await manager.set_auto_process(upload.upload, on=True)
        held = await when(manager, upload.upload, lambda status: status.notice)
        assert held.notice is not None and held.notice.needs_person
        assert "4 uploaded files of Quarry changed" in held.notice.message
        assert "DJI_0001.JPG, DJI_0002.JPG, DJI_0003.JPG and 1 more" in held.notice.message
        assert held.processing.state is ProcessingState.NOT_STARTED and held.processing.reason
        assert done.project is not None
        with pytest.raises(SourceChanged, match="4 uploaded files"):
            await manager.start_processing(done.project)
        assert world.starts_of(done.project) == 0
        await add(manager, world.card)
        again = await when(manager, upload.upload, lambda status: status.processing.submitted_at)
        assert again.notice is None and len(world.objects()) == 11
        assert world.starts_of(done.project) == 1


async def test_processing_of_modified_files_starts_on_request(world: World) -> None:
    photos = write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        done = await settled(manager, upload.upload)
        photos[0].write_bytes(jpeg(5_000))
        assert done.project is not None
        with pytest.raises(SourceChanged, match=r"1 uploaded file of Quarry changed.*DJI_0001.JPG\."):
            await manager.start_processing(done.project)
        await manager.start_processing(done.project, partial=True)
        assert world.starts_of(done.project) == 1


async def test_a_card_that_was_taken_out_does_not_prevent_processing(world: World) -> None:
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await settled(manager, upload.upload)
        world.card.rename(world.folder / "pulled")
        await manager.set_auto_process(upload.upload, on=True)
        await when(manager, upload.upload, lambda status: status.processing.submitted_at)
        assert world.files(upload.upload, FileStage.REGISTERED) == 6
