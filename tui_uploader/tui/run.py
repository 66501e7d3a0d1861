"""Start the full-screen app. Sets what Textual reads when it is imported, so it imports Textual late."""

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


def run_app(
    directories: Directories,
    *,
    ascii_only: bool = False,
    slow: bool = False,
    in_demo: bool = False,
    read_only: bool = False,
) -> int:
    """Show the app until the user quits, and return the exit code. Uploads continue without it.

    `ascii_only` and `slow` are the flags `--ascii` and `--slow`; without them, the terminal decides. `directories` must
    be those of the environment (`Directories.of_user()`): a spawned engine looks for its own there. `in_demo`: the
    engine ends with the app. `read_only`: the app starts no engine and changes nothing.
    """
    capabilities.prepare(os.environ)
    # Imported modules stay: repeated garbage collections over them take a tenth of the time to the first frame.
    gc.disable()
    from tui_uploader.tui.app import UploaderApp

    gc.freeze()
    gc.enable()
    terminal = capabilities.detect(os.environ, ascii_wanted=ascii_only)
    app = UploaderApp(directories, terminal, slow=slow, in_demo=in_demo, read_only=read_only)
    app.run()
    _print_parting_words(app)
    return app.return_code or 0


def _print_parting_words(app: UploaderApp) -> None:
    if app.parting_words:
        with suppress(OSError):  # after a hang-up nothing can be written; a buffered write would be tried again at exit
            os.write(sys.stdout.fileno(), f"{app.parting_words}\n".encode())
