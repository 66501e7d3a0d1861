"""Which keys wait for an answer of the engine."""

from __future__ import annotations

import pytest

from tui_uploader.tui.keys import IN_FILES
from tui_uploader.tui.subject.typed_ahead import ABOUT_NO_ROW, NEVER_KEPT, must_wait


@pytest.mark.parametrize("key", sorted(NEVER_KEPT))
def test_leaving_and_repainting_never_wait(key: str) -> None:
    assert not must_wait(key, answer_due=True, row_unknown=True)


@pytest.mark.parametrize("key", ["down", "1", "slash", "x", "space", "c", "P", ""])
def test_everything_else_waits_for_an_answer_that_changes_the_rows(key: str) -> None:
    assert must_wait(key, answer_due=True, row_unknown=False)
    assert not must_wait(key, answer_due=False, row_unknown=False)


@pytest.mark.parametrize(
    ("key", "waits"),
    [
        ("down", False),
        ("2", False),
        ("slash", False),
        ("u", False),
        ("x", True),
        ("d", True),
        ("enter", True),
        ("", True),
    ],
)
def test_keys_about_a_row_wait_until_it_is_known(key: str, waits: bool) -> None:
    assert must_wait(key, answer_due=False, row_unknown=True) is waits


def test_every_key_that_changes_files_is_about_a_row() -> None:
    changing = {name for key in IN_FILES if key.changes for name in key.key.split(",")}
    assert changing and not changing & ABOUT_NO_ROW
