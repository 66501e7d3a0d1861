"""A manager over a real journal, and the real local cloud over real sockets, in one event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.until import until
from tui_uploader.engine.manager import UploadManager
from tui_uploader.local_cloud.options import LocalCloudAddress, LocalCloudOptions
from tui_uploader.local_cloud.server import running
from tui_uploader.local_cloud.store import starts
from tui_uploader.model import AddRequest, FileItem, FileQuery, Login, SignInRequest, UploadStatus
from tui_uploader.settings import Directories, Settings


@dataclass(slots=True)
class World:
    """One user's machine and the cloud that it uploads to."""

    folder: Path
    options: LocalCloudOptions
    cloud: LocalCloudAddress | None = None
    managers: list[UploadManager] = field(default_factory=list)

    @property
    def card(self) -> Path:
        return self.folder / "card"

    @property
    def directories(self) -> Directories:
        home = self.folder / "home"
        return Directories(home / "config", home / "data", home / "state", home / "engine.sock")

    @asynccontextmanager
    async def cloud_running(self) -> AsyncIterator[LocalCloudAddress]:
        """The second time on, at the same port."""
        port = int(self.cloud.url.rpartition(":")[2]) if self.cloud else 0
        async with running(replace(self.options, port=port)) as address:
            self.cloud = address
            yield address

    def login(self, secret: str | None = None) -> Login:
        assert self.cloud is not None
        return Login(self.cloud.url, self.cloud.client_id, secret or self.cloud.client_secret)

    @asynccontextmanager
    async def engine(self, *, sign_in: bool = True, verify: bool = True) -> AsyncIterator[UploadManager]:
        manager = await UploadManager.open(self.directories, Settings(no_keyring=True), doubt_seconds=3.0)
        try:
            if sign_in:
                await manager.sign_in(SignInRequest(self.login(), verify=verify))
            yield manager
        finally:
            await manager.close()

    def objects(self) -> dict[str, bytes]:
        """What the cloud holds, by name in the project."""
        objects = self.options.root / "objects"
        return {path.name: path.read_bytes() for path in objects.rglob("*") if path.is_file()}

    def starts_of(self, project: str) -> int:
        """How often processing was started, as the cloud counts."""
        return starts(self.options.root, int(project))


async def add(
    manager: UploadManager, *paths: Path, new: str = "Quarry", auto_process: bool = True, account: str | None = None
) -> UploadStatus:
    return await manager.add(
        AddRequest(tuple(str(path) for path in paths), new=new, auto_process=auto_process, account=account)
    )


async def when(
    manager: UploadManager, upload: int, condition: Callable[[UploadStatus], object], seconds: float = 30.0
) -> UploadStatus:
    """The upload's status as soon as it fulfils `condition`."""
    seen: list[UploadStatus] = []

    def holds() -> object:
        found = next(found for found in manager.status().uploads if found.upload == upload)
        seen[:] = [found]
        return condition(found)

    try:
        await until(holds, seconds)
    except TimeoutError:
        raise AssertionError(f"never came: {seen}") from None
    return seen[0]


async def settled(manager: UploadManager, upload: int, seconds: float = 30.0) -> UploadStatus:
    return await when(manager, upload, lambda status: status.settled, seconds)


async def files_by_name(manager: UploadManager, upload: int) -> dict[str, FileItem]:
    window = await manager.files(upload, FileQuery(limit=2000))
    return {item.name: item for item in window.files}
