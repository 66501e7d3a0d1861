from __future__ import annotations

import unicodedata

import pytest
from msgspec.structs import fields

from tui_uploader.model.projects import ProcessingState
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import ByteCounts
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE, Glyphs, bar, glyph_set, without_ornament


def shapes(glyphs: Glyphs) -> list[str]:
    found: list[str] = []
    for each in fields(glyphs):
        value = getattr(glyphs, each.name)
        found += [value] if isinstance(value, str) else value.values()
    return found


@pytest.mark.parametrize("shape", shapes(UNICODE))
def test_a_shape_has_one_cell_in_east_asian_settings_too(shape: str) -> None:
    assert unicodedata.east_asian_width(shape) in ("N", "Na")


def test_plain_shapes_are_ascii() -> None:
    assert all(shape.isascii() and len(shape) == 1 for shape in shapes(ASCII))
    assert glyph_set(True) is ASCII and glyph_set(False) is UNICODE


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_the_shape_alone_shows_the_meaning(glyphs: Glyphs) -> None:
    assert len(set(glyphs.statuses.values())) == len(FileStatus)
    assert len(set(glyphs.states.values())) == len(UploadState)
    assert len(set(glyphs.processing.values())) == len(ProcessingState)


def test_the_statuses_are_those_of_the_design() -> None:
    assert "".join(UNICODE.statuses[status] for status in FileStatus) == "∙⇡✓=✗"
    assert "".join(ASCII.statuses[status] for status in FileStatus) == ".^+=x"


@pytest.mark.parametrize(
    ("volume", "shown"),
    [
        (ByteCounts(), ".........."),
        (ByteCounts(total=100), ".........."),
        (ByteCounts(total=100, sent=55), "-----....."),
        (ByteCounts(total=100, sent=70, stored=40, registered=20), "##==---..."),
        (ByteCounts(total=100, sent=100, stored=100, registered=99), "#########="),
        (ByteCounts(total=100, sent=100, stored=100, registered=100), "##########"),
        (ByteCounts(total=100, sent=10, stored=30), "===......."),
        (ByteCounts(total=100, sent=900, stored=900, registered=900), "##########"),
        (ByteCounts(total=100, sent=-5), ".........."),
    ],
)
def test_a_bar_is_full_only_when_everything_is_registered(volume: ByteCounts, shown: str) -> None:
    assert "".join(span.text for span in bar(volume, 10, ASCII)) == shown


def test_ornament_becomes_ascii() -> None:
    assert without_ornament("12–15 min · →…") == "12-15 min | >~"
