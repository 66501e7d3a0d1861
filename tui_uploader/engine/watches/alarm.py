"""Tells when something changes in folders, without looking at them: inotify and the like, through `watchfiles`."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

_BEAT_MS = 500
"""How often the thread looks for collected changes, and whether it is to end. It costs some 50 µs of the processor."""
_GATHER_MS = 2000
"""Changes that follow each other are told once, at the latest after this."""
MOST_FOLDERS = 4000
"""More are polled: Linux limits the watched folders of a user, to 8,192 on small machines (inotify(7))."""


class FolderAlarm:
    """Watches folders, each without its subfolders, in a thread of its own: setting it up touches the card, may hang.

    The subfolders are not left to the library, because it follows symbolic links, which a card may point anywhere.
    """

    def __init__(self, folders: Sequence[str], changed: Callable[[], None]) -> None:
        """`changed` is called in the event loop: once when the alarm is set, at every change, and when it fails."""
        self.folders = frozenset(folders)
        self.is_set = False
        self.failure: str | None = None
        """Why it does not work (any more)."""
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        threading.Thread(target=self._watch, name="folder-alarm", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _watch(self) -> None:
        from watchfiles import watch  # only engines with a watched folder need it

        logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it logs every change
        try:
            for changes in watch(
                *sorted(self.folders),
                watch_filter=None,
                recursive=False,
                force_polling=False,
                debounce=_GATHER_MS,
                step=_BEAT_MS,
                rust_timeout=_BEAT_MS,
                yield_on_timeout=True,
                stop_event=self._stop,
                raise_interrupt=False,
            ):
                if not self.is_set or changes:
                    self.is_set = True
                    self._tell()
        except (OSError, RuntimeError, UnicodeError, ValueError) as error:
            # No inotify instance or watch is left, or a folder has vanished. RuntimeError: errors of the library.
            self.failure = str(error) or type(error).__name__
            log.info("%s folders cannot be watched: %s", len(self.folders), os.fsencode(self.failure)[:300])
            self._tell()

    def _tell(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._tell_unless_stopped)
        except RuntimeError:  # the engine has stopped
            self._stop.set()

    def _tell_unless_stopped(self) -> None:
        if not self._stop.is_set():
            self._changed()
