"""Which files of a walk hold what was read of them before. Only where nothing proves it, samples of them are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tui_uploader.engine.journal.tables.known_contents import Known
from tui_uploader.errors import SourceError
from tui_uploader.intake.comparison import Sameness, sameness
from tui_uploader.intake.samples import read_samples
from tui_uploader.intake.scan import Candidate, candidate_at
from tui_uploader.intake.source import open_source


@dataclass(frozen=True, slots=True)
class Recognised:
    """What became of the candidates of a walk."""

    candidates: tuple[Candidate, ...]
    """All of them, in order, as they were last seen."""
    identities: Mapping[str, str]
    """By path: the content that was read before, and is there still."""
    replaced: Mapping[str, str]
    """By path: the content that was read before, and is there no more although the file looks the same."""
    samples_read: frozenset[str]
    """Paths of those that only their samples told."""


def recognise(found: Sequence[Candidate], known: Mapping[str, Known]) -> Recognised:
    """Compare what a walk found with what is known by path. Blocking: for a thread.

    A file that cannot be read is neither recognised nor replaced: its check tells why.
    """
    seen = {candidate.path: candidate for candidate in found}
    identities: dict[str, str] = {}
    replaced: dict[str, str] = {}
    samples_read: set[str] = set()
    for path in [path for path in seen if path in known]:
        before = known[path]
        match sameness(before.candidate, seen[path]):
            case Sameness.SAME:
                identities[path] = before.content.identity
            case Sameness.LOOK if before.content.samples is not None:
                with suppress(SourceError):
                    seen[path], same = _look(seen[path], before)
                    (identities if same else replaced)[path] = before.content.identity
                    samples_read.add(path)
    return Recognised(tuple(seen[candidate.path] for candidate in found), identities, replaced, frozenset(samples_read))


def _look(candidate: Candidate, known: Known) -> tuple[Candidate, bool]:
    """The file as it is now, and whether it holds the known content. Raises SourceError."""
    with open_source(candidate.path, real=candidate.real) as (descriptor, _):
        found = candidate_at(candidate.path, descriptor, candidate.real)
        return found, holds(known, found, descriptor)


def holds(known: Known, found: Candidate, descriptor: int) -> bool:
    """Whether the open file, which looks like `found`, is proven to hold the known content. Raises OSError."""
    match sameness(known.candidate, found):
        case Sameness.SAME:
            return True
        case Sameness.LOOK:
            return known.content.samples == read_samples(descriptor, found.size)
        case Sameness.READ:
            return False
