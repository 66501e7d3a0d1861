"""The full-screen app and its flags. Where nothing else is given, it starts without loading the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection

from tui_uploader.settings import Directories

ASCII, SLOW, READ_ONLY, IN_DEMO, DEBUG = "--ascii", "--slow", "--read-only", "--in-demo", "--debug"
_FLAGS = frozenset({ASCII, SLOW, READ_ONLY, IN_DEMO, DEBUG})


def on_terminal() -> bool:
    """Whether stdin, stdout and stderr are a terminal that can show a full screen."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream.isatty() for stream in streams) and os.environ.get("TERM", "dumb") != "dumb"


def is_only_request(arguments: Collection[str]) -> bool:
    """Whether the arguments ask for the app and nothing else."""
    return _FLAGS.issuperset(arguments)


def show(flags: Collection[str]) -> int:
    """Run the app until the user quits, and return its exit code."""
    from tui_uploader.tui.run import run_app  # imports Textual, which no command needs

    return run_app(
        Directories.of_user(),
        ascii_only=ASCII in flags,
        slow=SLOW in flags,
        in_demo=IN_DEMO in flags,
        read_only=READ_ONLY in flags,
    )
