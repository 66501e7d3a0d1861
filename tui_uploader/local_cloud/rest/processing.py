"""What becomes of a project, told by the clock alone: no photogrammetry happens here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WAITING_SHARE = 0.2
"""Part of the time between start and end that a project waits for its turn."""


class Phase(StrEnum):
    """Words of `public_status`, of those that clients of the service have seen."""

    CREATED = "CREATED"
    UPLOADED = "UPLOADED"
    WAITING = "WAITING"
    PROCESSING = "PROCESSING"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Start:
    """When processing was started, and how long it takes in all (seconds)."""

    at: float
    seconds: float

    @property
    def waiting_seconds(self) -> float:
        return self.seconds * WAITING_SHARE

    @property
    def processing_seconds(self) -> float:
        return self.seconds - self.waiting_seconds


def phase(registered: int, start: Start | None, now: float) -> Phase:
    """`registered`: images and results that the project knows."""
    if start is None:
        return Phase.UPLOADED if registered else Phase.CREATED
    elapsed = now - start.at
    if elapsed >= start.seconds:
        return Phase.DONE
    return Phase.PROCESSING if elapsed >= start.waiting_seconds else Phase.WAITING
