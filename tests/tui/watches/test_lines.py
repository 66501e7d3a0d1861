"""Watched folders in lines."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.tui.values import HOSTILE, text_of, upload_status
from tests.tui.watches.values import EVERY, watch
from tui_uploader.model.states import UploadState
from tui_uploader.model.watches import WatchState
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE
from tui_uploader.tui.watches.lines import detail_words, ordered, pane_lines, row_spans


def test_what_needs_the_user_comes_first_and_folders_without_a_card_last() -> None:
    states = [each.state for each in ordered(EVERY)]
    assert states[0] is WatchState.BLOCKED and states[-1] is WatchState.ABSENT


def test_the_uploads_pane_has_a_line_for_each_and_counts_the_rest() -> None:
    (only,) = pane_lines(EVERY[:1], (), 76, 1, UNICODE)
    assert text_of(only) == "◉ Watching /media/card1: waits for a card"
    (first,) = pane_lines(EVERY, (), 76, 1, UNICODE)
    assert text_of(first) == "◉ Watching /media/card5: needs you: It is full.  and 4 more (W)"
    assert first[0].style == "failed"
    two = pane_lines(EVERY, (), 76, 2, UNICODE)
    assert [("more" in text_of(line)) for line in two] == [False, True]
    assert pane_lines((), (), 76, 2, UNICODE) == []


def test_a_card_is_in_the_cloud_when_its_upload_is_complete() -> None:
    complete = upload_status(1, state=UploadState.COMPLETE)
    (line,) = pane_lines([watch()], [complete], 100, 1, UNICODE)
    assert text_of(line).endswith("all images are in the cloud, in Quarry")
    (other,) = pane_lines([watch(upload=2)], [complete], 100, 1, UNICODE)
    assert text_of(other).endswith("all images are added to Quarry")


@pytest.mark.parametrize("width", [57, 76, 118, 196])
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_no_name_breaks_a_line(width: int, name: str, glyphs: object) -> None:
    hostile = watch(1, WatchState.BLOCKED, path=f"/media/{name * 9}", project_name=name, reason=name * 30)
    other = watch(2, path=f"/media/{name}", project_name=name * 20)
    for line in pane_lines([hostile, other], (), width, 1, glyphs):  # type: ignore[arg-type]
        assert text_of(line).isprintable() and cell_len(text_of(line)) <= width
    for each in (hostile, other):
        shown = text_of(row_spans(each, (), width, glyphs))  # type: ignore[arg-type]
        assert shown.isprintable()


@pytest.mark.parametrize("state", WatchState)
def test_the_details_say_what_and_where_to(state: WatchState) -> None:
    words = detail_words(watch(3, state, reason="It is full.", cards=2), (), 60.0)
    assert words[0].startswith("/media/card3: ") and words[0].endswith(".")
    assert words[1].startswith("To Quarry. 2 cards so far. Watched since ")
    assert words[2] == "Processing after 10 min without new images."
    assert words[3:] == ([] if state is WatchState.BLOCKED else ["It is full."])


def test_a_long_path_gives_way_to_what_its_watch_does() -> None:
    long = watch(path="/media/pilot/field-reader/slot-1", upload=1)
    complete = upload_status(1, state=UploadState.COMPLETE)
    (line,) = pane_lines([long, watch(2)], [complete], 76, 1, UNICODE)
    assert "all images are in the cloud" in text_of(line) and "slot-1" in text_of(line)


def test_a_template_is_told_apart_from_a_project() -> None:
    waiting = watch(1, WatchState.ABSENT, project_name="{card} {date}", upload=None)
    assert detail_words(waiting, (), 60.0)[1].startswith("To a new project for each card: {card} {date}. Watched since")
