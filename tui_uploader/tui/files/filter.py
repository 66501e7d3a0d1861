"""Parse the filter of the files pane: `dji_01`, `!dji`, `:failed`, `!:uploaded`, `:waiting 0042`. Pure."""

from __future__ import annotations

import re

import msgspec

from tui_uploader.model.states import FileStatus

_SHORTHAND = re.compile(r"(?:^|(?<=\s))(!?):([a-z]*)(?=\s|$)", re.IGNORECASE)


class FileFilter(msgspec.Struct, frozen=True):
    """The filter fields of a `FileQuery`."""

    status: FileStatus | None = None
    except_status: FileStatus | None = None
    text: str = ""


def parse_filter(typed: str) -> FileFilter:
    """Take words like `:fa` as the start of a status, of which the last one counts, and the rest as part of a name."""
    status: FileStatus | None = None
    except_status: FileStatus | None = None

    def take_status(word: re.Match[str]) -> str:
        nonlocal status, except_status
        named = _status_starting_with(word[2].lower())
        if word[2] and named is None:
            return word[0]
        if word[1]:
            except_status = named
        else:
            status = named
        return ""

    text = _SHORTHAND.sub(take_status, typed)
    return FileFilter(status, except_status, text if text == typed else text.strip())


_BY_INTEREST = (
    FileStatus.FAILED,
    FileStatus.DUPLICATE,
    FileStatus.WAITING,
    FileStatus.UPLOADING,
    FileStatus.UPLOADED,
)
"""Problems first: users look for them most."""


def _status_starting_with(start: str) -> FileStatus | None:
    return next((status for status in _BY_INTEREST if start and status.startswith(start)), None)
