"""Sentences of errors, with what else helps where the sentence itself cannot know it."""

from __future__ import annotations

from tui_uploader.errors import ProxyRefused, ProxyUnusable, TrustFailed
from tui_uploader.text import printable

_ABOUT_SETTINGS = (TrustFailed.__name__, ProxyRefused.__name__, ProxyUnusable.__name__)
_NEW_SETTINGS = (
    "A running engine keeps its settings: after a change, run `tui-uploader engine stop`;"
    " the next command starts an engine with the new settings."
)


def explained(kind: str, message: str) -> str:
    """`message`, followed by how the engine gets new settings where errors of this `kind` are about settings."""
    return f"{printable(message)} {_NEW_SETTINGS}" if kind in _ABOUT_SETTINGS else printable(message)
