"""Processing as a matter of time only: no photogrammetry happens here."""

from __future__ import annotations

from enum import StrEnum

from tui_uploader.local_cloud.storage.projects import ProcessingRun

WAITING_SHARE = 0.2
"""Share of a run's duration that a project waits in the queue."""


class Phase(StrEnum):
    """Values of `public_status` that clients of PIX4Dcloud have seen."""

    CREATED = "CREATED"
    UPLOADED = "UPLOADED"
    WAITING = "WAITING"
    PROCESSING = "PROCESSING"
    DONE = "DONE"


def waiting_seconds(run: ProcessingRun) -> float:
    return run.duration * WAITING_SHARE


def processing_seconds(run: ProcessingRun) -> float:
    return run.duration - waiting_seconds(run)


def phase(registered: int, run: ProcessingRun | None, now: float) -> Phase:
    """`registered`: number of registered images and results."""
    if run is None:
        return Phase.UPLOADED if registered else Phase.CREATED
    elapsed = now - run.started
    if elapsed >= run.duration:
        return Phase.DONE
    return Phase.PROCESSING if elapsed >= waiting_seconds(run) else Phase.WAITING
