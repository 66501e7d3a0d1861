"""The way into the full-screen app: what has to be set before Textual is imported is set here."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tui_uploader.settings import Directories
from tui_uploader.tui import terminal

if TYPE_CHECKING:
    from tui_uploader.tui.app import UploaderApp


def run_app(directories: Directories, *, ascii_only: bool = False, slow: bool = False) -> int:
    """Show the app until the user leaves it, and return the exit code. Uploads go on without it.

    `ascii_only` and `slow` are the flags `--ascii` and `--slow`; without them, the terminal decides. `directories` must
    be those of the environment (`Directories.of_user()`): an engine that is spawned finds its own there.
    """
    app = _prepared(directories, ascii_only, slow)
    app.run()
    return _left(app)


async def show_app(directories: Directories, *, ascii_only: bool = False, slow: bool = False) -> int:
    """The same within an event loop that runs already."""
    app = _prepared(directories, ascii_only, slow)
    await app.run_async()
    return _left(app)


def _prepared(directories: Directories, ascii_only: bool, slow: bool) -> UploaderApp:
    terminal.prepare(os.environ)
    from tui_uploader.tui.app import UploaderApp

    return UploaderApp(directories, terminal.described(os.environ, ascii_wanted=ascii_only), slow=slow)


def _left(app: UploaderApp) -> int:
    if app.parting_words:
        sys.stdout.write(f"{app.parting_words}\n")
    return app.return_code or 0
