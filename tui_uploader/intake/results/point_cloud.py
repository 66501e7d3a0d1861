"""What a LAS or LAZ file tells, and whether it has the points that its header states.

Source: ASPRS LAS specification 1.4 R15, which describes the headers of 1.0 to 1.4; the LAZ specification of
the LASzip project for compressed files.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tui_uploader.intake.results.facts import Damaged, NotUsable, ResultFacts
from tui_uploader.intake.results.geokeys import MOST_KEYS, crs_of_keys
from tui_uploader.intake.results.wkt import LONGEST_WKT, crs_of_wkt
from tui_uploader.model.results import CoordinateSystem, Finding, ResultFinding, ResultType

START = b"LASF"

_HEADER_SIZES = {0: 227, 1: 227, 2: 227, 3: 235, 4: 375}
"""Smallest size of the header, by minor version."""
_RECORD_SIZES = (20, 28, 26, 34, 57, 63, 30, 36, 38, 59, 67)
"""Smallest size of a point, by its format."""
_FIRST_14_FORMAT = 6
_COMPRESSED = 0x80
_RECORD_HEADER, _LONG_RECORD_HEADER = struct.Struct("<2x16sHH32x"), struct.Struct("<2x16sHQ32x")
_MOST_RECORDS = 1000
_PROJECTION, _LASZIP = b"LASF_Projection", b"laszip encoded"
_KEYS, _KEY_TEXTS, _WKT, _LASZIP_RECORD = 34735, 34737, 2112, 22204
_ZERO_POINTS = 16
"""So many points of zeros alone, at the end, were never written."""
_ENDS_WITH_ZEROS = "is damaged: zeros are in the place of its last points, as a copy that was interrupted leaves them"
_POINTWISE = 1
"""LASzip's compressor without chunks."""
_CHUNK_TABLE_HEADER = 8
"""A version, which is 0, and the number of chunks."""
_LONGEST_RECORD = 1 << 16


@dataclass(frozen=True, slots=True)
class _Header:
    size: int
    points_at: int
    records: int
    format: int
    record_size: int
    points: int
    long_records_at: int
    long_records: int
    waveforms_inside: bool


@dataclass(frozen=True, slots=True)
class _Record:
    user: bytes
    id: int
    at: int
    size: int


def point_cloud_facts(file: BinaryIO, size: int) -> ResultFacts:
    """Read the header and records of a LAS or LAZ file of `size` bytes. Raises NotUsable, OSError."""
    header = _header(file, size)
    records = [*_records(file, header, size)]
    findings: tuple[ResultFinding, ...] = ()
    if header.format & _COMPRESSED:
        _check_compressed(file, header, records, size)
    else:
        findings = tuple(_check_plain(file, header, size))
    crs = _crs(file, records)
    return ResultFacts((ResultType.POINT_CLOUD,), ResultType.POINT_CLOUD, crs, findings=findings)


def _header(file: BinaryIO, size: int) -> _Header:
    file.seek(0)
    raw = file.read(min(size, _HEADER_SIZES[4]))
    if len(raw) < _HEADER_SIZES[0]:
        raise Damaged("is cut off within its header")
    major, minor = raw[24], raw[25]
    if major != 1 or minor not in _HEADER_SIZES:
        raise NotUsable(f"is of LAS version {major}.{minor}; export it as 1.2 or 1.4")
    header_size, points_at, records = struct.unpack_from("<HII", raw, 94)
    format, record_size, points = struct.unpack_from("<BHI", raw, 104)
    long_records_at = long_records = 0
    if header_size < _HEADER_SIZES[minor] or len(raw) < _HEADER_SIZES[minor] or points_at < header_size:
        raise Damaged("has an impossible header")
    if minor == 4:
        long_records_at, long_records, all_points = struct.unpack_from("<QIQ", raw, 235)
        points = all_points or points
    kind = format & 0x3F
    if kind >= len(_RECORD_SIZES) or record_size < _RECORD_SIZES[kind] or (kind >= _FIRST_14_FORMAT and minor < 4):
        raise Damaged(f"has an impossible header: points of format {kind} with {record_size} bytes")
    scales_and_offsets = struct.unpack_from("<6d", raw, 131)
    if not all(map(math.isfinite, scales_and_offsets)) or 0.0 in scales_and_offsets[:3]:
        raise Damaged("has an impossible header: its coordinates have no scale")
    if points_at > size:
        raise Damaged("is cut off before its points")
    if points == 0:
        raise NotUsable("states no points; the program that wrote it may not have finished. Export it again")
    waveforms = minor >= 3 and bool(struct.unpack_from("<Q", raw, 227)[0])
    return _Header(
        header_size, points_at, records, format, record_size, points, long_records_at, long_records, waveforms
    )


def _records(file: BinaryIO, header: _Header, size: int) -> Iterator[_Record]:
    """The first thousand records before and after the points. Raises Damaged if they cannot be as the header says."""
    if header.records * _RECORD_HEADER.size > header.points_at - header.size:
        raise Damaged(f"has an impossible header: it states {header.records:,} records before the points")
    yield from _records_at(file, _RECORD_HEADER, header.size, header.records, header.points_at)
    if header.long_records:
        if header.long_records_at + header.long_records * _LONG_RECORD_HEADER.size > size:
            raise Damaged("is cut off: records after its points are missing")
        yield from _records_at(file, _LONG_RECORD_HEADER, header.long_records_at, header.long_records, size)


def _records_at(file: BinaryIO, layout: struct.Struct, at: int, count: int, end: int) -> Iterator[_Record]:
    for _ in range(min(count, _MOST_RECORDS)):
        file.seek(at)
        raw = file.read(layout.size)
        if len(raw) < layout.size:
            raise Damaged("is cut off within its records")
        user, id, length = layout.unpack(raw)
        at += layout.size
        if at + length > end:
            raise Damaged("is damaged or cut off: its records do not fit into it")
        yield _Record(user.partition(b"\0")[0], id, at, length)
        at += length


def _check_plain(file: BinaryIO, header: _Header, size: int) -> Iterator[ResultFinding]:
    """Raises Damaged if points are missing."""
    needed = header.points * header.record_size
    there = size - header.points_at
    if there < needed:
        raise Damaged(
            f"is cut off or its header is wrong: it states {header.points:,} points, "
            f"and {there // header.record_size:,} are there"
        )
    last = min(_ZERO_POINTS, header.points) * header.record_size
    file.seek(header.points_at + needed - last)
    if header.points >= _ZERO_POINTS and not any(file.read(last)):
        raise Damaged(_ENDS_WITH_ZEROS)
    is_alone = not header.long_records and not header.waveforms_inside
    if is_alone and there - needed >= header.record_size:
        yield ResultFinding(Finding.POINTS_DIFFER, detail=str(header.points))


def _check_compressed(file: BinaryIO, header: _Header, records: list[_Record], size: int) -> None:
    """Compressed points end with a table of their chunks, whose position precedes them. Raises Damaged."""
    said = next((each for each in records if each.user == _LASZIP and each.id == _LASZIP_RECORD), None)
    if said is None:
        raise Damaged("is damaged: its points are compressed, and it does not state how")
    file.seek(said.at)
    compressor = int.from_bytes(file.read(2), "little")
    if header.points_at + 8 > size:
        raise Damaged("is cut off before its points")
    if compressor == _POINTWISE:
        return
    table_at = _whole_number_at(file, header.points_at)
    if table_at == -1:  # written to a stream: the position follows the table
        table_at = _whole_number_at(file, size - 8)
    if not header.points_at + 8 < table_at <= size - _CHUNK_TABLE_HEADER:
        raise Damaged("is cut off: the end of its points is missing")
    file.seek(table_at)
    if not any(file.read(_CHUNK_TABLE_HEADER)):
        raise Damaged(_ENDS_WITH_ZEROS)


def _whole_number_at(file: BinaryIO, at: int) -> int:
    file.seek(at)
    return int.from_bytes(file.read(8), "little", signed=True)


def _crs(file: BinaryIO, records: list[_Record]) -> CoordinateSystem | None:
    """LAS 1.4 has WKT, earlier versions the keys of GeoTIFF; some files have both, and say the same."""
    contents = {each.id: each for each in reversed(records) if each.user == _PROJECTION}
    if _WKT in contents and (found := crs_of_wkt(_text(file, contents[_WKT], LONGEST_WKT))):
        return found
    if _KEYS not in contents:
        return None
    raw = _content(file, contents[_KEYS], 8 * (MOST_KEYS + 1))
    keys = struct.unpack(f"<{len(raw) // 2}H", raw[: len(raw) // 2 * 2])
    return crs_of_keys(keys, _text(file, contents[_KEY_TEXTS], _LONGEST_RECORD) if _KEY_TEXTS in contents else "")


def _content(file: BinaryIO, record: _Record, most: int) -> bytes:
    file.seek(record.at)
    return file.read(min(record.size, most))


def _text(file: BinaryIO, record: _Record, most: int) -> str:
    return _content(file, record, most).rstrip(b"\0").decode("utf-8", "replace")
