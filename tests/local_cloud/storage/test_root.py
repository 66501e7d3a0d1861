"""The folder of a local cloud: owned by its user, closed to others, without planted files or links."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.local_cloud.clouds import a_cloud
from tui_uploader.errors import UsageError
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.local_cloud.server import running
from tui_uploader.local_cloud.storage.database import FILE_NAME, RootDatabase
from tui_uploader.local_cloud.storage.names import BUCKET
from tui_uploader.local_cloud.storage.root import prepare_root


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def modes(root: Path) -> set[int]:
    """Modes of the root and everything below it."""
    return {mode(path) for path in (root, *root.rglob("*"))}


@contextmanager
def without_umask() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that other users can enter."""
    folder = tmp_path / "root"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


async def test_other_users_cannot_read_anything_whatever_the_umask_is(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    with without_umask():
        async with a_cloud(LocalCloudOptions(root)) as client:
            assert client.address.remarks == ()
            assert (await client.s3("PUT", "DCIM/a.jpg", b"photo")).status_code == 200
            assert modes(tmp_path / "a") == {0o700, 0o600}


async def test_an_open_root_of_an_older_version_is_closed_and_used(root: Path) -> None:
    async with a_cloud(LocalCloudOptions(root)) as client:
        assert (await client.s3("PUT", "DCIM/a.jpg", b"photo")).status_code == 200
        login = client.address.client_secret
        path_of_photo = client.path("DCIM/a.jpg")
    for path in (root, *root.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    async with running(LocalCloudOptions(root)) as address:
        assert address.client_secret == login
        assert "was open to other users" in " ".join(address.remarks)
        assert modes(root) == {0o700, 0o600}
        assert path_of_photo.read_bytes() == b"photo"
    assert prepare_root(root) == ()


def test_a_folder_with_other_files_is_not_closed(root: Path) -> None:
    (root / "thesis.odt").touch()
    with pytest.raises(UsageError, match=r"has other files \(thesis\.odt\).* --root .*/root/local-cloud\.$"):
        prepare_root(root)
    assert (mode(root), [path.name for path in root.iterdir()]) == (0o755, ["thesis.odt"])
    (root / FILE_NAME).touch()
    with pytest.raises(UsageError, match=r"already has a local cloud: .* run `chmod 700 "):
        prepare_root(root)
    root.chmod(0o700)
    assert prepare_root(root) == ()


def a_link_as_root(root: Path) -> Path:
    (root.parent / "link").symlink_to(root)
    return root.parent / "link"


def a_link_as_objects(root: Path) -> Path:
    (root / "objects").symlink_to(root.parent)
    return root


def a_link_as_bucket(root: Path) -> Path:
    (root / "objects").mkdir()
    (root / "objects" / BUCKET).symlink_to(root.parent)
    return root


def a_link_deep_below(root: Path) -> Path:
    (root / "objects" / BUCKET / "user-1").mkdir(parents=True)
    (root / "objects" / BUCKET / "user-1" / "project-100001").symlink_to(root.parent)
    return root


def a_link_as_database(root: Path) -> Path:
    (root.parent / "theirs.sqlite").touch()
    (root / FILE_NAME).symlink_to(root.parent / "theirs.sqlite")
    return root


def a_second_hard_link_as_meter(root: Path) -> Path:
    (root.parent / "precious").write_text("precious, and longer than two counts")
    os.link(root.parent / "precious", root / "meter")
    return root


def a_pipe_as_lock(root: Path) -> Path:
    os.mkfifo(root / "lock")
    return root


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (a_link_as_root, "link is a link.*Name the folder that it points to: --root "),
        (a_link_as_objects, "objects is a link"),
        (a_link_as_bucket, f"{BUCKET} is a link"),
        (a_link_deep_below, "project-100001 is a link"),
        (a_link_as_database, "sqlite is a link"),
        (a_second_hard_link_as_meter, "meter has a second hard link"),
        (a_pipe_as_lock, "lock is a link or not a file"),
    ],
)
def test_a_planted_file_or_link_is_refused_by_name(root: Path, planted: Callable[[Path], Path], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        prepare_root(planted(root))


def test_a_root_or_a_database_of_another_user_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.chmod(0o700)
    RootDatabase(root).close()
    real_stat = os.stat

    def with_another_owner(path: Any, **options: Any) -> os.stat_result:
        found = real_stat(path, **options)
        return os.stat_result([*found[:4], os.getuid() + 1, *found[5:]]) if path == FILE_NAME else found

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", with_another_owner)
        with pytest.raises(UsageError, match=rf"does not use files of other users\. .*{FILE_NAME} belongs to "):
            prepare_root(root)
    another_user = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: another_user)
    with pytest.raises(UsageError, match="belongs to "):
        prepare_root(root)


def test_a_disk_without_permissions_is_used_unless_others_can_write(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT and exFAT, as desktops mount them, and mounted writable for all."""

    def refused(descriptor: int, wanted: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchmod", refused)
    (root / "objects").mkdir(mode=0o755)
    assert "has no permissions: every user" in " ".join(prepare_root(root))
    root.chmod(0o777)
    with pytest.raises(UsageError, match=r"Other users can write to .* mount this one so that only you"):
        prepare_root(root)


def test_a_root_that_every_user_could_replace_is_refused(root: Path) -> None:
    root.chmod(0o777)
    with pytest.raises(UsageError, match=r"every user can write to .*`chmod o-w "):
        prepare_root(root / "cloud")
    root.chmod(0o1777)
    assert prepare_root(root / "cloud") == ()


async def test_a_link_that_is_planted_later_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with a_cloud(LocalCloudOptions(tmp_path / "root")) as client:
        assert (await client.s3("PUT", "dir/a", b"x")).status_code == 200
        client.path("dir").rename(tmp_path / "away")
        client.path("dir").symlink_to(elsewhere)
        assert (await client.s3("PUT", "dir/b", b"x")).status_code == 400
        assert (await client.s3("HEAD", "dir/a")).status_code == 404
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(("host", "remarks"), [("127.0.0.1", 0), ("::1", 0), ("0.0.0.0", 2)])
async def test_remarks_explain_that_other_computers_can_connect(tmp_path: Path, host: str, remarks: int) -> None:
    async with running(LocalCloudOptions(tmp_path, host=host)) as address:
        assert len(address.remarks) == remarks
        if remarks:
            said = " ".join(address.remarks)
            assert "every address of this computer" in said
            assert "on another computer refuses to sign in. Serve https with --tls-cert" in said
