"""Read what an image states about itself, for a front end that shows it: from the card as it is now."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import PurePath

from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.sources.threads import SourceThreads
from tui_uploader.errors import SourceChanged, SourceUnreadable
from tui_uploader.intake import inspect
from tui_uploader.intake.comparison import was_modified
from tui_uploader.intake.scan import candidate_at
from tui_uploader.intake.source import open_source
from tui_uploader.model.files import PhotoFacts
from tui_uploader.text import printable

_MOST_SECONDS = 10.0


async def photo_facts(sources: SourceThreads, row: FileRecord) -> PhotoFacts:
    """The facts in the file, within ten seconds: a card that hangs is not waited for.

    Raises SourceVanished, SourceUnreadable, SourceRefused for a file without an image, and SourceChanged.
    """
    if sources.hangs(row.path):
        raise _silent(row)
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            return await sources.run_briefly(row.path, _read, row)
    except TimeoutError:
        raise _silent(row) from None


def _read(row: FileRecord) -> PhotoFacts:
    """Blocking: for a thread. Errors name the file without its folder: they are shown beside it."""
    with open_source(_name(row), real=row.real or row.path) as (descriptor, _):
        found = candidate_at(row.path, descriptor, row.real)
        # Records of dismissed uploads keep no time of change.
        known = row.candidate if row.mtime_ns else replace(row.candidate, mtime_ns=found.mtime_ns)
        if was_modified(known, found):
            raise SourceChanged(
                f"{_name(row)} has another size or date than the file in this upload: it was changed, or another card "
                "is mounted at its path."
            )
        return inspect.photo_facts(row.path, descriptor)


def _silent(row: FileRecord) -> SourceUnreadable:
    return SourceUnreadable(f"{_name(row)} cannot be read now: its card or disk does not respond.")


def _name(row: FileRecord) -> str:
    return printable(PurePath(row.path).name)
