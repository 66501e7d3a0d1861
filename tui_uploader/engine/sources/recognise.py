"""Recognise files of a walk whose content was read before; samples are read only where metadata prove nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tui_uploader.engine.journal.tables.known_contents import KnownContent
from tui_uploader.errors import SourceError
from tui_uploader.intake.comparison import FileComparison, compare
from tui_uploader.intake.samples import read_samples
from tui_uploader.intake.scan import Candidate, candidate_at
from tui_uploader.intake.source import open_source


@dataclass(frozen=True, slots=True)
class Recognised:
    """Candidates of a walk, and what is known of their content."""

    candidates: tuple[Candidate, ...]
    """All of them, in order, as they were last seen."""
    identities: Mapping[str, str]
    """By path: the content that was read before and is unchanged."""
    replaced: Mapping[str, str]
    """By path: the content that was read before and has changed, although the metadata look the same."""
    sampled: frozenset[str]
    """Paths of files that were recognised or replaced by their samples."""


def recognise(found: Sequence[Candidate], known: Mapping[str, KnownContent]) -> Recognised:
    """Compare the files of a walk with what is known by path. Blocking: for a thread.

    A file that cannot be read is neither recognised nor replaced: its check will report why.
    """
    seen = {candidate.path: candidate for candidate in found}
    identities: dict[str, str] = {}
    replaced: dict[str, str] = {}
    sampled: set[str] = set()
    for path in [path for path in seen if path in known]:
        before = known[path]
        match compare(before.candidate, seen[path]):
            case FileComparison.SAME:
                identities[path] = before.content.identity
            case FileComparison.LIKELY_SAME if before.content.samples is not None:
                with suppress(SourceError):
                    seen[path], same = _compare_samples(seen[path], before)
                    (identities if same else replaced)[path] = before.content.identity
                    sampled.add(path)
    return Recognised(tuple(seen[candidate.path] for candidate in found), identities, replaced, frozenset(sampled))


def _compare_samples(candidate: Candidate, known: KnownContent) -> tuple[Candidate, bool]:
    """The file as it is now, and whether it holds the known content. Raises SourceError."""
    with open_source(candidate.path, real=candidate.real) as (descriptor, _):
        found = candidate_at(candidate.path, descriptor, candidate.real)
        return found, holds(known, found, descriptor)


def holds(known: KnownContent, found: Candidate, descriptor: int) -> bool:
    """Whether the open file, whose metadata are `found`, is proven to hold the known content. Raises OSError."""
    match compare(known.candidate, found):
        case FileComparison.SAME:
            return True
        case FileComparison.LIKELY_SAME:
            return known.content.samples == read_samples(descriptor, found.size)
        case FileComparison.CHANGED:
            return False
