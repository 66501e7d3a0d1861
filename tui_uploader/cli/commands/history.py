"""`history`: what happened, also while no front end was attached."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from tui_uploader.cli.output import print_json, print_line
from tui_uploader.cli.session import connected, run
from tui_uploader.errors import UsageError
from tui_uploader.model.history import PastEvent
from tui_uploader.text import printable
from tui_uploader.wording.history import event_sentence, timed_sentence

NOTHING = "Nothing has happened yet."
_MOST, _USUAL = 5000, 50
_AGO = re.compile(r"([0-9]{1,4})\s*(m|min|h|d)")
_SECONDS = {"m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_FORMATS = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


def history(
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only from then on: 13:05, 2h, 3d, 2026-05-11, '2026-05-11 13:05'."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per event.")] = False,
) -> None:
    """Show what happened: uploads, failures, outages, processing, settings."""
    run(_history(None if since is None else moment(since, time.time()), as_json=as_json))


async def _history(since: float | None, *, as_json: bool) -> None:
    async with connected() as engine:
        events = await engine.history(limit=_USUAL if since is None else _MOST, since=since)
    now = time.time()
    for event in events:
        if as_json:
            print_json(event_record(event, now))
        else:
            print_line(timed_sentence(event, now))
    if not events and not as_json:
        print_line(NOTHING if since is None else "Nothing has happened since then.")


def event_record(event: PastEvent, now: float) -> dict[str, Any]:
    """One line of `history --json`."""
    return {
        "id": event.id,
        "at": event.at,
        "kind": event.kind,
        "upload": event.upload,
        "project": event.project,
        "account": event.account,
        "files": event.files,
        "bytes": event.bytes,
        "until": event.until,
        "error": event.error,
        "detail": event.detail,
        "sentence": event_sentence(event, now),
    }


def moment(text: str, now: float) -> float:
    """The time that `text` names, in seconds since the epoch: the last `13:05`, `2h` ago, or a date.

    Raises UsageError.
    """
    words = text.strip()
    if ago := _AGO.fullmatch(words):
        return now - int(ago[1]) * _SECONDS[ago[2]]
    today = datetime.fromtimestamp(now)
    try:
        clock = datetime.strptime(words, "%H:%M").time()
    except ValueError:
        pass
    else:
        named = datetime.combine(today.date(), clock)
        return (named if named <= today else named - timedelta(days=1)).timestamp()
    for form in _FORMATS:
        try:
            return datetime.strptime(words, form).timestamp()
        except (ValueError, OverflowError):
            continue
    raise UsageError(f"'{printable(text, 60)}' is not a time. Write it like 13:05, 2h, 3d or 2026-05-11.")
