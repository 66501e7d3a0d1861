"""Sentences of errors, with what else helps where the sentence itself cannot know it, and words about submissions."""

from __future__ import annotations

from tui_uploader.errors import ProxyRefused, ProxyUnusable, TrustFailed
from tui_uploader.model.projects import Processing
from tui_uploader.text import printable
from tui_uploader.wording.processing import estimates, ready_at

_ABOUT_SETTINGS = (TrustFailed.__name__, ProxyRefused.__name__, ProxyUnusable.__name__)
_NEW_SETTINGS = (
    "A running engine keeps its settings: after a change, run `tui-uploader engine stop`;"
    " the next command starts an engine with the new settings."
)


def explained(kind: str, message: str) -> str:
    """`message`, followed by how the engine gets new settings where errors of this `kind` are about settings."""
    return f"{printable(message)} {_NEW_SETTINGS}" if kind in _ABOUT_SETTINGS else printable(message)


def submission_words(processing: Processing, now: float) -> str:
    """`estimated waiting time 4 min 00 s, processing time 1 h 00 min, ready about 15:40`."""
    times = ", ".join(f"{name} {time}" for name, time in estimates(processing))
    if not times:
        return "the service gave no estimate"
    at = ready_at(processing, now)
    return f"estimated {times}" + (f", ready about {at}" if at else "")
