"""Words about watched folders: what each is doing, and what the user should know when that changes."""

from __future__ import annotations

from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.watches import Watch, WatchState
from tui_uploader.text import counted, printable

_LONGEST_PATH, _LONGEST_NAME, _LONGEST_REASON = 80, 60, 300


def watched_path(watch: Watch) -> str:
    return printable(watch.path, _LONGEST_PATH)


def state_words(watch: Watch, upload: UploadStatus | None = None) -> str:
    """`waits for a card`, `adding new images to Quarry`, `all images are in the cloud`, `needs you: …`.

    `upload`: the one that it fills now, where that is known.
    """
    match watch.state:
        case WatchState.ABSENT:
            return f"waits for a card{_cards(watch)}"
        case WatchState.ADDING:
            return f"adding new images{_to(watch)}"
        case WatchState.VERIFYING:
            return "reads the card again, to prove that it may be wiped"
        case WatchState.BLOCKED:
            return f"needs you: {reason_of(watch)}"
    if watch.upload is None:
        return f"no images yet{_cards(watch)}"
    done = upload is not None and is_done(upload)
    return f"all images are in the cloud, in {_project(watch)}" if done else f"all images are added{_to(watch)}"


def is_done(upload: UploadStatus) -> bool:
    """Whether everything of it is in the project; it may still wait for more images."""
    counts = upload.counts
    unfinished = counts.waiting + counts.uploading + counts.failed
    return not unfinished and (counts.uploaded > 0 or upload.state is UploadState.COMPLETE)


def short_state(watch: Watch) -> str:
    """The state in a word or two, for a column."""
    return {
        WatchState.ABSENT: "no card",
        WatchState.ADDING: "adding",
        WatchState.VERIFYING: "verifying",
        WatchState.BLOCKED: "needs you",
        WatchState.WATCHING: "watching",
    }[watch.state]


def watching_line(watch: Watch, upload: UploadStatus | None = None) -> str:
    """`Watching /media/card: waits for a card; 3 cards so far`."""
    return f"Watching {watched_path(watch)}: {state_words(watch, upload)}"


def reason_of(watch: Watch) -> str:
    return printable(watch.reason or "no reason is known", _LONGEST_REASON)


def _as_set(seconds: float) -> str:
    """A time that the user chose, in its largest whole unit: `10 min`, `90 s`."""
    units = ((3600, "h"), (60, "min"))
    return next(
        (f"{seconds / size:g} {unit}" for size, unit in units if seconds and seconds % size == 0), f"{seconds:g} s"
    )


def settings_words(watch: Watch) -> str:
    """`processing after 10 min without new images, then verified; looked at every few seconds`."""
    quiet = f"processing after {_as_set(watch.quiet_seconds)} without new images"
    parts = [quiet if watch.auto_process else "no automatic processing"]
    parts += ["the card is verified when all images are in the cloud"] if watch.verify_after else []
    parts += ["looked at every few seconds: its file system reports no changes"] if watch.polled else []
    return "; ".join(parts)


def card_found(watch: Watch) -> str:
    return f"A card was found at {watched_path(watch)}: its new images are uploaded{_to(watch)}."


def all_delivered(watch: Watch, upload: UploadStatus) -> str:
    """`All images in /media/card are in the cloud, in Quarry (717).`"""
    return f"All images in {watched_path(watch)} are in the cloud, in {_project(watch)} ({upload.counts.uploaded:,})."


def blocked(watch: Watch) -> str:
    return f"{watched_path(watch)} is no longer uploaded automatically: {reason_of(watch).rstrip('.')}."


def added(watch: Watch) -> str:
    """The answer to a new watch."""
    waits = " as soon as there is a card" if watch.state is WatchState.ABSENT else ""
    return f"New images in {watched_path(watch)} are uploaded automatically{waits}."


def removed(watch: Watch) -> str:
    return f"{watched_path(watch)} is no longer watched; what was added stays in its uploads."


def _project(watch: Watch) -> str:
    return printable(watch.project_name, _LONGEST_NAME)


def _to(watch: Watch) -> str:
    return f" to {_project(watch)}" if watch.project_name else ""


def _cards(watch: Watch) -> str:
    return f"; {counted(watch.cards, 'card')} so far" if watch.cards else ""
