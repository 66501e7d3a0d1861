"""Photos with a position and a time, as a drone writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from tests.photos import of_yesterday

Place = tuple[float, float]


def degrees(value: float) -> tuple[float, float, float]:
    """Whole degrees, minutes, seconds."""
    minutes, seconds = divmod(round(abs(value) * 3600, 4), 60)
    return float(int(minutes // 60)), float(int(minutes % 60)), seconds


def exif_of(place: Place | None, taken_at: str = "2026:05:12 09:41:07", orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[Base.Make], exif[Base.Model], exif[Base.Orientation] = "DJI", "FC6310S", orientation
    exif.get_ifd(IFD.Exif)[Base.DateTimeOriginal] = taken_at
    if place is not None:
        exif.get_ifd(IFD.GPSInfo).update(
            {
                GPS.GPSLatitudeRef: "S" if place[0] < 0 else "N",
                GPS.GPSLatitude: degrees(place[0]),
                GPS.GPSLongitudeRef: "W" if place[1] < 0 else "E",
                GPS.GPSLongitude: degrees(place[1]),
            }
        )
    return exif


def halved(width: int = 64, height: int = 48, colours: Sequence[str] = ("red", "blue")) -> Image.Image:
    """The left half of one colour, the right half of another."""
    image = Image.new("RGB", (width, height), colours[0])
    image.paste(colours[1], (width // 2, 0, width, height))
    return image


def write(path: Path, image: Image.Image | None = None, exif: Image.Exif | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"exif": exif.tobytes()} if exif is not None else {}
    (image or halved()).save(path, "JPEG", quality=95, **options)
    return of_yesterday(path)
