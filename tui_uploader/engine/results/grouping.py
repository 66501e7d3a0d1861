"""Settle the files of a result together, when all of them are checked."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from tui_uploader.engine.context import EngineContext
from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables import deduplication, files, known_contents, results
from tui_uploader.engine.journal.tables.results import ResultRecord
from tui_uploader.engine.results.naming import Unnameable, object_names, same_result
from tui_uploader.engine.sources.read import CheckedFile
from tui_uploader.errors import NameTaken, SourceRefused
from tui_uploader.intake.comparison import was_modified
from tui_uploader.model.states import FileEvent, FileStage
from tui_uploader.text import printable

_BETWEEN_TRIES = 1.0
"""Seconds."""


class ResultGroups:
    """The checked files of results of which other files are still to be checked.

    Kept in memory only: after a restart of the engine, a file that was read before is recognised at once.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self.checked: dict[int, CheckedFile] = {}
        """By file: not to be checked again."""
        self._main_files: dict[int, int] = {}
        """Of these files, by file."""
        self._next_try = 0.0

    async def note(self, row: FileRecord, checked: CheckedFile) -> None:
        """Note a checked file, and settle its result if it was the last one."""
        main = row.belongs_to or row.id
        self.checked[row.id] = checked
        self._main_files[row.id] = main
        left = await self._context.journal.read(lambda connection: results.unchecked(connection, main))
        if left <= sum(other == main for other in self._main_files.values()):
            await self._settle([row.id])

    async def settle_waiting(self) -> float | None:
        """Try again to settle results, some of whose files may have failed, been removed or been sent meanwhile.

        Returns when to try the next time (monotonic); None: nothing waits.
        """
        now = self._context.clocks.monotonic()
        if self.checked and now >= self._next_try:
            self._next_try = now + _BETWEEN_TRIES
            await self._settle(list(self.checked))
        return self._next_try if self.checked else None

    async def _settle(self, numbers: Sequence[int]) -> None:
        results_of: dict[int, list[int]] = {}
        for number in numbers:
            results_of.setdefault(self._main_files[number], []).append(number)
        settled: set[int] = set()

        def change(connection: sqlite3.Connection) -> None:
            settled.clear()
            for of_one in results_of.values():
                for number in of_one:
                    done = settle(connection, number, self.checked)
                    settled.update(done)
                    if not done:
                        break

        await self._context.journal.write(change)
        for number in settled:
            self.checked.pop(number, None)
            self._main_files.pop(number, None)


def settle(connection: sqlite3.Connection, file_id: int, checked: Mapping[int, CheckedFile]) -> list[int]:
    """Settle the result of a checked file, if all of its files are checked.

    They wait to be sent, or are duplicates, or fail together. Returns the numbers of the files that are settled.
    """
    found = results.of_file(connection, file_id) if files.is_found(connection, file_id) else None
    if found is None:
        return [file_id]
    waiting = [row for row in found.files if row.stage is FileStage.FOUND]
    if any(row.id not in checked or was_modified(row.candidate, checked[row.id].candidate) for row in waiting):
        return []
    others = [row for row in found.files if row.stage is not FileStage.FOUND]
    failed = [row for row in others if row.stage is FileStage.FAILED]
    if failed:
        fail_rest(connection, failed[0])
    elif not others:
        _settle_whole(connection, found, checked)
    elif all(row.identity == _content(checked, row).identity and row.object for row in waiting):
        for row in waiting:
            _let_wait(connection, row, checked[row.id], row.object or "")
    else:
        _begin_anew(connection, others)
        return []
    return [row.id for row in waiting]


def fail_rest(connection: sqlite3.Connection, failed: FileRecord) -> None:
    """Let the other files of a result fail that are not sent yet: without the failed one they are of no use."""
    found = results.of_file(connection, failed.id)
    if found is None:
        return
    failed = files.file(connection, failed.id)
    name = printable(PurePath(failed.path).name)
    reason = f"not uploaded without {name}, which belongs together with it and failed: {failed.reason}"
    rest = [row for row in found.files if row.stage in (FileStage.FOUND, FileStage.READY) and row.id != failed.id]
    results.fail_all(connection, rest, failed.error or SourceRefused.__name__, reason)


def _settle_whole(connection: sqlite3.Connection, found: ResultRecord, checked: Mapping[int, CheckedFile]) -> None:
    for row in found.files:
        known_contents.remember(connection, checked[row.id].candidate, _content(checked, row))
    identities = {row.id: _content(checked, row).identity for row in found.files}
    original = same_result(connection, found, identities)
    if original is not None:
        _match(connection, found, original, checked)
        return
    try:
        names = object_names(connection, found, identities)
    except Unnameable as error:
        reason = f"{printable(PurePath(found.main.path).name)}: a file of it {error}. Rename it, and export it again."
        results.fail_all(connection, found.files, SourceRefused.__name__, reason)
        return
    if names is None:
        name = printable(PurePath(found.main.path).name)
        reason = f"The project has other objects under every name that {name} could get."
        results.fail_all(connection, found.files, NameTaken.__name__, reason)
        return
    for row in found.files:
        _let_wait(connection, row, checked[row.id], names[row.id])


def _match(
    connection: sqlite3.Connection, found: ResultRecord, original: ResultRecord, checked: Mapping[int, CheckedFile]
) -> None:
    """All files are duplicates of those of `original`; where they are the same files, these rows are deleted."""
    by_name = {original.relative(row): row for row in original.files}
    for row in reversed(found.files):
        candidate, content = checked[row.id].candidate, _content(checked, row)
        other = by_name[found.relative(row)]
        if files.stands_for(connection, other.id, row.upload, row.path):
            files.drop(connection, row.id)
            files.note_facts(connection, other.id, candidate)
            continue
        files.note_facts(connection, row.id, candidate)
        facts = {"duplicate_of": other.id, "identity": content.identity, "crc32": content.crc32}
        files.move(connection, row.id, FileEvent.MATCHED, **facts)


def _begin_anew(connection: sqlite3.Connection, others: list[FileRecord]) -> None:
    """A file changed after its result was named: all files are checked again, and get names anew.

    A file that is being sent ends first: this is tried again after it.
    """
    if any(row.stage is FileStage.SENDING for row in others):
        return
    for row in others:
        if row.stage in (FileStage.READY, FileStage.STORED, FileStage.DUPLICATE):
            files.note_change(connection, row.id, row.candidate)


def _let_wait(connection: sqlite3.Connection, row: FileRecord, checked: CheckedFile, name: str) -> None:
    content = checked.content
    assert content is not None
    known_contents.remember(connection, checked.candidate, content)
    deduplication.let_wait(connection, row, checked.candidate, content, checked.parts, name)


def _content(checked: Mapping[int, CheckedFile], row: FileRecord) -> known_contents.Content:
    content = checked[row.id].content
    assert content is not None, "only files that were read are settled"
    return content
