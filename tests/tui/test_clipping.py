"""What matters is never cut: counts, times, per cents, sizes and keys; names and reasons give way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.headless import press, rendered_lines
from tests.tui.still_engine import StillEngine, connecting
from tests.until import until
from tui_uploader.settings import Directories
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.tui.terminal.capabilities import Terminal

MAY_BE_CUT = (
    "Proj",
    "漢字",
    "DJI_",
    ".JPG",
    "The image",
    "North",
    "Harbour",
    "Gravel",
    "Depot",
    "Quarry",
    "Bridge",
    "you:",
    "image",
    "folder",
)
"""Words of names and reasons: a cut right behind or within one of them is no loss."""

_NARROW = 64


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (120, 36), (200, 50)])
async def test_facts_are_never_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    for name in ("PIX4D_CLIENT_ID", "PIX4D_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    app = UploaderApp(Directories(*(tmp_path,) * 4), Terminal(), connect=connecting(StillEngine()))
    async with app.run_test(size=size):
        await until(lambda: len(app.main.projects.listed) > 5 and app.main.files.current_file is not None)
        for keys in ((), ("1",), ("3",), ("2", "v"), ("escape", "m")):
            await press(app, *keys)
            cut = [line for line in rendered_lines(app) if UNICODE.cut in line]
            before = [line.partition(UNICODE.cut)[0].split() for line in cut]
            names_may_vanish = size[0] < _NARROW  # beside counts of five digits in every status
            lost = [
                line
                for line, words in zip(cut, before, strict=True)
                if not (is_name(words) if any(len(word) > 1 for word in words) else names_may_vanish)
            ]
            assert lost == [], (size, keys)


def is_name(words: list[str]) -> bool:
    """Whether what was cut is a name or a reason, by the words before the cut."""
    return any(part in word for word in words[-4:] for part in MAY_BE_CUT) and not words[-1][:1].isdigit()
