"""Settings from the environment and the file, private folders, and errors for invalid values."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tui_uploader.errors import UsageError
from tui_uploader.ownership import private
from tui_uploader.settings import CARD, PIX4D_CLOUD_URL, Directories, NoticeSettings, ReceiptSettings, Settings, load


@pytest.fixture
def directories(tmp_path: Path) -> Directories:
    data = tmp_path / "data"
    return Directories(tmp_path / "config", data, tmp_path / "state", data / "engine" / "engine.sock")


def write(directories: Directories, text: str | bytes) -> None:
    directories.config.mkdir()
    directories.settings_file.write_bytes(text if isinstance(text, bytes) else text.encode())


# ------------------------------------------------------------------------------------------------ directories


def test_home_and_xdg_move_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    found = Directories.of_user()
    for path in (found.config, found.data, found.state, found.journal, found.lock, found.log, found.settings_file):
        assert path.is_relative_to(tmp_path)
    assert len({found.journal, found.lock, found.log, found.settings_file, found.socket}) == 5


def test_home_alone_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = Directories.of_user()
    assert all(path.is_relative_to(tmp_path) for path in (found.config, found.data, found.state))


def test_a_path_too_long_for_a_socket_gets_a_short_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    for variable in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(variable, str(deep))
    found = Directories.of_user()
    assert not found.socket.is_relative_to(deep)
    assert str(os.getuid()) in str(found.socket)
    assert Directories.of_user().socket == found.socket
    private(found.socket.parent)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(found.socket))
    found.socket.unlink()
    found.socket.parent.rmdir()


def test_two_long_paths_get_two_sockets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sockets = set()
    for letter in "ab":
        monkeypatch.setenv("HOME", str(tmp_path / (letter * 120)))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / (letter * 120)))
        sockets.add(Directories.of_user().socket)
    assert len(sockets) == 2


def test_without_file_and_environment_everything_has_a_default(directories: Directories) -> None:
    assert load({}, directories) == Settings()
    assert Settings().cloud_url == PIX4D_CLOUD_URL == "https://cloud.pix4d.com"


FILE = """
cloud_url = "https://file.example/"
profile = "file"
idle_exit = 30
keep_dismissed_days = 7
processing_delay = 3
proxy = "http://file.example:3128"
ca_file = "/file/ca.pem"
[notices]
bell = false
after = 5
"""


def test_the_file_is_read(directories: Directories) -> None:
    write(directories, FILE)
    assert load({}, directories) == Settings(
        cloud_url="https://file.example",
        profile="file",
        idle_exit=30.0,
        keep_dismissed_days=7.0,
        processing_delay=3.0,
        proxy="http://file.example:3128",
        ca_file=Path("/file/ca.pem"),
        notices=NoticeSettings(bell=False, desktop=True, after=5.0),
    )


def test_the_environment_wins_over_the_file(directories: Directories) -> None:
    write(directories, FILE)
    environment = {
        "PIX4D_CLOUD_URL": "http://127.0.0.1:8080/",
        "TUI_UPLOADER_PROFILE": "env",
        "TUI_UPLOADER_IDLE_EXIT": "1.5",
        "TUI_UPLOADER_KEEP_DISMISSED_DAYS": "0.5",
        "TUI_UPLOADER_PROCESSING_DELAY": "2",
        "TUI_UPLOADER_PROXY": "http://env.example:3128",
        "TUI_UPLOADER_CA_FILE": "/env/ca.pem",
        "TUI_UPLOADER_NO_KEYRING": "1",
        "TUI_UPLOADER_BELL": "1",
        "TUI_UPLOADER_DESKTOP": "0",
        "TUI_UPLOADER_NOTICE_AFTER": "0",
        "PIX4D_CLIENT_ID": "me",
        "PIX4D_CLIENT_SECRET": "s3cret",
    }
    found = load(environment, directories)
    assert found.login is not None
    assert (found.login.client_id, found.login.client_secret) == ("me", "s3cret")
    assert found == Settings(
        cloud_url="http://127.0.0.1:8080",
        profile="env",
        login=found.login,
        no_keyring=True,
        idle_exit=1.5,
        keep_dismissed_days=0.5,
        processing_delay=2.0,
        proxy="http://env.example:3128",
        ca_file=Path("/env/ca.pem"),
        notices=NoticeSettings(bell=True, desktop=False, after=0.0),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("notices = 1", "must be a table"),
        ("[notices]\nbell = 'no'", "`bell` of .* must be true or false"),
        ("[notices]\nafter = 'soon'", "TUI_UPLOADER_NOTICE_AFTER"),
        ("[notices]\nafter = []", "must be a text or a number"),
    ],
)
def test_invalid_notice_settings_are_named(directories: Directories, text: str, said: str) -> None:
    write(directories, text)
    with pytest.raises(UsageError, match=said):
        load({}, directories)


@pytest.mark.parametrize(
    ("text", "environment", "to"),
    [
        ("", "", None),
        ("[receipts]", "", None),
        ("[receipts]\nto = ''", "", None),
        ("[receipts]\nto = 'card'", "", CARD),
        ("[receipts]\nto = '/srv/receipts'", "", "/srv/receipts"),
        ("[receipts]\nto = '/srv/receipts'", "card", CARD),
        ("", "/srv/other", "/srv/other"),
    ],
)
def test_where_receipts_go(directories: Directories, text: str, environment: str, to: str | None) -> None:
    write(directories, text)
    assert load({"TUI_UPLOADER_RECEIPTS_TO": environment}, directories).receipts == ReceiptSettings(to)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("receipts = 'card'", "must be a table"),
        ("[receipts]\nto = 'receipts'", "absolute path of a folder"),
        ("[receipts]\nto = 'CARD'", "absolute path of a folder"),
        ("[receipts]\nto = true", "must be a text"),
    ],
)
def test_invalid_places_of_receipts_are_named(directories: Directories, text: str, said: str) -> None:
    write(directories, text)
    with pytest.raises(UsageError, match=said):
        load({}, directories)


def test_an_empty_variable_is_ignored(directories: Directories) -> None:
    write(directories, FILE)
    assert load({"TUI_UPLOADER_PROFILE": "", "PIX4D_CLOUD_URL": ""}, directories).profile == "file"


@pytest.mark.parametrize(("said", "expected"), [("", False), ("0", False), ("1", True), ("yes", True)])
def test_the_keyring_can_be_switched_off(directories: Directories, said: str, expected: bool) -> None:
    assert load({"TUI_UPLOADER_NO_KEYRING": said}, directories).no_keyring is expected


def test_a_tilde_in_the_ca_file_is_the_home(
    directories: Directories, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load({"TUI_UPLOADER_CA_FILE": "~/ca.pem"}, directories).ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("environment", "missing"),
    [({"PIX4D_CLIENT_ID": "me"}, "PIX4D_CLIENT_SECRET"), ({"PIX4D_CLIENT_SECRET": "s3cret"}, "PIX4D_CLIENT_ID")],
)
def test_half_a_login_is_an_error(directories: Directories, environment: dict[str, str], missing: str) -> None:
    with pytest.raises(UsageError, match=f"{missing} is not set") as caught:
        load(environment, directories)
    assert "s3cret" not in str(caught.value)


def test_reprs_omit_secrets(directories: Directories) -> None:
    found = load({"PIX4D_CLIENT_ID": "me", "PIX4D_CLIENT_SECRET": "s3cret"}, directories)
    assert "s3cret" not in f"{found!r} {found} {found.login}"


@pytest.mark.parametrize("text", ["profile =", 'profile = "a\n', b"\xff\xfe", "=", "[profile", "a = 1\na = 2"])
def test_an_invalid_toml_file_is_named(directories: Directories, text: str | bytes) -> None:
    write(directories, text)
    with pytest.raises(UsageError, match=r"config\.toml is not valid TOML"):
        load({}, directories)


def test_an_unreadable_file_is_named(directories: Directories) -> None:
    directories.settings_file.mkdir(parents=True)
    with pytest.raises(UsageError, match=r"Cannot read the settings file .*config\.toml"):
        load({}, directories)


@pytest.mark.parametrize("text", ["profile = [1]", "profile = {a = 1}", "cloud_url = 2026-01-01"])
def test_a_setting_of_the_wrong_type_is_named(directories: Directories, text: str) -> None:
    write(directories, text)
    with pytest.raises(UsageError, match=f"`{text.split()[0]}` must be"):
        load({}, directories)


def test_an_invalid_number_is_named(directories: Directories) -> None:
    with pytest.raises(
        UsageError, match=r"idle_exit \(TUI_UPLOADER_IDLE_EXIT\) must be a number of seconds, not 'soon'"
    ):
        load({"TUI_UPLOADER_IDLE_EXIT": "soon"}, directories)


@pytest.mark.parametrize("url", ["https://cloud.example/?token=WORD", "https://cloud.example/#WORD"])
def test_an_address_that_does_not_end_with_its_path_is_refused_unquoted(directories: Directories, url: str) -> None:
    with pytest.raises(UsageError, match=r"without `\?` or `#`") as refused:
        load({"PIX4D_CLOUD_URL": url}, directories)
    assert "WORD" not in str(refused.value)
