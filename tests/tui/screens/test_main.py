"""The main screen: sizes of the terminal, and panes that show the same upload."""

from __future__ import annotations

from functools import partial

from rich.cells import cell_len

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.tui.values import HOSTILE
from tests.until import until
from tui_uploader.settings import Directories
from tui_uploader.tui.messages import Noticed


async def test_lines_fit_and_columns_align_with_any_names_and_sizes(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, *(name for name in HOSTILE if name))
    async with showing(directories, (80, 24)) as screen:
        screen.app.main.files.sort_by("added")
        for size in ((80, 24), (120, 40), (240, 70), (60, 16)):
            await screen.pilot.resize_terminal(*size)
            await screen.shows("\\x1b[", "漢字")
            assert all(cell_len(line) <= size[0] for line in screen.lines)
            assert not any(ord(character) < 32 for line in screen.lines for character in line)
            rows = [line for line in screen.lines if " 7 B waiting" in line]
            assert len(rows) > 5
            assert len({cell_len(line[: line.index(" 7 B waiting")]) for line in rows}) == 1


async def test_a_tiny_terminal_shows_a_plain_list(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "field")
    async with showing(directories, (80, 24)) as screen:
        for size in ((20, 5), (59, 24), (80, 15), (1, 1)):
            await screen.shows("[2] Files", "field")
            await screen.pilot.resize_terminal(*size)
            await screen.hides("[2] Files")
            if size > (1, 1):
                await screen.shows(" field")
            await screen.press("down", "p", "?", "escape", "1", "2", "3")
            await screen.pilot.resize_terminal(80, 24)
            await screen.shows("[2] Files", "[3] Uploads")


async def test_the_focus_returns_when_a_tiny_terminal_grows(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "field")
    panes = {"1": ("projects", "[1] Projects"), "2": ("files", "[2] Files"), "3": ("uploads", "[3] Uploads")}
    async with showing(directories, (120, 30)) as screen:
        for key, (pane, title) in panes.items():
            await screen.press(key)
            table = getattr(screen.app.main, pane).table
            await until(partial(getattr, table, "has_focus"))
            await screen.pilot.resize_terminal(40, 10)
            await screen.shows("0 % field")
            await screen.press("?")
            await screen.shows("Keys")
            await screen.press("escape")
            await screen.hides("Keys")
            await screen.pilot.resize_terminal(80, 24)
            await until(partial(getattr, table, "has_focus"))
            await screen.shows(title)
            assert screen.app.focused is not None and screen.app.focused.is_on_screen


async def test_projects_open_over_the_files_in_a_narrow_terminal(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "east")
    await add_upload(manager, "west")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("[2] Files", "west")
        assert "[1] Projects" not in screen.text
        await screen.press("1")
        await screen.shows("[1] Projects", "Kind", "images")
        assert "[2] Files" not in screen.text
        await screen.press("down", "enter")
        await screen.hides("[1] Projects")
        await screen.shows("[2] Files  east")
        await screen.press("1", "escape")
        await screen.shows("[2] Files  east")


async def test_all_panes_show_the_same_upload(manager: StandInManager, directories: Directories) -> None:
    for name in ("east", "middle", "west"):
        await add_upload(manager, name)
    async with showing(directories) as screen:
        await screen.shows("[2] Files  west")
        await screen.press("3", "down")
        await screen.shows("[2] Files  middle")
        assert screen.app.main.scope().project is not None
        assert screen.app.main.projects.current == screen.app.main.projects.table.window.row(1)
        await screen.press("1", "down")
        await screen.shows("[2] Files  east")
        assert screen.app.main.uploads.current is not None
        assert screen.app.main.uploads.current.project_name == "east"


async def test_hidden_uploads_keep_their_title(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "east")
    async with showing(directories) as screen:
        await screen.shows("1 active", "processing needs at least 6")
        await screen.press("3", "w")
        await screen.hides("processing needs at least 6")
        await screen.shows("[3] Uploads: 1 active")
        assert screen.app.main.pane == "files"
        await screen.press("w")
        await screen.shows("processing needs at least 6")


async def test_a_notice_stays_above_the_uploads_when_they_grow(
    manager: StandInManager, directories: Directories
) -> None:
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("No uploads; u starts one.")
        screen.app.post_message(Noticed("A notice", seconds=0))
        await screen.shows("A notice")
        for name in ("east", "west", "south"):
            await add_upload(manager, name)
        await until(lambda: screen.lines[screen.lines.index("  A notice") + 1].startswith(" [3] Uploads: 3 active"))
