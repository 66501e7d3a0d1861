"""Every key has an action, a place in help and, where it fits, in the key bar."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.binding import Binding

from tests.tui.values import file_item, project, upload_status
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts
from tui_uploader.tui import keys
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.dialogs import Dialogs
from tui_uploader.tui.engine.commands import Commands
from tui_uploader.tui.files.pane import FilesPane
from tui_uploader.tui.key import Key
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.lines.table import LineTable
from tui_uploader.tui.panes.projects import ProjectsPane
from tui_uploader.tui.panes.uploads import UploadsPane
from tui_uploader.tui.screens.help import help_sections
from tui_uploader.tui.screens.main import MainScreen
from tui_uploader.tui.subject import refusals
from tui_uploader.tui.subject.scope import CommandScope

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


def labels(scope: CommandScope, *, named: bool = False) -> dict[str, str]:
    return {key.id: key.label(scope, named=named) for key in keys.keys_of(scope.pane) if key.id}


def test_labels_say_what_the_key_does_now() -> None:
    running = upload_status(counts=Counts(waiting=3, failed=1200))
    paused = upload_status(state=UploadState.PAUSED, counts=Counts(waiting=3), auto_process=False)
    assert labels(CommandScope(uploads=(running,)))["pause"] == "pause"
    assert labels(CommandScope(uploads=(paused,)))["pause"] == "resume"
    assert labels(CommandScope(uploads=(paused, running)))["pause"] == "pause"
    assert labels(CommandScope(uploads=(running,)))["retry"] == "retry 1,200 failed"
    assert labels(CommandScope(uploads=(paused,)))["retry"] == "try now"
    assert labels(CommandScope(uploads=(running,)))["automatic"] == "manual"
    assert labels(CommandScope(uploads=(running, paused)))["automatic"] == "automatic"
    assert labels(CommandScope(folded=4000))["open"] == "show 4,000 files"
    assert labels(CommandScope(item=file_item()))["open"] == "details"


def test_labels_name_what_the_key_is_about() -> None:
    item = file_item(name="DJI_0007.JPG")
    scope = CommandScope(project=project("Quarry"), item=item, files=(item.id,))
    assert labels(scope, named=True)["process"] == "process Quarry"
    assert labels(scope, named=True)["remove"] == "remove DJI_0007.JPG"
    assert labels(replace(scope, files=(1, 2, 3), selected=True), named=True)["remove"] == "remove 3 files"
    assert labels(scope, named=True)["upload"] == "upload"
    assert labels(scope)["process"] == "process"
    assert labels(CommandScope(), named=True)["process"] == "process"


@pytest.mark.parametrize(
    "name", ["x" * 300, "\u5b57" * 100, "\x1b[31m\u202e\n" * 30, "\U0001f469\u200d\U0001f467" * 40]
)
def test_names_in_labels_are_short_and_safe(name: str) -> None:
    label = labels(CommandScope(project=project(name)), named=True)["process"]
    assert cell_len(label) <= len("process ") + 18
    assert not any(ord(character) < 32 or character == "\u202e" for character in label)


@pytest.mark.parametrize("key", EVERY_KEY, ids=lambda key: f"{key.key} {key.action}")
def test_a_key_applies_where_it_is_not_refused_and_changes_nothing_on_a_read_only_screen(key: Key) -> None:
    for pane in PANES:
        scope = CommandScope(pane=pane, project=project(), uploads=(upload_status(counts=Counts(waiting=3)),))
        assert key.when(scope) == (not key.why_not(scope))
        if key.changes:
            assert key.why_not(replace(scope, read_only=True)) == refusals.READ_ONLY
        else:
            assert key.why_not(replace(scope, read_only=True)) == key.why_not(scope)
