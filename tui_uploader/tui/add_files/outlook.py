"""What an upload would take, how long, and what speaks against it, in sentences. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui_uploader.model.engine import Bandwidth, EngineStatus
from tui_uploader.model.projects import MAX_IMAGES, MIN_IMAGES, ProcessingState, Project, ProjectKind
from tui_uploader.text import byte_count, counted, exact_bytes
from tui_uploader.tui.add_files.destination import Destination, images_in, processed
from tui_uploader.tui.add_files.survey import PathFacts
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.wording.amounts import byte_rate
from tui_uploader.wording.bandwidth import budget_too_small, in_force
from tui_uploader.wording.clock import about, time_of_day
from tui_uploader.wording.processing import processed_words, processing_sentence

Line = tuple[str, str]
"""A sentence and its style."""
WARNING, LOUD, QUIET = "auto 87% on $warning-muted", "bold auto 87% on $error-muted", ""

_AT_LIMIT = 0.7
"""A rate of at least this part of the limit is held back by the limit."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How the engine sends now."""

    rate: float = 0.0
    """Bytes a second; 0: nothing is being sent."""
    left: int = 0
    """Bytes that other uploads have still to send."""
    bandwidth: Bandwidth = field(default_factory=Bandwidth)

    @classmethod
    def of(cls, status: EngineStatus | None) -> Sending:
        return cls() if status is None else cls(status.rate, status.left, status.bandwidth)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What going would mean now."""

    facts: PathFacts
    kind: ProjectKind
    destination: Destination
    auto_process: bool
    sending: Sending

    def lines(self, where: str, list_key: str, now: float) -> list[Line]:
        """The sentences, what speaks against it first; some may be empty."""
        facts, project = self.facts, self.destination.project
        empty = facts.complete and not facts.files
        before = processed_sentence(self.destination, self.auto_process, now)
        return [
            (too_many(facts, self.kind, project), LOUD),
            (before if self.kind is ProjectKind.IMAGES else "", WARNING),
            (facts_sentence(facts, self.kind, where, list_key), LOUD if empty else QUIET),
            (time_sentence(facts.size, self.sending, now), QUIET),
            (budget_too_small(self.sending.bandwidth, facts.size + self.sending.left), WARNING),
            (too_few(facts, project) if self.auto_process else "", QUIET),
        ]


def noun_of(kind: ProjectKind) -> str:
    return "image" if kind is ProjectKind.IMAGES else "file"


def amount(facts: PathFacts, kind: ProjectKind) -> str:
    """`466 images, 119 MB`."""
    if facts.complete:
        return f"{counted(facts.files, noun_of(kind))}, {byte_count(facts.size)}"
    return f"{facts.files:,}+ {noun_of(kind)}s, {byte_count(facts.size)} so far"


def facts_sentence(facts: PathFacts, kind: ProjectKind, where: str, list_key: str) -> str:
    """What would be uploaded and what left out. `where`: the chosen path, or how many."""
    if not facts.complete:
        return f"{amount(facts, kind)}; still reading {where}."
    skipped = ""
    if facts.left_out:
        other = "other file" if kind is ProjectKind.IMAGES else "file"
        skipped = f" {counted(facts.left_out, other)} skipped ({list_key} lists them)."
    if not facts.files:
        return f"No {noun_of(kind)}s in {where}.{skipped}"
    return f"{amount(facts, kind)}.{skipped}"


def time_sentence(size: int, sending: Sending, now: float) -> str:
    """`At 250 KB/s (the limit): about 8 min, done ~14:29.` Empty if there is nothing to send."""
    if not size:
        return ""
    bandwidth = sending.bandwidth
    if bandwidth.rate == 0:
        return f"Nothing is sent now: {in_force(bandwidth)}."
    limited = bandwidth.rate is not None and (
        sending.rate <= 0 or sending.rate >= bandwidth.rate * _AT_LIMIT or sending.rate > bandwidth.rate
    )
    rate = float(bandwidth.rate or 0) if limited else sending.rate
    if rate <= 0:
        return "How long it takes is known once sending has begun."
    seconds = (size + sending.left) / rate
    at = f"{exact_bytes(bandwidth.rate or 0)}/s (the limit)" if limited else f"{byte_rate(rate)} (the present rate)"
    behind = f", with the {byte_count(sending.left)} of other uploads" if sending.left else ""
    return f"At {at}: about {about(seconds)}{behind}, done ~{time_of_day(now + seconds, now)}."


def too_many(facts: PathFacts, kind: ProjectKind, project: Project | None) -> str:
    """Empty unless the project would have more images than the service processes."""
    there = images_in(project)
    total = there + facts.files
    if kind is not ProjectKind.IMAGES or not facts.files or total <= MAX_IMAGES:
        return ""
    sum_of = f" ({there:,} are there)" if there else ""
    return f"{counted(total, 'image')} are more than the {MAX_IMAGES:,} that a project takes{sum_of}."


def too_few(facts: PathFacts, project: Project | None) -> str:
    """Empty unless the project would have too few images to be processed."""
    few = facts.complete and 0 < images_in(project) + facts.files < MIN_IMAGES
    return f"Processing needs at least {MIN_IMAGES} images." if few else ""


def processed_sentence(destination: Destination, auto_process: bool, now: float) -> str:
    """What happens with a project that was processed before; empty for others."""
    project = destination.project
    if project is None or not processed(project):
        return ""
    state, name = project.processing, cell_text(project.name)
    done = state.state is ProcessingState.DONE
    known = f"{name} was {processed_words(state, now)}." if done else f"{name}: {processing_sentence(state, now)}"
    if auto_process:
        return f"{known} It will be PROCESSED AGAIN when all is uploaded, which may use credits."
    return f"{known} Adding images does not process it again unless you tick it."


def added_words(facts: PathFacts, kind: ProjectKind, where: str) -> str:
    """`4,000 images of /media/card`."""
    number = counted(facts.files, noun_of(kind)) if facts.complete else f"The {noun_of(kind)}s"
    return f"{number} of {where}"
