"""Check one file: open it once, recognise or read its content, and inspect it, all on the same descriptor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from tui_uploader.engine.journal.records import FileRecord
from tui_uploader.engine.journal.tables.known_contents import Content, KnownContent
from tui_uploader.engine.sources.recognise import holds
from tui_uploader.errors import ResultTypeUnclear, SourceError
from tui_uploader.intake.comparison import is_on_other_card, was_modified
from tui_uploader.intake.fingerprint import Observer, ReadingStopped, changed_while_read, fingerprint, unobserved
from tui_uploader.intake.formats.exif import by_cameras_clock
from tui_uploader.intake.inspect import inspect_image, photo_facts
from tui_uploader.intake.results.check import check_companion, check_main
from tui_uploader.intake.scan import Candidate, candidate_at
from tui_uploader.intake.source import open_source, replaced_error
from tui_uploader.model.files import PhotoFacts
from tui_uploader.model.projects import ProjectKind
from tui_uploader.text import printable


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """The result of checking a file."""

    candidate: Candidate
    """The file as it was when it was opened."""
    content: Content | None
    """None: its size or modification time is not that of the row, so it was not read."""
    parts: tuple[int, ...] | None = None
    """CRC32 of each part of the upload; None if the file was recognised without being read."""


@dataclass(slots=True)
class Reading:
    """The reading of a file, which takes minutes for a large one."""

    upload: int
    size: int
    done: int = 0
    """Bytes read so far."""
    stopped: bool = False

    def observe(self, done: int) -> None:
        """Raises ReadingStopped."""
        self.done = done
        if self.stopped:
            raise ReadingStopped


def read_file(
    row: FileRecord, kind: ProjectKind, known: KnownContent | None, observe: Observer = unobserved
) -> CheckedFile:
    """Recognise the content of the file as the `known` one, or read it and judge whether it is usable.

    Blocking: for a thread. Raises SourceError; SourceChanged when the file changed meanwhile; ResultTypeUnclear;
    what `observe` raises.
    """
    path = row.path
    inspect = inspect_image if kind is ProjectKind.IMAGES else _inspection_of(row)
    with open_source(path, real=row.real) as (descriptor, _):
        found = candidate_at(path, descriptor, row.real)
        if is_on_other_card(row.candidate, found) and not row.accepted:
            raise replaced_error(path)
        if was_modified(row.candidate, found):
            return CheckedFile(found, None)
        if known is not None and holds(known, found, descriptor):
            return CheckedFile(found, known.content)
        if found.size == 0:
            inspect(path, descriptor)  # raises SourceRefused
        read = fingerprint(path, descriptor, row.part_size, observe)
        facts = inspect(path, descriptor)
        if was_modified(found, candidate_at(path, descriptor, row.real)):
            raise changed_while_read(path)
    return CheckedFile(found, _content(read.identity, read.crc32, read.samples, facts), read.parts)


def facts_of_damaged(row: FileRecord) -> Content | None:
    """What a damaged image still states about itself; None if that cannot be read. Blocking: for a thread."""
    try:
        with open_source(row.path, real=row.real) as (descriptor, _):
            if was_modified(row.candidate, candidate_at(row.path, descriptor, row.real)):
                return None
            return _content("", 0, None, photo_facts(row.path, descriptor))
    except SourceError:
        return None


def _content(identity: str, crc32: int, samples: str | None, facts: PhotoFacts) -> Content:
    return Content(
        identity=identity,
        crc32=crc32,
        latitude=facts.latitude,
        longitude=facts.longitude,
        taken_at=None if facts.taken_at is None else by_cameras_clock(facts.taken_at),
        samples=samples,
        camera=facts.camera,
        height=facts.above_takeoff,
    )


def _inspection_of(row: FileRecord) -> Callable[[str, int], PhotoFacts]:
    """A result covers a whole flight: it has no position. Raises ResultTypeUnclear."""
    if row.result_type is None:
        raise ResultTypeUnclear(
            f"{printable(PurePath(row.path).name)} has no type: it could not be recognised when it was added, or was "
            "added by an older version. Add it again."
        )

    def inspect(path: str, descriptor: int) -> PhotoFacts:
        if row.belongs_to is None:
            check_main(path, descriptor)
        else:
            check_companion(path, descriptor)
        return PhotoFacts()

    return inspect
