"""Images for the tests: complete ones from a real encoder, and TIFF structures with arbitrary entries."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

BYTE, SHORT, LONG, RATIONAL, ASCII, LONG8 = 1, 3, 4, 5, 2, 16
_CODES = {1: "B", 2: "s", SHORT: "H", LONG: "I", RATIONAL: "I", 10: "i", LONG8: "Q"}


@dataclass(frozen=True)
class Tag:
    """`count` and `offset` may be wrong, if a test needs that."""

    type: int
    values: tuple[int, ...] | bytes
    count: int | None = None
    offset: int | None = None


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Noise, which does not compress well."""
    return Image.effect_noise((width, height), 90).convert(mode)


def jpeg(image: Image.Image | None = None, exif: bytes = b"", **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or picture()).save(buffer, "JPEG", exif=exif, **options)
    return buffer.getvalue()


def tiff(image: Image.Image | None = None, **options: object) -> bytes:
    buffer = io.BytesIO()
    (image or picture()).save(buffer, "TIFF", **options)
    return buffer.getvalue()


def tiff_structure(
    *directories: Mapping[int, Tag], order: str = "<", big: bool = False, following: int = 0, start: int = 0
) -> bytes:
    """A TIFF whose first directory is the first one given; the others follow, at offsets that
    `directory_offsets` gives. Values that do not fit into an entry are at the end."""
    offsets = directory_offsets(*directories, big=big, start=start)
    header = struct.pack(order + "2sH", b"II" if order == "<" else b"MM", 43 if big else 42)
    header += struct.pack(order + "HHQ", 8, 0, offsets[0]) if big else struct.pack(order + "I", offsets[0])
    inline_size = 8 if big else 4
    tables, values, values_at = b"", b"", offsets[-1]
    for tags in directories:
        tables += struct.pack(order + ("Q" if big else "H"), len(tags))
        for number, tag in sorted(tags.items()):
            raw = _packed(order, tag)
            count = tag.count if tag.count is not None else _count(tag)
            if tag.offset is not None or len(raw) > inline_size:
                where = tag.offset if tag.offset is not None else values_at + len(values)
                inline = struct.pack(order + ("Q" if big else "I"), where)
                values += raw if tag.offset is None else b""
            else:
                inline = raw.ljust(inline_size, b"\0")
            tables += struct.pack(order + ("HHQ" if big else "HHI"), number, tag.type, count) + inline
        tables += struct.pack(order + ("Q" if big else "I"), following)
    return header + tables + values


def directory_offsets(*directories: Mapping[int, Tag], big: bool = False, start: int = 0) -> list[int]:
    """Offsets of each directory, and of the values."""
    at, offsets = start or (16 if big else 8), []
    for tags in directories:
        offsets.append(at)
        at += (16 + 20 * len(tags)) if big else (6 + 12 * len(tags))
    return [*offsets, at]


def _count(tag: Tag) -> int:
    return len(tag.values) // 2 if tag.type in (RATIONAL, 10) else len(tag.values)


def _packed(order: str, tag: Tag) -> bytes:
    if isinstance(tag.values, bytes):
        return tag.values
    return struct.pack(f"{order}{len(tag.values)}{_CODES[tag.type]}", *tag.values)


def flight_exif(order: str = "<", changed: Mapping[str, Tag | None] | None = None) -> bytes:
    """EXIF as a drone writes it; `changed` replaces values or removes them (`None`)."""
    main = {"make": 271, "model": 272, "date_time": 306}
    shot = {"original": 36867, "exposure": 33434, "aperture": 33437, "iso": 34855, "focal": 37386}
    gps = {"lat_ref": 1, "lat": 2, "lon_ref": 3, "lon": 4, "alt_ref": 5, "alt": 6}
    values: dict[str, Tag | None] = {
        "make": Tag(ASCII, b"DJI\0"),
        "model": Tag(ASCII, b"FC6310S\0"),
        "date_time": Tag(ASCII, b"2026:05:12 10:00:00\0"),
        "original": Tag(ASCII, b"2026:05:12 09:41:07\0"),
        "exposure": Tag(RATIONAL, (1, 800)),
        "aperture": Tag(RATIONAL, (56, 10)),
        "iso": Tag(SHORT, (100,)),
        "focal": Tag(RATIONAL, (88, 10)),
        "lat_ref": Tag(ASCII, b"S\0"),
        "lat": Tag(RATIONAL, (46, 1, 36, 1, 756, 100)),
        "lon_ref": Tag(ASCII, b"W\0"),
        "lon": Tag(RATIONAL, (6, 1, 33, 1, 504, 100)),
        "alt_ref": Tag(BYTE, (0,)),
        "alt": Tag(RATIONAL, (6124, 10)),
        **(changed or {}),
    }

    def directory(numbers: Mapping[str, int]) -> dict[int, Tag]:
        return {number: tag for name, number in numbers.items() if (tag := values.get(name))}

    below = directory(shot) or {0: Tag(SHORT, (0,))}, directory(gps) or {0: Tag(SHORT, (0,))}
    pointers = {34665: Tag(LONG, (0,)), 34853: Tag(LONG, (0,))}
    _, shot_at, gps_at, _ = directory_offsets(directory(main) | pointers, *below)
    pointers = {34665: Tag(LONG, (shot_at,)), 34853: Tag(LONG, (gps_at,))}
    return tiff_structure(directory(main) | pointers, *below, order=order)
