"""Parse the filter of the files pane: `dji_01`, `/100MEDIA`, `!dji`, `:failed`, `!:nogps`, `:waiting 0042`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from tui_uploader.model.files import FileProperty, FileQuery
from tui_uploader.model.states import FileStatus

_KIND = re.compile(r"(?:^|(?<=\s))(!?):([a-z]*)(?=\s|$)", re.IGNORECASE)
_BY_INTEREST: Sequence[FileStatus | FileProperty] = (
    FileStatus.FAILED,
    FileStatus.DUPLICATE,
    FileStatus.WAITING,
    FileStatus.UPLOADING,
    FileStatus.UPLOADED,
    FileProperty.MOVING,
    FileProperty.RENAMED,
    FileProperty.NO_GPS,
    FileProperty.DAMAGED,
    FileProperty.RESULTS,
)
"""Problems first: users look for them most."""


class FileFilter(msgspec.Struct, frozen=True):
    """The filter fields of a `FileQuery`."""

    status: FileStatus | None = None
    except_status: FileStatus | None = None
    text: str = ""
    property: FileProperty | None = None
    except_property: FileProperty | None = None

    def applied_to(self, query: FileQuery) -> FileQuery:
        return msgspec.structs.replace(query, **msgspec.structs.asdict(self))


def parse_filter(typed: str) -> FileFilter:
    """Take words like `:fa` as the start of a kind, of which the last one counts, and the rest as text."""
    found: dict[str, Any] = {}

    def take_kind(word: re.Match[str]) -> str:
        kind = _kind_starting_with(word[2].lower())
        if word[2] and kind is None:
            return word[0]
        if kind is not None:
            field = "status" if isinstance(kind, FileStatus) else "property"
            found[f"except_{field}" if word[1] else field] = kind
        return ""

    text = _KIND.sub(take_kind, typed)
    return FileFilter(**found, text=text if text == typed else text.strip())


def _kind_starting_with(start: str) -> FileStatus | FileProperty | None:
    return next((kind for kind in _BY_INTEREST if start and kind.startswith(start)), None)
