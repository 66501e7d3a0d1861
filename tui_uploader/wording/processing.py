"""Words about the processing of a project."""

from __future__ import annotations

from tui_uploader.model.projects import Processing, ProcessingState, Project
from tui_uploader.text import duration, printable

_LONGEST_WORD = 200


def processing_word(processing: Processing) -> str:
    """Our word for the state; the service's own where it is at work in a way that we have no word for."""
    own = _service_word(processing)
    at_work = processing.state in (ProcessingState.WAITING, ProcessingState.PROCESSING)
    return own if own and at_work else _our_word(processing)


def project_word(project: Project) -> str:
    """As `processing_word`; before processing starts, the service's word for the project, or nothing."""
    if project.processing.state is ProcessingState.NOT_STARTED:
        return printable(project.processing.word or "", _LONGEST_WORD).lower()
    return processing_word(project.processing)


def estimates(processing: Processing) -> tuple[tuple[str, str], ...]:
    """`waiting time` and `processing time`, each with its duration: the service's estimates that still apply."""
    begun = processing.state is ProcessingState.PROCESSING
    waiting = None if begun or processing.state.ended else processing.waiting_seconds
    working = None if processing.state.ended else processing.processing_seconds
    times = (("waiting time", waiting), ("processing time", working))
    return tuple((name, duration(seconds)) for name, seconds in times if seconds is not None)


def processing_sentence(processing: Processing) -> str:
    """`Processing: submitted; estimated waiting time 5 min 00 s, processing time 1 h 10 min.`"""
    words = _our_word(processing)
    if own := _service_word(processing):
        words += f" ({own})"
    if times := estimates(processing):
        words += f"; estimated {', '.join(f'{name} {time}' for name, time in times)}"
    reason = f" {printable(processing.reason)}" if processing.reason else ""
    return f"Processing: {words}.{reason}"


def _our_word(processing: Processing) -> str:
    return processing.state.replace("_", " ")


def _service_word(processing: Processing) -> str | None:
    """The service's word once it has begun, where it says more than ours."""
    begun = processing.state not in (ProcessingState.NOT_STARTED, ProcessingState.SUBMITTED)
    if not begun or not processing.word or processing.word.casefold() == _our_word(processing):
        return None
    return printable(processing.word, _LONGEST_WORD)
