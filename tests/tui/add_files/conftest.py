"""A memory card for the add-files dialog."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def card(tmp_path: Path) -> Path:
    for name, images in (("100MEDIA", 3), ("101MEDIA", 1)):
        folder = tmp_path / "card" / "DCIM" / name
        folder.mkdir(parents=True)
        for number in range(images):
            (folder / f"DJI_{number}.JPG").touch()
    (tmp_path / "card" / "ortho.tif").touch()
    return tmp_path / "card"
