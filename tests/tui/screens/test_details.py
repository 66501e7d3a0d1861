"""Details of a file and the list of skipped paths."""

from __future__ import annotations

from pathlib import Path

from tests.tui.conftest import showing
from tests.tui.uploads import flight, queued
from tests.until import until
from tui_uploader.settings import Directories


async def test_details_of_a_duplicate_and_of_skipped_paths(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path, 1)
    (card / "copy.JPG").write_bytes((card / "DJI_0001.JPG").read_bytes())
    (card / "notes.txt").write_text("no image")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card)
        await screen.shows("= copy.JPG", "copy of")
        await screen.press("f", "f")
        await screen.shows("only duplicate", "copy.JPG")
        await screen.press("enter")
        await screen.shows("Status       duplicate", "Same as", "Next step", str(card)[:20])
        await screen.press("escape")
        await screen.app.run_action("dialog('show_skipped')")
        await screen.shows("1 file skipped", "notes.txt")
