"""What the filter of the files means: `dji_01`, `!dji`, `:failed`, `!:uploaded`, `:waiting 0042`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from tui_uploader.model import FileStatus

_SHORTHAND = re.compile(r"(?:^|(?<=\s))(!?):([a-z]*)(?=\s|$)", re.IGNORECASE)


class FileFilter(msgspec.Struct, frozen=True):
    """As `FileQuery` takes it."""

    status: FileStatus | None = None
    except_status: FileStatus | None = None
    text: str = ""


def understood(typed: str) -> FileFilter:
    """Words that begin with a colon are the beginning of a status, the last one counts; all else is part of a name."""
    status: FileStatus | None = None
    except_status: FileStatus | None = None

    def taken(word: re.Match[str]) -> str:
        nonlocal status, except_status
        meant = _status(word[2].lower())
        if word[2] and meant is None:
            return word[0]
        if word[1]:
            except_status = meant
        else:
            status = meant
        return ""

    text = _SHORTHAND.sub(taken, typed)
    return FileFilter(status, except_status, text if text == typed else text.strip())


def _status(beginning: str) -> FileStatus | None:
    """The troubles first: they are looked for most."""
    order: Sequence[FileStatus] = (FileStatus.FAILED, FileStatus.DUPLICATE, FileStatus.WAITING)
    every = [*order, FileStatus.UPLOADING, FileStatus.UPLOADED]
    return next((status for status in every if beginning and status.startswith(beginning)), None)
