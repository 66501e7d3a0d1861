"""The order of activity: folds, and a cursor that stays on its file and on its line."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tui_uploader.model.files import FileItem
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts
from tui_uploader.settings import Directories


def names(number: int) -> list[str]:
    return [f"DJI_{each:04}.JPG" for each in range(1, number + 1)]


def become(manager: StandInManager, change: Callable[[FileItem], FileItem], upload: int = 1) -> None:
    """Change files of an upload, and its counts with them."""
    state = manager._state
    files = state.files[upload] = [change(file) for file in state.files[upload]]
    statuses = [file.status for file in files]
    counts = Counts(**{status: statuses.count(status) for status in FileStatus})
    state.uploads[upload] = replace(state.uploads[upload], counts=counts)
    state.try_now()


def uploaded(*numbers: int) -> Callable[[FileItem], FileItem]:
    """The files of these numbers are uploaded, the later ones later."""

    def change(file: FileItem) -> FileItem:
        done = file.id in numbers
        return replace(file, status=FileStatus.UPLOADED, uploaded_at=1e9 + file.id) if done else file

    return change


def line_of(screen: Screen, text: str) -> int:
    return next(number for number, line in enumerate(screen.lines) if text in line)


async def test_what_happens_now_stands_first_and_long_runs_are_folded(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, *names(4000))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ DJI_0001.JPG", "more waiting", "by activity")
        become(manager, uploaded(*range(1, 1000)))
        await screen.shows("✓ DJI_0999.JPG", "more uploaded", "∙3,001", "✓999")
        become(
            manager,
            lambda file: replace(file, status=FileStatus.FAILED, reason="cut off") if file.id == 3000 else file,
        )
        await screen.shows("✗ DJI_3000.JPG")
        shown = [line_of(screen, text) for text in ("DJI_3000.JPG", "more waiting", "DJI_0999.JPG", "more uploaded")]
        assert shown == sorted(shown)


async def test_a_fold_opens_with_enter_and_is_folded_again(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, *names(400))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("more waiting")
        await screen.press("G")
        await screen.shows(f"{400 - screen.app.main.files.table.cursor} more waiting")
        fold = screen.app.main.files.table.cursor
        await screen.press("x")
        await screen.shows("This line stands for 3")
        await screen.press("enter")
        await screen.hides("more waiting")
        await screen.shows("all waiting files shown", f"› ∙ DJI_{fold + 1:04}.JPG")
        await screen.press("minus")
        await screen.shows("more waiting", f"› ∙ DJI_{fold + 1:04}.JPG")


async def test_the_cursor_stays_on_its_file_and_line_while_files_run_through(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, *names(400))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("more waiting")
        await screen.press("j", "j", "space")
        await screen.shows("1 selected", "› ∙ DJI_0004.JPG", "✚∙ DJI_0003.JPG")
        for done in range(20, 401, 20):
            become(manager, uploaded(*range(1, done + 1)))
            await screen.shows(f"✓{done}")
            await screen.shows("› ✓ DJI_0004.JPG")
        assert screen.app.main.files.selected_ids() == (3,)


async def test_another_order_leaves_the_cursor_on_its_file_and_line(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, *names(400))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("more waiting")
        screen.app.main.files.sort_by("added")
        await screen.shows("DJI_0015.JPG")
        await screen.press("G", "k", "k", "k")
        await screen.shows("› ∙ DJI_0397.JPG", "by order added ▴")
        before = line_of(screen, "› ∙ DJI_0397.JPG")
        await screen.press("s", "s")  # the first one tells where the key went
        await screen.shows("Sort files by", "t   taken")
        await screen.press("N")
        await screen.shows("by name ▾", "› ∙ DJI_0397.JPG", "DJI_0400.JPG")
        await screen.press("s", "n")
        await screen.shows("by name ▴")
        await screen.shows("› ∙ DJI_0397.JPG")
        assert line_of(screen, "› ∙ DJI_0397.JPG") == before


async def test_an_untouched_list_stays_at_the_top(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, *names(400))
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("› ∙ DJI_0001.JPG")
        become(manager, uploaded(*range(1, 51)))
        await screen.shows("› ∙ DJI_0051.JPG", "✓ DJI_0050.JPG")
