"""The way into the full-screen app: what has to be set before Textual is imported is set here."""

from __future__ import annotations

import os
import sys

from tui_uploader.settings import Directories
from tui_uploader.tui import terminal


def run_app(directories: Directories, *, ascii_only: bool = False, slow: bool = False) -> int:
    """Show the app until the user leaves it, and return the exit code. Uploads go on without it.

    `ascii_only` and `slow` are the flags `--ascii` and `--slow`; without them, the terminal decides. `directories` must
    be those of the environment (`Directories.of_user()`): an engine that is spawned finds its own there.
    """
    terminal.prepare(os.environ)
    from tui_uploader.tui.app import UploaderApp

    described = terminal.described(os.environ, ascii_wanted=ascii_only)
    app = UploaderApp(directories, described, slow=slow)
    app.run()
    if app.parting_words:
        sys.stdout.write(f"{app.parting_words}\n")
    return app.return_code or 0
