"""News stay until they are closed, and take no key that is meant for something else."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pytest
from rich.cells import cell_len

from tests.service.stand_in import StandInManager
from tests.tui.conftest import Screen, add_upload, showing
from tests.tui.values import HOSTILE
from tui_uploader.model.projects import Processing, ProcessingState
from tui_uploader.settings import Directories
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.screens.help import HelpScreen
from tui_uploader.tui.widgets.news_band import DONE, NewsBand, Starting, Submission, band_lines, starting_line

NOW = datetime(2026, 11, 29, 14, 40).timestamp()
ESTIMATED = Processing(ProcessingState.SUBMITTED, None, 240.0, 3600.0, NOW)
UNKNOWN = Processing(ProcessingState.SUBMITTED)


def lines(*submissions: Submission, width: int = 78) -> list[str]:
    return band_lines(submissions, width, NOW, UNICODE)


def test_one_submission_has_all_estimates() -> None:
    quarry = Submission("Quarry", ESTIMATED)
    words = "estimated waiting time 4 min 00 s, processing time 1 h 00 min, ready about 15:44"
    assert lines(quarry, width=140) == [f"Submitted for processing: Quarry, {words}"]
    assert lines(quarry, width=100) == ["Submitted for processing", f"Quarry: {words}"]
    assert lines(quarry, width=58) == ["Submitted for processing", "Quarry ~15:44"]
    assert lines(Submission("Quarry", UNKNOWN)) == ["Submitted for processing: Quarry, the service gave no estimate"]


@pytest.mark.parametrize("width", [58, 78, 118, 198])
@pytest.mark.parametrize("number", [1, 2, 3, 5, 12, 60])
def test_names_give_way_to_times_and_no_submission_is_left_out_in_silence(width: int, number: int) -> None:
    names = [f"{HOSTILE[index % len(HOSTILE)]} and a rather long name {index}" for index in range(number)]
    found = lines(*(Submission(name, ESTIMATED) for name in names), width=width)
    assert 1 <= len(found) <= 3
    assert all(cell_len(line) <= width for line in found)
    assert not any(ord(character) < 32 for line in found for character in line)
    assert cell_len(found[0]) <= width - len(DONE + " Enter")
    shown = sum(line.count("15:44") for line in found)
    left_out = number - shown
    assert left_out == 0 or f"and {left_out} more (e lists them)" in found[-1]


def test_five_submissions_fit_into_a_small_terminal() -> None:
    names = ("Flight check", "Six A", "Bridge", "Quarry May 2026", "Depot")
    assert lines(*(Submission(name, ESTIMATED) for name in names)) == [
        "Submitted for processing: 5 projects",
        "Depot ~15:44   Quarry May 2026 ~15:44   Bridge ~15:44   Six A ~15:44",
        "Flight check ~15:44",
    ]


def test_the_seconds_until_processing_starts() -> None:
    one = [Starting("Quarry", NOW + 7.5)]
    assert starting_line(one, 78, NOW, UNICODE) == "Processing of Quarry starts in 8 s; U stops it"
    more = [Starting(f"Project {number}", NOW + number) for number in range(1, 6)]
    assert starting_line(more[:2], 78, NOW, UNICODE) == (
        "Processing starts: Project 1 in 1 s, Project 2 in 2 s; U stops it"
    )
    for width in (58, 78, 118):
        for names in (one, more, [Starting("x" * 200, NOW + 9)]):
            line = starting_line(names, width, NOW, UNICODE)
            assert cell_len(line) <= width and "U stops it" in line


async def test_the_countdown_to_processing_goes_when_it_is_over(
    manager: StandInManager, directories: Directories
) -> None:
    await add_upload(manager, "a.JPG")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ a.JPG")
        band, wall = screen.app.main.news, NOW
        band._wall = lambda: wall
        band.show_starting([Starting("Quarry", NOW + 8)])
        await screen.shows("Processing of Quarry starts in 8 s; U stops it")
        await screen.press("enter")
        await screen.comes_true(lambda: screen.app.screen is not screen.app.main, "no key is for the countdown")
        await screen.press("escape")
        wall += 3
        await screen.shows("starts in 5 s")
        wall += 6
        await screen.hides("Processing of Quarry")


def test_news_are_closed_only_when_they_could_have_been_read() -> None:
    now = 100.0
    band = NewsBand(UNICODE, wall=lambda: NOW, clock=lambda: now)
    assert not band.takes_keys()
    band.submissions = (Submission("Quarry", ESTIMATED),)
    band.shown_anew()
    assert not band.takes_keys()
    now += 1.5
    assert band.takes_keys()
    assert not band.takes_keys(delay=2.0), "on a slow connection it has only just arrived"


async def submitted(screen: Screen, *names: str) -> None:
    screen.app.main.news._wall = lambda: NOW
    screen.app.main.news.add([Submission(name, ESTIMATED) for name in names])
    await screen.shows("Submitted for processing", "DONE")


async def test_typing_goes_where_it_was_meant(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "a.JPG", "Ortho results.tif", "z.JPG")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ a.JPG", "∙ z.JPG")
        screen.app.main.news._clock = lambda: 0.0
        await screen.press(*"/Ort")
        await submitted(screen, "Flight check")
        await screen.press(*"ho res", "enter")
        await screen.shows("Ortho results.tif", "1 of 3", "Submitted for processing")
        await screen.press("escape")
        await screen.shows("∙ a.JPG", "∙ z.JPG", "Submitted for processing")
        await screen.press("p", "j")
        await screen.shows("paused", "Submitted for processing")
        screen.app.main.news._clock = lambda: 1.5
        await screen.press("enter")
        await screen.hides("Submitted for processing")
        assert screen.app.screen is screen.app.main, "the key that closed the news opened nothing"
        await screen.press("enter")
        await screen.comes_true(lambda: screen.app.screen is not screen.app.main, "the next key opens the details")


async def test_news_that_open_under_a_key_stay(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "a.JPG")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ a.JPG")
        screen.app.main.news._clock = lambda: 0.0
        await submitted(screen, "Flight check")
        await screen.press("enter")
        await screen.comes_true(lambda: screen.app.screen is not screen.app.main, "Enter opens the details")
        await screen.press("escape")
        await screen.comes_true(lambda: screen.app.screen is screen.app.main, "Escape closes them")
        await screen.press("escape")
        await screen.shows("Flight check", "DONE")


async def test_every_submission_is_reached_at_80x24(manager: StandInManager, directories: Directories) -> None:
    for name in ("east", "west", "south"):
        await add_upload(manager, name)
    async with showing(directories, (80, 24)) as screen:
        names = ("Flight check", "Six A", "Bridge", "Quarry May 2026", "Depot")
        await screen.shows("1 file skipped")  # the lines below are all there: nothing moves any more
        for name in names:
            await submitted(screen, name)
        await screen.shows(*names, "5 projects", "DONE")
        row = next(index for index, line in enumerate(screen.lines) if "DONE" in line)
        assert row + 3 == next(index for index, line in enumerate(screen.lines) if "[3] Uploads" in line)
        await screen.pilot.click(offset=(5, row))
        await screen.shows("DONE")
        await screen.pilot.click(offset=(screen.lines[row].index("DONE") + 1, row))
        await screen.hides("DONE")


async def test_news_survive_small_terminals_and_dialogs(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "a.JPG")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("∙ a.JPG")
        await screen.press("?")
        await screen.comes_true(partial(isinstance, screen.app.screen, HelpScreen), "the help opens")
        screen.app.main.news.add([Submission("Flight check", ESTIMATED)])
        await screen.press("escape")
        await screen.shows("Flight check", "DONE")
        await screen.pilot.resize_terminal(20, 5)
        await screen.hides("DONE")
        await screen.pilot.resize_terminal(120, 30)
        await screen.shows("Flight check", "DONE")
