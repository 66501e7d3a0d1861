"""Saves pictures of terminals."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from screenshots.picture import Fonts, picture
from tests.tui.pty_session import PtySession

_SETTLED = 1.2
"""Seconds until a result is on the screen: the app draws at most twice a second."""


class Camera:
    """Prints the paths of the pictures that it saves."""

    def __init__(self, folder: Path) -> None:
        self._fonts = Fonts.load()
        self._folder = folder

    def take(self, name: str, terminal: PtySession) -> None:
        until = time.monotonic() + _SETTLED
        while (left := until - time.monotonic()) > 0:
            terminal.read(left)
        path = self._folder / f"{name}.png"
        picture(terminal.screen, self._fonts).save(path, optimize=True)
        sys.stdout.write(f"{path}\n")
