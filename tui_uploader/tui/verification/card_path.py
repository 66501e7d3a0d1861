"""Which path to propose for a verification: the card that the files of an upload came from."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath

from tui_uploader.errors import UploaderError
from tui_uploader.model.files import FileQuery
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.engine.session import EngineSession

_PATIENCE = 1.0
"""Seconds for the disk: a card that does not respond must not keep the question away."""
_OF_CAMERAS = "DCIM"
"""The folder at the top of every camera's card (JEITA CP-3461, Design rule for Camera File system)."""


async def proposed_path(session: EngineSession, upload: int, home: str) -> str | None:
    """The card, or else the topmost folder of the upload's files. None if that cannot be told now."""
    try:
        folder = await _top_folder(session, upload)
    except UploaderError:
        return None
    if folder is None:
        return None
    try:
        async with asyncio.timeout(_PATIENCE):
            return await in_own_thread(partial(card_of, folder, home, os.path.ismount))
    except TimeoutError:
        return card_of(folder, home, lambda _: False)


async def _top_folder(session: EngineSession, upload: int) -> str | None:
    """In the order of folders, all other paths are between the first and the last. Raises UploaderError."""
    ends = []
    for descending in (False, True):
        query = FileQuery(limit=1, sort="folder", descending=descending)
        window = await session.ask(lambda engine, query=query: engine.files(upload, query))  # type: ignore[misc]
        ends += [file.path.rpartition("/")[0] or "/" for file in window.files]
    return os.path.commonpath(ends) if ends else None


def card_of(folder: str, home: str, is_mount: Callable[[str], bool]) -> str:
    """The mount point of a card, or what has the DCIM folder of a copied one, as far as `folder` is in such.

    A mount point that has the home of the user is no card but a disk of this machine.
    """
    path = PurePosixPath(folder)
    above = [path, *path.parents]
    for each in above:
        if os.fspath(each) != "/" and not PurePosixPath(home).is_relative_to(each) and is_mount(os.fspath(each)):
            return os.fspath(each)
    for each in above:
        if each.name.upper() == _OF_CAMERAS and os.fspath(each.parent) != "/":
            return os.fspath(each.parent)
    return folder
