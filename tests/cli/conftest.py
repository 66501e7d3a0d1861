from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.standin import StandIn
from tests.cli.world import LocalCloud, end_commands, kill_engine, serving
from tui_uploader.service import client


@pytest.fixture(autouse=True)
def own_directories(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the settings, the engine or the logins of the user who runs it."""
    with tempfile.TemporaryDirectory(prefix="home-", ignore_cleanup_errors=True) as home:  # short: a socket goes there
        _move_everything(Path(home), monkeypatch)
        yield
        end_commands()


def _move_everything(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET", "PIX4D_CLOUD_URL", "TUI_UPLOADER_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(home / variable.split("_")[1].lower()))
    monkeypatch.setenv("TUI_UPLOADER_NO_KEYRING", "1")
    monkeypatch.setenv("TUI_UPLOADER_PROCESSING_DELAY", "0")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The engine that every command of this test reaches."""
    engine = StandIn()
    monkeypatch.setattr(client, "EngineClient", engine)
    return engine


@pytest.fixture
def cloud_root(tmp_path: Path) -> Iterator[Path]:
    """Folder for a local cloud; the engine is killed after the test."""
    yield tmp_path / "cloud"
    kill_engine()


@pytest.fixture
def served(cloud_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., LocalCloud]]:
    """Starts a cloud with the options given; its login is in the environment, and another call replaces the cloud."""
    with contextlib.ExitStack() as clouds:

        def serve(*options: str) -> LocalCloud:
            clouds.close()
            cloud = clouds.enter_context(serving(cloud_root, *options))
            for name, value in cloud.login.items():
                monkeypatch.setenv(name, value)
            return cloud

        yield serve
        kill_engine()  # first, so that no connection of its own keeps the cloud from ending


@pytest.fixture
def cloud(served: Callable[..., LocalCloud]) -> LocalCloud:
    return served("--processing-seconds", "0.5")


@pytest.fixture
def slow_cloud(served: Callable[..., LocalCloud]) -> LocalCloud:
    """Answers every object late, so that there is a middle of an upload."""
    return served("--processing-seconds", "0.5", "--fault", "stall:route=put,probability=1,seconds=0.7")
