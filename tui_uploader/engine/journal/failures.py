"""Translation of SQLite's and Python's exceptions into errors of `errors`.

Three kinds are distinguished: the disk or file system (`JournalUnwritable`), the journal's content (`JournalDamaged`),
and a bug of this program (`UnforeseenFailure`, with the details in the log), which does not affect the journal.
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


_SPACE_FOR_CHANGES = 1000**2


class translated(contextlib.AbstractContextManager[None]):
    """Raise exceptions from inside as errors of `errors`, which themselves pass unchanged."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, UploaderError):
            raise translation(error, self._path) from error


def is_of_the_disk(error: BaseException) -> bool:
    """Whether SQLite failed because of its file or disk, rather than because of the statement."""
    return isinstance(error, sqlite3.Error) and _primary_code(error) not in _FAULTS_OF_A_STATEMENT


def translation(error: Exception, path: Path) -> EngineError:
    """Return the error of `errors` that `error` means for the user of the journal."""
    if isinstance(error, ForeignValue) or _is_broken_text(error):
        log.error("The journal %s holds a foreign value: %s", path, error)
        return _damaged(path)
    if not isinstance(error, sqlite3.Error) or not is_of_the_disk(error):
        log.error("A change or query of the journal failed", exc_info=error)
        return UnforeseenFailure(
            f"Internal error of the engine ({type(error).__name__}). The journal is unchanged; the engine's log has "
            "the details."
        )
    code, reason = _primary_code(error), printable(str(error))
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path)
    if code == sqlite3.SQLITE_FULL:
        return JournalUnwritable(
            f"The disk of the journal {shown(path)} is full. Nothing is lost, and the engine continues once there is "
            f"space: free at least {byte_count(_space_needed(path))}."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return JournalUnwritable(f"Cannot write the journal {shown(path)} ({reason}).")
    return JournalUnwritable(f"Cannot write the journal {shown(path)} ({reason}).")


def _space_needed(path: Path) -> int:
    """Return the bytes that the content of the log and the next changes need."""
    try:
        return Path(f"{path}-wal").stat().st_size + _SPACE_FOR_CHANGES
    except OSError:
        return _SPACE_FOR_CHANGES


def shown(path: Path) -> str:
    return printable(str(path))


_FAULTS_OF_A_STATEMENT = (
    None,  # raised by Python's module before the call of SQLite
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
)


def _primary_code(error: sqlite3.Error) -> int | None:
    """Return the result code without its extension (https://sqlite.org/rescode.html); None: SQLite gave none."""
    code = getattr(error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def _is_broken_text(error: Exception) -> bool:
    """Whether this is the error without a code that Python's module raises for text that is not UTF-8."""
    return isinstance(error, sqlite3.OperationalError) and _primary_code(error) is None


def _damaged(path: Path) -> JournalDamaged:
    return JournalDamaged(
        f"The journal {shown(path)} is damaged. Move it away to start with a new one; images in the cloud stay there, "
        "and at worst are sent again."
    )
