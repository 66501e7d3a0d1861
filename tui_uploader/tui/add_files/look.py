"""The third step: what would be uploaded, counted in threads while the user does something else."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from textual import work
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from tui_uploader.model.projects import ProjectKind
from tui_uploader.threads import in_own_thread
from tui_uploader.tui.add_files.outlook import Line
from tui_uploader.tui.add_files.paths.chosen_paths import topmost
from tui_uploader.tui.add_files.paths.folder_counts import LocalPath
from tui_uploader.tui.add_files.survey import PathFacts, survey, together

_MOST_THREADS = 4
"""Folders that are read at a time: one that does not answer must not delay the others."""
_SHOW_SECONDS = 0.5


class LookStep(Static, can_focus=True):
    """Reads what is chosen, and shows the sentences that it is given."""

    class Changed(Message):
        """More is known about the chosen paths."""

    def __init__(self, corrected: Callable[[PathFacts], PathFacts], *, id: str) -> None:
        """`corrected`: facts that go by names, by what else is known."""
        super().__init__(id=id)
        self._corrected = corrected
        self._kind = ProjectKind.IMAGES
        self._paths: tuple[LocalPath, ...] = ()
        self._facts: dict[str, PathFacts] = {}
        """By path; written by the threads."""
        self._stops: dict[str, threading.Event] = {}
        """Of the paths that are being read, or were."""
        self._waiting: deque[tuple[LocalPath, ...]] = deque()
        self._reading = 0
        self._timer: Timer | None = None
        self._shown: tuple[Line, ...] = ()

    def on_mount(self) -> None:
        self._timer = self.set_interval(_SHOW_SECONDS, self._tell, pause=True)

    def on_unmount(self) -> None:
        self._stop_reading(self._stops)

    @property
    def facts(self) -> PathFacts:
        """About all chosen paths together."""
        return self._corrected(together(self._facts.get(path.path, PathFacts()) for path in self._paths))

    def show(self, lines: Sequence[Line]) -> None:
        if tuple(lines) != self._shown:
            self._shown = tuple(lines)
            parts = [part for line in lines for part in (line, "\n")]
            self.update(Content.assemble(*parts[:-1]))

    def look_at(self, paths: Sequence[LocalPath], kind: ProjectKind) -> None:
        """Read these paths, as far as that was not done before."""
        self._paths = tuple(topmost(paths))
        if kind is not self._kind:
            self._stop_reading(self._stops)
            self._kind, self._facts, self._stops = kind, {}, {}
            self._waiting.clear()
        wanted = {path.path for path in self._paths}
        self._stop_reading([path for path in self._stops if path not in wanted])
        new = [path for path in self._paths if path.path not in self._stops]
        files = tuple(path for path in new if not path.is_folder)
        self._waiting += [(path,) for path in new if path.is_folder]
        self._waiting += [files] if files else []
        self._stops |= {path.path: threading.Event() for path in new}
        self._read_next()
        self._tell()

    def _stop_reading(self, paths: Sequence[str] | dict[str, threading.Event]) -> None:
        for path in [*paths]:
            self._stops.pop(path).set()
            self._facts.pop(path, None)

    def _read_next(self) -> None:
        while self._waiting and self._reading < _MOST_THREADS:
            self._reading += 1
            self._read(self._waiting.popleft())

    @work(group="survey", description="count the chosen files")
    async def _read(self, paths: tuple[LocalPath, ...]) -> None:
        facts, stops, kind = self._facts, self._stops, self._kind

        def note(path: str, stop: threading.Event, found: PathFacts) -> None:
            if not stop.is_set():
                facts[path] = found

        def read() -> None:
            for path in paths:
                if (stop := stops.get(path.path)) is not None and not stop.is_set():
                    noted = partial(note, path.path, stop)
                    noted(survey(path, kind, stop.is_set, noted))

        if self._timer is not None:
            self._timer.resume()
        try:
            await in_own_thread(read)
        finally:
            self._reading -= 1
        self._read_next()
        if not self._reading and self._timer is not None:
            self._timer.pause()
        self._tell()

    def _tell(self) -> None:
        self.post_message(self.Changed())
