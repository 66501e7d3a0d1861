"""Generate a sample flight: photos of a survey, with the usual problems of a card, in seconds.

The photos overlap as in a real survey: all are cut from one synthetic field that the drone crosses in lanes. The card
also has copies, two photos with the same name, a truncated photo, and a file that is not a photo.
"""

from __future__ import annotations

import math
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Pillow is imported when a flight is generated, so that other commands start without it
    from PIL import Image

_COPIES = 3
_FOLDER_HOLDS = 999
"""Photos in one folder of a card (JEITA CP-3461, DCF)."""

_FIELD = (3200, 2400)
_PHOTO, _SMALL_PHOTO = (1600, 1200), (480, 360)
"""Pixels: photos of about 450 KB, or of about 40 KB in a flight of more than `_MANY`."""
_MANY = 100

_HOME = (46.60210, 6.55140)
"""South-western corner of the field, in degrees north and east."""
_FIELD_DEGREES = 0.004
_TAKE_OFF = datetime(2026, 5, 12, 9, 41, 7)
_SECONDS_BETWEEN = 2
_FLYING_HEIGHT = 612.4
"""Metres above the sea."""
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" drone-dji:RelativeAltitude="+80.00"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


@dataclass(frozen=True, slots=True)
class SampleFlight:
    """A flight on disk, with the numbers that an upload must find."""

    folder: Path
    images: int
    """Intact, distinct photos: those that are uploaded."""
    duplicates: int
    """Additional photos with the content of another one."""
    clashes: int
    """How many of `images` have the name of another one."""
    broken: int
    """Additional photos that are truncated."""
    others: int
    """Files that are not photos."""


@dataclass(frozen=True, slots=True)
class _Shot:
    """One exposure."""

    path: Path
    taken_at: datetime
    across: float
    """Position over the field: 0 at the western edge, 1 at the eastern."""
    along: float
    """0 at the southern edge, 1 at the northern."""


def write_sample_flight(folder: Path, images: int = 40) -> SampleFlight:
    """Write a flight of `images` photos (6 or more) below `folder`. Blocking; about a second for 40.

    Raises ValueError for fewer photos, and OSError.
    """
    if images < 2 * _COPIES:
        raise ValueError(f"a sample flight has {2 * _COPIES} photos or more, not {images}")
    card = folder / "DCIM"
    shots = list(_shots(card, images))
    for camera_folder in {shot.path.parent for shot in shots}:
        camera_folder.mkdir(parents=True, exist_ok=True)
    field = _field(random.Random(images))
    for shot in shots:
        _take(field, shot, _PHOTO if images <= _MANY else _SMALL_PHOTO)
    last_folder = shots[-1].path.parent
    for shot in shots[:_COPIES]:
        shutil.copyfile(shot.path, last_folder / f"{shot.path.stem} (1).JPG")
    _write_cut_off(shots[-1].path, last_folder / f"DJI_{images + 1:04}.JPG")
    for photo in card.rglob("*.JPG"):
        # Like on a real card: the engine waits for files that were changed a moment ago.
        os.utime(photo, (_TAKE_OFF.timestamp(), _TAKE_OFF.timestamp()))
    (card / "README.txt").write_text("Field north of the barn, wind from the west.\n", encoding="utf-8")
    return SampleFlight(folder, images=images, duplicates=_COPIES, clashes=1, broken=1, others=1)


def _shots(card: Path, images: int) -> Iterator[_Shot]:
    """Lanes from south to north and back, each further east. The second folder starts with a name of the first."""
    per_folder = min(_FOLDER_HOLDS, math.ceil(images / 2))
    lanes = math.ceil(math.sqrt(images))
    for index in range(images):
        lane, step = divmod(index, lanes)
        northward = step / (lanes - 1)
        number = 1 if index == per_folder else index + 1
        yield _Shot(
            path=card / f"{100 + index // per_folder}MEDIA" / f"DJI_{number:04}.JPG",
            taken_at=_TAKE_OFF + timedelta(seconds=_SECONDS_BETWEEN * index),
            across=lane / (lanes - 1),
            along=1 - northward if lane % 2 else northward,
        )


def _field(chance: random.Random) -> Image.Image:
    """Grass and soil in patches of every size, with parcels and a track."""
    from PIL import Image, ImageDraw, ImageOps

    def patches(columns: int, rows: int) -> Image.Image:
        grey = Image.frombytes("L", (columns, rows), chance.randbytes(columns * rows))
        return grey.resize(_FIELD, Image.Resampling.BICUBIC)

    coarse = Image.blend(patches(12, 9), patches(100, 75), 0.4)
    fine = Image.blend(patches(800, 600), patches(*_FIELD), 0.5)
    shades = Image.blend(coarse, fine, 0.35)
    ground = ImageOps.colorize(shades, black=(52, 44, 30), mid=(92, 112, 52), white=(196, 190, 140))
    width, height = _FIELD
    parcels = ground.copy()
    draw = ImageDraw.Draw(parcels)
    for left in range(0, width, 400):
        colour = chance.choice([(120, 104, 60), (70, 110, 50), (150, 140, 80), (60, 84, 44)])
        draw.polygon([(left, 0), (left + 390, 0), (left + 330, height), (left - 60, height)], fill=colour)
    draw.line([(0, height * 0.6), (width, height * 0.4)], fill=(190, 180, 160), width=36)
    return Image.blend(ground, parcels, 0.35)


def _take(field: Image.Image, shot: _Shot, size: tuple[int, int]) -> None:
    left = round(shot.across * (_FIELD[0] - size[0]))
    top = round((1 - shot.along) * (_FIELD[1] - size[1]))
    photo = field.crop((left, top, left + size[0], top + size[1]))
    photo.save(shot.path, "JPEG", quality=85, exif=_exif(shot), xmp=_XMP, restart_marker_rows=1)


def _exif(shot: _Shot) -> bytes:
    from PIL import Image
    from PIL.ExifTags import GPS, IFD, Base

    taken_at = shot.taken_at.strftime("%Y:%m:%d %H:%M:%S")
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model] = "DJI", "FC6310S"
    exif[Base.DateTime] = taken_at
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = taken_at
    exif.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: "N",
            GPS.GPSLatitude: _degrees_minutes_seconds(_HOME[0] + shot.along * _FIELD_DEGREES),
            GPS.GPSLongitudeRef: "E",
            GPS.GPSLongitude: _degrees_minutes_seconds(_HOME[1] + shot.across * _FIELD_DEGREES),
            GPS.GPSAltitudeRef: b"\0",
            GPS.GPSAltitude: _FLYING_HEIGHT,
        }
    )
    return exif.tobytes()


def _degrees_minutes_seconds(degrees: float) -> tuple[int, int, float]:
    minutes, seconds = divmod(round(degrees * 3600, 4), 60)
    return int(minutes // 60), int(minutes % 60), seconds


def _write_cut_off(whole: Path, broken: Path) -> None:
    """Write a truncated copy, as on a card that was removed too early."""
    content = whole.read_bytes()
    broken.write_bytes(content[: len(content) * 3 // 5])
