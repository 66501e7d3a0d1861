from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.tui.values import text_of
from tests.tui.verification.card import FILES, FOLDERS, UNSAFE_CARD
from tests.values import READING_CARD, SAFE_CARD
from tui_uploader.model.verification import Finding, VerificationState, VerifiedFile
from tui_uploader.tui.lines.columns import layout
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.verification.sections import (
    COLUMNS,
    Heading,
    Part,
    Section,
    below,
    cells,
    first_rows,
    key_of,
    length,
    parts_of,
    sections_of,
)

LOST, FOLDERS_OF, OTHERS = (
    Section(Finding.MISSING, 3, "a"),
    Section(None, 2, "b"),
    Section(Finding.OTHER, 1, "c"),
)
ALL = (LOST, FOLDERS_OF, OTHERS)


def test_what_makes_a_card_unsafe_comes_first() -> None:
    findings = dict.fromkeys(Finding, 2)
    found = [section.finding for section in sections_of(replace(UNSAFE_CARD, findings=findings), 1)]
    assert found == [Finding.MISSING, Finding.UNCONFIRMED, Finding.UNREADABLE, None, Finding.OTHER, Finding.APART]
    assert [section.total for section in sections_of(replace(UNSAFE_CARD, findings=findings), 1)] == [2, 2, 2, 1, 2, 2]
    assert [section.heading for section in sections_of(SAFE_CARD, 1)] == ["ALL FOLDERS, 1"]


def test_before_the_end_there_is_nothing_to_list() -> None:
    assert sections_of(READING_CARD, 3) == ()
    assert sections_of(replace(SAFE_CARD, state=VerificationState.CANCELLED), 3) == ()


def test_rows_of_headings() -> None:
    assert length(ALL) == 9
    assert first_rows(ALL) == [0, 4, 7]


@pytest.mark.parametrize(
    ("offset", "limit", "parts"),
    [
        (0, 9, [Part(LOST, True, 0, 3), Part(FOLDERS_OF, True, 0, 2), Part(OTHERS, True, 0, 1)]),
        (0, 1, [Part(LOST, True, 0, 0)]),
        (1, 2, [Part(LOST, False, 0, 2)]),
        (3, 2, [Part(LOST, False, 2, 1), Part(FOLDERS_OF, True, 0, 0)]),
        (6, 100, [Part(FOLDERS_OF, False, 1, 1), Part(OTHERS, True, 0, 1)]),
        (9, 5, []),
    ],
)
def test_what_a_window_shows(offset: int, limit: int, parts: list[Part]) -> None:
    assert list(parts_of(ALL, offset, limit)) == parts


def test_windows_together_show_every_row_once() -> None:
    for size in range(1, 10):
        rows = 0
        for offset in range(0, length(ALL), size):
            rows += sum(part.limit + part.with_heading for part in parts_of(ALL, offset, size))
        assert rows == length(ALL)


@pytest.mark.parametrize("width", [60, 78, 150])
def test_cells_fill_their_columns(width: int) -> None:
    columns = layout(COLUMNS, width)
    long = replace(FILES[0], path=f"/media/card/{'x' * 300}/DJI_0001.JPG", reason="is queued " * 30)
    for row in (*FILES, *FOLDERS, long, Heading("x")):
        assert len(cells(row, columns, ("/media/card",), UNICODE)) == len(columns)
    shown = [text_of(cell) for cell in cells(long, columns, ("/media/card",), UNICODE)]
    assert shown[0].endswith("001.JPG")
    assert [len(text) <= cell for text, (_, cell) in zip(shown, columns, strict=True)] == [True] * 3


def test_folders_show_their_verdict() -> None:
    (name, size, verdict) = cells(FOLDERS[0], layout(COLUMNS, 120), ("/media/card",), UNICODE)
    assert [text_of(cell) for cell in (name, size, verdict)] == [
        "DCIM",
        "6.20 MB",
        "NOT SAFE  410 in the cloud, 2 missing",
    ]


@pytest.mark.parametrize(
    ("path", "roots", "shown"),
    [
        ("/media/card/DCIM/a.JPG", ("/media/card",), "DCIM/a.JPG"),
        ("/media/card/DCIM/a.JPG", ("/media/card/",), "DCIM/a.JPG"),
        ("/media/card", ("/media/card",), "/media/card"),
        ("/media/cardigan/a.JPG", ("/media/card",), "/media/cardigan/a.JPG"),
        ("/media/card/a.JPG", ("/media/card", "/b"), "/media/card/a.JPG"),
        ("/a.JPG", ("/",), "a.JPG"),
    ],
)
def test_paths_below_the_card(path: str, roots: tuple[str, ...], shown: str) -> None:
    assert below(path, roots) == shown


def test_keys_tell_rows_apart() -> None:
    rows: list[Heading | VerifiedFile] = [Heading("/a"), replace(FILES[0], path="/a"), replace(FILES[0], path="/b")]
    assert len({key_of(row) for row in rows}) == 3
