"""Walk the markers of a JPEG file, without decoding pixels, to check that the image is complete.

The end marker that counts is the one that a walk from the image's own beginning reaches: previews, videos and padding
may follow it, and often have end markers of their own.

Source: ITU-T T.81, annex B; EXIF 2.32 for the block that holds a TIFF structure; XMP part 3, 1.1.3, for the packet;
CIPA DC-007 for the index of several images.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO

from tui_uploader.intake.formats.jpeg_decoder import DAC, DHT, DQT, DRI, FRAMES, SOS, Decoder, Undecodable
from tui_uploader.intake.formats.tiff import MULTI_PICTURE_ENTRIES, NotTiff, TiffReader

START = b"\xff\xd8\xff"
"""The start marker, and the first byte of any marker after it."""

_TEM, _SOI, _EOI, _APP1, _APP2 = 0x01, 0xD8, 0xD9, 0xE1, 0xE2
_RESTARTS, _RESERVED = frozenset(range(0xD0, 0xD8)), frozenset(range(0x02, 0xC0))
_KEPT_BY_DECODER = FRAMES | {DAC, DHT, DQT, DRI, SOS}
_SKIPPED = frozenset({0xDC, *range(0xE0, 0xF0), 0xFE})
"""Segments that decoders skip: number of lines, application data, comment."""

_ANY_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Stuffed zeros, restart markers and fill bytes are part of a scan (T.81, B.1.1.2, B.1.1.5, F.1.2.3)."""

_RESTART = re.compile(rb"\xff[\xd0-\xd7]")

_EXIF_NAME, _XMP_NAME, _SEVERAL_IMAGES_NAME = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"MPF\0"
_MOST_BLOCKS, _MOST_MARKERS = 8, 1 << 16
"""Many times what cameras write: a depth map in extended XMP takes some hundreds of segments."""
_NEAR, _CHUNK = 1 << 6, 1 << 18
"""Bytes to read for the next marker: between segments it is usually the very next byte."""
_TAIL = 1 << 19
_ENOUGH_RESTARTS = 10
"""Fewer tell the share of the picture too roughly."""


class BadJpeg(ValueError):
    """The image cannot be decoded; the message follows the file's name: `is cut off: ...`."""

    def __init__(self, message: str, share: float | None = None) -> None:
        """`share`: how much of the picture is there, from 0 to 1, where that is known."""
        super().__init__(message)
        self.share = share


@dataclass(frozen=True, slots=True)
class Block:
    """Position of the content of a segment in the file."""

    at: int
    size: int


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """Facts from the segments before the pixels."""

    width: int
    height: int
    exif: tuple[Block, ...]
    """TIFF structures."""
    xmp: tuple[Block, ...]


class JpegReader:
    """A JPEG file of `size` bytes. `header`, then `check_pixels`."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size
        self._decoder = Decoder()
        self._at = len(START) - 1
        self._scan_at: int | None = None
        """Restart markers of this scan are counted up to here; None after the scan."""
        self._restarts = 0
        self._first_scan: int | None = None
        """Where its pixels begin."""
        self._markers = 0
        self._blocks: dict[bytes, list[Block]] = {_EXIF_NAME: [], _XMP_NAME: [], _SEVERAL_IMAGES_NAME: []}

    def header(self) -> JpegHeader:
        """Walk the markers up to the first scan. Raises BadJpeg."""
        try:
            while (marker := self._next(_ANY_MARKER)) != SOS:
                if marker in (_APP1, _APP2):
                    self._note_block()
                if marker not in _RESTARTS:
                    self._read_segment(marker)
            self._read_segment(SOS)
            self._scan_at = self._first_scan = self._at
        except Undecodable as error:
            raise BadJpeg("is damaged or cut off before its pixels begin") from error
        frame = self._decoder.frame
        assert frame is not None  # a decoder takes no scan without it
        return JpegHeader(frame.width, frame.height, *(tuple(self._blocks[name]) for name in (_EXIF_NAME, _XMP_NAME)))

    def check_pixels(self) -> None:
        """Walk the scans up to the image's own end. Raises BadJpeg."""
        if self._is_evidently_complete():
            return
        try:
            while (marker := self._next(_MARKER_IN_SCAN)) != _EOI:
                if marker == _SOI:
                    raise BadJpeg("is cut off: another image begins before its pixels end")
                if marker == _TEM or (marker in _RESERVED and self._expects_restart()):
                    continue
                self._read_segment(marker)
                self._scan_at = self._at if marker == SOS else None
                self._restarts = 0
        except _Ended as error:
            raise BadJpeg("is cut off: the image data ends too early", self._share()) from error
        except Undecodable as error:
            raise BadJpeg("is damaged: its pixels break off before their end") from error

    def _expects_restart(self) -> bool:
        """Whether restart markers are still to come in this scan: decoders skip unknown data up to the next one."""
        if self._scan_at is None:
            return False
        self._restarts += self._restarts_between(self._scan_at, self._at)
        self._scan_at = self._at
        return self._restarts < self._decoder.restarts_in_scan

    def _share(self) -> float | None:
        """How much of the picture is in the file: by restart markers, or by the index of several images.

        None: neither is known, or the pixels are in several scans.
        """
        begin = self._first_scan
        if begin is None or not self._decoder.in_only_scan:
            return None
        expected = self._decoder.restarts_in_scan
        if expected >= _ENOUGH_RESTARTS:
            return min(1.0, self._restarts_between(begin, self._size) / (expected + 1))
        whole = self._end_by_index() if self._blocks[_SEVERAL_IMAGES_NAME] else 0
        end = self._size - self._zeros_at_end()  # a copy that was interrupted may have its full size
        return (end - begin) / (whole - begin) if begin < end < whole else None

    def _restarts_between(self, begin: int, end: int) -> int:
        found, last = 0, b""
        self._file.seek(begin)
        while begin < end and (chunk := self._file.read(min(_CHUNK, end - begin))):
            found += sum(1 for _ in _RESTART.finditer(last + chunk))
            begin, last = begin + len(chunk), chunk[-1:]
        return found

    def _zeros_at_end(self) -> int:
        zeros = 0
        while zeros < self._size:
            length = min(_CHUNK, self._size - zeros)
            self._file.seek(self._size - zeros - length)
            chunk = self._file.read(length)
            zeros += len(chunk) - len(chunk.rstrip(b"\0"))
            if chunk.strip(b"\0") or len(chunk) < length:
                break
        return zeros

    def _is_evidently_complete(self) -> bool:
        """Whether the pixels evidently end where they should, without reading all of them.

        That is so where the last 512 KiB of the file, or of the first image by the index of several, hold no marker
        but an end at their end, padding aside. Walking through all pixels of each photo costs more than its checksums
        cost.
        """
        end = self._end_by_index() if self._blocks[_SEVERAL_IMAGES_NAME] else self._size
        if not self._at + _TAIL < end <= self._size:
            return False
        self._file.seek(end - _TAIL)
        tail = self._file.read(_TAIL)
        found = _MARKER_IN_SCAN.search(tail)
        return found is not None and found[0][1] == _EOI and not tail[found.end() :].strip(b"\0\xff")

    def _end_by_index(self) -> int:
        """Where the first image ends by the index of several images; 0 where that cannot be read."""
        block = self._blocks[_SEVERAL_IMAGES_NAME][0]
        try:
            reader = TiffReader(self._file, block.at, min(block.size, self._size - block.at))
            entry = reader.block(reader.first_directory(), MULTI_PICTURE_ENTRIES, most=16)
        except NotTiff:
            return 0
        return int(struct.unpack(reader.order + "I", entry[4:8])[0]) if len(entry) == 16 else 0

    def _note_block(self) -> None:
        length = int.from_bytes(self._bytes(2), "big") - 2
        longest = max(map(len, self._blocks))
        begin = self._bytes(2 + min(longest, max(length, 0)))[2:]
        for name, blocks in self._blocks.items():
            if begin.startswith(name) and len(blocks) < _MOST_BLOCKS:
                blocks.append(Block(self._at + 2 + len(name), length - len(name)))

    def _read_segment(self, marker: int) -> None:
        """Raises Undecodable."""
        if marker not in _KEPT_BY_DECODER and marker not in _SKIPPED:
            raise Undecodable(f"marker {marker:#x}")
        length = int.from_bytes(self._bytes(2), "big")
        if marker in _KEPT_BY_DECODER:
            if length < 2:
                raise Undecodable("a segment shorter than its own length")
            self._decoder.take(marker, self._bytes(length)[2:])
        self._at += max(length, 2)  # a skipped segment may be shorter than its length field
        if self._at > self._size:
            raise _Ended("a segment longer than the file")

    def _next(self, pattern: re.Pattern[bytes]) -> int:
        """The code of the next marker; the walk continues after it. Raises Undecodable."""
        self._markers += 1
        if self._markers > _MOST_MARKERS:
            raise Undecodable("too many markers")
        look = _NEAR
        while True:
            self._file.seek(self._at)
            chunk = self._file.read(look)
            if found := pattern.search(chunk):
                self._at += found.end()
                return chunk[found.end() - 1]
            if len(chunk) < look:
                raise _Ended("no marker up to the end of the file")
            self._at += len(chunk) - 1  # its last byte may be the first one of a marker
            look = min(8 * look, _CHUNK)  # so that many markers do not cause many long reads

    def _bytes(self, length: int) -> bytes:
        self._file.seek(self._at)
        found = self._file.read(length)
        if len(found) != length:
            raise _Ended("the file ends in a segment")
        return found


class _Ended(Undecodable):
    """The file ends before the image does."""
