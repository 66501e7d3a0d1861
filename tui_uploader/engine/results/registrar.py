"""Register results with their project, each when all of its files are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import PurePath

from tui_uploader.cloud.contract import Cloud, ObjectStore, RemoteResult, StoredResult
from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord, ProjectRecord
from tui_uploader.engine.journal.tables import files, results, stored_files
from tui_uploader.engine.journal.tables.results import ResultRecord
from tui_uploader.engine.sources.modified import without_modified
from tui_uploader.errors import (
    CloudRefused,
    NotPossibleNow,
    ResultExists,
    ResultTypeUnclear,
    Unsupported,
    UploaderError,
)
from tui_uploader.model.states import FileEvent
from tui_uploader.text import printable

_AT_ONCE = 20


class ResultRegistrar:
    def __init__(self, context: EngineContext) -> None:
        self._context = context

    async def register(self, project: ProjectRecord, cloud: Cloud, store: ObjectStore) -> bool:
        """Register what is complete. Returns False if nothing changed: files of all stored results are missing.

        Raises what the cloud raises, but for refusals of single results.
        """
        assert project.remote_id is not None
        found = await self._context.journal.read(lambda connection: results.complete(connection, project.id, _AT_ONCE))
        stored = [row for each in found for row in each.files]
        context = self._context
        kept = await without_modified(context.sources, context.journal, context.unfinished, stored)
        numbers = {row.id for row in kept}
        for each in found:
            if all(row.id in numbers for row in each.files):
                await self._register_one(project, each, cloud, store)
        return await self._give_up_incomplete(project.id) or bool(found)

    async def _register_one(
        self, project: ProjectRecord, result: ResultRecord, cloud: Cloud, store: ObjectStore
    ) -> None:
        assert project.remote_id is not None
        try:
            await self._check_place(project, result, cloud, store)
        except (Unsupported, ResultExists, ResultTypeUnclear) as error:
            await self._fail(result, error)
            return
        ids = [row.id for row in result.files]
        await self._context.journal.write(lambda connection: stored_files.ask_registration(connection, ids))
        try:
            registration = await cloud.results.register(project.remote_id, _stored(result, store))
        except Unsupported as error:
            await self._fail(result, error)
            return
        if not registration.registered:
            reason = next(iter(registration.refused.values()), "The service did not register it.")
            await self._fail(result, CloudRefused(reason))
            return
        now = self._context.clocks.wall()
        await self._context.journal.write(lambda connection: results.register(connection, result, now))

    async def _check_place(
        self, project: ProjectRecord, result: ResultRecord, cloud: Cloud, store: ObjectStore
    ) -> None:
        """Nothing that the user does not know of is replaced. Raises ResultExists, ResultTypeUnclear, Unsupported."""
        main = result.main
        if main.result_type is None:
            raise ResultTypeUnclear(
                f"{result.name} was queued by an older version, which did not ask for its type. Add it again."
            )
        before = await self._context.journal.read(lambda connection: results.in_place(connection, result))
        if newer := [each for each in before if each.main.id > main.id]:
            raise ResultExists(f"{newer[-1].name} was uploaded after it was added, and has its place. Remove it.")
        if before and main.replaces is None:
            raise _in_the_way(before[-1].name, result, project)
        assert project.remote_id is not None
        listed = await cloud.results.listed(project.remote_id)
        ours = {store.key(row.main.object or "") for row in (result, *before)}
        for other in listed:
            if other.type is main.result_type and not _is_agreed(other, main, ours):
                raise _in_the_way(other.name, result, project)

    async def _fail(self, result: ResultRecord, error: UploaderError) -> None:
        """The main file has the reason; the others refer to it."""
        name = printable(PurePath(result.main.path).name)

        def fail(connection: sqlite3.Connection) -> None:
            results.fail_all(connection, [result.main], error.kind, str(error))
            reason = f"stored, and waits for {name}, to which it belongs and which failed: {error}"
            results.fail_all(connection, result.companions, error.kind, reason)

        await self._context.journal.write(fail)

    async def _give_up_incomplete(self, project: int) -> bool:
        """Let stored files fail whose result lacks a failed one: a retry of all continues where it stopped.

        Those whose result was removed from the queue are removed. Returns whether there were any.
        """

        def incomplete(connection: sqlite3.Connection) -> bool:
            return bool(results.without_rest(connection, project) or results.stuck(connection, project))

        def give_up(connection: sqlite3.Connection) -> None:
            for row in results.without_rest(connection, project):
                files.fail(connection, row.id, NotPossibleNow.__name__, "its result was removed from the queue")
                files.move(connection, row.id, FileEvent.REMOVE)
            for row, failed in results.stuck(connection, project):
                name = printable(PurePath(failed.path).name)
                reason = f"stored, and waits for {name}, which belongs together with it and failed: {failed.reason}"
                results.fail_all(connection, [row], failed.error or "", reason)

        if not await self._context.journal.read(incomplete):
            return False
        await self._context.journal.write(give_up)
        return True


def _is_agreed(other: RemoteResult, main: FileRecord, ours: set[str]) -> bool:
    """Whether it is this result itself, by a call whose answer was lost, or the one that the user lets it replace."""
    return other.key in ours or (main.replaces is not None and other.name == main.replaces)


def _stored(result: ResultRecord, store: ObjectStore) -> StoredResult:
    main = result.main
    assert main.result_type is not None
    return StoredResult(
        main.result_type,
        result.name,
        store.key(main.object or ""),
        _keys(result.companions, store),
        results.crs_of(main),
    )


def _keys(rows: Sequence[FileRecord], store: ObjectStore) -> tuple[str, ...]:
    return tuple(store.key(row.object or "") for row in rows)


def _in_the_way(name: str, result: ResultRecord, project: ProjectRecord) -> ResultExists:
    assert result.main.result_type is not None
    return ResultExists(
        f"{printable(project.name)} has {result.main.result_type.phrase} meanwhile: {printable(name)}. {result.name} "
        "is stored, and has not taken its place. To replace it, add the file again with --replace."
    )
