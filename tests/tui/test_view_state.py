"""What the user looked at comes back, and nothing in the file that keeps it can do harm."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tui_uploader.model.files import FileQuery
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.settings import Directories
from tui_uploader.tui.files.filter import parse_filter
from tui_uploader.tui.files.views import FilesView, filter_text
from tui_uploader.tui.view_state import ViewState, read_view, write_view

VIEW = ViewState(
    seen=1e9, pane="uploads", upload=7, told=("n",), projects={"project 1": FilesView("size", True, ":failed", 3)}
)


@pytest.mark.parametrize(
    "typed", ["", "dji", "!dji", "/100MEDIA", ":failed", "!:nogps", ":failed dji_01", ":moving !:failed x"]
)
def test_a_filter_is_written_as_it_can_be_typed(typed: str) -> None:
    query = parse_filter(typed).applied_to(FileQuery())
    assert parse_filter(filter_text(query)).applied_to(FileQuery()) == query


def test_a_view_is_private_and_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert read_view(folder) == ViewState()
    write_view(folder, VIEW)
    assert read_view(folder) == VIEW
    (kept,) = folder.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    many = {f"project {number}": FilesView("size") for number in range(1000)}
    write_view(folder, ViewState(projects=many))
    assert list(read_view(folder).projects) == list(many)[-200:]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b'{"seen": "yesterday"}',
        b'{"seen": 1e300}',
        b'{"upload": -1}',
        b'{"pane": 3}',
        b'{"told": [[]]}',
        b'{"projects": {"a": {"sort": "drop table"}}}',
        b'{"projects": {"a": {"filter": "' + b"x" * 5000 + b'"}}}',
        b"[" * 200_000,
        b'{"pane": "' + b"x" * 2**20 + b'"}',
        b"\xff\xfe\x00",
    ],
)
def test_a_spoiled_file_is_forgotten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "view.json").write_bytes(content)
    assert read_view(tmp_path) == ViewState()


def test_a_folder_in_its_place_and_a_full_disk_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "view.json").mkdir()
    assert read_view(tmp_path) == ViewState()
    write_view(tmp_path, VIEW)
    assert [path.name for path in tmp_path.iterdir()] == ["view.json"]
    (tmp_path / "a file").touch()
    write_view(tmp_path / "a file", VIEW)


async def test_pane_row_order_and_filter_come_back(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east.JPG", "east 2.JPG")
    await add_upload(manager, "west.JPG", "west 2.JPG")
    async with showing(directories) as screen:
        await screen.shows("[2] Files", "west 2.JPG")
        await screen.press("3", "down")
        await screen.shows("east 2.JPG")
        await screen.press("2", *"/2.JPG", "enter")
        await screen.hides("∙ east.JPG")
        await screen.press("3")
        await screen.comes_true(lambda: screen.app.main.pane == "uploads", "the uploads have the focus")
        await screen.press("q")
    async with showing(directories) as screen:
        await screen.shows("east 2.JPG")
        await screen.comes_true(lambda: screen.app.main.pane == "uploads", "the uploads have the focus")
        upload = screen.app.main.uploads.current
        assert upload is not None and upload.project_name == "east.JPG"
        await screen.hides("∙ east.JPG")
        await screen.press("up")
        await screen.shows("west.JPG", "west 2.JPG")


async def test_a_filter_that_came_back_can_be_read_and_changed(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east.JPG", "east 2.JPG", "east 20.JPG")
    async with showing(directories) as screen:
        await screen.shows("∙ east 20.JPG")
        await screen.press(*"/2", "enter")
        await screen.hides("∙ east.JPG")
        await screen.press("q")
    async with showing(directories) as screen:
        field = screen.app.main.files.filter
        assert field is not None
        await screen.shows("∙ east 2.JPG")
        await screen.hides("∙ east.JPG")
        await screen.press("f")
        await screen.shows("None of the 3 files matches")
        await screen.press(*"fffff")
        await screen.shows("∙ east 2.JPG")
        assert "∙ east.JPG" not in screen.text
        await screen.press("slash")
        await screen.comes_true(lambda: field.has_focus and field.value == "2", "the field is not as it was left")
        await screen.press("end", "0")
        await screen.hides("∙ east 2.JPG")
        await screen.shows("∙ east 20.JPG")
        await screen.press("backspace")
        await screen.shows("∙ east 2.JPG")


async def test_a_moved_key_is_explained_once_and_not_again_the_next_time(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east.JPG")
    async with showing(directories) as screen:
        await screen.shows("∙ east.JPG")
        await screen.press("s")
        await screen.shows("s no longer starts processing: P does")
        assert screen.app.screen is screen.app.main
        await screen.press("s")
        await screen.shows("Sort files by")
        await screen.press("escape", "q")
    assert read_view(directories.state).told == ("s",)
    async with showing(directories) as screen:
        await screen.shows("∙ east.JPG")
        await screen.press("s")
        await screen.shows("Sort files by")
        assert "no longer" not in screen.text


async def test_what_happened_in_the_meantime_is_told_in_one_line(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east.JPG")
    left = time.time() - 3600
    write_view(directories.state, ViewState(seen=left))
    manager.happen(PastEvent(1, left + 60, EventKind.UPLOADED, 1, "Quarry", files=1711))
    manager.happen(PastEvent(2, left + 90, EventKind.PROCESSING_REQUESTED, 1, "Quarry"))
    async with showing(directories) as screen:
        await screen.shows("when you left: 1,711 uploaded, Quarry submitted for processing.")


async def test_a_first_visit_and_a_short_absence_tell_nothing(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east.JPG")
    manager.happen(PastEvent(1, time.time(), EventKind.UPLOADED, 1, "Quarry", files=1711))
    for _ in range(2):
        async with showing(directories) as screen:
            await screen.shows("∙ east.JPG")
            assert "when you left" not in screen.text
    assert (directories.state / "view.json").is_file()
