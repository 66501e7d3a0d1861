"""Watched folders in lines: those that need the user first. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tui_uploader.model.uploads import UploadStatus
from tui_uploader.model.watches import Watch, WatchState
from tui_uploader.text import counted
from tui_uploader.tui.lines.columns import cell_text, clipped, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span, without_ornament
from tui_uploader.wording.clock import time_of_day
from tui_uploader.wording.watches import (
    reason_of,
    settings_words,
    short_state,
    state_words,
    watched_path,
    watching_line,
)

_BY_URGENCY = (
    WatchState.BLOCKED,
    WatchState.ADDING,
    WatchState.VERIFYING,
    WatchState.WATCHING,
    WatchState.ABSENT,
)
_STYLES = {WatchState.BLOCKED: "failed", WatchState.ADDING: "uploading", WatchState.VERIFYING: "uploading"}
_STATE_CELLS, _SHORTEST_PATH = 9, 16


def ordered(watches: Sequence[Watch]) -> list[Watch]:
    """Those that need the user first, those without a card last."""
    return sorted(watches, key=lambda watch: (_BY_URGENCY.index(watch.state), watch.watch))


def pane_lines(
    watches: Sequence[Watch], uploads: Sequence[UploadStatus], width: int, most: int, glyphs: Glyphs
) -> list[list[Span]]:
    """At most `most` lines of `width` cells; the last one counts the watches that it leaves out."""
    shown, lines = ordered(watches)[:most], []
    for number, watch in enumerate(shown, 1):
        rest = len(watches) - len(shown) if number == len(shown) else 0
        more = f"  and {rest:,} more (W)" if rest else ""
        free = max(8, width - 2 - cell_len(more))
        words = _pane_words(watch, _upload_of(watch, uploads), free, glyphs)
        style = _STYLES.get(watch.state, "muted")
        lines.append(
            [Span(f"{glyphs.watch} ", style), Span(clipped(words, free, glyphs.cut), style), Span(more, "muted")]
        )
    return lines


def _pane_words(watch: Watch, upload: UploadStatus | None, width: int, glyphs: Glyphs) -> str:
    """Where there is no space for both, the path gives way to what the watch does."""
    words = cell_text(without_ornament(watching_line(watch, upload)))
    path = cell_text(watched_path(watch))
    for_path = cell_len(path) - max(0, cell_len(words) - width)
    return words.replace(path, clipped_name(path, max(_SHORTEST_PATH, for_path), glyphs.cut), 1)


def _upload_of(watch: Watch, uploads: Sequence[UploadStatus]) -> UploadStatus | None:
    return next((upload for upload in uploads if upload.upload == watch.upload), None)


def row_spans(watch: Watch, uploads: Sequence[UploadStatus], width: int, glyphs: Glyphs) -> list[Span]:
    """One row of the list: state, path, and what it does."""
    style = _STYLES.get(watch.state, "")
    path = cell_text(watched_path(watch))
    words = cell_text(without_ornament(state_words(watch, _upload_of(watch, uploads))))
    free = width - 2 - _STATE_CELLS - 2
    for_path = min(cell_len(path), max(_SHORTEST_PATH, free - cell_len(words) - 2))
    return [
        Span(f"{glyphs.watch} ", style),
        Span(f"{short_state(watch):<{_STATE_CELLS}}  ", style),
        Span(clipped_name(path, for_path, glyphs.cut), "strong"),
        Span(f"  {words}"),
    ]


def detail_words(watch: Watch, uploads: Sequence[UploadStatus], now: float) -> list[str]:
    """Sentences about the watch under the cursor."""
    words = state_words(watch, _upload_of(watch, uploads))
    named_by_card = watch.upload is None and "{" in watch.project_name
    to = (
        f"To {'a new project for each card: ' if named_by_card else ''}{watch.project_name}."
        if watch.project_name
        else ""
    )
    cards = f" {counted(watch.cards, 'card')} so far." if watch.cards else ""
    settings = settings_words(watch)
    remark = [reason_of(watch)] if watch.reason is not None and watch.state is not WatchState.BLOCKED else []
    return [
        f"{watched_path(watch)}: {words.rstrip('.')}.",
        f"{to}{cards} Watched since {time_of_day(watch.since, now)}.".strip(),
        f"{settings[:1].upper()}{settings[1:]}.",
        *remark,
    ]
