"""What can go wrong between the engine and its journal, as errors of ours.

Three kinds are told apart: the disk or the file system (`JournalUnwritable`), the journal's content (`JournalDamaged`),
and a fault of this program (`UnforeseenFailure`, with the details in the log). The last one says nothing about the
journal.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path

from tui_uploader.engine.journal.columns import ForeignValue
from tui_uploader.errors import EngineError, JournalDamaged, JournalUnwritable, UnforeseenFailure, UploaderError
from tui_uploader.text import byte_count, printable

log = logging.getLogger(__name__)


_ROOM_FOR_CHANGES = 1000**2


class translated(contextlib.AbstractContextManager[None]):
    """Raise what fails inside as an error of `errors`; those pass unchanged."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, UploaderError):
            raise translation(error, self._path) from error


def is_of_the_disk(error: BaseException) -> bool:
    """Whether SQLite failed for the sake of its file, rather than for what it was asked."""
    return isinstance(error, sqlite3.Error) and _primary_code(error) not in _FAULTS_OF_A_STATEMENT


def translation(error: Exception, path: Path) -> EngineError:
    """The error of ours that `error` means for who uses the journal."""
    if isinstance(error, ForeignValue) or _is_broken_text(error):
        log.error("The journal %s holds a foreign value: %s", path, error)
        return _damaged(path)
    if not isinstance(error, sqlite3.Error) or not is_of_the_disk(error):
        log.error("A change or a question to the journal failed", exc_info=error)
        return UnforeseenFailure(
            f"The engine met a fault of its own ({type(error).__name__}). The journal is as it was before; the "
            "engine's log says more."
        )
    code, reason = _primary_code(error), printable(str(error))
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path)
    if code == sqlite3.SQLITE_FULL:
        return JournalUnwritable(
            f"The disk under the journal {shown(path)} is full. Nothing is lost, and it can go on once there is room:"
            f" free at least {byte_count(_room_needed(path))}."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return JournalUnwritable(f"The journal {shown(path)} cannot be written ({reason}).")
    return JournalUnwritable(f"The journal {shown(path)} did not take a change ({reason}).")


def _room_needed(path: Path) -> int:
    """Bytes with which the journal goes on for long: what its log holds has to fit into its file, and some changes."""
    try:
        return Path(f"{path}-wal").stat().st_size + _ROOM_FOR_CHANGES
    except OSError:
        return _ROOM_FOR_CHANGES


def shown(path: Path) -> str:
    return printable(str(path))


_FAULTS_OF_A_STATEMENT = (
    None,  # raised by Python's module before SQLite was asked
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
)


def _primary_code(error: sqlite3.Error) -> int | None:
    """The result code without its extension (https://sqlite.org/rescode.html); None where SQLite gave none."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _is_broken_text(error: Exception) -> bool:
    """Python's module raises this, without a code, for text in a row that is not UTF-8."""
    return isinstance(error, sqlite3.OperationalError) and _primary_code(error) is None


def _damaged(path: Path) -> JournalDamaged:
    return JournalDamaged(
        f"The journal {shown(path)} is damaged. Move it away to start afresh; files that the cloud has stay there, "
        "and are sent again at worst."
    )
