"""The loop that runs a worker of the engine, and what happens when a worker fails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Protocol

from tui_uploader.engine.notifier import Notifier, Topic
from tui_uploader.engine.scheduling.worker_failures import FailureCounts, WorkerKey, is_quiet, unforeseen_in
from tui_uploader.errors import UploaderError

log = logging.getLogger(__name__)

_GATHERING_SECONDS = 0.01
"""Changes that come together cause one step."""
_PAUSE_AFTER_CANCELLED_CALL = 1.0


class Worker(Protocol):
    """One part of the engine's work, done in steps."""

    @property
    def wakeup(self) -> asyncio.Event:
        """Set when there may be something to do."""

    async def step(self) -> float | None:
        """Do what can be done now. Returns the seconds until the next step; None: not before `wakeup` is set."""


class WorkerFaults:
    """The failures that keep workers from their work, such as a full disk under the journal."""

    def __init__(self, monotonic: Callable[[], float], notifier: Notifier) -> None:
        self._notifier = notifier
        self._counts: FailureCounts[WorkerKey] = FailureCounts(monotonic)
        self._pauses: set[asyncio.Event] = set()
        self.current: dict[WorkerKey, UploaderError] = {}
        """Shown to the user."""
        notifier.on_retry(self._end_pauses)

    async def failed(self, name: str, error: UploaderError, project: int | None = None) -> None:
        """Log and show a failure of a worker (in its work for `project`), then pause: longer with each in a row."""
        key = WorkerKey(name, project)
        log.error("%s: %s", key, error)
        if not is_quiet(error, self._counts.failed(key)):
            self.show(key, error)
        pause = asyncio.Event()
        self._pauses.add(pause)
        try:
            async with asyncio.timeout(self._counts.rest(key)):
                await pause.wait()
        except TimeoutError:
            pass
        finally:
            self._pauses.discard(pause)

    def show(self, key: WorkerKey, error: UploaderError) -> None:
        """Show a failure until the worker has recovered."""
        self.current[key] = error
        self._notifier.notify(Topic.STATUS)

    def recovered(self, name: str, project: int | None = None) -> None:
        key = WorkerKey(name, project)
        self._counts.passed(key)
        if self.current.pop(key, None) is not None:
            self._notifier.notify(Topic.STATUS)

    def _end_pauses(self) -> None:
        self._counts.end_pauses()
        for pause in self._pauses:
            pause.set()


async def run(name: str, worker: Worker, faults: WorkerFaults) -> None:
    """Take a step whenever the worker is woken, or its time has come, until cancelled.

    The edge of a task: an error is logged, shown as a fault, and the step is tried again.
    """
    while True:
        worker.wakeup.clear()
        try:
            delay = await worker.step()
            faults.recovered(name)
        except UploaderError as error:
            await faults.failed(name, error)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            await asyncio.sleep(_PAUSE_AFTER_CANCELLED_CALL)  # a call was cancelled that it shared with others
        except Exception as error:
            log.exception("%s: unexpected error", name)
            await faults.failed(name, unforeseen_in(name, error))
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await worker.wakeup.wait()
            await asyncio.sleep(_GATHERING_SECONDS)
