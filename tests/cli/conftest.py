from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.standin import StandIn
from tui_uploader.service import client


@pytest.fixture(autouse=True)
def own_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings, the engine or the logins of whoever runs it."""
    for variable in ("PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET", "PIX4D_CLOUD_URL", "TUI_UPLOADER_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home" / variable.lower()))
    monkeypatch.setenv("TUI_UPLOADER_NO_KEYRING", "1")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The engine that every command of this test reaches."""
    engine = StandIn()
    monkeypatch.setattr(client, "EngineClient", engine)
    return engine
