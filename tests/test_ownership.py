"""Private folders, and the message for those of another user."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tui_uploader import ownership
from tui_uploader.ownership import foreign, not_yours, private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_private_creates_a_folder_closed_to_others(tmp_path: Path) -> None:
    made = private(tmp_path / "a" / "b")
    assert made == tmp_path / "a" / "b"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_private_closes_an_open_folder(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open").chmod(0o755)
    private(tmp_path / "open")
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o700


def test_private_refuses_a_folder_of_another_user(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "theirs").mkdir()
        os.chown(tmp_path / "theirs", 12345, 12345)
        theirs = tmp_path / "theirs"
    else:
        theirs = Path("/")
    with pytest.raises(PermissionError, match="belongs to another user"):
        private(theirs)


def test_private_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError):
        private(tmp_path / "file")


def test_created_parents_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = private(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert [mode(each) for each in (made, made.parent, made.parent.parent)] == [0o700] * 3


ROOT, ANN, JOE = 0, 1001, 1002


@pytest.mark.parametrize(
    ("we_are", "owner", "said"),
    [
        (ROOT, ANN, "running as root, but /home/a b belongs to ann. Run tui-uploader as ann (without sudo), or set"),
        (JOE, ANN, "/home/a b belongs to ann, but you are joe. Run tui-uploader as ann, or set HOME and"),
        (
            JOE,
            ROOT,
            "from a run with sudo, but you are joe. Change its owner with `sudo chown -R joe '/home/a b'`",
        ),
        (ROOT, 54321, "belongs to user number 54321."),
    ],
)
def test_the_message_names_the_owner_and_what_to_do(
    we_are: int, owner: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {ROOT: "root", ANN: "ann", JOE: "joe"}
    monkeypatch.setattr(ownership, "user_name", lambda uid: names.get(uid, f"user number {uid}"))
    monkeypatch.setattr(os, "getuid", lambda: we_are)
    sentence = not_yours(Path("/home/a b"), owner)
    assert said in sentence
    assert "remove" not in sentence
    assert "move it" not in sentence


def test_own_and_missing_paths_are_not_foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert [foreign(each) for each in (tmp_path, tmp_path / "link", tmp_path / "missing")] == [None] * 3
    somebody_else = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: somebody_else)
    assert "belongs to" in (foreign(tmp_path) or "")
