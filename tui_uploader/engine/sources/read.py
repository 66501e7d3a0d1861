"""One look at a file that was found: it is opened once, and all that is told of it is told of what was opened."""

from __future__ import annotations

from dataclasses import dataclass

from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables.known_contents import Content, Known
from tui_uploader.engine.sources.recognise import holds
from tui_uploader.intake.comparison import was_written
from tui_uploader.intake.fingerprint import changed_while_read, fingerprint
from tui_uploader.intake.formats.exif import by_cameras_clock
from tui_uploader.intake.inspect import inspect_image, inspect_result
from tui_uploader.intake.scan import Candidate, candidate_at
from tui_uploader.intake.source import open_source
from tui_uploader.model import PhotoFacts, ProjectKind


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look at a file gave."""

    candidate: Candidate
    """The file as it was when it was opened."""
    content: Content | None
    """None: its size or its time of change is not what it was when it was found."""
    parts: tuple[int, ...] | None = None
    """CRC32 of each part that the file goes in; None where it was recognised without being read."""


def read_file(row: FileRecord, kind: ProjectKind, known: Known | None) -> Reading:
    """Recognise the content of the file as the `known` one, or read it, and judge whether it is of use.

    Blocking: for a thread. Raises SourceError; SourceChanged when the file changed meanwhile.
    """
    path = row.path
    with open_source(path, real=row.real) as (descriptor, _):
        found = candidate_at(path, descriptor, row.real)
        if was_written(row.candidate, found):
            return Reading(found, None)
        if known is not None and holds(known, found, descriptor):
            return Reading(found, known.content)
        inspect = inspect_image if kind is ProjectKind.IMAGES else _inspect_result
        if found.size == 0:
            inspect(path, descriptor)  # says why nothing of it can be used
        read = fingerprint(path, descriptor, row.part_size)
        facts = inspect(path, descriptor)
        if was_written(found, candidate_at(path, descriptor, row.real)):
            raise changed_while_read(path)
    taken_at = None if facts.taken_at is None else by_cameras_clock(facts.taken_at)
    content = Content(read.identity, read.crc32, facts.latitude, facts.longitude, taken_at, read.samples)
    return Reading(found, content, read.parts)


def _inspect_result(path: str, descriptor: int) -> PhotoFacts:
    inspect_result(path, descriptor)
    return PhotoFacts()  # a result is of a whole flight
