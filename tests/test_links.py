"""Where links may lead."""

from __future__ import annotations

import pytest

from tui_uploader.links import lies_within


@pytest.mark.parametrize(
    ("path", "folders", "inside"),
    [
        ("/card/a.jpg", ["/card"], True),
        ("/card", ["/card"], True),
        ("/card/a.jpg", ["/home", "/card"], True),
        ("/card 2/a.jpg", ["/card"], False),
        ("/cards", ["/card"], False),
        ("/", ["/card"], False),
        ("/card", ["/card/inner"], False),
        ("/anything", ["/"], True),
        ("/card/a.jpg", [], False),
    ],
)
def test_what_lies_in_a_folder(path: str, folders: list[str], inside: bool) -> None:
    assert lies_within(path, folders) is inside
