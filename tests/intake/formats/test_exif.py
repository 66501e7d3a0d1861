"""The reader of EXIF: facts written by a camera are found, and impossible ones are None."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict
from PIL import Image

from tests.intake.pictures import ASCII, BYTE, LONG, RATIONAL, SHORT, Tag, flight_exif, jpeg, tiff, tiff_structure
from tui_uploader.errors import SourceRefused
from tui_uploader.intake.inspect import inspect_image, photo_facts
from tui_uploader.model.files import PhotoFacts


def facts_of(folder: Path, exif: bytes) -> PhotoFacts:
    path = folder / "a.jpg"
    path.write_bytes(jpeg(exif=b"Exif\0\0" + exif))
    facts = inspect_image(str(path))
    assert facts == photo_facts(str(path)), "with and without a look at the pixels"
    return facts


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_drone_states_where_when_and_how(tmp_path: Path, order: str) -> None:
    assert asdict(facts_of(tmp_path, flight_exif(order))) == {
        "width": 64,
        "height": 48,
        "taken_at": "2026-05-12T09:41:07",
        "latitude": pytest.approx(-46.6021),
        "longitude": pytest.approx(-6.5514),
        "altitude": 612.4,
        "camera": "DJI FC6310S",
        "exposure": 1 / 800,
        "aperture": 5.6,
        "iso": 100,
        "focal_length": 8.8,
        "above_takeoff": None,
    }


def test_exif_of_another_writer_in_a_tiff_is_understood(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271], exif[272], exif[306] = "Hasselblad", "Hasselblad L2D", "2026:01:31 23:59:58"
    exif.get_ifd(34853).update({1: "N", 2: (46, 30, 0.5), 3: "E", 4: (6, 30, 0), 5: b"\1", 6: 3.5})
    (tmp_path / "a.tif").write_bytes(tiff(exif=exif.tobytes()))
    assert inspect_image(str(tmp_path / "a.tif")) == PhotoFacts(
        width=64,
        height=48,
        taken_at="2026-01-31T23:59:58",
        latitude=46 + 30 / 60 + 0.5 / 3600,
        longitude=6.5,
        altitude=-3.5,
        camera="Hasselblad L2D",
    )


@pytest.mark.parametrize(
    ("changed", "fact", "expected"),
    [
        ({"original": None}, "taken_at", "2026-05-12T10:00:00"),
        ({"original": Tag(ASCII, b"0000:00:00 00:00:00\0")}, "taken_at", None),
        ({"original": Tag(ASCII, b"2026:02:30 00:00:00\0")}, "taken_at", None),
        ({"original": Tag(ASCII, b"yesterday\x1b[2J\0")}, "taken_at", None),
        ({"original": Tag(ASCII, b"", count=1 << 31, offset=1 << 20)}, "taken_at", "2026-05-12T10:00:00"),
        ({"original": Tag(SHORT, (17,))}, "taken_at", "2026-05-12T10:00:00"),
        ({"original": Tag(ASCII, b"2026:05:12 09:41:07\0junk")}, "taken_at", "2026-05-12T09:41:07"),
        ({"lat_ref": None, "lon_ref": None}, "latitude", pytest.approx(46.6021)),
        ({"lat": None}, "latitude", None),
        ({"lat": None}, "longitude", None),
        ({"lon": Tag(RATIONAL, (6, 0, 33, 1, 504, 100))}, "latitude", None),
        ({"lat": Tag(RATIONAL, (91, 1, 0, 1, 0, 1))}, "latitude", None),
        ({"lon": Tag(RATIONAL, (180, 1, 1, 1, 0, 1))}, "longitude", None),
        ({"lat": Tag(RATIONAL, (46, 1, 0, 1, 0, 1, 0, 1))}, "latitude", None),
        ({"lat": Tag(ASCII, b"near the church\0")}, "latitude", None),
        ({"lat": Tag(RATIONAL, (), count=1 << 30, offset=64)}, "latitude", None),
        ({"lat": Tag(10, (-46, 1, 0, 1, 0, 1))}, "latitude", None),
        ({"lat": Tag(RATIONAL, (466, 10, 0, 0, 0, 0))}, "latitude", pytest.approx(-46.6)),
        (
            {"lat": Tag(RATIONAL, (0, 1, 0, 1, 0, 1)), "lon": Tag(RATIONAL, (0, 1, 0, 1, 0, 1))},
            "longitude",
            None,
        ),
        ({"alt_ref": Tag(BYTE, (1,)), "alt": Tag(RATIONAL, (36, 10))}, "altitude", -3.6),
        ({"alt_ref": Tag(7, b"\1"), "alt": Tag(RATIONAL, (36, 10))}, "altitude", -3.6),
        ({"alt_ref": None}, "altitude", 612.4),
        ({"alt": Tag(RATIONAL, (4_000_000_000, 1))}, "altitude", None),
        ({"alt_ref": Tag(BYTE, (1,)), "alt": Tag(RATIONAL, (20_000, 1))}, "altitude", None),
        ({"alt": Tag(RATIONAL, (0, 0))}, "altitude", None),
        ({"make": None}, "camera", "FC6310S"),
        ({"model": None}, "camera", "DJI"),
        ({"make": Tag(ASCII, b"  \0"), "model": None}, "camera", None),
        ({"make": None, "model": Tag(ASCII, b"X\x1b[31m\0hidden\0")}, "camera", r"X\x1b[31m"),
        ({"make": Tag(ASCII, b"Hasselblad\0"), "model": Tag(ASCII, b"HASSELBLAD  L2D\0")}, "camera", "HASSELBLAD L2D"),
        ({"make": Tag(ASCII, b"\xff\0")}, "camera", r"\xff FC6310S"),
        ({"exposure": Tag(RATIONAL, (0, 1))}, "exposure", None),
        ({"exposure": Tag(RATIONAL, (1, 0))}, "exposure", None),
        ({"exposure": Tag(ASCII, b"1/800\0")}, "exposure", None),
        ({"aperture": Tag(12, struct.pack("<d", math.nan), count=1)}, "aperture", None),
        ({"aperture": Tag(12, struct.pack("<d", math.inf), count=1)}, "aperture", None),
        ({"iso": Tag(SHORT, (100, 0))}, "iso", 100),
        ({"iso": Tag(SHORT, (0,))}, "iso", None),
        ({"iso": Tag(SHORT, (), count=1 << 30, offset=64)}, "iso", None),
        ({"focal": Tag(10, (-88, 10))}, "focal_length", None),
    ],
)
def test_an_impossible_fact_is_none(
    tmp_path: Path, changed: dict[str, Tag | None], fact: str, expected: object
) -> None:
    assert getattr(facts_of(tmp_path, flight_exif(changed=changed)), fact) == expected


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"garbage" * 10,
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II+\0\x08\0\0\0" + b"\xff" * 8,
        tiff_structure({34665: Tag(LONG, (8,)), 34853: Tag(LONG, (8,))}),
    ],
)
def test_broken_exif_does_not_spoil_an_image(tmp_path: Path, exif: bytes) -> None:
    assert facts_of(tmp_path, exif) == PhotoFacts(width=64, height=48)


GOOD_EXIF = flight_exif()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(GOOD_EXIF) - 1), st.binary(min_size=1, max_size=8)), min_size=1, max_size=12)
)
@example([(0, b"MM\0*")])
def test_no_exif_does_harm(tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, bytes]]) -> None:
    exif = bytearray(GOOD_EXIF)
    for at, replacement in damage:
        exif[at : at + len(replacement)] = replacement
    facts = facts_of(tmp_path_factory.getbasetemp(), bytes(exif))
    assert facts.width == 64
    assert all(value is None or math.isfinite(value) for value in asdict(facts).values() if not isinstance(value, str))
    assert (facts.camera or "").isprintable()
    assert facts.latitude is None or abs(facts.latitude) <= 90
    assert facts.longitude is None or abs(facts.longitude) <= 180


# --------------------------------------------------------------------------------------------- without the pixels


def facts_from(path: Path, content: bytes) -> PhotoFacts:
    path.write_bytes(content)
    return photo_facts(str(path))


def test_an_image_that_is_cut_off_still_has_facts(tmp_path: Path) -> None:
    whole = jpeg(exif=b"Exif\0\0" + flight_exif())
    assert facts_from(tmp_path / "a.jpg", whole[:-500]) == facts_from(tmp_path / "b.jpg", whole)
    assert facts_from(tmp_path / "a.tif", tiff()[:-500]) == PhotoFacts(width=64, height=48)


def test_a_png_states_its_size(tmp_path: Path) -> None:
    Image.new("RGB", (70, 50)).save(tmp_path / "a.png")
    assert photo_facts(str(tmp_path / "a.png")) == PhotoFacts(width=70, height=50)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.jpg", b"\xff\xd8\xff\xe1", "is damaged or cut off"),
        ("a.tif", b"II*\0\xff\xff\xff\xff", "is damaged or cut off"),
        ("a.tif", tiff_structure({256: Tag(LONG, (1,))}), "is damaged or cut off"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "is damaged or cut off"),
        ("a.las", b"LASF" + bytes(400), "is a LAS point cloud, not an image."),
        ("a.jpg", b"no picture at all", "is not a JPEG"),
        ("a.jpg", b"", "is empty"),
    ],
)
def test_a_file_without_an_image_has_no_facts(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    with pytest.raises(SourceRefused, match=why):
        facts_from(tmp_path / name, content)
