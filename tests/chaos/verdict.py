"""Judge a run: pure functions of the files on both sides at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from tests.chaos.truth import Digest


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as `files --json` shows it."""

    path: str
    object: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The state at the end of a run."""

    wanted: Mapping[str, Collection[Digest]]
    """Accepted contents of each file, by path: the current one, or one that it had while it was sent."""
    card: Mapping[Digest, int]
    """Sizes of all contents that were ever on the card."""
    objects: Mapping[str, Digest]
    """By key: the project's prefix and a name."""
    images: Mapping[str, Digest]
    """The registered objects."""
    delivered: Mapping[str, Collection[Digest]] = field(default_factory=dict)
    """Contents that had arrived before other files replaced them on the card; they must still be there."""
    dangling: Collection[str] = ()
    """Registered keys without an object."""
    shown: Sequence[Shown] = ()
    false_at_kills: int = 0
    """Files that the journal of a killed engine called uploaded although they were not."""
    starts: int = 1
    projects: int = 1
    kills: int = 0
    faults: int = 0
    received: int = 0
    """Bytes of bodies that the store received."""
    allowed_waste: int = 0
    """Bytes that the kills may have wasted: one body per stream."""
    keeps_damage: bool = False
    """The store verifies nothing: objects that are not images may have any content."""
    trouble: str = ""
    """Why the run did not complete; empty when it did."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts of one run, or of several."""

    runs: int = 0
    kills: int = 0
    faults: int = 0
    files: int = 0
    bytes: int = 0
    lost: int = 0
    doubled: int = 0
    """Images whose content the project has already."""
    false: int = 0
    """Files called uploaded that were not."""
    strangers: int = 0
    """Objects whose content was never on the card, and images without an object."""
    copies: int = 0
    """Unregistered objects whose content is registered, too: not visible in the project, but stored twice."""
    leftovers: int = 0
    """Unregistered objects whose content is not registered: the file changed after it was sent."""
    scattered: int = 0
    """Projects with images, apart from the first."""
    extra_projects: int = 0
    starts: int = 0
    wrong_starts: int = 0
    """Runs that did not start processing exactly once."""
    resent: int = 0
    """Bytes that the store received beyond those that it has."""
    allowed_waste: int = 0
    troubles: tuple[str, ...] = ()


def outcome_of(facts: Facts) -> Outcome:
    shown = {file.path: file for file in facts.shown}
    registered = Counter(facts.images.values())
    unseen = Counter(digest for key, digest in facts.objects.items() if key not in facts.images)
    with_known_content = facts.images if facts.keeps_damage else facts.objects
    stored = sum(facts.card.get(digest, 0) for digest in facts.objects.values())
    return Outcome(
        runs=1,
        kills=facts.kills,
        faults=facts.faults,
        files=len(facts.wanted),
        bytes=sum(facts.card[digest] for digest in registered if digest in facts.card),
        lost=sum(
            not any(digest in registered for digest in digests)
            for digests in (*facts.wanted.values(), *facts.delivered.values())
        ),
        doubled=sum(number - 1 for number in registered.values()),
        false=facts.false_at_kills + sum(_is_false(file, facts) for file in shown.values()),
        strangers=len(facts.dangling) + sum(digest not in facts.card for digest in with_known_content.values()),
        copies=sum(number if digest in registered else number - 1 for digest, number in unseen.items()),
        leftovers=len(unseen.keys() - registered.keys()),
        scattered=max(0, len({key.rpartition("/")[0] for key in facts.images}) - 1),
        extra_projects=max(0, facts.projects - 1),
        starts=facts.starts,
        wrong_starts=int(facts.starts != 1),
        resent=facts.received - stored,
        allowed_waste=facts.allowed_waste,
        troubles=(facts.trouble,) if facts.trouble else (),
    )


def _is_false(file: Shown, facts: Facts) -> bool:
    there = {digest for key, digest in facts.images.items() if key.rpartition("/")[2] == file.object}
    its_own = {*facts.wanted.get(file.path, ()), *facts.delivered.get(file.path, ())}
    return file.status == "uploaded" and there.isdisjoint(its_own)


def total(outcomes: Iterable[Outcome]) -> Outcome:
    every = list(outcomes)
    counts = [each.name for each in fields(Outcome) if each.name != "troubles"]
    return Outcome(
        **{name: sum(int(getattr(outcome, name)) for outcome in every) for name in counts},
        troubles=tuple(trouble for outcome in every for trouble in outcome.troubles),
    )


def faults_of(outcome: Outcome, *, strict: bool, bounded: bool) -> list[str]:
    """Problems of an outcome in words; empty when there are none.

    `strict`: objects cannot be looked at, so copies are allowed. `bounded`: only kills waste bytes.
    """
    found = [
        f"{number} {what}"
        for number, what in (
            (outcome.lost, "lost"),
            (outcome.doubled, "doubled"),
            (outcome.false, "falsely called uploaded"),
            (outcome.strangers, "with unknown content"),
            (outcome.scattered, "too many projects with images"),
            (0 if strict else outcome.copies, "stored twice"),
            (outcome.wrong_starts, "runs without exactly one start of processing"),
        )
        if number
    ]
    if bounded and outcome.resent > outcome.allowed_waste:
        found.append(f"{outcome.resent:,} bytes sent again, {outcome.allowed_waste:,} allowed")
    return [*found, *outcome.troubles]
