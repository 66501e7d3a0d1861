"""All keys of the main screen: action, label in the key bar, text in help, and when they apply.

The key bar, help, the command palette and the `:` commands are generated from these tables, so that none can miss a
key. Whether a key applies, and what the bar calls it, depends on what is under the cursor: both are pure functions of
the `CommandScope`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain

from tui_uploader.model.states import FileStatus
from tui_uploader.tui.key import Key, auto_words, open_words, pause_words, retry_words
from tui_uploader.tui.subject import refusals
from tui_uploader.tui.subject.scope import CommandScope


def _key(
    keys: str,
    name: str,
    action: str,
    label: str,
    help: str,
    shown: str = "",
    *,
    refusal: Callable[[CommandScope], str] = refusals.none,
    about: str = "",
    changes: bool = False,
    words: Callable[[CommandScope], str] | None = None,
) -> Key:
    display = shown or keys.partition(",")[0]
    return Key(
        keys,
        action,
        label,
        tooltip=help,
        key_display=display,
        id=name,
        refusal=refusal,
        about=about,
        changes=changes,
        words=words,
    )


EVERYWHERE = (
    _key(
        "1",
        "projects",
        "focus_pane('projects')",
        "projects",
        "Go to the projects (in a narrow terminal they open over the files)",
    ),
    _key("2", "files", "focus_pane('files')", "files", "Go to the files"),
    _key("3", "uploads", "focus_pane('uploads')", "uploads", "Go to the uploads"),
    _key("u", "upload", "app.dialog('add_files')", "upload", "Upload files or folders", changes=True),
    _key("C", "create", "app.dialog('new_project')", "create", "Create a project", changes=True),
    _key(
        "P",
        "process",
        "command('start_processing')",
        "process",
        "Start processing; asks first, because it may cost credits",
        refusal=refusals.process,
        about="project",
        changes=True,
    ),
    _key(
        "r",
        "retry",
        "command('retry_all')",
        "retry",
        "Retry all failed files, and reconnect now if the link is down",
        refusal=refusals.retry_all,
        changes=True,
        words=retry_words,
    ),
    _key(
        "p",
        "pause",
        "command('pause_or_resume')",
        "pause",
        "Pause or resume the upload",
        refusal=refusals.pause,
        about="project",
        changes=True,
        words=pause_words,
    ),
    _key(
        "c",
        "cancel",
        "command('cancel')",
        "cancel",
        "Cancel the upload; asks first; uploaded files stay in the project",
        refusal=refusals.cancel,
        about="project",
        changes=True,
    ),
    _key(
        "a",
        "automatic",
        "command('toggle_auto_process')",
        "automatic",
        "Switch automatic processing after the upload on or off",
        refusal=refusals.toggle_auto_process,
        changes=True,
        words=auto_words,
    ),
    _key(
        "d",
        "dismiss",
        "command('dismiss')",
        "dismiss",
        "Remove a complete or cancelled upload from the list",
        refusal=refusals.dismiss,
        about="project",
        changes=True,
    ),
    _key(
        "U",
        "undo",
        "command('undo')",
        "undo",
        "Undo the last removal, addition or dismissal, or stop the automatic start of processing",
        refusal=refusals.undo,
        changes=True,
    ),
    _key(
        "o",
        "address",
        "command('copy_address')",
        "web address",
        "Copy the web address of the project",
        refusal=refusals.copy_address,
    ),
    _key(
        "m",
        "map",
        "app.dialog('show_map')",
        "map",
        "Show a map of where the images were taken",
        refusal=refusals.show_map,
    ),
    _key(
        "W",
        "watch",
        "app.dialog('show_watches')",
        "watch",
        "Show the folders whose new images are uploaded automatically, watch another one, or stop",
        changes=True,
    ),
    _key(
        "K",
        "verify",
        "app.dialog('verify')",
        "check card",
        "Check whether a memory card may be wiped: read all of it again, and compare it with the cloud",
        changes=True,
    ),
    _key("w", "hide", "toggle_uploads", "hide uploads", "Hide or show the uploads; they continue"),
    _key(
        "b",
        "bandwidth",
        "app.dialog('set_bandwidth')",
        "limit",
        "Set limit, timetable and data budget of all uploads",
        changes=True,
    ),
    _key("e", "news", "app.dialog('show_news')", "news", "Show past news"),
    _key("L", "log", "app.dialog('show_log')", "log", "Show the log"),
    _key("plus", "zoom", "zoom", "zoom", "Let the pane fill the screen, or return to all panes", shown="+"),
    _key("ctrl+r", "refresh", "command('refresh')", "refresh", "Ask the cloud for the list of projects again", "^r"),
    _key("colon", "commands", "app.dialog('type_command')", "command", "Type a command, such as :limit 2M", shown=":"),
    _key(
        "E",
        "engine",
        "app.restart_engine",
        "start engine",
        "Start the engine, or restart one of another version",
        refusal=refusals.start_engine,
        changes=True,
    ),
    _key("question_mark,f1", "help", "app.dialog('show_help')", "help", "Show all keys", shown="?"),
    _key("q", "quit", "app.detach", "quit", "Quit the app; uploads continue in the background (a demo ends)"),
)
"""Keys that work in every pane."""

_SKIPPED = _key(
    "i",
    "skipped",
    "app.dialog('show_skipped')",
    "skipped files",
    "Show files and folders that were skipped",
    refusal=refusals.show_skipped,
)
_RESULTS = _key(
    "v",
    "results",
    "app.dialog('show_results')",
    "results",
    "Show the processed results that the project has",
    refusal=refusals.show_results,
)
IN_PROJECTS = (
    _key(
        "slash",
        "filter",
        "filter",
        "filter",
        "Filter by part of the name, or by kind as in :results; ! in front: all that do not match",
        shown="/",
    ),
    _key("enter", "open", "open", "files", "Go to the project's files", shown="Enter", refusal=refusals.open_files),
    _RESULTS,
    _SKIPPED,
)
IN_FILES = (
    _key(
        "slash",
        "filter",
        "filter",
        "filter",
        "Filter by name, by path as in /100MEDIA, by kind as in :failed :nogps; ! in front: all but these",
        shown="/",
    ),
    _key("f", "status", "next_status", "status", "Filter by status; press again for the next"),
    _key("s", "sort", "choose_sort", "sort", "Choose the order of the files; or click a column title"),
    _key("n", "next", "next(1)", "next", "Go to the next match of the filter; without a filter to the next problem"),
    _key("N", "previous", "next(-1)", "previous", "Go to the previous match, or to the previous problem"),
    _key(
        "space",
        "select",
        "mark",
        "select",
        "Select or deselect the file, or all files of a folded line",
        shown="Space",
        refusal=refusals.some_row,
    ),
    _key(
        "V",
        "range",
        "range",
        "range",
        "Start a range at the cursor, move, and end it with V; or Shift with Up, Down or a click",
        refusal=refusals.some_row,
    ),
    _key("A", "all", "mark_all", "select all", "Select all files shown", refusal=refusals.some_row),
    _key("i", "invert", "mark_others", "invert", "Invert the selection among the files shown"),
    _key(
        "R",
        "retry-files",
        "screen.command('retry_selected')",
        "retry",
        "Retry the selected failed files",
        refusal=refusals.retry_selected,
        about="files",
        changes=True,
    ),
    _key(
        "x,delete",
        "remove",
        "screen.command('remove_selected')",
        "remove",
        "Remove waiting, duplicate or failed files",
        refusal=refusals.remove_selected,
        about="files",
        changes=True,
    ),
    _key(
        "enter",
        "open",
        "open",
        "details",
        "Show all details of the file, or the files of a folded line",
        shown="Enter",
        refusal=refusals.some_row,
        words=open_words,
    ),
    _key("minus", "fold", "fold", "fold", "Fold again what a folded line has shown", shown="-"),
    _key("v", "view", "app.dialog('show_picture')", "view", "View the image full screen", refusal=refusals.some_image),
    _key(
        "y",
        "copy",
        "screen.command('copy_path')",
        "copy path",
        "Copy the path of the file",
        refusal=refusals.some_file,
    ),
    _key(
        "Y",
        "copy-all",
        "screen.command('copy_paths')",
        "copy paths",
        "Copy the paths of all selected files",
        refusal=refusals.some_files,
    ),
)
IN_UPLOADS = (
    _SKIPPED,
    _key("enter", "open", "open", "files", "Go to the upload's files", shown="Enter", refusal=refusals.open_files),
)
WITHOUT_KEY = (
    _key(
        "",
        "remove-duplicates",
        "command('remove_duplicates')",
        "remove all duplicates",
        "Remove every duplicate of the upload from the queue",
        refusal=partial(refusals.remove_every, FileStatus.DUPLICATE),
        changes=True,
    ),
    _key(
        "",
        "remove-failed",
        "command('remove_failed')",
        "remove all failed files",
        "Remove every failed file of the upload from the queue",
        refusal=partial(refusals.remove_every, FileStatus.FAILED),
        changes=True,
    ),
    _SKIPPED,
    _RESULTS,
)
"""Commands of the palette and of `:` that have no key."""

MOVING = (
    ("Up Down  k j", "One row"),
    ("PgUp PgDn  ^b ^f  ^u ^d", "A page, half a page"),
    ("Home End  g G", "The first row, the last row"),
    ("Tab  h l", "The next pane; the previous, the next pane"),
    ("Esc", "Close the dialog; clear the filter, then the selection"),
    ("Mouse", "Wheel and click; double click as Enter; click keys in the last line and column titles"),
    ("^p", "All commands by name"),
    ("^l", "Redraw the screen"),
    ("^z", "Suspend to the shell; fg returns"),
)
"""Keys for moving around, for help only."""

MOVED: Mapping[str, str] = {
    "n": "n no longer creates a project: C does. n goes to the next match or problem in the files.",
    "s": "s no longer starts processing: P does, and asks. s opens the sort menu in the files.",
    "S": "S no longer changes the order of the files: s opens a menu for it.",
    "l": "l no longer shows the log: L does. h and l go to the previous and the next pane.",
}
"""What to tell once about keys that had another meaning in former versions."""

_OWN: Mapping[str, tuple[Key, ...]] = {"projects": IN_PROJECTS, "files": IN_FILES, "uploads": IN_UPLOADS}


def keys_of(pane: str) -> tuple[Key, ...]:
    """All keys that work in the pane."""
    return (*_OWN.get(pane, ()), *EVERYWHERE)


def key_named(name: str, pane: str = "files") -> Key | None:
    """The key or command of this name; the pane decides where several have it."""
    every = chain(keys_of(pane), IN_FILES, WITHOUT_KEY)
    return next((key for key in every if key.id == name), None)


def why_not(action: str, scope: CommandScope) -> str:
    """Why an action cannot be done to the scope; empty: it can."""
    every = chain(keys_of(scope.pane), IN_FILES, WITHOUT_KEY)
    wanted = action.rpartition(".")[2]
    return next((key.why_not(scope) for key in every if key.action.rpartition(".")[2] == wanted), "")
