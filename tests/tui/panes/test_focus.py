"""One subject: commands, files and key bar follow the row under the cursor, whatever comes, changes and goes."""

from __future__ import annotations

from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tui_uploader.settings import Directories
from tui_uploader.tui.lines.glyphs import UNICODE


def row_under_cursor(screen: Screen, pane: str) -> str:
    """The line of the pane that is drawn with the sign of the cursor."""
    table = getattr(screen.app.main, pane).table
    lines = [table.render_line(y).text for y in range(table.size.height)]
    return next((line for line in lines if line.startswith(UNICODE.cursor)), "")


async def test_after_a_dismissal_everything_is_about_the_row_under_the_cursor(
    manager: StandInManager, directories: Directories
) -> None:
    for name in ("one", "two", "three"):
        await add_upload(manager, name)
    await manager.cancel(2)
    async with showing(directories) as screen:
        await screen.shows("[2] Files  three")
        await screen.press("3", "down", "down")
        await screen.shows("[2] Files  two")
        await screen.press("d")
        await screen.shows("removed from the list", "[2] Files  one")
        scope = screen.app.main.scope()
        assert scope.project is not None and scope.project.name == "one"
        assert [upload.project_name for upload in scope.uploads] == ["one"]
        assert "one" in row_under_cursor(screen, "uploads")
        assert "one" in row_under_cursor(screen, "projects")
        await screen.press("c")
        await screen.shows("Cancel the upload to one?")
