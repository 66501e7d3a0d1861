"""LAS and LAZ of every version: what they tell, headers that lie, files that are cut off."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from tests.intake.results.files import LV_95, UTM_32_WKT, WGS_84, keys_record, las, laz, record, wkt_record
from tui_uploader.intake.results.check import check_main
from tui_uploader.intake.results.facts import Damaged, NotUsable, ResultFacts
from tui_uploader.intake.results.point_cloud import point_cloud_facts
from tui_uploader.model.results import CoordinateSystem, Finding, ResultFinding, ResultType


def facts(content: bytes) -> ResultFacts:
    return point_cloud_facts(io.BytesIO(content), len(content))


def code(content: bytes) -> int | None:
    crs = facts(content).crs
    return None if crs is None else crs.code


def changed(content: bytes, at: int, layout: str, *values: float) -> bytes:
    new = bytearray(content)
    struct.pack_into("<" + layout, new, at, *values)
    return bytes(new)


@pytest.mark.parametrize("minor", range(5))
def test_every_version_is_read(minor: int) -> None:
    found = facts(las(minor=minor, records=[keys_record()]))
    assert (found.type, found.choices) == (ResultType.POINT_CLOUD, (ResultType.POINT_CLOUD,))
    assert found.crs == CoordinateSystem(32632, "", True)
    assert (found.findings, found.placed, found.states_crs) == ((), True, True)


@pytest.mark.parametrize(
    ("format", "record_size", "minor"),
    [(0, 20, 0), (1, 28, 0), (2, 26, 2), (3, 34, 2), (4, 57, 3), (5, 63, 3), *((6 + each, 67, 4) for each in range(5))],
)
def test_every_format_of_points_is_read(format: int, record_size: int, minor: int) -> None:
    assert facts(las(format=format, record_size=record_size + 8, minor=minor)).findings == ()
    with pytest.raises(Damaged, match="impossible header"):
        facts(las(format=format, record_size=19, minor=minor))


def test_where_the_coordinate_system_is_stated() -> None:
    assert code(las()) is None
    assert code(las(records=[record(b"other", 34735, bytes(64)), keys_record(LV_95)])) == 2056
    assert code(las(minor=4, records=[wkt_record()])) == 32632
    assert code(las(minor=4, records=[keys_record(WGS_84), wkt_record()])) == 32632
    assert code(las(minor=4, records=[keys_record(LV_95), wkt_record("nonsense")])) == 2056
    assert code(las(minor=4, long_records=[wkt_record(long=True)])) == 32632
    texts = record(b"LASF_Projection", 34737, b"WGS 84 / UTM zone 32N|\0")
    keys = (1, 1, 0, 2, 1024, 0, 1, 1, 3073, 34737, 22, 0)
    assert code(las(records=[texts, keys_record(keys)])) == 32632
    assert code(laz(records=[keys_record(LV_95)])) == 2056
    assert code(las(records=[record(b"LASF_Projection", 34735, b"\1")])) is None


def test_more_points_than_32_bits_can_count(tmp_path: Path) -> None:
    count = 5_000_000_000
    path = tmp_path / "cloud.las"
    path.write_bytes(las(0, minor=4, format=6, record_size=30, stated=count))
    with path.open("r+b") as file:
        file.seek(375 + count * 30 - 1)
        file.write(b"\1")
    assert check_main(str(path)).findings == ()
    with path.open("r+b") as file:
        file.truncate(375 + count * 30 - 1)
    with pytest.raises(Exception, match="states 5,000,000,000 points, and 4,999,999,999 are there"):
        check_main(str(path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (las()[:200], "cut off within its header"),
        (las(records=[keys_record()])[:240], "cut off before its points"),
        (las()[:-1], "states 10 points, and 9 are there"),
        (las(stated=4_000_000_000), "states 4,000,000,000 points, and 10 are there"),
        (las(0), "states no points"),
        (las(stated=0), "states no points"),
        (changed(las(), 24, "BB", 2, 0), "LAS version 2.0"),
        (changed(las(), 25, "B", 9), "LAS version 1.9"),
        (changed(las(), 94, "H", 20), "impossible header"),
        (changed(las(), 94, "H", 60_000), "impossible header"),
        (changed(las(), 96, "I", 100), "impossible header"),
        (changed(las(), 96, "I", 0xFFFFFFFF), "cut off before its points"),
        (changed(las(), 100, "I", 0xFFFFFFFF), "4,294,967,295 records"),
        (changed(las(), 100, "I", 1), "1 records"),
        (changed(las(), 104, "B", 11), "points of format 11"),
        (changed(las(), 104, "B", 6), "points of format 6"),  # of LAS 1.4
        (changed(las(), 105, "H", 0), "with 0 bytes"),
        (las(scale=0.0), "no scale"),
        (las(scale=float("nan")), "no scale"),
        (changed(las(), 155, "d", float("inf")), "no scale"),
        (changed(las(records=[keys_record()]), 227 + 20, "H", 65_535), "records do not fit"),
        (changed(las(minor=4), 235, "QI", 1 << 60, 5), "records after its points are missing"),
        (changed(las(minor=4), 243, "I", 0xFFFFFFFF), "records after its points are missing"),
        (
            changed(las(minor=4, long_records=[wkt_record(long=True)]), -len(UTM_32_WKT) - 41, "Q", 1 << 63),
            "do not fit",
        ),
        (las(minor=4, long_records=[wkt_record(long=True)])[:-1], "do not fit"),
        (laz()[:-12], "end of its points is missing"),
        (laz()[:-40], "end of its points is missing"),
        (laz(at_end=True)[:-9], "end of its points is missing"),
        (las(format=0x82), "does not state how"),
    ],
)
def test_headers_that_lie_and_files_that_are_cut_off(content: bytes, reason: str) -> None:
    with pytest.raises(NotUsable, match=reason):
        facts(content)


@pytest.mark.parametrize("at_end", [False, True])
def test_compressed_points_end_with_their_table(at_end: bool) -> None:
    assert facts(laz(at_end=at_end)).type is ResultType.POINT_CLOUD


def test_zeros_in_the_place_of_points_are_noticed() -> None:
    """An interrupted copy of the full size."""
    whole = las(100)
    assert facts(whole).findings == ()
    assert facts(whole[: -15 * 26] + bytes(15 * 26)).findings == ()
    with pytest.raises(Damaged, match="zeros"):
        facts(whole[: -16 * 26] + bytes(16 * 26))
    with pytest.raises(Damaged, match="zeros"):
        facts(laz()[:-12] + bytes(12))


def test_points_that_the_header_does_not_count_are_mentioned() -> None:
    assert facts(las(10, stated=4)).findings == (ResultFinding(Finding.POINTS_DIFFER, detail="4"),)
    assert facts(las(10, stated=4, minor=4, long_records=[wkt_record(long=True)])).findings == ()


def test_ten_thousand_records_are_not_all_read() -> None:
    many = [record(b"a", 1, b"")] * 10_000
    content = las(records=[*many, keys_record()])
    file = io.BytesIO(content)
    assert point_cloud_facts(file, len(content)).crs is None
