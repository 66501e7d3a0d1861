"""What an app has drawn, read from Textual's compositor."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import RenderableType
from textual.app import App
from textual.screen import Screen


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
