"""Every key of the main screen, once: what it does, what the key bar calls it, and what help says of it.

The key bar and the help screen are drawn from these tables, so that neither can forget a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from textual.binding import Binding


def _key(keys: str, action: str, label: str, help: str, shown: str = "") -> Binding:
    return Binding(keys, action, label, tooltip=help, key_display=shown or keys.partition(",")[0], show=True)


EVERYWHERE = (
    _key(
        "1", "focus_pane('projects')", "projects", "Go to the projects; in a narrow terminal they open over the files"
    ),
    _key("2", "focus_pane('files')", "files", "Go to the files"),
    _key("3", "focus_pane('uploads')", "uploads", "Go to the uploads"),
    _key("u", "app.dialog('add_files')", "upload", "Upload files or folders"),
    _key("n", "app.dialog('new_project')", "new", "Make a new project"),
    _key("s", "command('start_processing')", "start", "Start processing; asks first, since that may cost credits"),
    _key("r", "command('retry_all')", "retry all", "Try all failed files again, and a dead link at once"),
    _key("p", "command('pause_or_resume')", "pause", "Pause the upload, or resume it"),
    _key("c", "command('cancel')", "cancel", "Cancel the upload; what is uploaded stays"),
    _key(
        "a", "command('toggle_auto_process')", "auto", "Start processing automatically when all is uploaded: on or off"
    ),
    _key("d", "command('dismiss')", "dismiss", "Take a complete or cancelled upload off the list"),
    _key("U", "command('undo_removal')", "undo", "Put the files that were removed last back into the queue"),
    _key("o", "command('copy_address')", "copy address", "Copy the web address of the project"),
    _key("m", "app.dialog('show_map')", "map", "Show where the images of the upload were taken"),
    _key("w", "toggle_uploads", "hide/show", "Hide or show the uploads; nothing is interrupted"),
    _key("b", "app.dialog('set_bandwidth')", "bandwidth", "Cap, timetable and data budget of all uploads"),
    _key("l", "app.dialog('show_log')", "log", "Show the engine's log"),
    _key("E", "app.restart_engine", "start engine", "Start the engine again, or replace one of another version"),
    _key("question_mark,f1", "app.dialog('show_help')", "help", "Show all keys", shown="?"),
    _key("q", "app.detach", "quit", "Leave; uploads go on in the background, only a demo ends"),
)
"""Keys that work in every pane."""

IN_PROJECTS = (
    _key("slash", "filter", "filter", "Show only projects with this text in their name; ! turns it round", shown="/"),
    _key("enter", "open", "files", "Go to the project's files", shown="Enter"),
)
IN_FILES = (
    _key(
        "slash",
        "filter",
        "filter",
        "Show only files with this text in their name, or :failed and the like; ! turns it round",
        shown="/",
    ),
    _key("f", "next_status", "status", "Show only files of one status; the next time of the next one"),
    _key("S", "next_sort", "sort", "Sort by another column; a click on its title does so too"),
    _key("space", "mark", "select", "Select the file, or take it out of the selection", shown="Space"),
    _key("A", "mark_all", "select all", "Select every file that the filter shows"),
    _key("i", "mark_others", "invert", "Select the files that are not selected, and only those"),
    _key("R", "screen.command('retry_selected')", "retry", "Try the selected failed files again"),
    _key("x,delete", "screen.command('remove_selected')", "remove", "Remove waiting, duplicate or failed files"),
    _key("enter", "open", "details", "Show everything that is known of the file", shown="Enter"),
    _key("v", "app.dialog('show_picture')", "view", "View the image over the whole screen"),
)
IN_UPLOADS = (_key("enter", "open", "files", "Go to the upload's files", shown="Enter"),)

MOVING = (
    ("Up Down  k j", "One row"),
    ("PgUp PgDn  ^u ^d", "A page, half a page"),
    ("Home End  g G", "The first row, the last row"),
    ("Tab", "The next pane"),
    ("Esc", "Close a dialog; drop the filter, then the selection"),
    ("Mouse", "Wheel, click, double click as Enter; keys in the last line, titles of columns"),
    ("^p", "All commands by name"),
    ("^l", "Draw the screen again"),
    ("^z", "Back to the shell; fg comes back here"),
)
"""Keys that move, as help shows them."""

_FOREMOST: Mapping[str, Sequence[str]] = {
    "projects": ("open", "n", "u", "s", "filter", "o"),
    "files": ("u", "filter", "f", "space", "x", "1", "R", "r", "s", "p", "S", "A"),
    "uploads": ("open", "p", "c", "r", "s", "a", "d", "w"),
}
"""For each pane, the keys that its bar shows first, by key or action."""

_LAST = ("question_mark,f1", "q")


def keys_of(pane: str) -> tuple[Binding, ...]:
    """All keys that work in the pane, the ones that are used most first; help and quit at the end."""
    own = {"projects": IN_PROJECTS, "files": IN_FILES, "uploads": IN_UPLOADS}.get(pane, ())
    every = list(chain(own, EVERYWHERE))
    order = _FOREMOST.get(pane, ())

    def rank(binding: Binding) -> tuple[int, int]:
        if binding.key in _LAST:
            return (2, _LAST.index(binding.key))
        names = (binding.action, binding.key.partition(",")[0])
        found = [order.index(name) for name in names if name in order]
        return (0, found[0]) if found else (1, every.index(binding))

    return tuple(sorted(every, key=rank))
