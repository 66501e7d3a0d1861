"""Words about the processing of a project: its state, what will start it, and what to ask before it starts again."""

from __future__ import annotations

from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted, duration, printable
from tui_uploader.wording.clock import on_day, time_of_day

RESULTS_NOT_PROCESSED = "Results are not processed"

_LONGEST_WORD = 200
_EMPTY_WORDS = ("", "created", "new")
_WORDS = {
    ProcessingState.NOT_STARTED: "not processed",
    ProcessingState.SUBMITTED: "submitted",
    ProcessingState.WAITING: "waiting",
    ProcessingState.PROCESSING: "processing",
    ProcessingState.DONE: "processed",
    ProcessingState.FAILED: "processing failed",
}

# ---------------------------------------------------------------------------------------- states, in a word


def processing_word(processing: Processing) -> str:
    """`processed`, `processing failed`, …; the service's own word where it is at work and we have no word for it."""
    own = _service_word(processing)
    at_work = processing.state in (ProcessingState.WAITING, ProcessingState.PROCESSING)
    return own if own and at_work else _WORDS[processing.state]


def project_word(project: Project) -> str:
    """`empty`, `uploaded, not processed`, `processed`, …; before processing, the service's word that we do not know."""
    if project.processing.state is not ProcessingState.NOT_STARTED:
        return processing_word(project.processing)
    word = printable(project.processing.word or "", _LONGEST_WORD).lower()
    if project.images or project.images_in_cloud or project.results or word == "uploaded":
        return "results uploaded" if project.kind is ProjectKind.RESULTS else "uploaded, not processed"
    return "empty" if word in _EMPTY_WORDS and (word or project.images_in_cloud == 0) else word


# -------------------------------------------------------------------------------------------- in a sentence


def processing_sentence(processing: Processing, now: float) -> str:
    """`Processing since 14:20, ready about 14:21.`, `Processed today at 14:24 with 12 images.`"""
    reason = f" {printable(processing.reason).rstrip('.')}." if processing.reason else ""
    match processing.state:
        case ProcessingState.NOT_STARTED:
            return f"Not processed.{reason}" if not reason else f"Not processed:{reason}"
        case ProcessingState.DONE:
            return f"{_capitalised(processed_words(processing, now))}.{reason}"
        case ProcessingState.FAILED:
            when = "" if processing.ended_at is None else f" {on_day(processing.ended_at, now)}"
            own = f" ({word})" if (word := _service_word(processing)) else ""
            return f"Processing failed{when}{own}.{reason}"
        case _:
            return f"{', '.join((_at_work(processing, now), *_expectations(processing, now)))}.{reason}"


def processed_words(processing: Processing, now: float) -> str:
    """`processed today at 14:24 with 12 images`: as much of it as is known."""
    when = "" if processing.ended_at is None else f" {on_day(processing.ended_at, now)}"
    what = "" if processing.images is None else f" with {counted(processing.images, 'image')}"
    return f"processed{when}{what}"


def estimates(processing: Processing) -> tuple[tuple[str, str], ...]:
    """`waiting time` and `processing time`, each with its duration: the service's estimates that still apply."""
    begun = processing.state is ProcessingState.PROCESSING
    waiting = None if begun or processing.state.ended else processing.waiting_seconds
    working = None if processing.state.ended else processing.processing_seconds
    times = (("waiting time", waiting), ("processing time", working))
    return tuple((name, duration(seconds)) for name, seconds in times if seconds is not None)


def ready_at(processing: Processing, now: float) -> str | None:
    """The time of day at which the service expects to be done: `15:40`, or `Tue 15:40`; None without an estimate."""
    if processing.submitted_at is None or processing.processing_seconds is None or processing.state.ended:
        return None
    at = processing.submitted_at + (processing.waiting_seconds or 0.0) + processing.processing_seconds
    return None if at < now else time_of_day(at, now)


def requested(name: str, processing: Processing, now: float) -> str:
    """The answer of the command that starts processing: `Processing requested for Six A, ready about 14:48.`"""
    return f"{', '.join((f'Processing requested for {printable(name)}', *_expectations(processing, now)))}."


# ------------------------------------------------------------------------------------- what will start it


def start_words(status: UploadStatus, now: float) -> str:
    """When and how processing of the upload's images starts, without the words `Processing:` before it.

    `automatic, when all is uploaded`, `starts at 14:20:31`, `manual; processed today at 14:24 with 12 images`.
    """
    if status.process_at is not None:
        return f"starts at {time_of_day(status.process_at, now, seconds=True)}"
    again = status.processing.state in (ProcessingState.DONE, ProcessingState.FAILED)
    if status.auto_process:
        when = "when all is uploaded" if status.watch is None else "after a time without new images"
        return f"automatic{', again' if again else ''}, {when}"
    if status.processing.state is ProcessingState.DONE:
        return f"manual; {processed_words(status.processing, now)}"
    return "manual"


def start_note(status: UploadStatus, now: float) -> str:
    """A sentence for after an addition: when processing starts, or why it does not."""
    name, processing = printable(status.project_name), status.processing
    if status.kind is ProjectKind.RESULTS:
        return f"{RESULTS_NOT_PROCESSED}."
    if status.process_at is not None:
        return f"Processing of {name} starts at {time_of_day(status.process_at, now, seconds=True)}."
    if processing.state.running:
        return f"{name}: {_uncapitalised(processing_sentence(processing, now))}"
    if status.state is UploadState.CANCELLED and not processing.state.ended:
        return f"Processing of {name} does not start: the upload is cancelled."
    if status.auto_process and status.settled and status.counts.failed:
        return f"Processing of {name} starts when {held_up_by(status.counts.failed)} uploaded or removed."
    if status.auto_process and status.state is not UploadState.COMPLETE:
        return f"Processing of {name} starts automatically when all is uploaded."
    if processing.state is ProcessingState.DONE and not status.auto_process:
        return not_again(status.project_name, processing, now)
    if processing.reason:
        return f"{name}: {_uncapitalised(processing_sentence(processing, now))}"
    return f"Processing of {name} {'starts' if status.auto_process else 'does not start'} automatically."


def held_up_by(failed: int) -> str:
    """`the failed file is`, `the 5 failed files are`."""
    return "the failed file is" if failed == 1 else f"the {failed:,} failed files are"


def holds_up(status: UploadStatus) -> bool:
    """Whether failed files of the upload keep processing from its automatic start."""
    of_images = status.kind is ProjectKind.IMAGES
    return of_images and status.auto_process and bool(status.counts.failed) and not status.processing.state.running


def not_again(name: str, processing: Processing, now: float) -> str:
    """What becomes of images that are added to a project that was processed."""
    return f"{printable(name)} was {processed_words(processing, now)}; it is not processed again automatically."


def again_question(name: str, processing: Processing, now: float) -> str:
    """`North field was processed today at 14:24 with 12 images. Process again? This may use credits.`"""
    return f"{printable(name)} was {processed_words(processing, now)}. Process again? This may use credits."


# -------------------------------------------------------------------------------------------------- helpers


def _at_work(processing: Processing, now: float) -> str:
    at = None if processing.submitted_at is None else time_of_day(processing.submitted_at, now)
    if processing.state is ProcessingState.SUBMITTED:
        words = f"Processing requested at {at}" if at else "Processing requested"
    else:
        waiting = processing.state is ProcessingState.WAITING
        words = "Waiting for processing" if waiting else "Processing"
        words += f" since {at}" if at else ""
    return f"{words} ({own})" if (own := _service_word(processing)) else words


def _expectations(processing: Processing, now: float) -> tuple[str, ...]:
    """The time at which it will be done where that is known, or else the estimates."""
    at = ready_at(processing, now)
    if at is not None:
        return (f"ready about {at}",)
    times = estimates(processing) if processing.submitted_at is None else ()
    return (f"estimated {', '.join(f'{name} {time}' for name, time in times)}",) if times else ()


def _service_word(processing: Processing) -> str | None:
    """The service's word once it has begun, where it says more than ours."""
    begun = processing.state not in (ProcessingState.NOT_STARTED, ProcessingState.SUBMITTED)
    said = (processing.state.replace("_", " "), _WORDS[processing.state], "error", "done")
    if not begun or not processing.word or processing.word.casefold() in said:
        return None
    return printable(processing.word, _LONGEST_WORD)


def _capitalised(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _uncapitalised(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"
