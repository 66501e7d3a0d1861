"""How the app looks: pictures that a person has approved, of values that never change.

After a change of the look: `pytest tests/tui/test_snapshots.py --snapshot-update`, and look at each picture.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.headless import rendered_lines
from tests.tui.values import engine_status, file_item, project, upload_status
from tests.until import until
from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import EngineStatus, Link, LinkState
from tui_uploader.model.files import FileQuery, FileWindow
from tui_uploader.model.projects import Project
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import ByteCounts, Counts, EtaRange
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.terminal.capabilities import Terminal

Compare = Callable[..., bool]

_FILES = (
    file_item(1, "DJI_0001.JPG", FileStatus.FAILED, reason="The image is cut off; copy it again from the card."),
    file_item(2, "DJI_0002.JPG", FileStatus.UPLOADING, sent=1_500_000),
    file_item(3, "DJI_0003.JPG", FileStatus.DUPLICATE, reason="same content as DJI_0004.JPG"),
    file_item(4, "DJI_0004.JPG", FileStatus.UPLOADED),
    file_item(5, "漢字 [red].JPG", FileStatus.UPLOADED, object="漢字 [red]-1f3a9c.JPG"),
    file_item(6, "DJI_0006.JPG", FileStatus.WAITING, reason="queued"),
)
_NOW = 1_795_960_800.0
"""2026-11-29 14:00, UTC."""
_STATUS = engine_status(
    upload_status(
        counts=Counts(uploaded=2, uploading=1, waiting=1, duplicate=1, failed=1),
        volume=ByteCounts(total=24_000_000, sent=12_000_000, stored=9_000_000, registered=8_000_000),
        rate=1_200_000.0,
        eta=EtaRange(60.0, 120.0),
    ),
    link=Link(LinkState.UP),
    streams=1,
    rate=1_200_000.0,
)


class Pictured(EngineClient):
    """An engine whose state never changes."""

    def __init__(self) -> None:
        pass

    async def changes(self) -> AsyncGenerator[EngineStatus, None]:
        yield _STATUS
        await until(lambda: False, 600.0)

    async def files(self, upload: int, query: FileQuery | None = None) -> FileWindow:
        return FileWindow(total=len(_FILES), offset=0, files=_FILES)

    async def projects(self) -> tuple[Project, ...]:
        return (project(uploads=(1,)), project("South field", id="1002", images=717))

    async def accounts(self) -> tuple[Account, ...]:
        return ()


@asynccontextmanager
async def _connect(directories: Directories, **_: Any) -> AsyncIterator[EngineClient]:
    yield Pictured()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("size", "ascii_only", "keys"),
    [((120, 40), False, ()), ((80, 24), False, ()), ((80, 24), True, ()), ((120, 40), False, ("question_mark",))],
    ids=["wide", "small", "ascii", "help"],
)
def test_the_app_looks_as_approved(
    snap_compare: Compare,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    utc: None,
    size: tuple[int, int],
    ascii_only: bool,
    keys: tuple[str, ...],
) -> None:
    for name in ("PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    directories, terminal = Directories(*(tmp_path,) * 4), Terminal(ascii_only=ascii_only)
    app = UploaderApp(directories, terminal, connect=_connect, wall=lambda: _NOW)

    async def settled(pilot: Pilot[None]) -> None:
        await until(lambda: "DJI_0006" in "".join(rendered_lines(app)))
        await until(lambda: len(app.main.projects.listed) == 2)
        await pilot.press(*keys)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=settled)
