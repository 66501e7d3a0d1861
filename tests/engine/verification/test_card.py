"""The walk of a card, and the reading of its files."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
import xxhash

from tui_uploader.engine.verification import card_walk, reading
from tui_uploader.engine.verification.card_walk import CardEntry, Root, root_of, walk, without_inner
from tui_uploader.engine.verification.reading import FileToRead, ReadCall, ReadFile, read_files
from tui_uploader.engine.verification.second_walk import is_unchanged
from tui_uploader.file_kinds import card_kind
from tui_uploader.intake.scan import Candidate, candidate_of
from tui_uploader.model.verification import CardFileKind, Finding


def walked(*paths: Path) -> dict[str, CardEntry]:
    roots = without_inner([root_of(str(path)) for path in paths])
    entries = [entry for root in roots for batch in walk(root) for entry in batch]
    assert len({entry.found.path for entry in entries}) == len(entries)
    return {entry.found.path: entry for entry in entries}


def write(path: Path, content: bytes = b"content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("DJI_0001.JPG", CardFileKind.IMAGE),
        ("/a/b.TiFf", CardFileKind.IMAGE),
        ("DJI_0001.DNG", CardFileKind.OTHER),
        ("DJI_0001.MP4", CardFileKind.VIDEO),
        ("DJI_0001.SRT", CardFileKind.LOG),
        ("PPKRAW.bin", CardFileKind.POSITIONING),
        ("base.24O", CardFileKind.POSITIONING),
        ("Timestamp.MRK", CardFileKind.POSITIONING),
        ("note.wav", CardFileKind.SOUND),
        ("cloud.laz", CardFileKind.RESULT),
        ("JPG", CardFileKind.OTHER),
        (".JPG", CardFileKind.OTHER),
        ("IMG.JPG\n", CardFileKind.OTHER),
    ],
)
def test_a_name_tells_the_kind(name: str, kind: CardFileKind) -> None:
    assert card_kind(name) is kind


def test_everything_on_a_card_is_found(tmp_path: Path) -> None:
    image = write(tmp_path / "DCIM" / "DJI_0001.JPG")
    write(tmp_path / "DCIM" / "._DJI_0001.JPG")
    write(tmp_path / ".hidden" / "deep" / "DJI_0002.JPG")
    write(tmp_path / "LOST.DIR" / "DJI_0003.JPG")
    write(tmp_path / "ascmhl" / "0001_card.mhl")
    write(tmp_path / "ascmhl" / "DJI_0004.JPG")
    write(tmp_path / "tui-uploader-receipt-2026-11-30-Quarry-1.json")
    (tmp_path / "link.JPG").symlink_to(image)
    (tmp_path / "folder link").symlink_to(image.parent)
    os.mkfifo(tmp_path / "pipe.JPG")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        found = walked(tmp_path)
    assert {str(Path(path).relative_to(tmp_path)): (entry.kind, entry.finding) for path, entry in found.items()} == {
        "DCIM/DJI_0001.JPG": (CardFileKind.IMAGE, None),
        "DCIM/._DJI_0001.JPG": (CardFileKind.HIDDEN, Finding.APART),
        ".hidden/deep/DJI_0002.JPG": (CardFileKind.HIDDEN, Finding.APART),
        "LOST.DIR": (CardFileKind.SYSTEM, Finding.APART),
        "ascmhl/0001_card.mhl": (CardFileKind.RECEIPT, Finding.APART),
        "ascmhl/DJI_0004.JPG": (CardFileKind.IMAGE, None),
        "tui-uploader-receipt-2026-11-30-Quarry-1.json": (CardFileKind.RECEIPT, Finding.APART),
        "link.JPG": (CardFileKind.LINK, Finding.APART),
        "folder link": (CardFileKind.LINK, Finding.APART),
        "pipe.JPG": (CardFileKind.OTHER, Finding.APART),
        "socket": (CardFileKind.OTHER, Finding.APART),
    }


def test_what_the_user_named_counts_although_it_is_hidden(tmp_path: Path) -> None:
    hidden = write(tmp_path / ".hidden" / "deep" / "DJI_0002.JPG")
    system = write(tmp_path / "LOST.DIR" / "DJI_0003.JPG")
    write(tmp_path / ".hidden" / "DJI_0004.JPG")
    for paths in ([hidden.parent, system.parent], [hidden, system], [system, system.parent, hidden.parent]):
        found = walked(tmp_path, *paths)
        assert found[str(hidden)].finding is None
        assert found[str(system)].finding is None
        assert found[str(tmp_path / ".hidden" / "DJI_0004.JPG")].finding is Finding.APART


def test_paths_are_those_that_the_user_named_and_links_to_them_lead_to_the_same_files(tmp_path: Path) -> None:
    image = write(tmp_path / "card" / "DJI_0001.JPG")
    (tmp_path / "link").symlink_to(image.parent)
    assert list(walked(tmp_path / "link")) == [str(tmp_path / "link" / "DJI_0001.JPG")]
    assert len(walked(tmp_path / "link", tmp_path / "card", image)) == 1
    root = root_of(str(tmp_path / "link"))
    assert root.real_of(root.path + "/DJI_0001.JPG") == str(image)
    assert Root("/", "/").real_of("/a") == "/a"


def test_a_folder_that_cannot_be_listed_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = write(tmp_path / "DCIM" / "DJI_0001.JPG")
    listed = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "DCIM":
            raise OSError(5, "Input/output error")
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    entry = walked(tmp_path)[str(image.parent)]
    assert entry.finding is Finding.UNREADABLE
    assert "Input/output error" in (entry.reason or "")


def test_folders_without_end_are_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_walk, "_DEEPEST", 2)
    write(tmp_path / "a" / "b" / "c" / "d.JPG")
    assert walked(tmp_path)[str(tmp_path / "a" / "b" / "c")].finding is Finding.UNREADABLE


# ---------------------------------------------------------------------------------------------------------- reading


def read(*paths: Path, settle: float = 0.0, now: float | None = None, call: ReadCall | None = None) -> list[ReadFile]:
    files = [FileToRead(candidate_of(str(path)), str(path)) for path in paths]
    return read_files(files, call or ReadCall(), settle, time.time if now is None else lambda: now)


def test_every_byte_is_read(tmp_path: Path) -> None:
    contents = [b"", b"x", os.urandom(3_000_000), b"x" * (1 << 20)]
    paths = [write(tmp_path / str(number % 2) / str(number), content) for number, content in enumerate(contents)]
    call = ReadCall()
    outcomes = read(*paths, call=call)
    assert [each.identity for each in outcomes] == [xxhash.xxh3_128(content).hexdigest() for content in contents]
    assert [each.found for each in outcomes] == [candidate_of(str(path)) for path in paths]
    assert call.moved() == (4, sum(map(len, contents)))


def test_a_file_is_read_once_a_later_change_would_show(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    changed = path.stat().st_ctime_ns / 1e9
    assert read(path, settle=2.0, now=changed + 1.9)[0].changing
    assert read(path, settle=2.0, now=changed + 2.1)[0].identity is not None
    assert read(path, settle=2.0, now=changed - 3600)[0].identity is not None, "a later change has another time"


def test_a_file_that_changes_while_it_is_read_has_no_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a")
    before, readv = path.stat(), os.readv

    def changing(descriptor: int, buffers: list[memoryview]) -> int:
        path.write_bytes(b"another")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        time.sleep(0.02)
        path.chmod(0o640)
        return readv(descriptor, buffers)

    monkeypatch.setattr(os, "readv", changing)
    call = ReadCall()
    outcome = read(path, call=call)[0]
    assert (outcome.changing, outcome.identity, call.bytes) == (True, None, 0)


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    path, other = write(tmp_path / "DCIM" / "a"), write(tmp_path / "other" / "a")
    file = FileToRead(candidate_of(str(path)), str(path))
    path.unlink()
    path.symlink_to(other)
    assert read_files([file], ReadCall(), 0.0)[0].reason is not None
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(other.parent)
    assert read_files([file], ReadCall(), 0.0)[0].reason is not None


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a")
    file = FileToRead(candidate_of(str(path)), str(path))
    path.unlink()
    outcome = read_files([file], ReadCall(), 0.0)[0]
    assert outcome.vanished
    assert outcome.reason is not None


def test_a_stopped_call_ends_in_the_middle_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_BUFFER_SIZE", 4)
    paths, call, readv = [write(tmp_path / name, os.urandom(3 << 20)) for name in "abc"], ReadCall(), os.readv

    def stopping(descriptor: int, buffers: list[memoryview]) -> int:
        if call.files == 1:
            call.stopped.set()
        return readv(descriptor, buffers)

    monkeypatch.setattr(os, "readv", stopping)
    assert len(read(*paths, call=call)) == 1
    assert call.bytes < 6 << 20


BEFORE = Candidate("/a", 10, 5, 7, ctime_ns=9, mount="m")
FAT = Candidate("/a", 10, 5, 7, ctime_ns=None, mount="m")


@pytest.mark.parametrize(
    ("read", "found", "same"),
    [
        (BEFORE, BEFORE, True),
        (BEFORE, Candidate("/a", 11, 5, 7, 9, "m"), False),
        (BEFORE, Candidate("/a", 10, 6, 7, 9, "m"), False),
        (BEFORE, Candidate("/a", 10, 5, 8, 9, "m"), False),
        (BEFORE, Candidate("/a", 10, 5, 7, 10, "m"), False),
        (BEFORE, Candidate("/a", 10, 5, 7, None, "m"), False),
        (BEFORE, Candidate("/a", 10, 5, 7, 9, "n"), False),
        (FAT, Candidate("/a", 10, 5, 8, None, "m"), True),
        (FAT, Candidate("/a", 10, 6, 7, None, "m"), False),
        (FAT, Candidate("/a", 10, 5, 7, None, "n"), False),
    ],
)
def test_a_file_is_the_one_that_was_read_or_not(read: Candidate, found: Candidate, same: bool) -> None:
    assert is_unchanged(read, found) is same
