"""All keys of the main screen: action, label in the key bar, text in help.

The key bar, help and the command palette are generated from these tables, so that none can miss a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from textual.binding import Binding


def _key(keys: str, action: str, label: str, help: str, shown: str = "") -> Binding:
    return Binding(keys, action, label, tooltip=help, key_display=shown or keys.partition(",")[0], show=True)


EVERYWHERE = (
    _key(
        "1", "focus_pane('projects')", "projects", "Go to the projects (in a narrow terminal they open over the files)"
    ),
    _key("2", "focus_pane('files')", "files", "Go to the files"),
    _key("3", "focus_pane('uploads')", "uploads", "Go to the uploads"),
    _key("u", "app.dialog('add_files')", "upload", "Upload files or folders"),
    _key("n", "app.dialog('new_project')", "new", "Create a project"),
    _key("s", "command('start_processing')", "start", "Start processing; asks first, because it may cost credits"),
    _key("r", "command('retry_all')", "retry all", "Retry all failed files, and reconnect now if the link is down"),
    _key("p", "command('pause_or_resume')", "pause", "Pause or resume the upload"),
    _key("c", "command('cancel')", "cancel", "Cancel the upload; uploaded files stay in the project"),
    _key("a", "command('toggle_auto_process')", "auto", "Switch automatic processing after the upload on or off"),
    _key("d", "command('dismiss')", "dismiss", "Remove a complete or cancelled upload from the list"),
    _key("U", "command('undo_removal')", "undo", "Undo: put the files removed last back into the queue"),
    _key("o", "command('copy_address')", "copy address", "Copy the web address of the project"),
    _key("m", "app.dialog('show_map')", "map", "Show a map of where the images were taken"),
    _key("w", "toggle_uploads", "hide/show", "Hide or show the uploads; they continue"),
    _key("b", "app.dialog('set_bandwidth')", "bandwidth", "Set limit, timetable and data budget of all uploads"),
    _key("l", "app.dialog('show_log')", "log", "Show the engine log"),
    _key("E", "app.restart_engine", "start engine", "Start the engine, or restart one of another version"),
    _key("question_mark,f1", "app.dialog('show_help')", "help", "Show all keys", shown="?"),
    _key("q", "app.detach", "quit", "Quit the app; uploads continue in the background (a demo ends)"),
)
"""Keys that work in every pane."""

IN_PROJECTS = (
    _key("slash", "filter", "filter", "Filter by part of the name; ! in front: all that do not match", shown="/"),
    _key("enter", "open", "files", "Go to the project's files", shown="Enter"),
)
IN_FILES = (
    _key(
        "slash",
        "filter",
        "filter",
        "Filter by part of the name, or by status as in :failed; ! in front: all that do not match",
        shown="/",
    ),
    _key("f", "next_status", "status", "Filter by status; press again for the next status"),
    _key("S", "next_sort", "sort", "Sort by the next column; or click a column title"),
    _key("space", "mark", "select", "Select or deselect the file", shown="Space"),
    _key("A", "mark_all", "select all", "Select all files shown"),
    _key("i", "mark_others", "invert", "Invert the selection among the files shown"),
    _key("R", "screen.command('retry_selected')", "retry", "Retry the selected failed files"),
    _key("x,delete", "screen.command('remove_selected')", "remove", "Remove waiting, duplicate or failed files"),
    _key("enter", "open", "details", "Show all details of the file", shown="Enter"),
    _key("v", "app.dialog('show_picture')", "view", "View the image full screen"),
)
IN_UPLOADS = (_key("enter", "open", "files", "Go to the upload's files", shown="Enter"),)

MOVING = (
    ("Up Down  k j", "One row"),
    ("PgUp PgDn  ^u ^d", "A page, half a page"),
    ("Home End  g G", "The first row, the last row"),
    ("Tab", "The next pane"),
    ("Esc", "Close the dialog; clear the filter, then the selection"),
    ("Mouse", "Wheel and click; double click as Enter; click keys in the last line and column titles"),
    ("^p", "All commands by name"),
    ("^l", "Redraw the screen"),
    ("^z", "Suspend to the shell; fg returns"),
)
"""Keys for moving around, for help only."""

_FIRST_IN_BAR: Mapping[str, Sequence[str]] = {
    "projects": ("open", "n", "u", "s", "filter", "o"),
    "files": ("u", "filter", "f", "space", "x", "1", "R", "r", "s", "p", "S", "A"),
    "uploads": ("open", "p", "c", "r", "s", "a", "d", "w"),
}
"""The keys shown first in the bar of each pane, by key or action."""

_LAST = ("question_mark,f1", "q")


def keys_of(pane: str) -> tuple[Binding, ...]:
    """All keys that work in the pane, the most used first, help and quit last."""
    own = {"projects": IN_PROJECTS, "files": IN_FILES, "uploads": IN_UPLOADS}.get(pane, ())
    every = list(chain(own, EVERYWHERE))
    order = _FIRST_IN_BAR.get(pane, ())

    def rank(binding: Binding) -> tuple[int, int]:
        if binding.key in _LAST:
            return (2, _LAST.index(binding.key))
        names = (binding.action, binding.key.partition(",")[0])
        found = [order.index(name) for name in names if name in order]
        return (0, found[0]) if found else (1, every.index(binding))

    return tuple(sorted(every, key=rank))
