"""Names of results in the project, and the results that have the same content.

A result of one file is named as an image: by its own name, or with a part of its content's hash where that is taken.
The files of a larger one are in a folder of their own, with the paths by which its main file names them; where the
folder's name is taken, the folder gets another one, and the files keep theirs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import PurePath

import xxhash

from tui_uploader.engine.journal.tables import deduplication, files, results
from tui_uploader.engine.journal.tables.results import ResultRecord
from tui_uploader.intake.naming import folded, is_clean, name_choices
from tui_uploader.model.states import FileStage

_LONGEST_PATH = 700
"""Bytes of UTF-8, of the 1,024 of an object key."""

Identities = Mapping[int, str]
"""The content of each file of a result, by number."""


class Unnameable(ValueError):
    """A file cannot keep the name by which its main file refers to it; the message follows the name."""


def same_result(connection: sqlite3.Connection, result: ResultRecord, identities: Identities) -> ResultRecord | None:
    """Return the result of the same type with the same contents under the same names that the project has or gets."""
    main = result.main
    assert main.result_type is not None
    ours = _contents(result, identities)
    for other in results.held_of(connection, main.project, main.result_type, identities[main.id]):
        theirs = {row.id: row.identity or "" for row in other.files}
        if other.main.id != main.id and _contents(other, theirs) == ours:
            return other
    return None


def _contents(result: ResultRecord, identities: Identities) -> Mapping[str, str]:
    return {result.relative(row): identities[row.id] for row in result.files}


def object_names(
    connection: sqlite3.Connection, result: ResultRecord, identities: Identities
) -> Mapping[int, str] | None:
    """Claim the object names of all files of the result, by number of the file. None: all possible names are taken.

    Raises Unnameable.
    """
    main = result.main
    if not result.companions:
        name = _single_name(connection, result, identities[main.id])
        return None if name is None else {main.id: name}
    for row in result.files:
        _check_name(result.relative(row))
    for folder in name_choices(PurePath(main.path).stem, _digest(result, identities)):
        names = {row.id: f"{folder}/{result.relative(row)}" for row in result.files}
        wanted = {f"{folder}/": _digest(result, identities)} | {
            name: identities[number] for number, name in names.items()
        }
        if all(deduplication.is_free(connection, main.project, name, content) for name, content in wanted.items()):
            for name, content in wanted.items():
                deduplication.claim(connection, main.project, name, content)
            return names
    return None


def give_other_name(connection: sqlite3.Connection, file_id: int) -> None:
    """Let a file be sent under another name, because another object has its name; with the rest of its result."""
    row = files.file(connection, file_id)
    found = results.of_file(connection, file_id)
    if found is None or row.object is None or "/" not in row.object:
        deduplication.give_other_name(connection, file_id)
        return
    folder = f"{row.object.partition('/')[0]}/"
    connection.execute("UPDATE names SET identity = '' WHERE project = ? AND folded = ?", (row.project, folded(folder)))
    for each in found.files:
        # Others that are being sent end first: their result is named anew after that.
        if each.id == file_id or each.stage in (FileStage.READY, FileStage.STORED):
            files.note_change(connection, each.id, each.candidate)
            files.set_columns(connection, each.id, {"object": None})


def _single_name(connection: sqlite3.Connection, result: ResultRecord, identity: str) -> str | None:
    main = result.main
    held = connection.execute(
        "SELECT name FROM names INDEXED BY names_of_contents WHERE project = ? AND identity = ?"
        " AND name NOT LIKE '%/%'",
        (main.project, identity),
    ).fetchone()
    if held is not None:
        return str(held["name"])
    choices: Iterator[str] = name_choices(PurePath(main.path).name, identity)
    return next((name for name in choices if deduplication.claim(connection, main.project, name, identity)), None)


def _digest(result: ResultRecord, identities: Identities) -> str:
    """A hash of the names and contents of all files of a result, 32 hex digits."""
    lines = sorted(f"{name}\n{identity}\n" for name, identity in _contents(result, identities).items())
    return xxhash.xxh3_128_hexdigest("".join(lines).encode("utf-8", "surrogateescape"))


def _check_name(relative: str) -> None:
    if any(step in ("", ".", "..") or not is_clean(step) for step in relative.split("/")):
        raise Unnameable("has a name that an object in the project cannot have, and the result refers to it by that")
    if len(relative.encode()) > _LONGEST_PATH:
        raise Unnameable("has too long a path for an object in the project")
