"""Verifications of cards against the local cloud: what was read, compared, and told."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.world import World, add, settled
from tests.photos import write_flight
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.states import UploadState
from tui_uploader.model.verification import (
    Evidence,
    Finding,
    Verdict,
    VerificationRequest,
    VerificationState,
    VerificationStatus,
    VerifiedFile,
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", processing_seconds=0.1))
    write_flight(world.card, 4)
    return world


@pytest.fixture
async def manager(world: World) -> AsyncIterator[UploadManager]:
    async with world.cloud_running(), world.engine() as manager:
        yield manager


async def verified(manager: UploadManager, *paths: Path, project: str | None = None) -> VerificationStatus:
    begun = await manager.verifications.start(VerificationRequest(tuple(map(str, paths)), project))
    return await ended(manager, begun.verification)


async def ended(manager: UploadManager, number: int) -> VerificationStatus:
    await until(lambda: manager.verifications.status(number).state is not VerificationState.RUNNING)
    return manager.verifications.status(number)


async def found(manager: UploadManager, status: VerificationStatus) -> dict[str, VerifiedFile]:
    files = await manager.verifications.files(status.verification)
    return {Path(file.path).name: file for file in files.files}


async def uploaded(manager: UploadManager, *paths: Path, new: str = "Quarry") -> None:
    status = await settled(manager, (await add(manager, *paths, new=new)).upload)
    assert status.state is UploadState.COMPLETE


async def test_a_card_is_safe_once_all_of_it_is_in_the_storage(world: World, manager: UploadManager) -> None:
    await uploaded(manager, world.card)
    status = await verified(manager, world.card)
    assert (status.verdict, status.reasons) == (Verdict.SAFE, ())
    assert status.findings == {Finding.DELIVERED: 4}
    assert status.evidence == {Evidence.STORAGE: 4}
    assert status.projects == ("Quarry",)
    assert (status.images, status.images_delivered, status.files_read) == (4, 4, 4)
    assert status.bytes == status.bytes_read == sum(path.stat().st_size for path in world.card.rglob("*.JPG"))


async def test_a_changed_byte_makes_the_card_not_safe(world: World, manager: UploadManager) -> None:
    await uploaded(manager, world.card)
    changed = sorted(world.card.rglob("*.JPG"))[2]
    before = changed.stat()
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    status = await verified(manager, world.card)
    assert status.verdict is Verdict.NOT_SAFE
    assert status.findings == {Finding.DELIVERED: 3, Finding.MISSING: 1}
    file = (await found(manager, status))[changed.name]
    assert file.reason == "was uploaded to Quarry with other content: the file was changed since"
