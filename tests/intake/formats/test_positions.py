"""The position of a photo is found in EXIF of any notation, in a second EXIF block, or in XMP."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from tests.intake.pictures import ASCII, LONG, RATIONAL, SHORT, Tag, flight_exif, jpeg, tiff
from tui_uploader.intake.inspect import inspect_image

WHERE: Any = (pytest.approx(-46.6021, abs=1e-6), pytest.approx(-6.5514, abs=1e-6))
XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
PACKET = b"<x:xmpmeta><rdf:Description exif:GPSLatitude='46,36.126S' exif:GPSLongitude='6,33.084W'/></x:xmpmeta>"
NOWHERE = flight_exif(changed={"lat": None, "lon": None})


def where(path: Path, content: bytes) -> tuple[float | None, float | None]:
    path.write_bytes(content)
    facts = inspect_image(str(path))
    assert facts.width == 64
    return facts.latitude, facts.longitude


def with_segments(*bodies: bytes) -> bytes:
    """A JPEG that begins with APP1 segments of these contents."""
    whole = jpeg()
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body for body in bodies)
    return whole[:2] + segments + whole[2:]


def reals(code: str, *values: float) -> Tag:
    raw = struct.pack(f"<{len(values)}{code}", *values)
    return Tag({"f": 11, "d": 12}[code], raw, count=len(values))


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (Tag(RATIONAL, (466021, 10_000)), Tag(RATIONAL, (65514, 10_000))),
        (Tag(RATIONAL, (46, 1, 36126, 1000)), Tag(RATIONAL, (6, 1, 33084, 1000))),
        (Tag(10, (46, 1, 36, 1, 756, 100)), Tag(10, (6, 1, 33, 1, 504, 100))),
        (reals("d", 46.6021), reals("d", 6.5514)),
        (reals("d", 46, 36, 7.56), reals("d", 6, 33.084)),
        (reals("f", 46, 36, 7.56), reals("f", 6, 33, 5.04)),
        (Tag(ASCII, b"46.6021\0"), Tag(ASCII, b"6.5514\0")),
        (Tag(ASCII, b"46 deg 36' 7.56\" S\0"), Tag(ASCII, b"6\xb033'5.04\"\0")),
    ],
    ids=["degrees", "minutes", "signed", "double", "doubles", "floats", "text", "words"],
)
def test_gps_in_every_notation(tmp_path: Path, lat: Tag, lon: Tag) -> None:
    photo = jpeg(exif=b"Exif\0\0" + flight_exif(changed={"lat": lat, "lon": lon}))
    assert where(tmp_path / "a.jpg", photo) == WHERE


@pytest.mark.parametrize(
    "nonsense",
    [
        reals("d", float("nan")),
        reals("d", float("inf")),
        reals("d", 1e300),
        reals("d", -46.6),
        Tag(RATIONAL, (0, 0)),
        Tag(ASCII, b"\x1b[2J\0"),
        Tag(SHORT, (1000,)),
        Tag(ASCII, b"", count=1 << 31, offset=8),
    ],
    ids=["nan", "inf", "huge", "sign and letter", "0/0", "escape", "too far", "outside"],
)
def test_impossible_gps_is_no_position(tmp_path: Path, nonsense: Tag) -> None:
    photo = jpeg(exif=b"Exif\0\0" + flight_exif(changed={"lat": nonsense}))
    assert where(tmp_path / "a.jpg", photo) == (None, None)


@pytest.mark.parametrize("first", [b"", NOWHERE, b"garbage" * 9], ids=["alone", "without a place", "broken"])
def test_a_second_exif_block_is_read(tmp_path: Path, first: bytes) -> None:
    assert where(tmp_path / "a.jpg", with_segments(b"Exif\0\0" + first, b"Exif\0\0" + flight_exif())) == WHERE


@pytest.mark.parametrize("exif", [None, NOWHERE], ids=["no EXIF", "EXIF without a place"])
def test_xmp_is_read_where_exif_has_no_position(tmp_path: Path, exif: bytes | None) -> None:
    blocks = [b"Exif\0\0" + exif] if exif else []
    photo = with_segments(XMP_NAME + PACKET, *blocks)
    assert where(tmp_path / "a.jpg", photo) == WHERE


def test_exif_takes_precedence_over_xmp(tmp_path: Path) -> None:
    other = PACKET.replace(b"46,", b"11,")
    assert where(tmp_path / "a.jpg", with_segments(XMP_NAME + other, b"Exif\0\0" + flight_exif())) == WHERE


def test_xmp_in_a_tiff_is_read(tmp_path: Path) -> None:
    assert where(tmp_path / "a.tif", tiff(tiffinfo={700: PACKET})) == WHERE


@pytest.mark.parametrize("damage", [PACKET[:-60], PACKET * 400, b"<" * 60_000, b":GPSLatitude " * 4000])
def test_no_xmp_does_harm(tmp_path: Path, damage: bytes) -> None:
    assert where(tmp_path / "a.jpg", with_segments(XMP_NAME + damage[:65_000]))[0] in (None, *WHERE[:1])


def test_gps_at_a_pointer_of_another_type(tmp_path: Path) -> None:
    """Some writers give the offset of a directory the type of a directory."""
    exif = flight_exif()
    usual, other = (struct.pack("<HHI", 34853, kind, 1) for kind in (LONG, 13))
    assert usual in exif
    photo = with_segments(b"Exif\0\0" + exif.replace(usual, other))
    assert where(tmp_path / "a.jpg", photo) == WHERE
