"""Tasks for many projects at the same time, so that a stalled cloud delays no other."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import ProjectRecord
from tui_uploader.engine.scheduling.worker_failures import unforeseen_in
from tui_uploader.errors import UploaderError

log = logging.getLogger(__name__)

_AT_ONCE = 4
"""Concurrent tasks for projects of one account."""
_PAUSE_AFTER_CANCELLED_CALL = 1.0


class ProjectTasks:
    """At most one task for each project. The end of a task wakes the worker that began it."""

    def __init__(self, context: EngineContext, name: str, wakeup: asyncio.Event) -> None:
        """`wakeup`: of the worker that begins the tasks; set when one of them ends."""
        self._context = context
        self._name = name
        self._wakeup = wakeup
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._limits: dict[str, asyncio.Semaphore] = defaultdict(partial(asyncio.Semaphore, _AT_ONCE))

    def busy(self, project: int) -> bool:
        return project in self._tasks

    def begin(self, project: ProjectRecord, work: Callable[[], Awaitable[None]]) -> None:
        """Begin `work` for a project that is not `busy`. It may have to wait, so that facts may have changed."""
        task = asyncio.create_task(self._run(project, work), name=f"{self._name} project {project.id}")
        self._tasks[project.id] = task
        task.add_done_callback(lambda _: self._end(project.id))

    def not_needed(self, project: int) -> None:
        """Note that the project has no work, so that an earlier failure no longer matters."""
        if not self.busy(project):
            self._context.faults.recovered(self._name, project)

    async def close(self) -> None:
        """Cancel all tasks and wait for their end."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, project: int) -> None:
        del self._tasks[project]
        self._wakeup.set()

    async def _run(self, project: ProjectRecord, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` as the edge of a task: log an error, show it as a fault, and pause before the next attempt."""
        try:
            async with self._limits[project.account]:
                await work()
            self._context.faults.recovered(self._name, project.id)
        except UploaderError as error:
            await self._context.faults.failed(self._name, error, project.id)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            await asyncio.sleep(_PAUSE_AFTER_CANCELLED_CALL)  # a call shared with other tasks was cancelled
        except Exception as error:
            log.exception("%s: unforeseen error in project %d", self._name, project.id)
            await self._context.faults.failed(self._name, unforeseen_in(self._name, error), project.id)
