"""The app in front of a real engine on a real socket; behind it the real local cloud, or a manager of mere values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from dataclasses import field as field_of
from functools import partial
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from tests.service.conftest import directories, manager, spawner
from tests.service.stand_in import StandInManager
from tests.tui.headless import press, rendered_lines
from tests.until import until
from tui_uploader.errors import EngineUnreachable
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.local_cloud.server import running
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import NewProject
from tui_uploader.model.uploads import AddRequest, UploadStatus
from tui_uploader.service.client import EngineClient
from tui_uploader.service.daemon import run_engine
from tui_uploader.settings import Directories, Settings
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.messages import Attachment, Noticed, StatusArrived
from tui_uploader.tui.terminal.capabilities import Terminal

__all__ = ["directories", "manager", "spawner"]

_DEADLINE = 20.0
_STATUS_SECONDS = 0.02
"""Between two states that the app shows; a person gets two a second."""


@dataclass
class Screen:
    """The person in front of the app."""

    app: UploaderApp
    pilot: Pilot[None]
    told: list[str] = field_of(default_factory=list)
    """The notices so far: one may take the place of another before it is seen on the screen."""

    def __post_init__(self) -> None:
        main = self.app.main
        show = main.show_notice

        def note(notice: Noticed) -> None:
            self.told.append(notice.text)
            show(notice)

        main.show_notice = note  # type: ignore[method-assign]

    async def tells(self, text: str) -> None:
        """Return when a notice has told `text`, even if another one took its place at once."""
        await self.comes_true(lambda: any(text in told for told in self.told), f"{text!r} was never told")

    @property
    def lines(self) -> list[str]:
        return rendered_lines(self.app)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def shows(self, *texts: str) -> None:
        """Return when all of `texts` are on the screen."""
        await self.comes_true(lambda: all(text in self.text for text in texts), f"{texts} never came")

    async def shows_status(self, status: EngineStatus, *texts: str) -> None:
        """Return when this state and `texts` are shown. It is posted again if the engine's own comes after it."""

        def shown() -> bool:
            self.app.post_message(StatusArrived(status))
            return all(text in self.text for text in texts)

        await self.comes_true(shown, f"{texts} never came")

    async def hides(self, text: str) -> None:
        await self.comes_true(lambda: text not in self.text, f"{text!r} never went")

    async def upload_is(self, condition: Callable[[UploadStatus], object]) -> None:
        """Return when the upload under the cursor fulfils `condition`."""

        def holds() -> object:
            upload = self.app.main.scope().upload
            return upload is not None and condition(upload)

        await self.comes_true(holds, "the upload never got there")

    async def comes_true(self, condition: Callable[[], object], failure: str) -> None:
        """Return when `condition` holds; after a deadline the test fails with `failure` and the screen."""
        try:
            await until(condition, _DEADLINE)
        except TimeoutError:
            raise AssertionError(f"{failure}; the screen:\n{self.text}") from None

    async def press(self, *keys: str) -> None:
        await press(self.app, *keys)

    def drop(self, *paths: Path) -> None:
        """Files dropped on the terminal: their paths are pasted."""
        self.app.post_message(events.Paste("\n".join(str(path) for path in paths)))


@asynccontextmanager
async def showing(
    directories: Directories, size: tuple[int, int] = (120, 30), terminal: Terminal | None = None
) -> AsyncIterator[Screen]:
    """The app, attached to an engine that runs already and has its login, if there is one."""
    app = UploaderApp(directories, terminal or Terminal(), connect=partial(EngineClient.connect))
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.session.status is not None and app.session.attachment is Attachment.ATTACHED)
        await app.session.login_settled.wait()
        app.session.interval = _STATUS_SECONDS
        yield Screen(app, pilot)


async def add_upload(manager: StandInManager, *names: str) -> None:
    """A project named like its first file, with an upload of files of these names."""
    request = AddRequest(tuple(f"/card/{name}" for name in names), NewProject(names[0]))
    await manager.add(request)


@asynccontextmanager
async def engine_running(directories: Directories, processing_delay: float = 0.0) -> AsyncIterator[None]:
    """The real engine, within this process."""
    ready = asyncio.Event()
    settings = Settings(no_keyring=True, processing_delay=processing_delay)
    engine = asyncio.create_task(run_engine(directories, settings, ready=ready.set, foreground=True))
    await asyncio.wait_for(ready.wait(), _DEADLINE)
    try:
        yield
    finally:
        try:
            async with EngineClient.connect(directories, spawn=False, any_version=True) as client:
                await client.stop()
        except EngineUnreachable:
            pass  # the test stopped it
        await engine


@pytest.fixture
async def field(
    request: pytest.FixtureRequest, directories: Directories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Path]:
    """An engine, a local cloud, and a login in the environment; the folder in which the cloud keeps what it gets.

    Its parameters are the seconds that processing takes, and those before it starts automatically.
    """
    processing_seconds, delay = getattr(request, "param", (60.0, 0.0))
    root = tmp_path / "cloud"
    async with running(LocalCloudOptions(root=root, port=0, processing_seconds=processing_seconds)) as cloud:
        monkeypatch.setenv("PIX4D_CLOUD_URL", cloud.url)
        monkeypatch.setenv("PIX4D_CLIENT_ID", cloud.client_id)
        monkeypatch.setenv("PIX4D_CLIENT_SECRET", cloud.client_secret)
        async with engine_running(directories, delay):
            yield root
