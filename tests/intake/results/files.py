"""Small results of every kind, written byte by byte: GeoTIFF, LAS, LAZ, OBJ with its materials, GLB."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

UTM_32 = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32632)
"""Keys of a GeoTIFF in WGS 84 / UTM zone 32N."""
LV_95 = (1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 2056)
WGS_84 = (1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326)
UTM_32_WKT = (
    'PROJCS["WGS 84 / UTM zone 32N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,'
    'AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],'
    'AUTHORITY["EPSG","4326"]],PROJECTION["Transverse_Mercator"],PARAMETER["central_meridian",9],UNIT["metre",1,'
    'AUTHORITY["EPSG","9001"]],AUTHORITY["EPSG","32632"]]'
)
ESRI_UTM_32 = (
    'PROJCS["WGS_1984_UTM_Zone_32N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,'
    '298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],'
    'PARAMETER["False_Easting",500000.0],UNIT["Meter",1.0]]'
)
WORLD_FILE = "0.05\n0.0\n0.0\n-0.05\n500000.0\n5200000.0\n"

TYPE_CODES = {"B": 1, "s": 2, "H": 3, "I": 4, "d": 12, "Q": 16}
Tag = tuple[str, Sequence[float]]
"""A struct code and the values of the tag."""


def geotiff(
    bands: int = 3,
    bits: int = 8,
    sample_format: int = 1,
    *,
    order: str = "<",
    big: bool = False,
    width: int = 32,
    height: int = 24,
    keys: Sequence[int] = UTM_32,
    placed: bool = True,
    tags: Mapping[int, Tag] | None = None,
    further: Sequence[Mapping[int, Tag]] = (),
    texts: str = "",
) -> bytes:
    """A TIFF of one strip per picture; `tags` are added to the first directory, each of `further` is one more."""
    pixels = bytes(range(256)) * (width * height * bands * bits // 8 // 256 + 1)
    size = width * height * bands * bits // 8
    main: dict[int, Tag] = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [bits] * bands),
        259: ("H", [1]),
        262: ("H", [2 if bands >= 3 else 1]),
        273: ("I", [16]),
        277: ("H", [bands]),
        278: ("I", [height]),
        279: ("I", [size]),
        339: ("H", [sample_format] * bands),
    }
    if bands in (2, 4):
        main[338] = ("H", [2])
    if placed:
        main |= {33550: ("d", [0.05, 0.05, 0.0]), 33922: ("d", [0, 0, 0, 500_000.0, 5_200_000.0, 0])}
    if keys:
        main[34735] = ("H", keys)
    if texts:
        main[34737] = ascii_tag(texts)
    return tiff([main | dict(tags or {}), *further], pixels[:size], order=order, big=big)


def ascii_tag(text: str) -> Tag:
    return ("s", [*text.encode(), 0])


def layer(width: int, height: int, subfile: int = 0, at: int = 16, size: int = 16) -> dict[int, Tag]:
    """A further picture of one band whose pixels are `size` bytes at `at`, packed."""
    return {
        254: ("I", [subfile]),
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [8]),
        259: ("H", [8]),
        262: ("H", [1]),
        273: ("I", [at]),
        277: ("H", [1]),
        278: ("I", [height]),
        279: ("I", [size]),
    }


def tiff(directories: Sequence[Mapping[int, Tag]], pixels: bytes, *, order: str = "<", big: bool = False) -> bytes:
    """Header, pixels from byte 16 on, then the directories, each followed by its values."""
    offset, count, entry, inline = ("Q", "Q", "HHQ", 8) if big else ("I", "H", "HHI", 4)
    mark = b"II" if order == "<" else b"MM"
    body = bytearray(pixels)
    body += bytes(-len(body) % 8)
    first = previous = 0
    for directory in directories:
        at = 16 + len(body)
        table = bytearray(struct.pack(order + count, len(directory)))
        values_at = at + len(table) + len(directory) * (struct.calcsize("=" + entry) + inline) + inline
        values = bytearray()
        for tag in sorted(directory):
            code, numbers = directory[tag]
            raw = struct.pack(f"{order}{len(numbers)}{'B' if code == 's' else code}", *numbers)
            table += struct.pack(order + entry, tag, TYPE_CODES[code], len(numbers))
            if len(raw) <= inline:
                table += raw.ljust(inline, b"\0")
            else:
                table += struct.pack(order + offset, values_at + len(values))
                values += raw + bytes(-len(raw) % 8)
        link_at = len(body) + len(table)
        body += table + bytes(inline) + values + bytes(-(len(table) + inline + len(values)) % 8)
        if first:
            struct.pack_into(order + offset, body, previous, at)
        first, previous = first or at, link_at
    version = struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
    head = mark + version + struct.pack(order + offset, first)
    return head.ljust(16, b"\0") + bytes(body)


def record(user: bytes, id: int, content: bytes, *, long: bool = False) -> bytes:
    """A variable length record of LAS."""
    return struct.pack("<H16sH" + ("Q" if long else "H") + "32s", 0, user, id, len(content), b"") + content


def keys_record(keys: Sequence[int] = UTM_32) -> bytes:
    return record(b"LASF_Projection", 34735, struct.pack(f"<{len(keys)}H", *keys))


def wkt_record(text: str = UTM_32_WKT, *, long: bool = False) -> bytes:
    return record(b"LASF_Projection", 2112, text.encode() + b"\0", long=long)


def las(
    points: int = 10,
    *,
    minor: int = 2,
    format: int = 2,
    record_size: int = 26,
    records: Sequence[bytes] = (),
    long_records: Sequence[bytes] = (),
    stated: int | None = None,
    content: bytes | None = None,
    scale: float = 0.01,
) -> bytes:
    """A LAS file of version 1.`minor`; `stated`: the number of points in the header, if it is another one."""
    stated = points if stated is None else stated
    header_size = {3: 235, 4: 375}.get(minor, 227)
    points_at = header_size + sum(map(len, records))
    content = bytes(range(1, record_size + 1)) * points if content is None else content
    head = struct.pack("<4sHH16sBB32s32sHH", b"LASF", 0, 0, bytes(16), 1, minor, b"test", b"test", 1, 2026)
    head += struct.pack(
        "<HIIBHI5I", header_size, points_at, len(records), format, record_size, stated & 0xFFFFFFFF, *[0] * 5
    )
    head += struct.pack("<12d", scale, scale, scale, 0, 0, 0, 10, 0, 10, 0, 10, 0)
    if minor >= 3:
        head += struct.pack("<Q", 0)
    if minor == 4:
        long_at = points_at + len(content) if long_records else 0
        head += struct.pack("<QIQ15Q", long_at, len(long_records), stated, *[0] * 15)
    return head + b"".join(records) + content + b"".join(long_records)


def laz(points: int = 10, *, at_end: bool = False, records: Sequence[bytes] = ()) -> bytes:
    """The structure of a LAZ file, with arbitrary bytes for its points; `at_end`: as written to a stream."""
    laszip = record(b"laszip encoded", 22204, struct.pack("<HHBBHIiqqH", 2, 0, 3, 4, 0, 0, 50_000, -1, -1, 0))
    points_at = 227 + len(laszip) + sum(map(len, records))
    packed, table = b"\x5a" * 40, struct.pack("<II", 0, 1) + b"\1\2\3\4"
    table_at = points_at + 8 + len(packed)
    content = struct.pack("<q", -1 if at_end else table_at) + packed + table
    return las(
        points, format=2 | 0x80, records=[*records, laszip], content=content + struct.pack("<q", table_at) * at_end
    )


def obj(libraries: Sequence[str] = ("site.mtl",), *, faces: int = 4) -> bytes:
    head = "".join(f"mtllib {each}\n" for each in libraries)
    vertices = "".join(f"v {each}.0 2.0 3.0\nvt 0.5 0.5\n" for each in range(20))
    return (head + vertices + "usemtl m0\n" + "f 1/1 2/2 3/3\n" * faces).encode()


def mtl(textures: Sequence[str] = ("site.jpg",)) -> bytes:
    return "".join(f"newmtl m{index}\nKa 1 1 1\nmap_Kd {each}\n" for index, each in enumerate(textures)).encode()


def glb(description: Mapping[str, object] | None = None, binary: bytes = bytes(16)) -> bytes:
    scene: dict[str, object] = {
        "asset": {"version": "2.0"},
        "meshes": [{"primitives": []}],
        "buffers": [{"byteLength": len(binary)}],
    }
    text = json.dumps(scene | dict(description or {})).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


def write(folder: Path, files: Mapping[str, bytes | str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
