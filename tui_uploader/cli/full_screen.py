"""The full screen, and the flags that ask for nothing else: with those alone, no command has to be loaded first."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection

from tui_uploader.settings import Directories

ASCII, SLOW, IN_DEMO, DEBUG = "--ascii", "--slow", "--in-demo", "--debug"
_FLAGS = frozenset({ASCII, SLOW, IN_DEMO, DEBUG})


def on_terminal() -> bool:
    """Somebody sits there, and can be shown a whole screen."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "dumb") != "dumb"


def is_all_that(arguments: Collection[str]) -> bool:
    """Whether the arguments ask for the screen and for nothing besides."""
    return _FLAGS.issuperset(arguments)


def show(flags: Collection[str]) -> int:
    """Show it until the user leaves, and return the exit code."""
    from tui_uploader.tui.run import run_app  # brings Textual, which no command needs

    return run_app(Directories.of_user(), ascii_only=ASCII in flags, slow=SLOW in flags, in_demo=IN_DEMO in flags)
