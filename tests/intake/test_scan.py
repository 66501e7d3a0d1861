"""The scan: every file to upload is found, in order and once; everything else is reported with a reason."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_uploader.errors import NoSuchPath, SourceUnreadable, SourceVanished
from tui_uploader.intake.mounts import mount_at
from tui_uploader.intake.scan import Candidate, candidate_of, scan
from tui_uploader.model.projects import ProjectKind

IMAGES, RESULTS = ProjectKind.IMAGES, ProjectKind.RESULTS


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))
    return folder


def found(*paths: Path, kind: ProjectKind = IMAGES) -> list[Candidate]:
    return [candidate for batch in scan([str(path) for path in paths], kind) for candidate in batch.candidates]


def names(candidates: Iterable[Candidate], below: Path) -> list[str]:
    return [os.path.relpath(candidate.path, below) for candidate in candidates]


def skipped(*paths: Path, kind: ProjectKind = IMAGES) -> dict[str, str]:
    batches = scan([str(path) for path in paths], kind)
    return {Path(entry.path).name: entry.reason for batch in batches for entry in batch.skipped}


def test_images_of_every_extension_and_case_are_found(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.JPG", "c.jpeg", "d.JPEG", "e.tif", "f.TIF", "g.tiff", "h.TiFf")
    assert names(found(tmp_path), tmp_path) == sorted(path.name for path in tmp_path.iterdir())
    assert skipped(tmp_path) == {}


def test_a_candidate_has_the_facts_of_the_file_system(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    status = (tmp_path / "a.jpg").stat()
    mount = mount_at(str(tmp_path))
    expected = Candidate(
        str(tmp_path / "a.jpg"),
        status.st_size,
        status.st_mtime_ns,
        status.st_ino,
        status.st_ctime_ns if mount.keeps_ctime else None,
        mount.identity,
    )
    assert found(tmp_path) == [expected]
    assert candidate_of(str(tmp_path / "a.jpg")) == expected


def test_an_empty_file_is_still_a_candidate(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    assert [candidate.size for candidate in found(tmp_path)] == [0]


def test_the_order_is_natural_and_files_come_before_folders(tmp_path: Path) -> None:
    touch(tmp_path, "DJI_0010.JPG", "DJI_2.JPG", "dji_3.jpg", "101MEDIA/b.jpg", "101MEDIA/a.jpg", "99MEDIA/c.jpg")
    assert names(found(tmp_path), tmp_path) == [
        "DJI_2.JPG",
        "dji_3.jpg",
        "DJI_0010.JPG",
        "99MEDIA/c.jpg",
        "101MEDIA/a.jpg",
        "101MEDIA/b.jpg",
    ]


def test_names_with_equal_numbers_still_have_an_order(tmp_path: Path) -> None:
    touch(tmp_path, "a01.jpg", "a1.jpg", "A1.jpg", "a001.jpg", "a2.jpg")
    assert names(found(tmp_path), tmp_path) == ["A1.jpg", "a001.jpg", "a01.jpg", "a1.jpg", "a2.jpg"]


def test_other_files_are_reported_with_their_extension(tmp_path: Path) -> None:
    touch(tmp_path, "film.MP4", "README", "cloud.las", "evil.j\x1bpg", "long." + "x" * 60)
    assert skipped(tmp_path) == {
        "film.MP4": "not an image (.mp4)",
        "README": "not an image (no extension)",
        "cloud.las": "not an image (.las)",
        "evil.j\x1bpg": r"not an image (.j\x1bpg)",
        "long." + "x" * 60: "not an image (.xxxxxxxxxx…)",
    }


def test_hidden_entries_are_reported_once_per_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "._a.jpg", ".DS_Store", ".photos/x.jpg", ".trash")
    touch(tmp_path / "inner", ".z.jpg")
    assert names(found(tmp_path), tmp_path) == ["a.jpg"]
    assert skipped(tmp_path) == {
        tmp_path.name: "4 hidden entries inside",
        "inner": "1 hidden entry inside",
    }


def test_system_folders_are_skipped_and_reported(tmp_path: Path) -> None:
    touch(tmp_path, "DCIM/a.jpg", "$RECYCLE.BIN/S-1-5/b.jpg", "$Recycle.Bin/c.jpg", "DCIM/.Trash-1000/files/d.jpg")
    (tmp_path / "older").symlink_to(tmp_path / "$Recycle.Bin")
    assert names(found(tmp_path), tmp_path) == ["DCIM/a.jpg"]
    windows = "a folder of deleted files (Windows recycle bin); uploaded only if you name it"
    assert skipped(tmp_path) == {
        "$RECYCLE.BIN": windows,
        "$Recycle.Bin": windows,
        "older": windows,
        ".Trash-1000": "a folder of deleted files (Linux trash); uploaded only if you name it",
    }


def test_a_named_system_folder_is_scanned(tmp_path: Path) -> None:
    """Also a path in it, and everything else in it; it is not reported as skipped if another path contains it."""
    trash = touch(tmp_path, "a.jpg", "$RECYCLE.BIN/S-1-5/b.jpg") / "$RECYCLE.BIN"
    (trash / "z-link").symlink_to(trash / "S-1-5")
    for named in (trash, trash / "S-1-5"):
        assert names(found(named), tmp_path) == ["$RECYCLE.BIN/S-1-5/b.jpg"]
        assert skipped(named) == {}
    assert sorted(names(found(tmp_path, trash), tmp_path)) == ["$RECYCLE.BIN/S-1-5/b.jpg", "a.jpg"]
    assert skipped(tmp_path, trash) == {}


def test_a_named_hidden_folder_is_scanned(tmp_path: Path) -> None:
    touch(tmp_path / ".photos", "a.jpg")
    assert names(found(tmp_path / ".photos"), tmp_path) == [".photos/a.jpg"]


def test_results_and_the_textures_beside_their_mesh(tmp_path: Path) -> None:
    touch(tmp_path, "ortho.tif", "cloud.laz", "cloud.LAS", "mesh/m.OBJ", "mesh/m.mtl", "mesh/t.jpg", "mesh/t.png")
    touch(tmp_path, "photo.jpg", "notes.pdf")
    assert names(found(tmp_path, kind=RESULTS), tmp_path) == [
        "cloud.LAS",
        "cloud.laz",
        "ortho.tif",
        "mesh/m.mtl",
        "mesh/m.OBJ",
        "mesh/t.jpg",
        "mesh/t.png",
    ]
    assert skipped(tmp_path, kind=RESULTS) == {
        "photo.jpg": "not a result (.jpg); textures are taken only from the folder of their .obj",
        "notes.pdf": "not a result (.pdf)",
    }


def test_a_named_texture_counts_beside_its_mesh(tmp_path: Path) -> None:
    touch(tmp_path, "with/m.obj", "with/t.png", "without/t.png")
    assert names(found(tmp_path / "with/t.png", kind=RESULTS), tmp_path) == ["with/t.png"]
    assert found(tmp_path / "without/t.png", kind=RESULTS) == []


def test_a_named_file_is_judged_like_any_other(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "film.mp4")
    assert names(found(tmp_path / "a.jpg", tmp_path / "film.mp4"), tmp_path) == ["a.jpg"]
    assert skipped(tmp_path / "film.mp4") == {"film.mp4": "not an image (.mp4)"}


def test_overlapping_paths_yield_each_file_once_in_the_order_given(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.jpg", "x/b.jpg", "y/c.jpg")
    overlapping = (tmp_path / "y", tmp_path / "x/b.jpg", tmp_path, tmp_path / "x", tmp_path / "x/../x/a.jpg")
    assert names(found(*overlapping), tmp_path) == ["y/c.jpg", "x/b.jpg", "x/a.jpg"]


def test_dots_in_a_path_are_resolved(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.jpg", "y/b.jpg")
    assert names(found(tmp_path / "x/../y"), tmp_path) == ["y/b.jpg"]
    assert ".." not in found(tmp_path / "x/../y")[0].path


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "x/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert [candidate.path for candidate in found(Path())] == [str(tmp_path / "x/a.jpg")]


def test_a_link_to_a_file_counts_as_that_file(tmp_path: Path) -> None:
    touch(tmp_path, "cards/a.jpg", "links/.keep")
    (tmp_path / "cards/b.jpg").symlink_to("../links/target.bin")
    (tmp_path / "links/c.jpg").symlink_to(tmp_path / "cards/a.jpg")
    (tmp_path / "links/target.bin").touch()
    assert names(found(tmp_path), tmp_path) == ["cards/a.jpg", "cards/b.jpg"]
    linked = found(tmp_path)[1]
    assert linked.inode == (tmp_path / "links/target.bin").stat().st_ino
    assert linked.real == str(tmp_path / "links/target.bin")
    assert candidate_of(linked.path, linked.real) == linked


def test_a_link_is_followed_only_into_named_paths(tmp_path: Path) -> None:
    """A card does not choose which files of this machine are uploaded."""
    touch(tmp_path, "card/a.jpg", "card/inner/b.jpg", "card 2/c.jpg", "home/private.jpg", "home/more/d.jpg")
    card = tmp_path / "card"
    (card / "key.jpg").symlink_to("../home/private.jpg")
    (card / "pictures").symlink_to(tmp_path / "home")
    (card / "neighbour").symlink_to(tmp_path / "card 2")
    (card / "root").symlink_to("/")
    (card / "inner/over.jpg").symlink_to("../../card 2/c.jpg")
    (card / "inner/step.jpg").symlink_to("../key.jpg")
    assert names(found(card), card) == ["a.jpg", "inner/b.jpg"]
    reason = "a link that leads out of the folders you named; name its target to upload it"
    assert skipped(card) == dict.fromkeys(["key.jpg", "pictures", "neighbour", "root", "over.jpg", "step.jpg"], reason)
    both = list(scan([str(card)], IMAGES, named=[str(card), str(tmp_path / "card 2")]))
    linked = [candidate.path for batch in both for candidate in batch.candidates]
    assert [os.path.relpath(path, card) for path in linked] == ["a.jpg", "inner/b.jpg", "inner/over.jpg"]


def test_a_named_path_may_be_a_link(tmp_path: Path) -> None:
    touch(tmp_path, "disk/flight/a.jpg", "disk/flight/inner/b.jpg", "disk/c.jpg")
    (tmp_path / "card").symlink_to("disk/flight")
    (tmp_path / "photo.jpg").symlink_to("disk/c.jpg")
    (tmp_path / "disk/flight/again").symlink_to(tmp_path / "card/inner")
    candidates = found(tmp_path / "card", tmp_path / "photo.jpg")
    assert names(candidates, tmp_path) == ["card/a.jpg", "card/again/b.jpg", "photo.jpg"]
    real_paths = [os.path.relpath(candidate.real, tmp_path) for candidate in candidates]
    assert real_paths == ["disk/flight/a.jpg", "disk/flight/inner/b.jpg", "disk/c.jpg"]


def test_hard_links_are_files_of_their_own(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").hardlink_to(tmp_path / "a.jpg")
    assert names(found(tmp_path), tmp_path) == ["a.jpg", "b.jpg"]


def test_a_linked_folder_is_scanned_once(tmp_path: Path) -> None:
    touch(tmp_path, "card/a.jpg", "elsewhere/b.jpg")
    (tmp_path / "card/more").symlink_to(tmp_path / "elsewhere")
    assert names(found(tmp_path / "card", tmp_path / "elsewhere"), tmp_path) == ["card/a.jpg", "card/more/b.jpg"]
    assert skipped(tmp_path / "card", tmp_path / "elsewhere") == {}


def test_a_file_below_a_linked_folder_is_recognised_by_its_real_path(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.jpg")
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    assert len(found(tmp_path / "alias", tmp_path / "real/a.jpg")) == 1
    assert len(found(tmp_path / "real/a.jpg", tmp_path / "alias")) == 1


def test_a_circle_of_folders_is_reported_once(tmp_path: Path) -> None:
    touch(tmp_path, "card/inner/a.jpg")
    (tmp_path / "card/inner/back").symlink_to(tmp_path / "card")
    assert names(found(tmp_path), tmp_path) == ["card/inner/a.jpg"]
    assert skipped(tmp_path) == {"back": "links to a folder that contains it"}


def test_dead_and_circular_links_are_reported(tmp_path: Path) -> None:
    (tmp_path / "dead.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "card").symlink_to(tmp_path / "unmounted")
    (tmp_path / "circle.jpg").symlink_to(tmp_path / "circle.jpg")
    reasons = skipped(tmp_path)
    assert reasons["dead.jpg"] == reasons["card"] == "links to something that does not exist"
    assert "lead in a circle" in reasons["circle.jpg"]
    assert found(tmp_path) == []


def test_only_regular_files_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.jpg")
        assert skipped(tmp_path) == {
            "pipe.jpg": "is a named pipe, not a file",
            "socket.jpg": "is a socket, not a file",
        }
        (tmp_path / "null.jpg").symlink_to("/dev/null")
        assert skipped(tmp_path / "null.jpg") == {"null.jpg": "is a device, not a file"}
        assert skipped(tmp_path / "pipe.jpg") == {"pipe.jpg": "is a named pipe, not a file"}


def test_a_folder_too_deep_to_be_opened_is_reported(tmp_path: Path) -> None:
    """Such trees exist: they are created by copying one level at a time."""
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(20):
            os.mkdir("d" * 250, dir_fd=here)
            inner = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
    finally:
        os.close(here)
    touch(tmp_path, "a.jpg")
    assert names(found(tmp_path), tmp_path) == ["a.jpg"]
    assert ["nearer to the root" in reason for reason in skipped(tmp_path).values()] == [True]


def test_a_folder_removed_during_the_scan_is_reported(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "gone/b.jpg", "stays/c.jpg")
    batches = scan([str(tmp_path)], IMAGES, batch_size=1)
    seen = [next(batches)]
    (tmp_path / "gone/b.jpg").unlink()
    (tmp_path / "gone").rmdir()
    seen.extend(batches)
    assert names([c for batch in seen for c in batch.candidates], tmp_path) == ["a.jpg", "stays/c.jpg"]
    assert [s.reason for batch in seen for s in batch.skipped] == ["vanished during the scan"]


def test_a_file_removed_during_the_scan_is_reported(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    batches = scan([str(tmp_path)], IMAGES, batch_size=1)
    seen = [next(batches)]
    (tmp_path / "b.jpg").unlink()
    (tmp_path / "c.jpg").unlink()
    (tmp_path / "c.jpg").mkdir()
    seen.extend(batches)
    assert names([c for batch in seen for c in batch.candidates], tmp_path) == ["a.jpg"]
    assert [s.reason for batch in seen for s in batch.skipped] == ["vanished during the scan", "is a folder"]


def test_a_named_path_that_vanishes_after_the_first_batch_is_reported(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.jpg")
    batches = scan([str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg")], IMAGES, batch_size=1)
    next(batches)
    (tmp_path / "b.jpg").unlink()
    assert [s.reason for batch in batches for s in batch.skipped] == ["vanished during the scan"]


def test_a_card_that_is_removed_during_the_scan_fails_the_scan(tmp_path: Path) -> None:
    """The files found until then are not all."""
    touch(tmp_path, "card/a.jpg", "card/inner/b.jpg")
    batches = scan([str(tmp_path / "card")], IMAGES, batch_size=1)
    next(batches)
    (tmp_path / "card").rename(tmp_path / "away")
    with pytest.raises(SourceVanished, match="card"):
        list(batches)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter everything")
def test_a_folder_without_permission_is_reported_and_the_rest_is_found(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "locked/b.jpg")
    (tmp_path / "locked").chmod(0)
    try:
        assert names(found(tmp_path), tmp_path) == ["a.jpg"]
        assert "give your user the right" in skipped(tmp_path)["locked"]
        with pytest.raises(SourceUnreadable):
            found(tmp_path / "locked")
    finally:
        (tmp_path / "locked").chmod(stat.S_IRWXU)


@pytest.mark.parametrize("given_path", ["", "nowhere", "file.jpg/inside", "dead", "zero\0byte", "lone\ud800surrogate"])
def test_a_missing_named_path_raises_before_the_first_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given_path: str
) -> None:
    touch(tmp_path, "file.jpg")
    (tmp_path / "dead").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoSuchPath) as caught:
        next(scan(["file.jpg", given_path], IMAGES))
    assert str(caught.value).isprintable()


def test_a_named_path_that_cannot_be_resolved_raises(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    for path in (tmp_path / "circle", tmp_path / ("x" * 300)):
        with pytest.raises(SourceUnreadable):
            next(scan([str(path)], IMAGES))


def test_all_batches_but_the_last_are_full_and_none_is_empty(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{number}.jpg" for number in range(7)), "x.mp4")
    sizes = [len(batch.candidates) + len(batch.skipped) for batch in scan([str(tmp_path)], IMAGES, batch_size=3)]
    assert sizes == [3, 3, 2]
    (tmp_path / "nothing").mkdir()
    assert list(scan([str(tmp_path / "nothing")], IMAGES)) == []
    assert list(scan([], IMAGES)) == []


def test_a_candidate_is_read_again_or_has_vanished(tmp_path: Path) -> None:
    with pytest.raises(SourceVanished):
        candidate_of(str(tmp_path / "nowhere.jpg"))
    with pytest.raises(SourceUnreadable, match="a folder"):
        candidate_of(str(tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        b"with space.jpg",
        b"50%+#.jpg",
        "é.jpg".encode(),
        "e\u0301.jpg".encode(),
        "🚁.jpg".encode(),
        b"x" * 251 + b".jpg",
        b"line\nbreak.jpg",
        b"\x1b[2Jclear.jpg",
        b"latin-\xe9.jpg",
        b"\xff\xfe.jpg",
    ],
)
def test_names_come_back_byte_for_byte(tmp_path: Path, name: bytes) -> None:
    touch(tmp_path, os.fsdecode(name))
    assert [os.fsencode(Path(candidate.path).name) for candidate in found(tmp_path)] == [name]


STEMS = st.binary(min_size=1, max_size=60).filter(lambda name: not set(name) & {0, 0x2F}).map(os.fsdecode)


@settings(max_examples=60, deadline=None)
@given(st.sets(STEMS, max_size=12), st.integers(min_value=1, max_value=5))
def test_every_entry_is_found_or_reported_whatever_its_name(
    tmp_path_factory: pytest.TempPathFactory, stems: set[str], batch_size: int
) -> None:
    folder = tmp_path_factory.mktemp("card")
    wanted = {f"x{stem}.jpg" for stem in stems}
    other = {f"x{stem}.mp4" for stem in stems}
    touch(folder, *wanted, *other)
    batches = list(scan([str(folder)], IMAGES, batch_size=batch_size))
    assert {Path(c.path).name for batch in batches for c in batch.candidates} == wanted
    assert {Path(s.path).name for batch in batches for s in batch.skipped} == other
