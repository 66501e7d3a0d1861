"""Press keys in an app without a terminal, and read what it has drawn."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from rich.console import RenderableType
from textual import events
from textual.app import App
from textual.keys import _character_to_key
from textual.screen import Screen

from tui_uploader.tui.terminal.input_events import when_processed

_CHARACTERS = {"space": " "}
_RETRY_SECONDS = 0.25
"""A callback behind a key is lost if the key removes the focused widget: after this time another one follows."""


async def press(app: App[Any], *keys: str) -> None:
    """Press keys by name or character, each when the app has processed the last one.

    Textual's own pilot waits until the process is idle instead, which takes seconds while an engine works in it.
    """
    for key in keys:
        event = events.Key(_character_to_key(key), key) if len(key) == 1 else events.Key(key, _CHARACTERS.get(key))
        app.post_message(event)
        await _processed(app)


async def _processed(app: App[Any]) -> None:
    """Return when the app has processed what was posted before."""
    processed = asyncio.Event()
    while app.is_running and not processed.is_set():
        app.call_later(partial(when_processed, app, processed.set))
        with suppress(TimeoutError):
            await asyncio.wait_for(processed.wait(), _RETRY_SECONDS)


def rendered_lines(app: App[Any]) -> list[str]:
    """The text of the screen, line by line."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def watch_updates(app: App[Any], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list to which everything is added that the app draws from now on."""
    updates: list[object] = []
    display = app._display

    def noted(screen: Screen[Any], update: RenderableType | None) -> None:
        updates.append(update)
        display(screen, update)

    monkeypatch.setattr(app, "_display", noted)
    return updates
