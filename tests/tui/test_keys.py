"""Every key has an action, a place in help and, where it fits, in the key bar."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from tui_uploader.tui import keys
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.dialogs import Dialogs
from tui_uploader.tui.engine.commands import Commands
from tui_uploader.tui.files.pane import FilesPane
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.lines.table import LineTable
from tui_uploader.tui.panes.projects import ProjectsPane
from tui_uploader.tui.panes.uploads import UploadsPane
from tui_uploader.tui.screens.help import help_sections
from tui_uploader.tui.screens.main import MainScreen

PANES = ("projects", "files", "uploads")
EVERY_KEY = (*keys.IN_PROJECTS, *keys.IN_FILES, *keys.IN_UPLOADS, *keys.EVERYWHERE)


@pytest.mark.parametrize("binding", EVERY_KEY, ids=lambda binding: f"{binding.key} {binding.action}")
def test_every_key_has_an_action(binding: Binding) -> None:
    name, _, argument = binding.action.rpartition(".")[2].partition("(")
    if holder := {"command": Commands, "dialog": Dialogs}.get(name):
        assert callable(getattr(holder, argument.strip("')")))
    else:
        holders = (UploaderApp, MainScreen, ProjectsPane, FilesPane, UploadsPane, LineTable)
        assert any(callable(getattr(holder, f"action_{name}", None)) for holder in holders)


@pytest.mark.parametrize("pane", PANES)
def test_help_and_key_bar_have_every_key(pane: str) -> None:
    text = "\n".join(f"{key} {said}" for _, lines in help_sections(pane, UNICODE) for key, said in lines)
    assert all(binding.tooltip in text for binding in EVERY_KEY)
    assert help_sections(pane, UNICODE)[0][0] == f"In the {pane}"
    own = {"projects": keys.IN_PROJECTS, "files": keys.IN_FILES, "uploads": keys.IN_UPLOADS}[pane]
    assert set(keys.keys_of(pane)) == {*own, *keys.EVERYWHERE}
