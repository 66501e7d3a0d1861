"""Cards that are taken out, put in again, and swapped for others that look the same from outside."""

from __future__ import annotations

import asyncio
import itertools
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.photos import jpeg, write_flight, write_photo
from tests.until import until
from tui_uploader.engine.journal.tables import file_parts
from tui_uploader.engine.pipeline import check, image_limit, walk
from tui_uploader.intake import scan
from tui_uploader.intake.mounts import Mount
from tui_uploader.intake.scan import Candidate
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.accounts import SignInRequest
from tui_uploader.model.projects import ExistingProject, ProjectKind
from tui_uploader.model.states import FileStage, UploadState
from tui_uploader.model.uploads import AddRequest, Counts

MIB = 1024**2
MIDNIGHT = 946_684_810 * 10**9
"""Ten seconds into the year 2000, where the clocks of some cameras start with every flight."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


@dataclass(slots=True)
class Card:
    """What the system reports about the files of a card."""

    mount: str = "first"
    keeps_ctime: bool = False
    numbers_anew: bool = False
    """Every stat of a file returns a new inode number."""
    shift_ns: int = 0
    """By how much times have moved with the time zone."""
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def as_reported(self, found: Candidate) -> Candidate:
        return replace(
            found,
            mtime_ns=found.mtime_ns + self.shift_ns,
            inode=next(self.numbers) if self.numbers_anew else found.inode,
        )


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    """The file system of every file: as FAT is, unless a test changes that."""
    card = Card()
    real = Candidate.of

    def of(path: str, status: os.stat_result, mount: Mount, real_path: str = "") -> Candidate:
        return card.as_reported(real(path, status, mount, real_path))

    monkeypatch.setattr(scan, "mount_of", lambda descriptor: Mount(card.mount, card.keeps_ctime))
    monkeypatch.setattr(scan, "mount_at", lambda path: Mount(card.mount, card.keeps_ctime))
    monkeypatch.setattr(Candidate, "of", of)
    return card


def flight_from_the_year_2000(folder: Path, photos: int, size: int = 2_000) -> list[Path]:
    """Photos that differ from any others by their pixels alone."""
    written = write_flight(folder, photos, size)
    for photo in written:
        os.utime(photo, ns=(MIDNIGHT, MIDNIGHT))
    return written


def write_in_place(photos: Sequence[Path], size: int = 2_000) -> None:
    """Other pixels in the same files: same inodes, names, sizes and times."""
    for photo in photos:
        with photo.open("r+b") as file:
            file.write(jpeg(size))
        os.utime(photo, ns=(MIDNIGHT, MIDNIGHT))


def lay_in_their_place(photos: Sequence[Path], size: int = 2_000) -> None:
    """Other files: same names, sizes and times."""
    for photo in photos:
        photo.unlink()
        write_photo(photo, size)
        os.utime(photo, ns=(MIDNIGHT, MIDNIGHT))


@pytest.mark.parametrize("swap", [write_in_place, lay_in_their_place])
@pytest.mark.parametrize("keeps_ctime", [True, False], ids=["as-on-disks", "as-on-cards"])
@pytest.mark.parametrize("mount_afterwards", ["first", "second", ""])
async def test_a_file_that_was_never_read_is_not_a_duplicate(
    world: World, card: Card, swap: Callable[[Sequence[Path]], None], keeps_ctime: bool, mount_afterwards: str
) -> None:
    """Two cards with files of the same names, sizes and times at the same path."""
    card.keeps_ctime = keeps_ctime
    photos = flight_from_the_year_2000(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, first.upload)).counts == Counts(uploaded=6)
        swap(photos)
        card.mount = mount_afterwards
        second = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, second.upload)).counts == Counts(uploaded=6)
        assert len(world.objects()) == 12
        assert {photo.read_bytes() for photo in photos} <= set(world.objects().values())


async def test_a_real_file_system_distinguishes_two_flights_that_look_the_same(world: World) -> None:
    photos = flight_from_the_year_2000(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card, auto_process=False)
        await settled(manager, first.upload)
        write_in_place(photos)
        second = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, second.upload)).counts == Counts(uploaded=6)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"mount": "second"},
        {"mount": "second", "numbers_anew": True},
        {"mount": "second", "shift_ns": 3600 * 10**9},
        {"mount": "", "shift_ns": -45 * 60 * 10**9},
    ],
    ids=["untouched", "remounted", "renumbered", "summer-time", "other-time-zone"],
)
@pytest.mark.parametrize("same_upload", [True, False])
async def test_the_same_card_is_recognised_by_its_samples(
    world: World, card: Card, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], same_upload: bool
) -> None:
    """Nothing of it is read in full, nor counted twice: neither as files of the upload nor against the limit."""
    write_flight(world.card, 6)
    broken = world.card / "DJI_0099.JPG"
    broken.write_bytes(b"no photo")  # keeps the upload open
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card, auto_process=False)
        await when(manager, first.upload, lambda status: status.counts == Counts(uploaded=6, failed=1))
        broken.unlink()
        if not same_upload:
            await manager.cancel(first.upload)
            await manager.dismiss(first.upload)
        for name, value in change.items():
            setattr(card, name, value)
        no_more_reading(monkeypatch)
        limit_images(monkeypatch, 6)
        again = await add(manager, world.card, auto_process=False)
        assert (again.upload == first.upload) is same_upload
        expected = Counts(uploaded=6, failed=1) if same_upload else Counts(duplicate=6)
        status = await when(manager, again.upload, lambda status: status.counts == expected)
        assert status.notice is None
        assert len(world.objects()) == 6


def limit_images(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    for module in (check, image_limit):
        monkeypatch.setattr(module, "MAX_IMAGES", most)


def no_more_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: str, *_: object) -> None:
        raise AssertionError(f"{path} was read in full")

    monkeypatch.setattr("tui_uploader.engine.sources.read.fingerprint", read)


async def test_another_card_counts_against_the_limit_although_it_looks_like_the_first(
    world: World, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_images(monkeypatch, 10)
    photos = flight_from_the_year_2000(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card, auto_process=False)
        await settled(manager, first.upload)
        lay_in_their_place(photos)
        card.mount = "second"
        second = await add(manager, world.card, auto_process=False)
        held = await when(manager, second.upload, lambda status: status.notice)
        assert held.state is UploadState.PAUSED
        assert held.notice is not None and held.notice.message.startswith("12 images are more than the 10")
        assert len(world.objects()) == 6


async def test_images_that_only_their_check_distinguishes_do_not_exceed_the_limit(
    world: World, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card is swapped between the walk and the checks."""
    limit_images(monkeypatch, 8)
    photos = flight_from_the_year_2000(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card, auto_process=False)
        await settled(manager, first.upload)
        end_walk = walk.end_walk

        def swap_at_the_end(connection: sqlite3.Connection, upload: int, path: str, *, found: bool) -> None:
            end_walk(connection, upload, path, found=found)
            lay_in_their_place(photos)

        monkeypatch.setattr(walk, "end_walk", swap_at_the_end)
        monkeypatch.setattr(check, "may_read_ahead", lambda *_: world.summary.uploads[2].unscanned == 0)
        card.mount = "second"
        second = await add(manager, world.card, auto_process=False)
        held = await when(manager, second.upload, lambda status: status.notice)
        assert held.state is UploadState.PAUSED
        registered = world.summary.project_files(1, FileStage.REGISTERED)
        assert len(world.objects()) <= 8 and registered <= 8


async def test_files_with_a_new_inode_number_at_every_stat_are_uploaded(world: World, card: Card) -> None:
    card.numbers_anew = True
    write_flight(world.card, 5)
    write_photo(world.card / "LARGE.JPG", 40 * MIB)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload, 60)).counts == Counts(uploaded=6)
        assert len(world.objects()) == 6


async def test_a_full_project_accepts_its_own_card_again_after_an_update(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only reading shows then that the images are those of the project."""
    limit_images(monkeypatch, 6)
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        first = await add(manager, world.card, auto_process=False)
        await settled(manager, first.upload)

        def forget_what_older_versions_did_not_keep(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE known SET samples = NULL, ctime_ns = NULL, mount = ''")

        await world.journal.write(forget_what_older_versions_did_not_keep)
        again = await add(manager, world.card, auto_process=False)
        status = await when(manager, again.upload, lambda status: status.counts == Counts(duplicate=6))
        assert status.notice is None


# -------------------------------------------------------------------------------------------------- parts


def put_in_again(card: Card, photo: Path) -> None:
    card.mount, card.numbers_anew, card.shift_ns = "second", True, 3600 * 10**9


def touch(card: Card, photo: Path) -> None:
    """Its bytes stay."""
    os.utime(photo)


def copy_over(card: Card, photo: Path) -> None:
    """The same bytes in another file, as restored by backup programs; on a disk that shows it."""
    card.keeps_ctime = True
    status, content = photo.stat(), photo.read_bytes()
    photo.unlink()
    photo.write_bytes(content)
    os.utime(photo, ns=(status.st_mtime_ns, status.st_mtime_ns))


def overwrite(card: Card, photo: Path) -> None:
    with photo.open("r+b") as file:
        file.write(jpeg(48 * MIB)[: 20 * MIB])


@pytest.mark.parametrize(
    ("happens", "all_anew"),
    [(put_in_again, False), (touch, False), (copy_over, False), (overwrite, True)],
)
async def test_parts_that_were_sent_count_as_long_as_the_bytes_are_the_same(
    world: World, card: Card, happens: Callable[[Card, Path], None], all_anew: bool
) -> None:
    """Whatever else became of the file while its upload was paused."""
    world.options = replace(world.options, faults=("stall:route=part,seconds=60,every=1,after=2",))
    photo = write_photo(world.card / "LARGE.JPG", 48 * MIB)
    async with world.engine(sign_in=False) as manager:
        async with world.cloud_running():
            await manager.sign_in(SignInRequest(world.login(), verify=True))
            upload = await add(manager, world.card, auto_process=False)
            await until_parts(world)
            await manager.pause(upload.upload)
        confirmed = sum(world.context.progress.sent_of_files().values())
        happens(card, photo)
        world.options = replace(world.options, faults=())
        async with world.cloud_running():
            manager.try_now()
            await manager.resume(upload.upload)
            assert (await settled(manager, upload.upload, 60)).counts == Counts(uploaded=1)
            sent_twice = confirmed if all_anew else 0
            assert world.bytes_sent == photo.stat().st_size + sent_twice
            assert list(world.objects().values()) == [photo.read_bytes()]


async def test_sent_parts_are_kept_while_the_card_is_out(world: World, card: Card) -> None:
    world.options = replace(world.options, faults=("stall:route=part,seconds=60,every=1,after=2",))
    photo = write_photo(world.card / "LARGE.JPG", 48 * MIB)
    drawer = world.folder / "drawer"
    async with world.engine(sign_in=False) as manager:
        async with world.cloud_running():
            await manager.sign_in(SignInRequest(world.login(), verify=True))
            upload = await add(manager, world.card, auto_process=False)
            await until_parts(world)
            await manager.pause(upload.upload)
            world.card.rename(drawer)
        world.options = replace(world.options, faults=())
        async with world.cloud_running():
            manager.try_now()
            await manager.resume(upload.upload)
            await when(manager, upload.upload, lambda status: status.counts.failed)
            card.mount, card.numbers_anew = "second", True
            drawer.rename(world.card)
            await world.in_the_long_run(lambda: world.objects())
            assert (await settled(manager, upload.upload, 60)).counts == Counts(uploaded=1)
            assert world.bytes_sent == photo.stat().st_size


async def until_parts(world: World) -> None:
    """Until the store has confirmed some."""
    async with asyncio.timeout(30):
        while not await world.journal.read(file_parts.stored_bytes):  # noqa: ASYNC110 -- no event for it
            await asyncio.sleep(0.01)


async def test_photos_of_a_card_that_was_swapped_are_reported_and_retried_when_it_is_back(
    world: World, card: Card
) -> None:
    """Another card at the same path has files of some of the same names: they do not replace those of the first."""
    photos = write_flight(world.card, 6)
    contents = {photo: photo.read_bytes() for photo in photos}
    dates = {photo: photo.stat().st_mtime_ns for photo in photos}
    async with world.cloud_running(), world.engine() as manager:
        await manager.create_project("Quarry", ProjectKind.IMAGES, None)
        await manager.sign_out("default")
        request = AddRequest((str(world.card),), ExistingProject("Quarry"), auto_process=False)
        upload = (await manager.add(request)).upload
        await until(lambda: world.context.summary.files(upload, FileStage.READY) == 6)
        card.mount = "second"
        for photo in photos[:3]:
            write_photo(photo, 3_000)
        for photo in photos[3:]:
            photo.unlink()
        await manager.sign_in(SignInRequest(world.login()))
        await when(manager, upload, lambda status: status.counts == Counts(failed=6))
        assert world.objects() == {}
        reason = (await files_by_name(manager, upload))[photos[0].name].reason
        assert reason is not None and "another card seems to be in its place" in reason

        other = (await manager.add(request)).upload
        await when(manager, other, lambda status: status.counts == Counts(uploaded=3, failed=6))
        assert other == upload and set(world.objects().values()) == {photo.read_bytes() for photo in photos[:3]}

        card.mount = "third"
        for photo, content in contents.items():
            photo.write_bytes(content)
            os.utime(photo, ns=(dates[photo], dates[photo]))
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts == Counts(uploaded=9))
        assert set(contents.values()) <= set(world.objects().values())
