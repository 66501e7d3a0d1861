"""Check that a file contains the pixels that its TIFF directory describes.

As in decoders, tags that have a default or can be calculated may be missing: sizes of uncompressed strips or of a
single strip, rows of a strip, bits and samples of a pixel.

Source: TIFF revision 6.0, sections 8 and 15; TIFFReadDirectory and TIFFFillStrip of libtiff 4.7 for missing
or wrong tags; the GDAL GeoTIFF driver for omitted chunks.

A directory can describe billions of chunks in a sparse file. Of more than `_MOST_CHUNKS`, samples are looked at, the
first and the last among them: where a file is cut off, a whole run of chunks is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tui_uploader.intake.formats import tiff
from tui_uploader.intake.formats.tiff import Directory, NotTiff, TiffReader

_UNCOMPRESSED = 1
_YCBCR = 6
_SEPARATE_PLANES = 2
_WITHOUT_ZEROS = {(each,) for each in (5, 7, 8, 32946, 50000, 50001)}
"""LZW, JPEG, Deflate (two numbers), Zstandard, WebP."""
_ZEROS = 64
_MOST_CHUNKS = 1 << 18
"""A map of 100 GB has as many, in tiles of 256 x 256 pixels."""
_SAMPLES, _IN_A_SAMPLE = 256, 1 << 8


@dataclass(frozen=True, slots=True)
class _Layout:
    """Division of the image into chunks: strips or tiles."""

    height: int
    """Of the image, in rows."""
    tiled: bool
    chunk_height: int
    row_size: int
    """Bytes of a row of a chunk, uncompressed."""
    chunks_in_plane: int
    rows_of_chunks: int
    planes: int

    @property
    def chunks(self) -> int:
        return self.chunks_in_plane * self.planes

    def size_of(self, chunk: int) -> int:
        """Bytes of a chunk, uncompressed."""
        rows = self.chunk_height
        if not self.tiled and chunk % self.chunks_in_plane == self.chunks_in_plane - 1:
            rows = self.height - self.chunk_height * (self.rows_of_chunks - 1)  # the last strip ends with the image
        return rows * self.row_size


def has_all_pixels(reader: TiffReader, main: Directory, size: int) -> bool:
    """Whether the file of `size` bytes contains all chunks. Raises NotTiff if the directory describes no image."""
    layout = _layout(reader, main)
    tags = (tiff.TILE_OFFSETS, tiff.TILE_SIZES) if layout.tiled else (tiff.STRIP_OFFSETS, tiff.STRIP_SIZES)
    offset_count, size_count = (reader.count(main, tag) for tag in tags)
    if not offset_count:
        raise NotTiff("no pixels")
    if offset_count < layout.chunks:
        return False
    if _is_uncompressed(reader, main) and not _is_subsampled(reader, main):
        if offset_count > layout.chunks:
            looked_at = _chunks(reader, main, tags, layout.chunks)
            if any(length is not None and length < layout.size_of(index) for index, _, length in looked_at):
                raise NotTiff("other chunks than the image has")
        return _all_whole(_chunks(reader, main, tags, layout.chunks), layout, size)
    if layout.chunks > 1 and size_count < layout.chunks:
        raise NotTiff("chunks without a size")
    return _all_within(_chunks(reader, main, tags, layout.chunks), layout, size)


def ends_with_zeros(reader: TiffReader, main: Directory) -> bool:
    """Whether the compressed chunk that is last in the file ends with zeros, which no coder writes.

    For a directory that `has_all_pixels`. Raises NotTiff.
    """
    compression = reader.whole_numbers(main, tiff.COMPRESSION, most=1)
    if compression[:1] not in _WITHOUT_ZEROS:
        return False
    layout = _layout(reader, main)
    tags = (tiff.TILE_OFFSETS, tiff.TILE_SIZES) if layout.tiled else (tiff.STRIP_OFFSETS, tiff.STRIP_SIZES)
    chunks = ((offset, length or 0) for _, offset, length in _chunks(reader, main, tags, layout.chunks))
    offset, length = max(chunks, default=(0, 0))
    return length >= _ZEROS and not any(reader.bytes_at(offset + length - _ZEROS, _ZEROS))


def _chunks(
    reader: TiffReader, main: Directory, tags: tuple[int, int], chunks: int
) -> Iterator[tuple[int, int, int | None]]:
    """Index, offset and size of the chunks to look at; no size where there are fewer sizes than offsets."""
    for window in _windows(chunks):
        offsets, sizes = (reader.each_whole_number(main, tag, window.stop, window.start) for tag in tags)
        for index, offset in zip(window, offsets, strict=True):
            yield index, offset, next(sizes, None)


def _windows(chunks: int) -> Iterator[range]:
    if chunks <= _MOST_CHUNKS:
        yield range(chunks)
        return
    for sample in range(_SAMPLES):
        begin = (chunks - _IN_A_SAMPLE) * sample // (_SAMPLES - 1)
        yield range(begin, begin + _IN_A_SAMPLE)


def _all_whole(chunks: Iterable[tuple[int, int, int | None]], layout: _Layout, size: int) -> bool:
    """Whether the file contains the uncompressed chunks that the image needs; their sizes may be wrong."""
    return all(offset == length == 0 or offset + layout.size_of(index) <= size for index, offset, length in chunks)


def _all_within(chunks: Iterable[tuple[int, int, int | None]], layout: _Layout, size: int) -> bool:
    """Whether the file contains the compressed chunks, by their sizes."""
    stated = ((offset, length or 0) for _, offset, length in chunks)
    if layout.chunks == 1:
        # Only a decoder knows where a single chunk without a size ends.
        return all(offset + max(length, offset > 0) <= size for offset, length in stated)
    return all(offset + length <= size and (length > 0 or offset == 0) for offset, length in stated)


def _layout(reader: TiffReader, main: Directory) -> _Layout:
    width, height = (_one(reader, main, tag, 0) for tag in (tiff.WIDTH, tiff.HEIGHT))
    tiled = tiff.STRIP_OFFSETS not in main.entries
    if tiled:
        chunk_width, chunk_height = (_one(reader, main, tag, 0) for tag in (tiff.TILE_WIDTH, tiff.TILE_HEIGHT))
    else:
        chunk_width, chunk_height = width, min(height, _one(reader, main, tiff.ROWS_PER_STRIP, height))
    samples = _one(reader, main, tiff.SAMPLES_PER_PIXEL, 1)
    bits = reader.whole_numbers(main, tiff.BITS_PER_SAMPLE)[:samples] or (1,)
    if min(width, height, chunk_width, chunk_height, samples, *bits) <= 0:
        raise NotTiff("an image without extent")
    separate = _one(reader, main, tiff.PLANAR_CONFIGURATION, 1) == _SEPARATE_PLANES
    every = sum(bits) if len(bits) == samples else bits[0] * samples
    across, down = -(-width // chunk_width), -(-height // chunk_height)
    return _Layout(
        height=height,
        tiled=tiled,
        chunk_height=chunk_height,
        row_size=-(-chunk_width * (min(bits) if separate else every) // 8),
        chunks_in_plane=across * down,
        rows_of_chunks=down,
        planes=samples if separate else 1,
    )


def _is_uncompressed(reader: TiffReader, main: Directory) -> bool:
    if tiff.COMPRESSION not in main.entries:
        return True
    said = reader.whole_numbers(main, tiff.COMPRESSION)  # some writers repeat it for each sample
    if not said:
        raise NotTiff("a compression that is no number")
    return said[0] == _UNCOMPRESSED


def _is_subsampled(reader: TiffReader, main: Directory) -> bool:
    """Whether the image may have fewer samples than `_Layout` counts."""
    try:
        return reader.whole_numbers(main, tiff.PHOTOMETRIC, most=1) == (_YCBCR,)
    except NotTiff:
        return False


def _one(reader: TiffReader, main: Directory, tag: int, default: int) -> int:
    """Raises NotTiff if the tag exists but is not one number."""
    entry = main.entries.get(tag)
    if entry is None:
        return default
    found = reader.whole_numbers(main, tag) if entry.count == 1 else ()
    if not found:
        raise NotTiff(f"tag {tag} is not one number")
    return found[0]
