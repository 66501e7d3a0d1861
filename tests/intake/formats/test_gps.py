"""A position is read in every notation seen in the field; impossible ones are None."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.intake.formats.gps import LATITUDE, LONGITUDE, Axis, from_numbers, from_text, xmp_height, xmp_position


def expected_value(degrees: float | None) -> Any:
    return None if degrees is None else pytest.approx(degrees, abs=1e-6)


@pytest.mark.parametrize(
    ("parts", "letter", "expected"),
    [
        ((52.5163,), "N", 52.5163),
        ((52.5163,), "", 52.5163),
        ((-52.5163,), "", -52.5163),
        ((52.5163,), "S", -52.5163),
        ((52.5163,), "s", -52.5163),
        ((52.5163,), "?", 52.5163),
        ((52.5163,), "E", 52.5163),
        ((52, 30.978), "N", 52.5163),
        ((52, 30, 58.68), "S", -52.5163),
        ((52.5163, None, None), "N", 52.5163),
        ((52.5163, math.nan), "N", 52.5163),
        ((0, 30), "S", -0.5),
        ((90,), "N", 90),
        ((90, 0, 0.1), "N", None),
        ((-52.5,), "S", None),
        ((-52.5,), "N", None),
        ((52, -30), "N", None),
        ((None, 30), "N", None),
        ((math.nan,), "N", None),
        ((math.inf,), "N", None),
        ((), "N", None),
        ((52, 30, 58, 0), "N", None),
    ],
)
def test_numbers(parts: tuple[float | None, ...], letter: str, expected: float | None) -> None:
    assert from_numbers(parts, letter, LATITUDE) == expected_value(expected)


@pytest.mark.parametrize(
    ("text", "axis", "expected"),
    [
        ("52.5163", LATITUDE, 52.5163),
        ("+52.5163", LATITUDE, 52.5163),
        ("-52.5163", LATITUDE, -52.5163),
        ("52.5163 S", LATITUDE, -52.5163),
        ("N 52.5163", LATITUDE, 52.5163),
        ("52 deg 30' 58.68\" N", LATITUDE, 52.5163),
        ("52 deg 30' 58.68\" S", LATITUDE, -52.5163),
        ("52°30'58.68\"S", LATITUDE, -52.5163),
        ("52\udcb030′58.68″", LATITUDE, 52.5163),
        ("52,30.978N", LATITUDE, 52.5163),
        ("52,30,58S", LATITUDE, -52.516111),
        ("52 30 58 S", LATITUDE, -52.516111),
        ("13,24.6W", LONGITUDE, -13.41),
        ("179.5E", LONGITUDE, 179.5),
        ("181", LONGITUDE, None),
        ("91", LATITUDE, None),
        ("52.5163 E", LATITUDE, None),
        ("52,5163", LATITUDE, None),
        ("52,60.5N", LATITUDE, None),
        ("52.5163 N, 13.4 E", LATITUDE, None),
        ("near 52", LATITUDE, None),
        ("nan", LATITUDE, None),
        ("1e1", LATITUDE, None),
        ("", LATITUDE, None),
        ("5" * 4000, LATITUDE, None),
        (" " * 4000 + "5", LATITUDE, None),
    ],
)
def test_texts(text: str, axis: Axis, expected: float | None) -> None:
    assert from_text(text, "", axis) == expected_value(expected)


def test_the_letter_beside_a_text_counts_where_it_has_none() -> None:
    assert from_text("52.5", "S", LATITUDE) == -52.5
    assert from_text("52.5N", "S", LATITUDE) == 52.5


ATTRIBUTES = b"<rdf:Description exif:GPSLatitude='52,30.978N' exif:GPSLongitude=\"13,24.6W\"/>"
ELEMENTS = b"<exif:GPSLatitude>52,30.978N</exif:GPSLatitude>\n<exif:GPSLongitude > 13,24.6W</exif:GPSLongitude>"
DJI = b'drone-dji:GpsLatitude="+52.5163" drone-dji:GpsLongitude="-13.41" drone-dji:RelativeAltitude="+60.1"'
LETTERS = b'exif:GPSLatitudeRef="N" exif:GPSLongitudeRef="W"'


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (ATTRIBUTES, (52.5163, -13.41)),
        (ELEMENTS, (52.5163, -13.41)),
        (DJI, (52.5163, -13.41)),
        (DJI.replace(b"Longi", b"Longti"), (52.5163, -13.41)),
        (b"<drone-dji:GpsLatitude>52.5163</x><drone-dji:GpsLongtitude>-13.41</x>", (52.5163, -13.41)),
        (LETTERS + ATTRIBUTES, (52.5163, -13.41)),
        (b'exif:GPSLatitude="0,0N" exif:GPSLongitude="0,0E" ' + DJI, (52.5163, -13.41)),
        (LETTERS, (None, None)),
        (ATTRIBUTES[:40], (None, None)),
        (b'exif:GPSLatitude="52.5&#46;" exif:GPSLongitude="13"', (None, None)),
        (b'exif:GPSLatitude="95" exif:GPSLongitude="13"', (None, None)),
        (b'drone-dji:GpsLatitude="0" drone-dji:GpsLongitude="0"', (None, None)),
        (b"<!ENTITY a '52'><exif:GPSLatitude>&a;</exif:GPSLatitude>" + DJI[28:], (None, None)),
        (b"", (None, None)),
    ],
)
def test_xmp(packet: bytes, expected: tuple[float | None, float | None]) -> None:
    assert [*xmp_position(packet)] == [expected_value(each) for each in expected]


@given(
    st.lists(st.none() | st.floats(), max_size=5),
    st.text(max_size=2),
    st.text() | st.text("0123456789+-., °'\"degNSEWnsew"),
    st.sampled_from([LATITUDE, LONGITUDE]),
)
def test_impossible_positions_are_none(parts: list[float | None], letter: str, text: str, axis: Axis) -> None:
    for found in from_numbers(parts, letter, axis), from_text(text, letter, axis):
        assert found is None or abs(found) <= axis.most


@given(
    st.binary() | st.lists(st.sampled_from([ATTRIBUTES, ELEMENTS, DJI, LETTERS, b"<", b">", b'"', b"\0"])).map(b"".join)
)
def test_no_packet_does_harm(packet: bytes) -> None:
    latitude, longitude = xmp_position(packet)
    assert (latitude is None) == (longitude is None)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b'<rdf:Description drone-dji:RelativeAltitude="+79.90"/>', 79.9),
        (b"<drone-dji:RelativeAltitude>-3.10</drone-dji:RelativeAltitude>", -3.1),
        (b'<rdf:Description drone-dji:AbsoluteAltitude="+612.4"/>', None),
        (b'<rdf:Description drone-dji:RelativeAltitude="1e9"/>', None),
        (b'<rdf:Description drone-dji:RelativeAltitude="999999"/>', None),
        (b'<rdf:Description drone-dji:RelativeAltitude="nan"/>', None),
        (b'<rdf:Description drone-dji:RelativeAltitude=""/>', None),
        (b"", None),
    ],
)
def test_the_height_above_the_take_off_point(packet: bytes, expected: float | None) -> None:
    assert xmp_height(packet) == expected
