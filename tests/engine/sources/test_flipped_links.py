"""Files, folders and links on a card are exchanged while it is uploaded: nothing but the card leaves the machine,
and nothing is read that is no file."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.rows import FILE
from tests.engine.world import World, add, files_by_name, settled
from tests.intake.flips import all_the_time, before_each_call, exchanged
from tests.photos import another_of_equal_size, write_photo
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.pipeline import transfer
from tui_uploader.engine.sources import read as reading
from tui_uploader.engine.sources.open import OpenFile, open_checked
from tui_uploader.engine.sources.read import read_file
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.errors import SourceChanged, SourceError, SourceUnreadable
from tui_uploader.intake.fingerprint import fingerprint
from tui_uploader.intake.inspect import inspect_image
from tui_uploader.intake.observation import observe
from tui_uploader.intake.scan import Candidate, candidate_of, scan
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.files import PhotoFacts
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.states import FileStatus

_FLIPS = 400


class Card:
    """A card with one photo, and a folder of the user's with another one of the same name, size and time."""

    def __init__(self, folder: Path) -> None:
        self.photo = write_photo(folder / "card" / "DCIM" / "DJI_0001.JPG", 6_000)
        self.private = write_photo(folder / "home" / "DJI_0001.JPG", 6_000)
        self.content = self.photo.read_bytes()
        self.private.write_bytes(another_of_equal_size(self.content))
        os.utime(self.private, ns=(self.photo.stat().st_atime_ns, self.photo.stat().st_mtime_ns))
        self.identity = fingerprint(str(self.photo)).identity
        self.row = self.row_of(candidate_of(str(self.photo)))

    def row_of(self, found: Candidate) -> FileRecord:
        """As on a card with FAT, where only size and time distinguish files."""
        return replace(
            FILE, path=found.path, size=found.size, mtime_ns=found.mtime_ns, inode=found.inode, real=found.real
        )

    def link_the_file(self) -> None:
        exchanged(self.photo, lambda place: place.symlink_to(self.private))

    def restore_the_file(self) -> None:
        exchanged(self.photo, self._write)

    def link_the_folder(self) -> None:
        exchanged(self.photo.parent, lambda place: place.symlink_to(self.private.parent))

    def restore_the_folder(self) -> None:
        exchanged(self.photo.parent, self._make_folder)

    def _make_folder(self, place: Path) -> None:
        place.mkdir()
        self._write(place / self.photo.name)

    def overwrite(self, content: bytes) -> None:
        with self.photo.open("r+b") as file:
            file.write(content)
        os.utime(self.photo, ns=(self.row.mtime_ns, self.row.mtime_ns))

    def _write(self, place: Path) -> None:
        place.write_bytes(self.content)
        os.utime(place, ns=(self.row.mtime_ns, self.row.mtime_ns))


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


@pytest.fixture(params=["file", "folder"])
def flip_of(request: pytest.FixtureRequest, card: Card) -> tuple[Callable[[], None], Callable[[], None]]:
    if request.param == "file":
        return card.link_the_file, card.restore_the_file
    return card.link_the_folder, card.restore_the_folder


def read(card: Card, row: FileRecord | None = None) -> bool:
    """Check the file; whether that gave a content, which is that of the card."""
    try:
        content = read_file(row or card.row, ProjectKind.IMAGES, None).content
    except SourceError:
        return False
    assert content is None or content.identity == card.identity
    return content is not None


def test_a_check_reads_one_file_whenever_a_link_is_flipped(
    card: Card, flip_of: tuple[Callable[[], None], Callable[[], None]]
) -> None:
    """Before every single system call of the check."""
    readable: list[bool] = []
    assert before_each_call(lambda: readable.append(read(card)), *flip_of) > 10
    assert {False, True} == set(readable)


def test_a_check_reads_one_file_while_a_link_is_flipped_all_the_time(
    card: Card, flip_of: tuple[Callable[[], None], Callable[[], None]]
) -> None:
    with all_the_time(*flip_of):
        results = [read(card) for _ in range(_FLIPS)]
    assert len(results) == _FLIPS
    assert read(card)


def test_a_file_that_is_written_to_while_it_is_inspected_has_changed(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inspection and the hashes would be of different bytes."""

    def written_to_before(path: str, descriptor: int) -> PhotoFacts:
        card.photo.write_bytes(another_of_equal_size(card.content))
        return inspect_image(path, descriptor)

    monkeypatch.setattr(reading, "inspect_image", written_to_before)
    with pytest.raises(SourceChanged):
        read_file(card.row, ProjectKind.IMAGES, None)


def test_a_scan_finds_files_of_the_card_whenever_a_link_is_flipped(
    card: Card, flip_of: tuple[Callable[[], None], Callable[[], None]]
) -> None:
    top = str(card.photo.parents[1])
    read_at_all: list[bool] = []

    def walk_and_check() -> None:
        try:
            found = [candidate for batch in scan([top], ProjectKind.IMAGES) for candidate in batch.candidates]
        except SourceError:
            return
        for candidate in found:
            assert (candidate.real or candidate.path).startswith(top + "/")
            read_at_all.append(read(card, card.row_of(candidate)))

    assert before_each_call(walk_and_check, *flip_of) > 20
    assert any(read_at_all)


@pytest.mark.parametrize("read_one", [candidate_of, observe, fingerprint])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link", "link to a device"])
def test_pipes_and_devices_are_neither_waited_for_nor_read(
    card: Card, read_one: Callable[[str], object], kind: str
) -> None:
    makers: dict[str, Callable[[Path], object]] = {
        "pipe": os.mkfifo,
        "device": lambda place: os.mknod(place, 0o20666, os.makedev(1, 5)),
        "folder": Path.mkdir,
        "link": lambda place: place.symlink_to(card.private),
        "link to a device": lambda place: place.symlink_to("/dev/zero"),
    }
    try:
        exchanged(card.photo, makers[kind])
    except PermissionError:
        pytest.skip("this user may not make a device")
    with pytest.raises(SourceUnreadable):
        read_one(str(card.photo))


# ------------------------------------------------------------------------------------------- with a real engine


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


async def test_a_named_link_is_followed_to_its_target_at_the_scan(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal has the real paths of the files: exchanging the link does not change which file is sent."""
    card = Card(world.folder)
    named = world.folder / "flights"
    named.symlink_to(card.photo.parent)

    @asynccontextmanager
    async def flipped_before(threads: SourceThreads, journal: Journal, row: FileRecord) -> AsyncIterator[OpenFile]:
        exchanged(named, lambda place: place.symlink_to(card.private.parent))
        async with open_checked(threads, journal, row) as source:
            yield source

    monkeypatch.setattr(transfer, "open_checked", flipped_before)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, named, auto_process=False)
        await settled(manager, upload.upload)
    assert named.resolve() == card.private.parent
    assert world.objects() == {"DJI_0001.JPG": card.content}


async def test_a_folder_that_is_walked_again_obeys_the_same_rule(world: World) -> None:
    card = Card(world.folder)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await settled(manager, upload.upload)
        card.link_the_file()
        write_photo(world.card / "NEW.JPG")
        again = await add(manager, world.card, auto_process=False)
        await settled(manager, again.upload)
        assert [entry.path for entry in await manager.queries.skipped(again.upload)] == [str(card.photo)]
    assert set(world.objects()) == {"DJI_0001.JPG", "NEW.JPG"}
    assert world.objects()["DJI_0001.JPG"] == card.content


@pytest.mark.parametrize("what", ["link of the file", "link of the folder", "another file", "bytes"])
async def test_a_file_replaced_between_check_and_sending_is_not_stored_as_the_checked_one(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """ "Bytes" are written to the open file, with its time put back: only the checksum of the sent bytes shows it."""
    card = Card(world.folder)
    flips: dict[str, Callable[[], object]] = {
        "link of the file": card.link_the_file,
        "link of the folder": card.link_the_folder,
        "another file": lambda: exchanged(card.photo, lambda place: os.link(card.private, place)),
        "bytes": lambda: card.overwrite(card.private.read_bytes()),
    }
    flipped: list[bool] = []

    @asynccontextmanager
    async def flipped_about_then(threads: SourceThreads, journal: Journal, row: FileRecord) -> AsyncIterator[OpenFile]:
        first = not flipped
        flipped.append(True)
        if first and what != "bytes":
            flips[what]()
        async with open_checked(threads, journal, row) as source:
            if first and what == "bytes":
                flips[what]()
            yield source

    monkeypatch.setattr(transfer, "open_checked", flipped_about_then)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await settled(manager, upload.upload)
        item = (await files_by_name(manager, upload.upload))["DJI_0001.JPG"]
    assert flipped
    if what in ("another file", "bytes"):  # it is on the card by now, and goes up as what it is
        assert world.objects() == {item.object: card.private.read_bytes()}
        assert item.object != "DJI_0001.JPG"  # the name of the file that was checked first
    else:
        assert world.objects() == {}
        assert item.status is FileStatus.FAILED
        assert "leads over a link" in (item.reason or "")
