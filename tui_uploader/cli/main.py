"""Entry point of the program, where every failure becomes a sentence and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tui_uploader import encoding
from tui_uploader.cli import full_screen
from tui_uploader.cli.streams import open_closed_descriptors, unfailing
from tui_uploader.errors import EngineError, Interrupted, UploaderError
from tui_uploader.redaction import guard_tracebacks, shown_traceback
from tui_uploader.settings import APP, Directories


def main() -> None:
    """Run the command of `sys.argv` and exit."""
    open_closed_descriptors()
    encoding.require_utf8_paths()
    encoding.use_session_encoding()
    encoding.remove_coerced_locale(os.environ)
    guard_tracebacks()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    with unfailing(unicode_shown=encoding.shows_unicode(os.environ) and full_screen.ASCII not in arguments):
        return _run_guarded(arguments)


def _run_guarded(arguments: Sequence[str]) -> int:
    debug = full_screen.DEBUG in arguments
    try:
        if full_screen.is_only_request(arguments) and full_screen.on_terminal():
            return full_screen.show(arguments)
        from tui_uploader.cli.app import carry_out  # a quarter of the time to the first frame of the app

        return carry_out(arguments)
    except UploaderError as error:
        return _failed(error, debug=debug)
    except KeyboardInterrupt:
        return Interrupted.exit_code
    except Exception as error:  # noqa: BLE001 - the edge of the program: users get a sentence, not a traceback
        problem = EngineError(
            f"Internal error: {type(error).__name__}: {error}. `{APP} --debug …` shows the traceback{_log_hint()}."
        )
        problem.__cause__ = error
        return _failed(problem, debug=debug)


def _log_hint() -> str:
    try:
        return f"; the engine's log is {Directories.of_user().log}"
    except UploaderError:  # without a home there is no log
        return ""


def _failed(error: UploaderError, *, debug: bool) -> int:
    from tui_uploader.cli.output import print_note  # the app does not need them
    from tui_uploader.wording.notices import explained

    if debug:
        sys.stderr.write(shown_traceback(error))
    print_note(f"{APP}: {explained(error.kind, error.message)}")
    return error.exit_code
