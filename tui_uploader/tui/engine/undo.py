"""What the user did here and can undo, the last first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.files import FileSelection
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted
from tui_uploader.tui.subject.scope import short_name
from tui_uploader.wording.commands import undone

if TYPE_CHECKING:
    from tui_uploader.service.client import EngineClient

_MOST_STEPS = 50


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    """As in `undo the removal of 3 files`."""
    undo: Callable[[EngineClient], Awaitable[str]]
    """Returns a sentence about what is true afterwards."""


class Steps:
    """A start of processing that is about to happen comes before all that was done earlier: it cannot be undone."""

    def __init__(self) -> None:
        self._done: list[Step] = []

    def note(self, step: Step) -> None:
        self._done = [*self._done, step][-_MOST_STEPS:]

    def next(self, status: EngineStatus | None) -> Step | None:
        """The step that would be undone now."""
        return _start_of(status) or (self._done[-1] if self._done else None)

    def take(self, status: EngineStatus | None) -> Step | None:
        """The step to undo; the next call returns the one before it."""
        step = self.next(status)
        if step is not None and self._done and step is self._done[-1]:
            self._done.pop()
        return step


def removal(upload: int, selection: FileSelection, files: int) -> Step:
    async def undo(engine: EngineClient) -> str:
        return f"{counted(await engine.restore(upload, selection), 'file')} put back into the queue."

    return Step(f"the removal of {counted(files, 'file')}", undo)


def addition(number: int, words: str, project: str) -> Step:
    """`words`: what was added."""

    async def undo(engine: EngineClient) -> str:
        return undone(await engine.undo_addition(number), project)

    return Step(f"the addition of {words}", undo)


def dismissal(uploads: Iterable[UploadStatus], project: str) -> Step:
    numbers = [upload.upload for upload in uploads]

    async def undo(engine: EngineClient) -> str:
        for number in numbers:
            await engine.undismiss(number)
        return f"Upload to {project} is on the list again."

    return Step(f"the dismissal of {project}", undo)


def _start_of(status: EngineStatus | None) -> Step | None:
    """To stop the processing that starts next."""
    starting = [upload for upload in status.uploads if upload.process_at is not None] if status else []
    if not starting:
        return None
    first = min(starting, key=lambda upload: upload.process_at or 0.0)
    project = short_name(first.project_name)

    async def undo(engine: EngineClient) -> str:
        await engine.stop_automatic_start(first.upload)
        return f"Processing of {project} does not start automatically. P starts it."

    return Step(f"the start of processing of {project}", undo)
