"""The help screen."""

from __future__ import annotations

import pytest

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.tui.values import file_item, text_of
from tui_uploader.model.states import FileStatus
from tui_uploader.settings import Directories
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.screens.help import help_lines, help_sections, matching
from tui_uploader.tui.subject.scope import CommandScope


async def test_help_opens_and_closes_with_either_key(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories) as screen:
        for key in ("?", "f1"):
            await screen.press(key)
            await screen.shows("In the files", "Retry the selected failed files")
            await screen.press(key)
            await screen.hides("In the files")


async def test_help_begins_with_the_row_and_can_be_searched(manager: StandInManager, directories: Directories) -> None:
    async with showing(directories, (120, 36)) as screen:
        await add_upload(manager, "a.JPG")
        await screen.shows("∙ a.JPG")
        await screen.press("question_mark")
        await screen.shows("What can be done now", "remove a.JPG", "In the files")
        assert len(screen.lines) == 36 and "Esc close" in screen.lines[-1], "it fills the screen"
        await screen.press("slash", *"budget")
        await screen.shows("timetable and data budget")
        await screen.hides("In the files")
        await screen.press("enter", "escape")
        await screen.shows("In the files")
        await screen.press("slash", *"qqq")
        await screen.shows("No key matches.")
        await screen.press("escape", "escape")
        await screen.hides("What can be done now")


def test_help_names_only_what_can_be_done_to_the_row() -> None:
    failed = file_item(1, "a.JPG", FileStatus.FAILED)
    uploaded = file_item(2, "b.JPG", FileStatus.UPLOADED)

    def first(scope: CommandScope) -> dict[str, str]:
        title, entries = help_sections("files", UNICODE, scope)[0]
        assert title == "What can be done now"
        return dict(entries)

    named = first(CommandScope(item=failed, files=(1,), files_of=1))
    assert (named["R"], named["x Delete"]) == ("retry a.JPG", "remove a.JPG") and {"v", "y"} <= named.keys()
    named = first(CommandScope(item=uploaded, files=(2,), files_of=1))
    assert not {"R", "x Delete"} & named.keys() and {"v", "y"} <= named.keys()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_nothing_in_help_is_cut(width: int) -> None:
    sections = help_sections("files", UNICODE)
    lines = [text_of(line) for line in help_lines(sections, width, UNICODE)]
    assert all(len(line.rstrip()) <= width for line in lines) and not any(UNICODE.cut in line for line in lines)
    words = " ".join(" ".join(lines).split())
    assert all(title in words for title, _ in sections)
    if width < 96:
        assert all(entry.split()[0] in words for _, entries in sections for _, entry in entries)
    else:
        assert len(lines) < 0.75 * len(help_lines(sections, 80, UNICODE)), "two columns"


def test_a_search_keeps_entries_and_their_titles() -> None:
    sections = help_sections("files", UNICODE)
    found = matching(sections, "RETRY")
    assert found and all(entries for _, entries in found)
    assert all("retry" in f"{key} {said}".casefold() for _, entries in found for key, said in entries)
    assert matching(sections, "") == sections and matching(sections, "qqq") == []
