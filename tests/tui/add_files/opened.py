"""The add-files dialog on a memory card, with two projects that exist."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tui_uploader.model.projects import (
    Project,
    ProjectKind,
)
from tui_uploader.model.uploads import AddRequest
from tui_uploader.tui.add_files.screen import AddFilesScreen, Submit

NORTH = Project("11", "North field", ProjectKind.IMAGES, "me@cloud", uploads=(1,), images=1711)
SOUTH = Project("12", "South field", ProjectKind.RESULTS, "me@cloud", uploads=(2,))


async def accept(request: AddRequest, words: str) -> None:
    """The engine accepts every request."""


async def refuse(request: AddRequest, words: str) -> None:
    pytest.fail(f"uploaded: {request}")


def screen(
    card: Path, project: Project | None = None, submit: Submit = accept, **options: object
) -> Callable[[], AddFilesScreen]:
    return lambda: AddFilesScreen(
        project,
        lambda: [NORTH, SOUTH],
        card,
        submit,
        home=card.parent,
        **options,  # type: ignore[arg-type]
    )
