from __future__ import annotations

import pytest

from tui_uploader.tui.widgets.text_field import first_line


@pytest.mark.parametrize(
    ("text", "line"), [("a\nb", "a"), (" \n a\x1b[31mb\u202e ", "a[31mb"), ("", ""), ("x" * 5000, "x" * 4096)]
)
def test_a_field_takes_one_printable_line_of_a_paste(text: str, line: str) -> None:
    assert first_line(text) == line
