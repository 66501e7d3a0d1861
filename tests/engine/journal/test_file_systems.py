"""Journals on unusual file systems and at unusable paths, and exclusive use by one process."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_uploader.engine.journal.journal import Journal
from tui_uploader.engine.journal.migrations import SCHEMA_VERSION
from tui_uploader.engine.journal.tables import projects
from tui_uploader.errors import EngineError, JournalInUse, JournalTooNew, JournalUnwritable
from tui_uploader.model.projects import ProjectKind

WITHOUT_SHARED_MEMORY = "unix-dotfile"
"""A file layer of SQLite for file systems without working locks. It has no shared memory either."""


def add_project(name: str) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: projects.add_project(connection, "a", name, ProjectKind.IMAGES)


def count_projects(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COUNT(*) FROM projects").fetchone()[0])


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


async def test_without_shared_memory_reads_see_committed_changes(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal.open(path, vfs=WITHOUT_SHARED_MEMORY)
    written = [asyncio.create_task(journal.write(add_project(str(number)))) for number in range(30)]
    read = [asyncio.create_task(journal.read(count_projects)) for _ in range(30)]
    assert sorted(await asyncio.gather(*written)) == list(range(1, 31))
    assert all(0 <= count <= 30 for count in await asyncio.gather(*read))
    assert await journal.read(count_projects) == 30
    with pytest.raises(JournalUnwritable):
        await journal.read(add_project("reading cannot write"))
    assert await journal.write(add_project("but what follows it can")) == 31
    await journal.close()
    assert names_in(tmp_path) == ["journal.sqlite"]


async def test_a_journal_moves_to_a_file_system_without_shared_memory_and_back(tmp_path: Path) -> None:
    """A home directory that moved to another file system, with everything before its last checkpoint."""
    path = tmp_path / "journal.sqlite"
    for number, vfs in enumerate([None, WITHOUT_SHARED_MEMORY, None, WITHOUT_SHARED_MEMORY]):
        journal = Journal.open(path, vfs=vfs)
        await journal.write(add_project(str(number)))
        assert await journal.read(count_projects) == number + 1
        await journal.close()


@pytest.mark.skipif(
    not shutil.which("bindfs") or not shutil.which("fusermount3") or not os.access("/dev/fuse", os.R_OK | os.W_OK),
    reason="needs bindfs, and the right to mount with FUSE",
)
async def test_a_fuse_file_system_without_shared_memory_holds_a_journal(tmp_path: Path) -> None:
    disk, mounted = tmp_path / "disk", tmp_path / "mounted"
    for folder in (disk, mounted):
        folder.mkdir()
    subprocess.run(["bindfs", "-o", "direct_io", disk, mounted], check=True)
    try:
        for number in range(2):
            journal = Journal.open(mounted / "data" / "journal.sqlite")
            await journal.write(add_project(str(number)))
            assert await journal.read(count_projects) == number + 1
            with pytest.raises(JournalInUse):
                Journal.open(mounted / "data" / "journal.sqlite")
            await journal.close()
            assert names_in(mounted / "data") == ["journal.sqlite"]
    finally:
        subprocess.run(["fusermount3", "-u", mounted], check=True)


_WRITES_AND_DIES = """
import asyncio, os, sys
from pathlib import Path
from tui_uploader.engine.journal.tables import projects
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.model.projects import ProjectKind

async def main():
    journal = Journal.open(Path(sys.argv[1]), vfs=sys.argv[2])
    for number in range(20):
        await journal.write(lambda c: projects.add_project(c, "a", str(number), ProjectKind.IMAGES))
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def test_without_shared_memory_acknowledged_changes_survive_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    # This layer's locks are folders, which stay when a process dies; real locks are released.
    subprocess.run([sys.executable, "-c", _WRITES_AND_DIES, os.fspath(path), WITHOUT_SHARED_MEMORY], check=False)
    Path(f"{path}.lock").rmdir()
    journal = Journal.open(path, vfs=WITHOUT_SHARED_MEMORY)
    assert [project.name for project in journal.summary.projects.values()] == [str(number) for number in range(20)]
    await journal.close()


def _folder_in_its_place(path: Path) -> None:
    path.mkdir()


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def _link_into_nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "absent" / "journal.sqlite")


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (_folder_in_its_place, "is a folder"),
        (_link_to_itself, "Too many levels of symbolic links|No such file|Cannot"),
        (_link_into_nowhere, "Cannot use"),
    ],
)
@pytest.mark.parametrize("vfs", [None, WITHOUT_SHARED_MEMORY])
def test_an_unusable_path_is_reported_and_not_changed(
    tmp_path: Path, prepare: Callable[[Path], None], says: str, vfs: str | None
) -> None:
    path = tmp_path / "journal.sqlite"
    prepare(path)
    before = names_in(tmp_path)
    with pytest.raises(JournalUnwritable, match=says):
        Journal.open(path, vfs=vfs)
    assert names_in(tmp_path) == before


async def test_a_symbolic_link_opens_the_same_journal(tmp_path: Path) -> None:
    real, link = tmp_path / "disk" / "journal.sqlite", tmp_path / "home" / "journal.sqlite"
    for path in (real, link):
        path.parent.mkdir(mode=0o700)
    link.symlink_to(real)
    journal = Journal.open(link)
    with pytest.raises(JournalInUse):
        Journal.open(real)
    await journal.close()
    assert (names_in(real.parent), names_in(link.parent)) == (["journal.sqlite"], ["journal.sqlite"])


def test_no_file_is_left_when_the_tables_cannot_be_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_uploader.engine.journal.migrations.SCHEMA_VERSION", "no number")
    for vfs in (None, WITHOUT_SHARED_MEMORY):
        with pytest.raises(EngineError):
            Journal.open(tmp_path / "journal.sqlite", vfs=vfs)
        assert names_in(tmp_path) == []


_OPENS = """
import os, sys
from pathlib import Path
from tui_uploader.engine.journal.journal import Journal
from tui_uploader.errors import EngineError
if os.getuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
try:
    Journal.open(Path(sys.argv[1]))
except EngineError as error:
    print(error.kind, error)
"""


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o500, None), (0o500, 0o600), (0o700, 0o400)])
async def test_a_missing_permission_is_reported_with_a_remedy(
    tmp_path: Path, folder_mode: int, file_mode: int | None
) -> None:
    tmp_path.parent.chmod(0o755)
    tmp_path.parent.parent.chmod(0o755)
    path = tmp_path / "journal.sqlite"
    if file_mode is not None:
        await Journal.open(path).close()
        path.chmod(file_mode)
    before = names_in(tmp_path)
    if os.getuid() == 0:
        for each in (tmp_path, *tmp_path.iterdir()):
            os.chown(each, 65534, 65534)
    tmp_path.chmod(folder_mode)
    try:
        result = subprocess.run([sys.executable, "-c", _OPENS, os.fspath(path)], stdout=subprocess.PIPE, text=True)
    finally:
        tmp_path.chmod(0o700)
    assert result.stdout.startswith("JournalUnwritable")
    assert "Cannot use" in result.stdout or "XDG_DATA_HOME" in result.stdout
    assert names_in(tmp_path) == before


# ------------------------------------------------------------------------------------------------- one opener


async def test_a_second_opener_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first = Journal.open(path)
    with pytest.raises(JournalInUse, match=f"process {os.getpid()}"):
        Journal.open(path)
    assert await first.write(add_project("the first continues")) == 1
    await first.close()
    await Journal.open(path).close()


async def test_the_journal_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    subprocess.run([sys.executable, "-c", _WRITES_AND_DIES, os.fspath(path), "unix"], check=False)
    journal = Journal.open(path)
    assert len(journal.summary.projects) == 20
    await journal.close()


async def test_a_newer_journal_without_a_log_gets_none(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(JournalTooNew):
        Journal.open(path)
    assert path.read_bytes() == before
