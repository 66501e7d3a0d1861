"""Scenes after the upload: may the card be wiped, and a result that takes the place of another one."""

from __future__ import annotations

import os
from pathlib import Path

from screenshots.camera import Camera
from screenshots.stage import Stage
from tests.intake.results.files import geotiff, mtl, obj, write
from tests.photos import another_of_equal_size, jpeg

_SIZE = (120, 36)
_NEXT_STEP, _GO, _ESCAPE = "\x0e", "\x13", "\x1b"
"""Ctrl+N, Ctrl+S, Escape."""


def compare_cards(set_up: Stage, camera: Camera) -> None:
    """A card that is safe; then the same card with a photo that was edited, and a film."""
    card, project = set_up.large_card, "South field"
    set_up.run("upload", str(card), "--new", project, "--no-process", "--wait", "--json")
    with set_up.app(*_SIZE) as terminal:
        terminal.wait_for(f"[2] Files  {project}")
        terminal.feed("K")
        terminal.wait_for("Enter verify")
        terminal.feed("\r")
        terminal.wait_for("SAFE")
        camera.take("verify-safe", terminal)
        media = card / "DCIM" / "100MEDIA"
        _change(media / "DJI_0003.JPG")
        (media / "DJI_0131.JPG").write_bytes(jpeg(900_000))
        (media / "DJI_0132.MP4").write_bytes(bytes(4_000_000))
        terminal.feed("r")
        terminal.wait_for("NOT SAFE")
        camera.take("verify-not-safe", terminal)


def _change(photo: Path) -> None:
    """Other content of the same size, with the same time."""
    before = photo.stat()
    photo.write_bytes(another_of_equal_size(photo.read_bytes()))
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_result(set_up: Stage, camera: Camera) -> None:
    """A project of results, and the question before one takes the place of another."""
    out, project = set_up.small_card.parent / "results", "Quarry"
    write(
        out,
        {
            "may/ortho_may.tif": geotiff(),
            "may/quarry.obj": obj(["quarry.mtl"]),
            "may/quarry.mtl": mtl(["tex/0.jpg"]),
            "may/tex/0.jpg": jpeg(2_000),
            "june/ortho_june.tif": geotiff(4),
        },
    )
    set_up.run("upload", str(out / "may"), "--results", "--new", project, "--wait", "--json")
    with set_up.app(*_SIZE) as terminal:
        terminal.wait_for(f"[2] Files  {project}")
        terminal.feed("1g")
        terminal.wait_for("2 results")
        camera.take("results", terminal)
        terminal.feed("u")
        terminal.wait_for("4 Go")
        terminal.feed(f"\x1b[200~{out / 'june'}\x1b[201~")
        terminal.wait_for("takes the place of ortho_may.tif")
        terminal.feed(_GO)
        terminal.wait_for("Replace ortho_may.tif (")
        camera.take("replace-result", terminal)
        terminal.feed("n")
        terminal.wait_for("Nothing was sent.")
