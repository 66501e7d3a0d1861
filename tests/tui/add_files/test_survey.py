from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.uploads import Skipped
from tui_uploader.tui.add_files.paths.folder_counts import LocalPath
from tui_uploader.tui.add_files.survey import MOST_LISTED, PathFacts, survey, together

IMAGES, RESULTS = ProjectKind.IMAGES, ProjectKind.RESULTS


def never() -> bool:
    return False


def ignore(_: PathFacts) -> None:
    """What is known so far does not matter."""


def look(path: Path, kind: ProjectKind = IMAGES, stopped: Callable[[], bool] = never) -> PathFacts:
    return survey(LocalPath(str(path), path.is_dir()), kind, stopped, ignore)


def test_files_bytes_and_what_is_left_out(tmp_path: Path) -> None:
    for name, size in (("a.JPG", 3), ("b.jpeg", 4), ("notes.txt", 5), (".hidden.JPG", 6), ("ortho.las", 7)):
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "c.tif").write_bytes(b"x" * 10)
    (tmp_path / "LOST.DIR").mkdir()
    (tmp_path / "LOST.DIR" / "d.JPG").touch()
    (tmp_path / "out").symlink_to("/etc")
    (tmp_path / "again.JPG").symlink_to(tmp_path / "a.JPG")
    facts = look(tmp_path)
    assert (facts.files, facts.size, facts.left_out, facts.complete) == (3, 17, 5, True)
    assert set(facts.listed) == {
        Skipped(f"{tmp_path}/notes.txt", "not an image (.txt)"),
        Skipped(f"{tmp_path}/ortho.las", "not an image (.las)"),
        Skipped(str(tmp_path), "1 hidden entry inside"),
        Skipped(f"{tmp_path}/LOST.DIR", "a folder of recovered pieces of files (disk check)"),
        Skipped(f"{tmp_path}/out", "a link that leads out of the chosen folder; choose its target to upload it"),
    }


def test_one_file_by_its_name(tmp_path: Path) -> None:
    for name in ("a.JPG", "notes.txt", "tower.obj", "wall.jpg"):
        (tmp_path / name).write_bytes(b"xy")
    assert look(tmp_path / "a.JPG") == PathFacts(1, 2, complete=True)
    skipped = Skipped(f"{tmp_path}/notes.txt", "not an image (.txt)")
    assert look(tmp_path / "notes.txt") == PathFacts(left_out=1, listed=(skipped,), complete=True)
    assert look(tmp_path / "wall.jpg", RESULTS).files == 1  # a texture beside its mesh


def test_what_cannot_be_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.JPG").touch()
    os.mkfifo(tmp_path / "b.JPG")
    (tmp_path / "c.JPG").symlink_to(tmp_path / "nothing.JPG")
    monkeypatch.setattr("tui_uploader.tui.add_files.survey.os.access", lambda path, mode: False)
    facts = look(tmp_path)
    assert facts.files == 0 and facts.complete
    assert {skipped.reason for skipped in facts.listed} == {
        "cannot be read: permission denied",
        "is not a regular file",
        "links to something that does not exist",
    }
    gone = look(tmp_path / "gone.JPG")
    assert gone.listed == (Skipped(f"{tmp_path}/gone.JPG", "cannot be read: no such file or directory"),)


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tui_uploader.tui.add_files.paths.folder_counts.os.scandir", scandir)
    assert look(tmp_path).listed == (Skipped(str(tmp_path), "cannot be read: permission denied"),)


def test_it_tells_what_it_knows_so_far_and_stops_when_asked(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / f"{number}.JPG").write_bytes(b"x")
    told: list[PathFacts] = []
    facts = survey(LocalPath(str(tmp_path), True), IMAGES, never, told.append)
    assert [each.files for each in told] == [0, 250, 500] and not any(each.complete for each in told)
    assert (facts.files, facts.complete) == (600, True)
    stopped = survey(LocalPath(str(tmp_path), True), IMAGES, lambda: True, ignore)
    assert not stopped.complete and stopped.files == 0


def test_several_paths_together(tmp_path: Path) -> None:
    skipped = tuple(Skipped(str(number), "") for number in range(MOST_LISTED))
    sum_of = together([PathFacts(1, 2, 1_000, skipped, True), PathFacts(3, 4, 1, (Skipped("x", ""),), True)])
    assert (sum_of.files, sum_of.size, sum_of.left_out, len(sum_of.listed)) == (4, 6, 1_001, MOST_LISTED)
    assert sum_of.complete and not together([PathFacts(complete=True), PathFacts()]).complete
    assert together([]) == PathFacts(complete=True)
