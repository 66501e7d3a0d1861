"""Work for many projects side by side, so that a cloud that stalls delays no other."""

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
"""Projects of one account that are worked for at the same time."""
_PAUSE_AFTER_CANCELLED_CALL = 1.0


class ProjectTasks:
    """At most one task for each project. The end of each wakes the worker that began it."""

    def __init__(self, context: EngineContext, name: str, wakeup: asyncio.Event) -> None:
        """`wakeup`: of the worker that begins the tasks; set when one of them ends."""
        self._context = context
        self._name = name
        self._wakeup = wakeup
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(partial(asyncio.Semaphore, _AT_ONCE))

    def busy(self, project: int) -> bool:
        return project in self._tasks

    def begin(self, project: ProjectRecord, work: Callable[[], Awaitable[None]]) -> None:
        """The project must not be `busy`. `work` starts when it is the project's turn: facts may be others then."""
        task = asyncio.create_task(self._run(project, work), name=f"{self._name} project {project.id}")
        self._tasks[project.id] = task
        task.add_done_callback(lambda _: self._end(project.id))

    def not_needed(self, project: int) -> None:
        """Nothing is to be done for the project: what kept it from being done is no trouble any more."""
        if not self.busy(project):
            self._context.faults.recovered(self._name, project)

    async def close(self) -> None:
        """Cancel all, and wait for their ends."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, project: int) -> None:
        del self._tasks[project]
        self._wakeup.set()

    async def _run(self, project: ProjectRecord, work: Callable[[], Awaitable[None]]) -> None:
        """The edge of a task: what goes wrong here is logged, shown as a fault, and tried again after a pause."""
        try:
            async with self._turns[project.account]:
                await work()
            self._context.faults.recovered(self._name, project.id)
        except UploaderError as error:
            await self._context.faults.failed(self._name, error, project.id)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            await asyncio.sleep(_PAUSE_AFTER_CANCELLED_CALL)  # a call was cancelled that it shared with others
        except Exception as error:
            log.exception("%s met something unforeseen in project %d", self._name, project.id)
            await self._context.faults.failed(self._name, unforeseen_in(self._name, error), project.id)
