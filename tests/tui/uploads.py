"""Uploads that another front end starts while the app looks on."""

from __future__ import annotations

from pathlib import Path

from tests.photos import of_yesterday, write_flight, write_photo
from tui_uploader.model.projects import NewProject
from tui_uploader.model.uploads import AddRequest
from tui_uploader.service.client import EngineClient
from tui_uploader.settings import Directories


def flight(tmp_path: Path, photos: int = 8) -> Path:
    """A card with the images of one flight."""
    card = tmp_path / "card"
    write_flight(card, photos)
    return card


def truncated(path: Path) -> Path:
    """A JPEG that ends in the middle."""
    write_photo(path, 9_000)
    path.write_bytes(path.read_bytes()[:5_000])
    return of_yesterday(path)


async def queued(directories: Directories, *paths: Path, auto_process: bool = True) -> int:
    """Start an upload of `paths` to a new project, Quarry."""
    async with EngineClient.connect(directories, spawn=False) as engine:
        request = AddRequest(tuple(str(path) for path in paths), NewProject("Quarry"), auto_process=auto_process)
        return (await engine.add(request)).upload


async def paused(directories: Directories, *paths: Path) -> int:
    """Start an upload and pause it after its first file, before `paths` are added to it: all of them wait."""
    first = write_photo(paths[0].parent / "first" / "first.JPG")
    upload = await queued(directories, first)
    async with EngineClient.connect(directories, spawn=False) as engine:
        await engine.pause(upload)
        await engine.add(AddRequest(tuple(str(path) for path in paths), NewProject("Quarry")))
    return upload
