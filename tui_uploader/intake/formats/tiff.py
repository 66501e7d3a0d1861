"""Read the directories of a TIFF structure: a TIFF or BigTIFF file, or the EXIF block of a JPEG.

Only structure is read, never pixels: image libraries refuse pixel formats that they cannot display (five bands, 32-bit
floats), but the service accepts them. Every offset and count is checked against the real size of the file.

Source: TIFF revision 6.0; BigTIFF as of libtiff 4; EXIF 2.32 for the pointers to its directories;
CIPA DC-007 for the index of several images.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

WIDTH, HEIGHT, BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
SAMPLES_PER_PIXEL, ROWS_PER_STRIP, PLANAR_CONFIGURATION, TILE_WIDTH, TILE_HEIGHT = 277, 278, 284, 322, 323
MAKE, MODEL, DATE_TIME, XMP = 271, 272, 306, 700
STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES = 273, 279, 324, 325
SUB_DIRECTORIES, EXIF_DIRECTORY, GPS_DIRECTORY = 330, 34665, 34853
DATE_TIME_ORIGINAL, EXPOSURE_TIME, F_NUMBER, ISO_SPEED, FOCAL_LENGTH = 36867, 33434, 33437, 34855, 37386
MULTI_PICTURE_ENTRIES = 0xB002
GPS_LATITUDE_REF, GPS_LATITUDE, GPS_LONGITUDE_REF, GPS_LONGITUDE, GPS_ALTITUDE_REF, GPS_ALTITUDE = 1, 2, 3, 4, 5, 6

_MOST_ENTRIES = 4096
_MOST_VALUES = 1 << 16
_AT_A_TIME = 1 << 13

_ASCII = 2
_BYTES = frozenset({1, _ASCII, 7})
_WHOLE = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
"""struct codes of whole numbers, by TIFF's number of the type."""
_RATIONAL = {5: "II", 10: "ii"}
_REAL = _WHOLE | _RATIONAL | {11: "f", 12: "d"}
_WIDTHS = dict.fromkeys(_BYTES, 1) | {kind: struct.calcsize(f"={code}") for kind, code in _REAL.items()}


class NotTiff(ValueError):
    """The bytes have another structure, or point outside the file."""


@dataclass(frozen=True, slots=True)
class TiffEntry:
    """Position of the values of a tag, which are read on demand."""

    type: int
    count: int
    where: int
    """Offset from the start of the structure."""


@dataclass(frozen=True, slots=True)
class Directory:
    entries: Mapping[int, TiffEntry]
    following: int
    """Offset of the next page's directory; 0 at the last."""


class TiffReader:
    """A TIFF structure of `size` bytes that starts at `base` in `file`."""

    def __init__(self, file: BinaryIO, base: int, size: int) -> None:
        """Raises NotTiff."""
        self._file, self._base, self._size = file, base, size
        header = self.bytes_at(0, 8)
        if header[:2] not in (b"II", b"MM"):
            raise NotTiff("no byte order mark")
        self.order = "<" if header[:2] == b"II" else ">"
        """The byte order, as `struct` writes it."""
        version = self._numbers("H", header[2:4])[0]
        if version not in (42, 43):
            raise NotTiff(f"unknown version {version}")
        self._big = version == 43
        if self._big and self._numbers("HH", header[4:]) != (8, 0):
            raise NotTiff("offsets of another size")
        self.first = self._numbers("Q", self.bytes_at(8, 8))[0] if self._big else self._numbers("I", header[4:])[0]

    def first_directory(self) -> Directory:
        """Raises NotTiff."""
        return self.directory(self.first)

    def directory(self, offset: int) -> Directory:
        """Raises NotTiff."""
        count_format, entry_format, offset_format = ("Q", "HHQ8s", "Q") if self._big else ("H", "HHI4s", "I")
        head = struct.calcsize(f"={count_format}")
        (count,) = self._numbers(count_format, self.bytes_at(offset, head))
        if not 0 < count <= _MOST_ENTRIES:
            raise NotTiff(f"a directory of {count} entries")
        entry_size, offset_size = struct.calcsize(f"={entry_format}"), struct.calcsize(f"={offset_format}")
        table = self.bytes_at(offset + head, count * entry_size)
        entries: dict[int, TiffEntry] = {}
        for index, (tag, kind, length, inline) in enumerate(struct.iter_unpack(self.order + entry_format, table)):
            where = offset + head + (index + 1) * entry_size - offset_size
            if length * _WIDTHS.get(kind, 1) > offset_size:
                (where,) = self._numbers(offset_format, inline)
            entries.setdefault(tag, TiffEntry(kind, length, where))  # of two entries for a tag, decoders take the first
        return Directory(entries, self._following(offset + head + count * entry_size, offset_format))

    def has_directory(self, offset: int) -> bool:
        """Whether a directory with readable entries is at `offset`, which may be an arbitrary number."""
        try:
            return any(entry.type in _WIDTHS for entry in self.directory(offset).entries.values())
        except NotTiff:
            return False

    def has_values(self, directory: Directory, tag: int) -> bool:
        """Whether the values of a tag are within the structure; True as well if it is missing."""
        entry = directory.entries.get(tag)
        return entry is None or entry.where + entry.count * _WIDTHS.get(entry.type, 1) <= self._size

    def whole_numbers(self, directory: Directory, tag: int, most: int = _MOST_VALUES) -> tuple[int, ...]:
        """At most `most` whole numbers of a tag; empty if it is missing or of another type.

        Raises NotTiff when they are outside the structure, negative, or too many to keep.
        """
        if min(self.count(directory, tag), most) > _MOST_VALUES:
            raise NotTiff(f"too many values of tag {tag}")
        return tuple(self.each_whole_number(directory, tag, most))

    def each_whole_number(self, directory: Directory, tag: int, most: int, first: int = 0) -> Iterator[int]:
        """As `whole_numbers`, but one at a time, for any number of them: those from index `first` to below `most`."""
        count = min(self.count(directory, tag), most)
        for done in range(first, count, _AT_A_TIME):
            entry, length = directory.entries[tag], min(_AT_A_TIME, count - done)
            raw = self.bytes_at(entry.where + done * _WIDTHS[entry.type], length * _WIDTHS[entry.type])
            found = self._numbers(f"{length}{_WHOLE[entry.type]}", raw)
            if min(found) < 0:
                raise NotTiff(f"tag {tag} is negative")
            yield from found

    def count(self, directory: Directory, tag: int) -> int:
        """Number of whole numbers of a tag; 0 if it is missing or of another type."""
        entry = directory.entries.get(tag)
        return entry.count if entry and entry.type in _WHOLE else 0

    def real_numbers(self, directory: Directory, tag: int, most: int) -> tuple[float | None, ...]:
        """The numbers of a tag, None for a rational without a value; empty where there are none or more than `most`.

        Floats may be infinite or no number. Raises NotTiff when they are outside the structure.
        """
        entry = directory.entries.get(tag)
        if entry is None or entry.type not in _REAL or entry.count > most:
            return ()
        raw = self._values(entry, entry.count)
        if entry.type not in _RATIONAL:
            return self._numbers(f"{entry.count}{_REAL[entry.type]}", raw)
        pairs = struct.iter_unpack(self.order + _RATIONAL[entry.type], raw)
        return tuple(over / under if under else None for over, under in pairs)

    def text(self, directory: Directory, tag: int, most: int = 256) -> str:
        """At most `most` characters up to the closing zero; empty where the tag is missing or no text.

        Raises NotTiff when they are outside the structure.
        """
        entry = directory.entries.get(tag)
        if entry is None or entry.type != _ASCII:
            return ""
        raw = self._values(entry, min(entry.count, most))
        return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape").strip()

    def block(self, directory: Directory, tag: int, most: int) -> bytes:
        """At most the first `most` bytes of a tag; empty where it is missing or holds no bytes.

        Raises NotTiff when they are outside the structure.
        """
        entry = directory.entries.get(tag)
        return self._values(entry, min(entry.count, most)) if entry and entry.type in _BYTES else b""

    def _values(self, entry: TiffEntry, count: int) -> bytes:
        return self.bytes_at(entry.where, count * _WIDTHS[entry.type])

    def _following(self, at: int, offset_format: str) -> int:
        """The offset at `at`; 0 if the file ends before it, which decoders treat as the last directory."""
        size = struct.calcsize(f"={offset_format}")
        if at + size > self._size:
            return 0
        return int(self._numbers(offset_format, self.bytes_at(at, size))[0])

    def bytes_at(self, offset: int, length: int) -> bytes:
        """Raises NotTiff when they are outside the structure."""
        if offset < 0 or offset + length > self._size:
            raise NotTiff(f"{length} bytes at {offset} of {self._size}")
        self._file.seek(self._base + offset)
        found = self._file.read(length)
        if len(found) != length:
            raise NotTiff("the file became shorter")
        return found

    def _numbers(self, layout: str, raw: bytes) -> tuple[int, ...]:
        return struct.unpack(self.order + layout, raw)
