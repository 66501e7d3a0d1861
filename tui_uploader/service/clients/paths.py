"""Paths as users give them, made absolute once."""

from __future__ import annotations

import os
from pathlib import Path

from tui_uploader.errors import UsageError


def absolute(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Make paths absolute, without touching them: the engine, which works in another folder, judges and resolves them.

    An empty path remains empty, for the engine to refuse.
    """
    if all(not path or Path(path).is_absolute() for path in paths):
        return paths
    try:
        here = Path.cwd()
    except OSError as error:
        raise UsageError(f"Cannot determine the current folder ({error.strerror}). Use absolute paths.") from error
    return tuple(os.fspath(here / path) if path else path for path in paths)
