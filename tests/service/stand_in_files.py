"""Windows of files kept in memory: filtered, sorted and folded as the engine does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from tui_uploader.engine.journal.views.layout import Group, layout
from tui_uploader.model.files import FileItem, FileProperty, FileQuery, FileSelection, FileWindow, Hold
from tui_uploader.model.states import FileStatus


def window(files: Iterable[FileItem], query: FileQuery) -> FileWindow:
    found = in_order(matching(files, query), query)
    ids = [file.id for file in found]
    anchor = ids.index(query.anchor) if query.anchor in ids else None
    if query.sort == "activity":
        groups = [Group(status, len(list(same))) for status, same in groupby(found, lambda file: file.status)]
    else:
        groups = [Group(None, len(found))]
    unfolded = [FileStatus(each) for each in query.unfolded.split(",") if each]
    placed = layout(groups, query.offset, query.limit, query.fold, unfolded, anchor)
    shown = tuple(file for ranks in placed.shown for file in found[ranks.first : ranks.first + ranks.files])
    return FileWindow(placed.total, query.offset, shown, placed.folds, len(found), placed.anchor)


def matching(files: Iterable[FileItem], query: FileQuery) -> list[FileItem]:
    return [file for file in files if _matches(file, query)]


def between(files: Iterable[FileItem], query: FileQuery) -> list[int]:
    """The ids of the files that match, from the first to the last of a range."""
    ids = [file.id for file in in_order(matching(files, query), query)]
    if not {query.first, query.last} - {None} <= set(ids):
        return []
    begin = 0 if query.first is None else ids.index(query.first)
    end = len(ids) if query.last is None else ids.index(query.last) + 1
    return ids[begin:end]


def selected(file: FileItem, selection: FileSelection) -> bool:
    return (
        selection.all
        or file.id in selection.ids
        or file.status in selection.statuses
        or any(name in (file.name, file.path, file.object) for name in selection.names)
        or any(first <= file.id <= last for first, last in selection.runs)
    )


def _matches(file: FileItem, query: FileQuery) -> bool:
    text, negated = query.text.removeprefix("!").casefold(), query.text.startswith("!")
    subject = (file.path if "/" in text else file.name).casefold()
    return (
        (not text or (text in subject) is not negated)
        and query.status in (None, file.status)
        and query.except_status is not file.status
        and query.verified in (None, file.verified)
        and (query.property is None or _HAS[query.property](file))
        and (query.except_property is None or not _HAS[query.except_property](file))
    )


_HAS: dict[FileProperty, Callable[[FileItem], bool]] = {
    FileProperty.MOVING: lambda file: file.status is FileStatus.UPLOADING and file.hold in (None, Hold.REGISTERING),
    FileProperty.RENAMED: lambda file: file.object not in (None, file.name),
    FileProperty.NO_GPS: lambda file: file.located is False,
    FileProperty.DAMAGED: lambda file: file.damaged,
    FileProperty.RESULTS: lambda file: file.result is not None and file.belongs_to is None,
}


def in_order(files: Sequence[FileItem], query: FileQuery) -> list[FileItem]:
    found = sorted(files, key=lambda file: file.id, reverse=query.descending)
    if query.sort in ("activity", "status"):
        found.sort(key=partial(_by_activity, newest_first=query.sort == "activity"), reverse=query.descending)
    elif query.sort != "added":
        keys: dict[str, Callable[[FileItem], Any]] = {
            "name": lambda file: file.name.casefold(),
            "folder": lambda file: file.path,
            "size": lambda file: file.size,
            "taken": lambda file: file.taken_at or 0,
            "uploaded": lambda file: file.uploaded_at or 0,
        }
        found.sort(key=keys[query.sort], reverse=query.descending)
        unknown = {"taken": lambda file: file.taken_at is None, "uploaded": lambda file: file.uploaded_at is None}
        found.sort(key=unknown.get(query.sort, lambda file: False))
    return found


def _by_activity(file: FileItem, *, newest_first: bool) -> tuple[float, ...]:
    rank: dict[FileStatus, int] = {
        FileStatus.FAILED: 0,
        FileStatus.UPLOADING: 2 if file.hold is Hold.REGISTERING else 1,
        FileStatus.WAITING: 4 if file.hold is Hold.CHECKING else 3,
        FileStatus.DUPLICATE: 5,
        FileStatus.UPLOADED: 6,
    }
    newest = -(file.uploaded_at or 0.0) if newest_first and file.status is FileStatus.UPLOADED else 0.0
    return rank[file.status], newest, -file.id if newest else file.id
