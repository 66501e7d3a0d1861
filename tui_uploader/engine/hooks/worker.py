"""Follows the history, and tells each hook what it wants to know: in order, one after the other, and beside all work.

How far each hook was told is kept in the journal and written after the telling: after a crash a hook may be told an
event twice, and misses none.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.hooks.delivery import deliver
from tui_uploader.engine.hooks.message import Message, hook_event, message_of, sample_of
from tui_uploader.engine.journal.tables import history, preferences
from tui_uploader.engine.notifier import Topic
from tui_uploader.engine.scheduling.worker_failures import unforeseen_in
from tui_uploader.errors import UploaderError, UsageError
from tui_uploader.hook_settings import HookSettings
from tui_uploader.model.history import EventKind, PastEvent
from tui_uploader.model.hooks import Hook, HookEvent, HookFailure, HookTest
from tui_uploader.settings import Settings, load_hooks

log = logging.getLogger(__name__)

PAUSES: Sequence[float] = (5.0, 30.0, 120.0, 600.0, 1800.0)
"""Seconds before each further attempt where that may help: the link may be down for a while. A hook that was given up
gets one attempt for each event until it works again."""
_LONGEST_PAUSE = 1800.0
SHOWN_PAUSE = 60.0
"""A pause from this length on is shown as a failure."""
_PAUSE_AFTER_CANCELLED_CALL = 1.0
MOST_BEHIND = 100
"""Events that a hook may have before it; older ones are not told."""
OLDEST_SECONDS = 86_400.0
"""Age of an event that is no longer told when the engine starts."""

_NAME = "hooks"
"""Of the preference: for each hook the number of the last event that it was told."""


class HookWorker:
    def __init__(self, context: EngineContext, settings: Settings, settings_file: Path) -> None:
        self.wakeup = context.notifier.subscribe(Topic.HISTORY)
        self.failures: dict[str, HookFailure] = {}
        """The newest of each hook, until it works again."""
        self._given_up: set[str] = set()
        """Names of hooks whose last event could not be told."""
        self._context = context
        self._settings = settings
        self._file = settings_file
        self._stamp = self._refused = _stamp(settings_file)
        self._hooks = _by_name(settings.hooks)
        self._told: dict[str, int] | None = None
        """Number of the last event that was told, or needed no telling, by hook; None: not read yet."""
        self._since = context.clocks.wall() - OLDEST_SECONDS
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._busy: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._retry = asyncio.Event()
        context.notifier.on_retry(self._retry.set)

    @property
    def busy(self) -> bool:
        """A hook is told something, or there are events that it may want to know."""
        newest, told = self._context.summary.history, self._told
        return any(told is None or told.get(name, newest) < newest for name in self._hooks) or bool(self._tasks)

    async def listed(self) -> tuple[Hook, ...]:
        """Raises UsageError for invalid settings."""
        await self._reread(strict=True)
        return tuple(
            Hook(hook.name, hook.kind, hook.events, hook.seconds, self.failures.get(hook.name))
            for hook in self._hooks.values()
        )

    async def step(self) -> float | None:
        await self._reread()
        while self._told is None:
            hooks = self._hooks
            told = await self._begin(hooks)
            if self._hooks is hooks:  # else they were read anew meanwhile
                self._told = told
        for hook in self._hooks.values():
            if hook.name not in self._tasks and self._told[hook.name] < self._context.summary.history:
                task = asyncio.create_task(self._run(hook), name=f"hook {hook.name}")
                self._tasks[hook.name] = task
                task.add_done_callback(partial(self._end, hook.name))
        return None

    async def test(self, event: HookEvent | None) -> tuple[HookTest, ...]:
        """Tell all hooks a sample now; without `event` its first one. Raises UsageError for invalid settings."""
        await self._reread(strict=True)
        return tuple(await asyncio.gather(*(self._test(hook, event) for hook in self._hooks.values())))

    async def close(self) -> None:
        """Stop programs and requests that run; the next engine tells their events again."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(UploaderError):
            await self._keep()

    # --------------------------------------------------------------------------------------------------- settings

    async def _reread(self, *, strict: bool = False) -> None:
        """Read the hooks anew if the settings file has changed. Invalid ones change nothing, and raise if `strict`."""
        stamp = await asyncio.to_thread(_stamp, self._file)
        if stamp == self._stamp:
            return
        try:
            hooks = _by_name(await asyncio.to_thread(load_hooks, self._file))
        except UsageError as error:
            if strict:
                raise
            if stamp != self._refused:
                self._refused = stamp
                log.warning("The hooks stay as they were: %s", error)
            return
        self._stamp = stamp
        if hooks != self._hooks:
            await self._keep()
            self._hooks, self._told = hooks, None
            self.failures = {name: failure for name, failure in self.failures.items() if name in hooks}
            self._context.notifier.notify(Topic.STATUS, Topic.HISTORY)

    async def _begin(self, hooks: Mapping[str, HookSettings]) -> dict[str, int]:
        """How far each hook was told; a new one begins with the next event."""

        newest = self._context.summary.history

        def begin(connection: sqlite3.Connection) -> dict[str, int]:
            kept = _kept(connection)
            told = {name: min(kept.get(name, newest), newest) for name in hooks}
            if told != kept:
                preferences.prefer(connection, _NAME, told)
            return told

        return await self._context.journal.write(begin)

    async def _keep(self) -> None:
        """Write down how far the hooks are, also where the last events were none that they want to know."""
        if told := dict(self._told or {}):
            await self._context.journal.write(
                lambda connection: preferences.prefer(connection, _NAME, _kept(connection) | told)
            )

    # ---------------------------------------------------------------------------------------------------- telling

    def _end(self, name: str, _: asyncio.Task[None]) -> None:
        del self._tasks[name]
        self.wakeup.set()  # something may have happened meanwhile
        self._context.notifier.notify(Topic.STATUS)

    async def _run(self, hook: HookSettings) -> None:
        """The edge of a task: an error of the journal, or a bug, is logged and shown; then the hook is told again."""
        try:
            await self._tell_all(hook)
            self._context.faults.recovered("hook")
        except UploaderError as error:
            await self._context.faults.failed("hook", error)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            await asyncio.sleep(_PAUSE_AFTER_CANCELLED_CALL)  # a call was cancelled that it shared with others
        except Exception as error:
            log.exception("hook %s: unexpected error", hook.name)
            await self._context.faults.failed("hook", unforeseen_in("hook", error))

    async def _tell_all(self, hook: HookSettings) -> None:
        """Ends early when the settings have changed."""
        while (told := self._told) is not None and self._hooks.get(hook.name) is hook:
            after, newest = told[hook.name], self._context.summary.history
            if after >= newest:
                return
            for event in (await self._wanted(hook, after))[-MOST_BEHIND:]:
                if self._told is not told:
                    return
                await self._tell(hook, event)
                told[hook.name] = event.id
            told[hook.name] = max(newest, told[hook.name])

    async def _wanted(self, hook: HookSettings, after: int) -> list[PastEvent]:
        found = await self._context.journal.read(
            lambda connection: history.events(connection, after, history.MOST_EVENTS)
        )
        wanted = [event for event in found if event.at >= self._since and hook_event(event) in hook.events]
        if len(wanted) > MOST_BEHIND:
            log.warning("%s is not told %d events: it was too slow.", hook.name, len(wanted) - MOST_BEHIND)
        return wanted

    async def _tell(self, hook: HookSettings, event: PastEvent) -> None:
        now = self._context.clocks.wall()
        message = message_of(event, now)
        error = await self._attempts(hook, message)
        failure = None if error is None else HookFailure(now, hook.name, message.event, str(error))
        first = failure is not None and hook.name not in self._given_up
        if failure is not None:
            log.warning("Hook not told %s: %s", message.event, failure.reason)

        def note(connection: sqlite3.Connection) -> None:
            preferences.prefer(connection, _NAME, _kept(connection) | {hook.name: event.id})
            if failure is not None and first:
                history.record(connection, now, [PastEvent(0, now, EventKind.HOOK_FAILED, detail=failure.reason)])

        await self._context.journal.write(note)
        if failure is None:
            self._works(hook.name)
        else:
            self._given_up.add(hook.name)
            self._show(failure)

    def _show(self, failure: HookFailure) -> None:
        if failure.hook in self._hooks:
            self.failures[failure.hook] = failure
            self._context.notifier.notify(Topic.STATUS)

    def _works(self, name: str) -> None:
        self._given_up.discard(name)
        if self.failures.pop(name, None) is not None:
            self._context.notifier.notify(Topic.STATUS)

    async def _attempts(self, hook: HookSettings, message: Message) -> UploaderError | None:
        """Tell it, and again after a while where that may help. Returns the error of the last attempt."""
        for pause in (*(() if hook.name in self._given_up else PAUSES), None):
            try:
                async with self._busy[hook.name]:
                    await deliver(hook, message, self._settings)
                return None
            except UploaderError as error:
                if pause is None or not error.retryable:
                    return error
                log.info("Hook is told %s again in a while: %s", message.event, error)
                seconds = min(_LONGEST_PAUSE, max(pause, error.retry_after or 0.0))
                if seconds >= SHOWN_PAUSE:
                    self._show(HookFailure(self._context.clocks.wall(), hook.name, message.event, str(error)))
                await self._rest(seconds)
        raise AssertionError("the last attempt returns")

    async def _rest(self, seconds: float) -> None:
        """Wait; the user's wish to retry now ends it."""
        self._retry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._retry.wait()

    async def _test(self, hook: HookSettings, event: HookEvent | None) -> HookTest:
        chosen = event or hook.events[0]
        try:
            async with self._busy[hook.name]:
                answer = await deliver(hook, sample_of(chosen, self._context.clocks.wall()), self._settings)
        except UploaderError as error:
            return HookTest(hook.name, chosen, failure=str(error))
        self._works(hook.name)
        return HookTest(hook.name, chosen, answer)


def _by_name(hooks: Sequence[HookSettings]) -> Mapping[str, HookSettings]:
    return {hook.name: hook for hook in hooks}


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when the file is written; None: there is no file that can be read."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _kept(connection: sqlite3.Connection) -> dict[str, int]:
    told: dict[str, int] = {}
    return preferences.preference(connection, _NAME, told, _checked)


def _checked(told: dict[str, int]) -> dict[str, int]:
    """Raises ValueError."""
    if not all(isinstance(name, str) and type(number) is int and number >= 0 for name, number in told.items()):
        raise ValueError("not the numbers of events by hook")
    return told
