"""Verifications of cards against the local cloud: what was read, compared, and told."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.engine.world import World, add, settled
from tests.photos import another_of_equal_size, jpeg, write_flight
from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.engine.verification import card_threads, second_walk
from tui_uploader.engine.verification.card_walk import Root
from tui_uploader.errors import NoSuchProject, NoSuchVerification, NothingToUpload, NotPossibleNow, UsageError
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model.files import FileQuery
from tui_uploader.model.history import EventKind
from tui_uploader.model.projects import ExistingProject
from tui_uploader.model.states import UploadState
from tui_uploader.model.verification import (
    CardFileKind,
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


def photos(world: World) -> list[Path]:
    return sorted(world.card.rglob("*.JPG"))


def objects(world: World) -> list[Path]:
    return sorted(path for path in (world.options.root / "objects").rglob("*.JPG"))


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
    changed = photos(world)[2]
    before = changed.stat()
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    status = await verified(manager, world.card)
    assert status.verdict is Verdict.NOT_SAFE
    assert status.findings == {Finding.DELIVERED: 3, Finding.MISSING: 1}
    file = (await found(manager, status))[changed.name]
    assert file.reason == "was uploaded to Quarry with other content: the file was changed since"


# ------------------------------------------------------------------------------------------------------ what is there


async def test_other_files_are_listed_because_wiping_destroys_them(world: World, manager: UploadManager) -> None:
    await uploaded(manager, world.card)
    folder = photos(world)[0].parent
    (folder / "DJI_0009.MP4").write_bytes(b"video")
    (folder / "Timestamp.MRK").write_bytes(b"1")
    (folder / "._DJI_0001.JPG").write_bytes(b"apple")
    (world.card / "System Volume Information").mkdir()
    (world.card / "System Volume Information" / "IndexerVolumeGuid").write_bytes(b"guid")
    (folder / "link.JPG").symlink_to(photos(world)[0])
    status = await verified(manager, world.card)
    assert status.verdict is Verdict.SAFE_FOR_IMAGES
    assert status.findings == {Finding.DELIVERED: 4, Finding.OTHER: 2, Finding.APART: 3}
    assert status.kinds == {"video": 1, "positioning": 1, "hidden": 1, "system": 1, "link": 1}
    assert status.kind_bytes["video"] == 5
    assert status.files == 6, "files apart do not count"
    others = await manager.verifications.files(status.verification, Finding.OTHER)
    assert [(Path(file.path).name, file.kind) for file in others.files] == [
        ("DJI_0009.MP4", CardFileKind.VIDEO),
        ("Timestamp.MRK", CardFileKind.POSITIONING),
    ]
    folders = await manager.verifications.folders(status.verification)
    assert {entry.path: entry.verdict for entry in folders}[str(folder)] is Verdict.SAFE_FOR_IMAGES


async def test_a_window_is_of_one_folder_and_one_finding(world: World, manager: UploadManager) -> None:
    inner = photos(world)[0].parent / "inner"
    inner.mkdir()
    (inner / "A.JPG").write_bytes(jpeg())
    status = await verified(manager, world.card)
    everything = await manager.verifications.files(status.verification)
    assert everything.total == 5
    assert [file.path for file in everything.files] == sorted(str(path) for path in photos(world))
    of_folder = await manager.verifications.files(status.verification, Finding.MISSING, str(inner.parent), 1, 2)
    assert (of_folder.total, of_folder.offset) == (4, 1)
    assert [file.path for file in of_folder.files] == [str(path) for path in sorted(inner.parent.glob("*.JPG"))[1:3]]
    assert (await manager.verifications.files(status.verification, Finding.OTHER)).total == 0
    with pytest.raises(UsageError):
        await manager.verifications.files(status.verification, limit=2001)


async def test_names_that_are_not_utf8_are_verified(world: World, manager: UploadManager) -> None:
    odd = Path(os.fsdecode(os.fsencode(world.card) + b"/DJI_\xff\n.JPG"))
    odd.write_bytes(jpeg())
    await uploaded(manager, world.card)
    status = await verified(manager, world.card)
    assert (status.verdict, status.findings) == (Verdict.SAFE, {Finding.DELIVERED: 5})
    assert str(odd) in [file.path for file in (await manager.verifications.files(status.verification)).files]


async def test_paths_inside_each_other_count_once(world: World, manager: UploadManager) -> None:
    (world.card / "again").symlink_to(photos(world)[0].parent)
    status = await verified(manager, world.card, photos(world)[0].parent, photos(world)[1], world.card / "again")
    assert status.findings == {Finding.MISSING: 4, Finding.APART: 1}


async def test_hard_links_are_files_of_their_own(world: World, manager: UploadManager) -> None:
    (world.card / "hard.JPG").hardlink_to(photos(world)[0])
    await uploaded(manager, world.card)
    status = await verified(manager, world.card)
    assert (status.verdict, status.findings) == (Verdict.SAFE, {Finding.DELIVERED: 5})


@pytest.mark.parametrize("what", ["empty", "absent", "apart", "logs"])
async def test_where_no_image_is_nothing_is_safe(world: World, manager: UploadManager, what: str) -> None:
    place = world.folder / "mount"
    if what != "absent":
        place.mkdir()
    if what == "apart":
        (place / ".hidden").write_bytes(b"x")
    if what == "logs":
        (place / "flight.log").write_bytes(b"x")
    status = await verified(manager, place)
    assert status.verdict is Verdict.NOT_SAFE
    assert len(status.reasons) == 1


async def test_one_path_that_is_not_there_makes_all_of_it_not_safe(world: World, manager: UploadManager) -> None:
    await uploaded(manager, world.card)
    status = await verified(manager, world.card, world.folder / "other card")
    assert (status.verdict, status.findings) == (Verdict.NOT_SAFE, {Finding.DELIVERED: 4})
    assert "other card" in status.reasons[0]


# --------------------------------------------------------------------------------------------- where its images are


async def test_a_file_tells_why_it_is_missing(world: World, manager: UploadManager) -> None:
    empty, broken, new = world.card / "empty.JPG", world.card / "broken.JPG", world.card / "new.JPG"
    empty.write_bytes(b"")
    broken.write_bytes(b"no image")
    await settled(manager, (await add(manager, world.card)).upload)
    new.write_bytes(jpeg())
    files = await found(manager, await verified(manager, world.card))
    assert files["empty.JPG"].reason == "is empty: there is no image in it"
    assert (files["broken.JPG"].reason or "").startswith("failed in Quarry: ")
    assert files["new.JPG"].reason == "is in no project"


async def test_only_the_named_project_counts(world: World, manager: UploadManager) -> None:
    await uploaded(manager, world.card)
    (world.folder / "other.JPG").write_bytes(jpeg())
    await uploaded(manager, world.folder / "other.JPG", new="Harbour")
    assert (await verified(manager, world.card, project="Quarry")).verdict is Verdict.SAFE
    elsewhere = await verified(manager, world.card, project="Harbour")
    assert (elsewhere.verdict, elsewhere.project) == (Verdict.NOT_SAFE, "Harbour")
    assert {file.reason for file in (await found(manager, elsewhere)).values()} == {"is in Quarry, not in Harbour"}
    with pytest.raises(NoSuchProject):
        await manager.verifications.start(VerificationRequest((str(world.card),), "Nowhere"))


async def test_what_a_cancelled_upload_delivered_counts(world: World, manager: UploadManager) -> None:
    broken = world.card / "broken.JPG"
    broken.write_bytes(b"no image")
    upload = (await settled(manager, (await add(manager, world.card)).upload)).upload
    await manager.cancel(upload)
    broken.unlink()
    status = await verified(manager, world.card)
    assert (status.verdict, status.uploads) == (Verdict.SAFE, {upload: 4})


async def test_equal_content_under_another_name_is_delivered(world: World, manager: UploadManager) -> None:
    await uploaded(manager, world.card)
    photos(world)[0].rename(world.card / "renamed.JPG")
    (world.card / "copy of it.txt").write_bytes(photos(world)[1].read_bytes())
    status = await verified(manager, world.card)
    assert (status.verdict, status.findings) == (Verdict.SAFE, {Finding.DELIVERED: 5})


# ------------------------------------------------------------------------------------------------------- the storage


async def test_an_object_that_the_storage_lost_makes_the_card_not_safe(world: World, manager: UploadManager) -> None:
    await uploaded(manager, world.card)
    lost = objects(world)[0]
    lost.unlink()
    status = await verified(manager, world.card)
    assert status.verdict is Verdict.NOT_SAFE
    assert status.findings == {Finding.DELIVERED: 3, Finding.UNCONFIRMED: 1}
    assert (await found(manager, status))[lost.name].reason == (
        "was added to Quarry, but the storage does not have it any more"
    )


async def test_where_the_account_may_not_look_the_receipt_counts(tmp_path: Path) -> None:
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", profile=Profile.STRICT, processing_seconds=0.1))
    write_flight(world.card, 3)
    async with world.cloud_running(), world.engine() as manager:
        await uploaded(manager, world.card)
        status = await verified(manager, world.card)
        assert (status.verdict, status.evidence) == (Verdict.SAFE, {Evidence.RECEIPT: 3})


async def test_a_storage_that_cannot_be_asked_confirms_nothing(world: World) -> None:
    async with world.cloud_running(), world.engine() as manager:
        await uploaded(manager, world.card)
    async with world.engine(sign_in=False) as manager:
        status = await verified(manager, world.card)
        assert status.findings == {Finding.UNCONFIRMED: 4}
        assert {file.reason for file in (await found(manager, status)).values()} == {
            "is in Quarry, but the storage could not be asked: the engine is not signed in to its account"
        }


# -------------------------------------------------------------------------------------------------- while it is read


async def test_what_changes_after_it_was_read_makes_the_card_not_safe(
    world: World, manager: UploadManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await uploaded(manager, world.card)
    walk_again = second_walk.SecondWalk.run
    changed, removed, added = photos(world)[0], photos(world)[1], world.card / "added.JPG"

    async def changed_before(self: second_walk.SecondWalk, roots: Sequence[Root]) -> None:
        before = changed.stat()
        changed.write_bytes(another_of_equal_size(changed.read_bytes()))
        os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
        removed.unlink()
        added.write_bytes(jpeg())
        await walk_again(self, roots)

    monkeypatch.setattr(second_walk.SecondWalk, "run", changed_before)
    status = await verified(manager, world.card)
    assert (status.verdict, status.findings) == (Verdict.NOT_SAFE, {Finding.DELIVERED: 2, Finding.UNREADABLE: 3})
    assert "(3 files)" in status.reasons[0]
    files = await found(manager, status)
    assert [files[path.name].reason for path in (changed, removed, added)] == [
        "was changed during the verification, after it was read",
        "vanished during the verification",
        "was added during the verification, and was not read",
    ]


async def test_a_card_that_is_taken_out_is_not_safe(
    world: World, manager: UploadManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await uploaded(manager, world.card)
    walk_again = second_walk.SecondWalk.run

    async def taken_out(self: second_walk.SecondWalk, roots: Sequence[Root]) -> None:
        world.card.rename(world.folder / "pocket")
        await walk_again(self, roots)

    monkeypatch.setattr(second_walk.SecondWalk, "run", taken_out)
    status = await verified(manager, world.card)
    assert status.verdict is Verdict.NOT_SAFE
    assert "was taken out" in status.reasons[0]


async def test_a_file_that_is_written_without_end_is_not_safe(
    world: World, manager: UploadManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await uploaded(manager, world.card)
    growing, fadvise = photos(world)[0], os.posix_fadvise

    def grows(*arguments: int) -> None:
        with growing.open("ab") as file:
            file.write(b"x")
        fadvise(*arguments)

    monkeypatch.setattr(os, "posix_fadvise", grows)
    status = await verified(manager, world.card)
    assert (status.verdict, status.findings[Finding.UNREADABLE]) == (Verdict.NOT_SAFE, 1)
    assert (await found(manager, status))[growing.name].reason == (
        "is still being written: verify again once nothing writes to it"
    )


async def test_a_card_that_hangs_is_not_safe_and_holds_nothing_up(
    world: World, manager: UploadManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await uploaded(manager, world.card)
    monkeypatch.setattr(card_threads, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(card_threads, "_LOOK_SECONDS", 0.05)
    answers, readv = threading.Event(), os.readv

    def hangs(descriptor: int, buffers: list[memoryview]) -> int:
        answers.wait(60)
        return readv(descriptor, buffers)

    with monkeypatch.context() as patched:
        patched.setattr(os, "readv", hangs)
        status = await verified(manager, world.card)
        answers.set()
    assert status.verdict is Verdict.NOT_SAFE
    assert "does not respond" in status.reasons[0]
    assert status.findings == {Finding.UNREADABLE: 4}
    assert {file.reason for file in (await found(manager, status)).values()} == {
        "was not read: the verification ended early"
    }


# ------------------------------------------------------------------------------------------------------- commands


async def test_the_missing_images_are_queued_and_nothing_else(world: World, manager: UploadManager) -> None:
    await uploaded(manager, *photos(world)[:2])
    folder = world.card / "second flight"
    write_flight(folder, 3)
    (folder / "flight.log").write_bytes(b"log")
    before = await verified(manager, world.card)
    assert await manager.verifications.missing_paths(before.verification) == (
        *(str(path) for path in photos(world)[2:4]),
        str(folder),
    )
    await manager.verifications.upload_missing(before.verification, ExistingProject("Quarry"))
    upload = await settled(manager, manager.queries.status().uploads[-1].upload)
    paths = {item.path for item in (await manager.queries.files(upload.upload, FileQuery())).files}
    assert paths == {str(path) for path in (*photos(world)[2:4], *folder.glob("*.JPG"))}
    after = await verified(manager, world.card)
    assert after.verdict is Verdict.SAFE_FOR_IMAGES
    with pytest.raises(NothingToUpload):
        await manager.verifications.upload_missing(after.verification, ExistingProject("Quarry"))


async def test_the_same_paths_are_verified_once_at_a_time(world: World, manager: UploadManager) -> None:
    paths = (str(world.card), str(photos(world)[0]))
    first = await manager.verifications.start(VerificationRequest(paths))
    busy = [manager.queries.busy]
    again = await manager.verifications.start(VerificationRequest(paths[::-1]), watch=3)
    assert (again.verification, again.state) == (first.verification, VerificationState.RUNNING)
    with pytest.raises(NotPossibleNow):
        await manager.verifications.upload_missing(first.verification, ExistingProject("Quarry"))
    await ended(manager, first.verification)
    busy.append(manager.queries.busy)
    assert busy == [True, False]
    later = await manager.verifications.start(VerificationRequest(paths), watch=3)
    assert later.verification > first.verification
    await ended(manager, later.verification)
    shown = manager.queries.status().verifications
    assert [(status.verification, status.watch) for status in shown] == [(later.verification, 3)]
    assert shown == manager.verifications.list()


async def test_a_cancelled_verification_has_no_verdict(world: World, manager: UploadManager) -> None:
    begun = await manager.verifications.start(VerificationRequest((str(world.card),)))
    cancelled = await manager.verifications.cancel(begun.verification)
    assert (cancelled.state, cancelled.verdict) == (VerificationState.CANCELLED, None)
    assert await manager.verifications.cancel(begun.verification) == cancelled
    assert not manager.queries.busy
    with pytest.raises(NoSuchVerification):
        await manager.verifications.cancel(99)


@pytest.mark.parametrize("paths", [(), ("card",), ("",), ("/card\0",), ("/\ud800",)])
async def test_paths_that_name_nothing_are_refused(manager: UploadManager, paths: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        await manager.verifications.start(VerificationRequest(paths))


async def test_the_history_tells_whether_the_card_is_safe(world: World, manager: UploadManager) -> None:
    await verified(manager, world.card)
    await uploaded(manager, world.card)
    await verified(manager, world.card)
    (world.card / "flight.log").write_bytes(b"log")
    await verified(manager, world.card)
    kinds = (EventKind.CARD_SAFE, EventKind.CARD_NOT_SAFE)
    told = [event for event in await manager.queries.history(0, 100) if event.kind in kinds]
    assert [(event.kind, event.files, event.error, event.detail) for event in told] == [
        (EventKind.CARD_NOT_SAFE, 4, "", str(world.card)),
        (EventKind.CARD_SAFE, 4, "", str(world.card)),
        (EventKind.CARD_SAFE, 4, "images", str(world.card)),
    ]


async def test_results_stay_over_a_restart_and_old_ones_are_forgotten(world: World) -> None:
    async with world.cloud_running():
        async with world.engine() as manager:
            first = await verified(manager, photos(world)[0])
            for _ in range(20):
                last = await verified(manager, world.card)
            with pytest.raises(NoSuchVerification):
                await until(lambda: manager.verifications.status(first.verification) and False)
        async with world.engine() as manager:
            assert manager.verifications.status(last.verification) == last
            assert (await manager.verifications.files(last.verification)).total == 4


async def test_a_damaged_record_of_a_verification_keeps_no_engine_from_its_work(world: World) -> None:
    async with world.cloud_running():
        async with world.engine() as manager:
            number = (await verified(manager, world.card)).verification
            await world.journal.write(
                lambda connection: connection.execute("UPDATE verifications SET status = '{\"verdict\":3}'")
            )
        async with world.engine() as manager:
            with pytest.raises(NoSuchVerification):
                manager.verifications.status(number)
            assert (await verified(manager, world.card)).verdict is Verdict.NOT_SAFE


async def test_an_interrupted_verification_continues(world: World) -> None:
    async with world.cloud_running():
        async with world.engine() as manager:
            await uploaded(manager, world.card)
            begun = await manager.verifications.start(VerificationRequest((str(world.card),)))
        async with world.engine() as manager:
            status = await ended(manager, begun.verification)
            assert (status.verdict, status.findings) == (Verdict.SAFE, {Finding.DELIVERED: 4})
