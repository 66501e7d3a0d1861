"""Coordinate systems in WKT and in the keys of a GeoTIFF: code, name, projected or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.results.files import ESRI_UTM_32, LV_95, UTM_32, UTM_32_WKT, WGS_84
from tui_uploader.intake.results.geokeys import crs_of_keys
from tui_uploader.intake.results.wkt import crs_of_wkt, named_crs
from tui_uploader.model.results import CoordinateSystem

WKT_2 = (
    'PROJCRS["CH1903+ / LV95",BASEGEOGCRS["CH1903+",DATUM["CH1903+",ELLIPSOID["Bessel 1841",6377397.155,299.1528128]],'
    'ID["EPSG",4150]],CONVERSION["Swiss Oblique Mercator",METHOD["Hotine",ID["EPSG",9815]]],CS[Cartesian,2],'
    'AXIS["(E)",east],LENGTHUNIT["metre",1],USAGE[SCOPE["x"],AREA["y"],BBOX[45,5,47,10]],ID["EPSG",2056]]'
)
GEOGRAPHIC = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.2,AUTHORITY["EPSG","7030"]]],'
    'AUTHORITY["EPSG","4326"]]'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (UTM_32_WKT, (32632, "WGS 84 / UTM zone 32N", True)),
        (ESRI_UTM_32, (32632, "WGS_1984_UTM_Zone_32N", True)),
        (WKT_2, (2056, "CH1903+ / LV95", True)),
        (f'COMPD_CS["both",{UTM_32_WKT},VERT_CS["EGM96 height",AUTHORITY["EPSG","5773"]],AUTHORITY["EPSG","9518"]]',
         (32632, "WGS 84 / UTM zone 32N", True)),
        (f'BOUNDCRS[SOURCECRS[{WKT_2}],TARGETCRS[{GEOGRAPHIC}],ABRIDGEDTRANSFORMATION["x"]]',
         (2056, "CH1903+ / LV95", True)),
        (GEOGRAPHIC, (4326, "WGS 84", False)),
        ('GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984"]]', (4326, "GCS_WGS_1984", False)),
        ('GEOGCRS["ETRS89",ID["EPSG",4258]]', (4258, "ETRS89", False)),
        ('PROJCS["quarry ""B"" grid",GEOGCS["WGS 84",AUTHORITY["EPSG","4326"]],UNIT["m",1]]',
         (None, 'quarry "B" grid', True)),
        ('PROJCS["a",AUTHORITY["ESRI","102113"]]', (None, "a", True)),
        ('projcs ( "a" , AUTHORITY ( "epsg" , "2056" ) )', (2056, "a", True)),
        ('PROJCS["a",AUTHORITY["EPSG","99999999999999"]]', (None, "a", True)),
        ("EPSG:25832", (25832, "", None)),
        ("urn:ogc:def:crs:EPSG::25832\n", (25832, "", None)),
    ],
)  # fmt: skip
def test_wkt(text: str, expected: tuple[int | None, str, bool | None]) -> None:
    assert crs_of_wkt(text) == CoordinateSystem(*expected)


@pytest.mark.parametrize("text", ["", "hello", "LOCAL_CS", "PROJCS", '"PROJCS"', "-----BEGIN KEY-----", "EPSG:", "\0"])
def test_other_text_is_no_system(text: str) -> None:
    assert crs_of_wkt(text) is None


@pytest.mark.parametrize(
    "text", ["PROJCS[" * 9000, 'PROJCS["' + '"' * 60_001, "PROJCS[" + "A[" * 30_000, 'PROJCS["a' * 6000]
)
def test_endless_wkt_ends(text: str) -> None:
    found = crs_of_wkt(text)
    assert found is not None and len(found.name) <= 80


@given(
    st.lists(
        st.sampled_from(["PROJCS[", "GEOGCS(", '"', "]", ")", ",", "AUTHORITY[", '"EPSG"', "ID[", "4326", "x", "\x1b"])
    )
)
def test_any_wkt_is_read(pieces: list[str]) -> None:
    found = crs_of_wkt("".join(pieces))
    assert found is None or found.name.isprintable() or found.name == ""


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("WGS 84 / UTM zone 1S", 32701),
        ("WGS 84 / UTM zone 60N", 32660),
        ("WGS 84 / UTM zone 32N + EGM96 height", 32632),
        ("WGS 84 / UTM zone 61N", None),
        ("WGS 84 / UTM zone 32", None),
        ("ETRS_1989_UTM_Zone_33N", 25833),
        ("ETRS89 / UTM zone 32N (zE-N)", None),  # EPSG:4647
        ("ETRS89 / UTM zone 5N", None),
        ("NAD_1983_UTM_Zone_10N", 26910),
        ("NAD83(2011) / UTM zone 10N", None),
        ("NAD83 / UTM zone 10S", None),
        ("WGS 72 / UTM zone 32N", None),
        ("WGS 84", 4326),
        ("WGS 84 / Pseudo-Mercator", None),
        ("", None),
    ],
)
def test_codes_of_well_known_names(name: str, code: int | None) -> None:
    assert named_crs(name, None, None).code == code


CITED = "WGS 84 / UTM zone 32N|quarry grid|ESRI PE String = " + ESRI_UTM_32 + "|"
QUARRY = (CITED.index("quarry"), len("quarry grid") + 1)
ESRI = (CITED.index("ESRI"), len(CITED) - CITED.index("ESRI"))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (UTM_32, CoordinateSystem(32632, "", True)),
        (LV_95, CoordinateSystem(2056, "", True)),
        (WGS_84, CoordinateSystem(4326, "", False)),
        ((1, 1, 0, 2, 1026, 34737, 22, 0, 3072, 0, 1, 32632), CoordinateSystem(32632, "WGS 84 / UTM zone 32N", True)),
        ((1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 32767, 3073, 34737, QUARRY[1], QUARRY[0]),
         CoordinateSystem(None, "quarry grid", True)),
        ((1, 1, 0, 2, 1024, 0, 1, 1, 3073, 34737, ESRI[1], ESRI[0]),
         CoordinateSystem(32632, "WGS_1984_UTM_Zone_32N", True)),
        ((1, 1, 0, 2, 1024, 0, 1, 32767, 1026, 34737, QUARRY[1], QUARRY[0]),
         CoordinateSystem(None, "quarry grid", None)),
        ((1, 1, 0, 2, 1024, 0, 1, 3, 2048, 0, 1, 4978), CoordinateSystem(4978, "", None)),
        ((1, 1, 0, 1, 2048, 0, 1, 4326), CoordinateSystem(4326, "", False)),
        ((1, 1, 0, 1, 1024, 0, 1, 1), None),
        ((1, 1, 0, 1, 3072, 0, 1, 0), None),
        ((1, 1, 0, 60000, 3072, 0, 1, 2056), CoordinateSystem(2056, "", True)),
        ((1, 1, 0, 1, 3072, 34737, 60000, 60000), None),
        ((1, 1), None),
        ((), None),
    ],
)  # fmt: skip
def test_keys(keys: tuple[int, ...], expected: CoordinateSystem | None) -> None:
    assert crs_of_keys(keys, CITED) == expected


@given(
    st.lists(st.sampled_from([0, 1, 2, 3, 1024, 1026, 2048, 3072, 3073, 34737, 32767]) | st.integers(0, 65535)),
    st.text(),
)
def test_any_keys_are_read(keys: list[int], texts: str) -> None:
    found = crs_of_keys(keys, texts)
    assert found is None or found.code is None or 1024 <= found.code < 1_000_000
