"""Watches in every state."""

from __future__ import annotations

from tui_uploader.model.watches import Watch, WatchState


def watch(number: int = 1, state: WatchState = WatchState.WATCHING, **known: object) -> Watch:
    given = {"path": f"/media/card{number}", "project_name": "Quarry", "upload": 1} | known
    return Watch(watch=number, state=state, since=0.0, **given)  # type: ignore[arg-type]


EVERY = tuple(watch(number, state, reason="It is full.") for number, state in enumerate(WatchState, 1))
