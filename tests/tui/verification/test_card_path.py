from __future__ import annotations

from typing import Any

import pytest

from tests.tui.values import file_item
from tui_uploader.errors import EngineUnreachable
from tui_uploader.model.files import FileWindow
from tui_uploader.tui.engine.session import EngineSession
from tui_uploader.tui.verification.card_path import card_of, proposed_path

HOME = "/home/anna"


@pytest.mark.parametrize(
    ("folder", "mounts", "card"),
    [
        ("/media/anna/CARD/DCIM/100MEDIA", {"/media/anna/CARD", "/"}, "/media/anna/CARD"),
        ("/media/anna/CARD", {"/media/anna/CARD", "/"}, "/media/anna/CARD"),
        ("/home/anna/cards/7/DCIM/100MEDIA", {"/home", "/"}, "/home/anna/cards/7"),
        ("/home/anna/cards/7/dcim", {"/"}, "/home/anna/cards/7"),
        ("/home/anna/flights/7", {"/home", "/"}, "/home/anna/flights/7"),
        ("/home/anna/usb/flights", {"/home/anna/usb", "/home"}, "/home/anna/usb"),
        ("/DCIM/100MEDIA", {"/"}, "/DCIM/100MEDIA"),
        ("/", {"/"}, "/"),
    ],
)
def test_the_card_above_a_folder(folder: str, mounts: set[str], card: str) -> None:
    assert card_of(folder, HOME, mounts.__contains__) == card


class Session(EngineSession):
    def __init__(self, *paths: str) -> None:
        self._paths = paths

    async def ask(self, work: Any) -> Any:
        if not self._paths:
            raise EngineUnreachable("There is no engine.")
        return await work(self)

    async def files(self, upload: int, query: Any) -> FileWindow:
        del upload
        ordered = sorted(self._paths, reverse=query.descending)
        items = tuple(file_item(name=path.removeprefix("/card/")) for path in ordered[: query.limit])
        return FileWindow(len(ordered), 0, items)


@pytest.mark.parametrize(
    ("paths", "proposed"),
    [
        (("/card/2026/a.JPG", "/card/2026/b.JPG"), "/card/2026"),
        (("/card/2026/a/a.JPG", "/card/2026/b.JPG"), "/card/2026"),
        (("/card/DCIM/100MEDIA/a.JPG",), "/card"),
        ((), None),
    ],
)
async def test_the_folder_that_has_all_files_of_an_upload(paths: tuple[str, ...], proposed: str | None) -> None:
    assert await proposed_path(Session(*paths), 1, HOME) == proposed
