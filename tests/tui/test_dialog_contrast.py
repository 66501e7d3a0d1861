"""Everything in a dialog can be read in every theme: contrast, measured from the cells, of at least 4.5."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.color_triplet import ColorTriplet
from textual.app import App
from textual.screen import ModalScreen

from tests.tui.dialog_app import opened
from tests.tui.verification.card import UNSAFE_CARD, Card, screen_of
from tests.values import READING_CARD, SAFE_CARD
from tui_uploader.model.engine import Bandwidth
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.results import Finding, ProjectResult, ResultFinding, ResultQuestion, ResultType
from tui_uploader.model.verification import Verdict
from tui_uploader.tui.add_files.new_project import NewProjectScreen
from tui_uploader.tui.add_files.screen import AddFilesScreen
from tui_uploader.tui.command_line.command_table import commands_for
from tui_uploader.tui.command_line.prompt import CommandPrompt
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.screens.bandwidth import BandwidthScreen
from tui_uploader.tui.screens.confirm import ConfirmScreen
from tui_uploader.tui.subject.scope import CommandScope
from tui_uploader.tui.verification.ask import AskPathScreen

_ENOUGH = 4.5
"""WCAG 2.2, 1.4.3: text of ordinary size."""
_THEMES = 15
"""The themes that are tried at least; those of the terminal's own colours cannot be measured."""
_DONE = Processing(ProcessingState.DONE, ended_at=0.0, images=12)
_PROJECT = Project("11", "North field", ProjectKind.IMAGES, "me@cloud", _DONE, (1,), 3_999)


async def _never(*_: object) -> Any:
    raise NotImplementedError


def _add_files(card: Path) -> ModalScreen[Any]:
    dropped = f"{card} /not/here"
    return AddFilesScreen(_PROJECT, lambda: [_PROJECT], card, _never, dropped=dropped, home=card.parent)


async def _results(_: object) -> tuple[ResultQuestion, ...]:
    unclear = ResultQuestion("/out/plan.tif", 1, None, (ResultType.DSM, ResultType.DTM))
    old = ProjectResult(ResultType.MESH, "old.obj", 1)
    remark = ResultFinding(Finding.NO_CRS)
    return unclear, ResultQuestion("/out/a.obj", 1, ResultType.MESH, replaces=old, findings=(remark,))


def _add_results(card: Path) -> ModalScreen[Any]:
    (card / "plan.tif").touch()
    project = replace(_PROJECT, kind=ProjectKind.RESULTS, processing=Processing())
    options = {"dropped": str(card), "home": card.parent, "ask_results": _results}
    return AddFilesScreen(project, lambda: [project], card, _never, **options)  # type: ignore[arg-type]


DIALOGS: dict[str, Callable[[Path], ModalScreen[Any]]] = {
    "not on this machine": _add_files,
    "a.obj takes the place of old.obj": _add_results,
    "New project": lambda _: NewProjectScreen(_never),
    "Tab completes": lambda _: CommandPrompt(commands_for(CommandScope()), _never, UNICODE),
    "At stake": lambda _: ConfirmScreen("Really?", ["At stake."]),
    "No data budget": lambda _: BandwidthScreen(Bandwidth, _never),
    "Every file in it is read again": lambda _: AskPathScreen("/", "/", "/", _never),
    "Everything in /media/card": lambda _: screen_of(Card(SAFE_CARD)),
    "u upload 2 missing": lambda _: screen_of(Card(UNSAFE_CARD)),
    "SAFE FOR IMAGES": lambda _: screen_of(Card(replace(SAFE_CARD, verdict=Verdict.SAFE_FOR_IMAGES))),
    "READING  50 %": lambda _: screen_of(Card(READING_CARD)),
}


@pytest.mark.parametrize("shown", DIALOGS)
async def test_dialogs_can_be_read_in_every_theme(shown: str, tmp_path: Path) -> None:
    (tmp_path / "a.JPG").touch()
    (tmp_path / "b.JPG").touch()
    async with opened(lambda: DIALOGS[shown](tmp_path)) as dialog:
        await dialog.shows(shown)
        app = dialog.pilot.app
        measured = [theme for theme in app.available_themes if "ansi" not in theme]
        assert len(measured) >= _THEMES
        faint: dict[str, dict[str, float]] = {}
        for theme in measured:
            app.theme = theme
            await dialog.pilot.pause()
            if found := faint_texts(app):
                faint[theme] = found
        assert not faint


def faint_texts(app: App[Any]) -> dict[str, float]:
    """The texts on the screen that have too little contrast, with what they have."""
    found: dict[str, float] = {}
    for strip in app.screen._compositor.render_strips():
        for text, style, _ in strip:
            if text.strip() and style is not None and style.color is not None and style.bgcolor is not None:
                ratio = contrast(style.color.get_truecolor(), style.bgcolor.get_truecolor())
                if ratio < _ENOUGH:
                    found[text.strip()] = round(ratio, 2)
    return found


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """WCAG 2.2: contrast ratio."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
