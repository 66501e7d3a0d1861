"""Pictures for the tests: whole ones from a real encoder, and TIFF structures with whatever a test wants in them."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

SHORT, LONG, RATIONAL, ASCII, LONG8 = 3, 4, 5, 2, 16
_CODES = {1: "B", 2: "s", SHORT: "H", LONG: "I", RATIONAL: "I", 10: "i", LONG8: "Q"}


@dataclass(frozen=True)
class Tag:
    """`count` and `offset` say something else than the truth where a test wants that."""

    type: int
    values: tuple[int, ...] | bytes
    count: int | None = None
    offset: int | None = None


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Noise: its pixels do not compress to next to nothing."""
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
    """A TIFF whose first directory is the first one given; the others lie behind it, at offsets that
    `directory_offsets` tells. Values that do not fit into an entry lie at the end."""
    offsets = directory_offsets(*directories, big=big, start=start)
    header = struct.pack(order + "2sH", b"II" if order == "<" else b"MM", 43 if big else 42)
    header += struct.pack(order + "HHQ", 8, 0, offsets[0]) if big else struct.pack(order + "I", offsets[0])
    room = 8 if big else 4
    tables, values, values_at = b"", b"", offsets[-1]
    for tags in directories:
        tables += struct.pack(order + ("Q" if big else "H"), len(tags))
        for number, tag in sorted(tags.items()):
            raw = _packed(order, tag)
            count = tag.count if tag.count is not None else _count(tag)
            if tag.offset is not None or len(raw) > room:
                where = tag.offset if tag.offset is not None else values_at + len(values)
                inline = struct.pack(order + ("Q" if big else "I"), where)
                values += raw if tag.offset is None else b""
            else:
                inline = raw.ljust(room, b"\0")
            tables += struct.pack(order + ("HHQ" if big else "HHI"), number, tag.type, count) + inline
        tables += struct.pack(order + ("Q" if big else "I"), following)
    return header + tables + values


def directory_offsets(*directories: Mapping[int, Tag], big: bool = False, start: int = 0) -> list[int]:
    """Where each directory begins, and where the values begin."""
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
