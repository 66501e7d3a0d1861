from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.standin import StandIn
from tui_uploader.service import client


@pytest.fixture(autouse=True)
def own_directories(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the settings, the engine or the logins of whoever runs it."""
    with tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as home:  # short: a socket goes there
        _move_everything(Path(home), monkeypatch)
        yield


def _move_everything(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET", "PIX4D_CLOUD_URL", "TUI_UPLOADER_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(home / variable.split("_")[1].lower()))
    monkeypatch.setenv("TUI_UPLOADER_NO_KEYRING", "1")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The engine that every command of this test reaches."""
    engine = StandIn()
    monkeypatch.setattr(client, "EngineClient", engine)
    return engine
