"""Stored logins: where they are, who can read them, and keyrings that fail or hang."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import pytest

from tui_uploader.cloud import login_store
from tui_uploader.cloud.login_store import forget_login, keep_login, stored_login
from tui_uploader.errors import NotPossibleNow
from tui_uploader.model.accounts import Login
from tui_uploader.settings import Directories, EnvironmentLogin, Settings

LOGIN = Login("https://cloud.pix4d.com", "client", "s3cr3t")
OTHER = Login("http://127.0.0.1:8000", "other", "also secret ü")
PLAIN = Settings(no_keyring=True)
WITH_KEYRING = Settings()


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class BrokenRing(Ring):
    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("no bus")

    set_password = delete_password = get_password  # type: ignore[assignment]


class ForgetfulRing(Ring):
    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class HangingRing(Ring):
    def __init__(self) -> None:
        super().__init__()
        self.end = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.end.wait(10)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.end.wait(10)


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    return Directories(tmp_path / "config", tmp_path / "data", tmp_path / "state", tmp_path / "socket")


@pytest.fixture
def use_ring() -> Iterator[object]:
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def file_of(directories: Directories) -> Path:
    return directories.config / "credentials.json"


def test_nothing_is_stored_at_first(directories: Directories) -> None:
    assert stored_login("default", directories, PLAIN) is None
    assert forget_login("default", directories, PLAIN) is False


def test_logins_by_profile_in_a_private_file(directories: Directories) -> None:
    assert keep_login("default", LOGIN, directories, PLAIN) == "file"
    assert keep_login("other", OTHER, directories, PLAIN) == "file"
    assert stored_login("default", directories, PLAIN) == (LOGIN, "file")
    assert stored_login("other", directories, PLAIN) == (OTHER, "file")
    assert stat.S_IMODE(file_of(directories).stat().st_mode) == 0o600
    assert stat.S_IMODE(directories.config.stat().st_mode) == 0o700
    assert forget_login("default", directories, PLAIN) is True
    assert stored_login("default", directories, PLAIN) is None
    assert stored_login("other", directories, PLAIN) == (OTHER, "file")
    assert [path.name for path in directories.config.iterdir()] == ["credentials.json"]


def test_the_environment_wins(directories: Directories) -> None:
    keep_login("default", LOGIN, directories, PLAIN)
    settings = Settings(cloud_url="https://x", login=EnvironmentLogin("env", "e"), no_keyring=True)
    assert stored_login("default", directories, settings) == (Login("https://x", "env", "e"), "environment")


def test_a_file_that_others_could_read_is_made_private(directories: Directories) -> None:
    keep_login("default", LOGIN, directories, PLAIN)
    file_of(directories).chmod(0o644)
    assert stored_login("default", directories, PLAIN) == (LOGIN, "file")
    assert stat.S_IMODE(file_of(directories).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_named(directories: Directories, content: bytes) -> None:
    keep_login("default", LOGIN, directories, PLAIN)
    file_of(directories).write_bytes(content)
    with pytest.raises(NotPossibleNow, match=r"credentials\.json"):
        stored_login("default", directories, PLAIN)


@pytest.mark.parametrize("text", ['{"default": 5}', '{"default": "[1,2,3]"}', '{"default": "x"}', "{}"])
def test_an_invalid_entry_is_ignored(directories: Directories, text: str) -> None:
    keep_login("default", LOGIN, directories, PLAIN)
    file_of(directories).write_text(text)
    assert stored_login("default", directories, PLAIN) is None


@pytest.mark.parametrize("address", ["https://joe:PW@host:8", "https://joe:P/W@host:8", "https://joe:P@W@host:8"])
def test_a_password_in_the_address_of_a_stored_login_is_dropped(directories: Directories, address: str) -> None:
    keep_login("default", Login(address, "client", "s3cr3t"), directories, PLAIN)
    assert stored_login("default", directories, PLAIN) == (Login("https://host:8", "client", "s3cr3t"), "file")


def test_symlinks_are_not_followed(directories: Directories, tmp_path: Path) -> None:
    keep_login("default", LOGIN, directories, PLAIN)
    file_of(directories).rename(tmp_path / "elsewhere")
    file_of(directories).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotPossibleNow):
        stored_login("default", directories, PLAIN)


def test_a_folder_that_cannot_be_written(directories: Directories) -> None:
    directories.config.write_text("a file where the folder should be")
    with pytest.raises(NotPossibleNow, match="Cannot read the stored login"):
        keep_login("default", LOGIN, directories, PLAIN)


@pytest.mark.usefixtures("use_ring")
def test_a_keyring_is_used_if_there_is_one(directories: Directories) -> None:
    ring = Ring()
    keyring.set_keyring(ring)
    keep_login("default", OTHER, directories, PLAIN)
    assert keep_login("default", LOGIN, directories, WITH_KEYRING) == "keyring"
    assert stored_login("default", directories, WITH_KEYRING) == (LOGIN, "keyring")
    assert stored_login("default", directories, PLAIN) is None, "the older login was left in the file"
    assert forget_login("default", directories, WITH_KEYRING) is True
    assert ring.kept == {}
    assert forget_login("default", directories, WITH_KEYRING) is False


@pytest.mark.usefixtures("use_ring")
@pytest.mark.parametrize("ring", [BrokenRing, ForgetfulRing, keyring.backends.fail.Keyring])
def test_a_keyring_that_stores_nothing_is_not_used(
    directories: Directories, ring: type[keyring.backend.KeyringBackend]
) -> None:
    keyring.set_keyring(ring())
    assert keep_login("default", LOGIN, directories, WITH_KEYRING) == "file"
    assert stored_login("default", directories, WITH_KEYRING) == (LOGIN, "file")
    assert forget_login("default", directories, WITH_KEYRING) is True


@pytest.mark.usefixtures("use_ring")
def test_a_keyring_that_prompts_the_user_is_not_waited_for(
    directories: Directories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_store, "KEYRING_TIMEOUT", 0.1)
    ring = HangingRing()
    keyring.set_keyring(ring)
    assert keep_login("default", LOGIN, directories, WITH_KEYRING) == "file"
    assert stored_login("default", directories, WITH_KEYRING) == (LOGIN, "file")
    ring.end.set()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_used(directories: Directories) -> None:
    keep_login("default", LOGIN, directories, PLAIN)
    os.chown(file_of(directories), 12345, 12345)
    with pytest.raises(NotPossibleNow, match=r"Cannot use the stored login\. .* belongs to "):
        stored_login("default", directories, PLAIN)
