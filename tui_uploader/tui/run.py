"""The way into the full-screen app: what has to be set before Textual is imported is set here."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from tui_uploader.settings import Directories
from tui_uploader.tui.terminal import capabilities

if TYPE_CHECKING:
    from tui_uploader.tui.app import UploaderApp


def run_app(directories: Directories, *, ascii_only: bool = False, slow: bool = False, in_demo: bool = False) -> int:
    """Show the app until the user leaves it, and return the exit code. Uploads go on without it.

    `ascii_only` and `slow` are the flags `--ascii` and `--slow`; without them, the terminal decides. `directories` must
    be those of the environment (`Directories.of_user()`): an engine that is spawned finds its own there. `in_demo`: the
    engine ends with the app, and nothing else may be said.
    """
    capabilities.prepare(os.environ)
    # What is loaded here stays: to look for garbage in it again and again takes a tenth of the time to the first frame.
    gc.disable()
    from tui_uploader.tui.app import UploaderApp

    gc.freeze()
    gc.enable()
    terminal = capabilities.detect(os.environ, ascii_wanted=ascii_only)
    app = UploaderApp(directories, terminal, slow=slow, in_demo=in_demo)
    app.run()
    _part(app)
    return app.return_code or 0


def _part(app: UploaderApp) -> None:
    if app.parting_words:
        with suppress(OSError):  # after a hang-up nobody is there to read it; a buffer would try again at exit
            os.write(sys.stdout.fileno(), f"{app.parting_words}\n".encode())
