"""What the service's words for the state of a project mean. The set is open: PIX4D adds words without notice."""

from __future__ import annotations

import re

from tui_uploader.model import ProcessingState

_STATE_OF_WORD = {
    "new": None,
    "created": None,
    "uploaded": None,
    "processing": ProcessingState.PROCESSING,
    "done": ProcessingState.DONE,
    "processed": ProcessingState.DONE,
    "error": ProcessingState.FAILED,
    "failed": ProcessingState.FAILED,
}


def state_of_word(word: str | None) -> ProcessingState | None:
    """None for the words of a project that was not started, and for no word at all.

    Words come from the API in capitals and from the web page as prose ("Waiting for credits"). An unknown one means
    that the service is at work in a way we have not heard of.
    """
    plain = re.sub(r"[\s_-]+", " ", word or "").strip().casefold()
    if not plain:
        return None
    if plain.startswith("waiting"):
        return ProcessingState.WAITING
    if plain.startswith("cancel"):
        return ProcessingState.FAILED
    return _STATE_OF_WORD.get(plain, ProcessingState.PROCESSING)
