"""Thousands of damaged and odd headers, judged by the decoders of nearly every program.

`campaign` makes files of whole pictures by small changes, and compares what the intake says of each with whether
Pillow decodes it (with libjpeg-turbo and libtiff, truncated files refused). What is judged:

- JPEG: everything but the coded pixels themselves. No decoder refuses wrong bits within them: it shows grey, and so
  nothing here changes them, except that files are cut, filled with zeros, and other files are appended.
- TIFF: the header, the directory and the values that it points to; cuts, zeros and appended bytes as well. Pillow has
  two readers for pixels that are not compressed, its own and libtiff: a file has to pass when both decode it and to
  be refused when neither does. Where only decompressing could tell (the directory leads to bytes that are there, but
  are no such compressed strip) nothing is expected.
- Not judged at all: what the decoders know and Pillow does not show, such as JPEGs of two components or 12 bits, any
  TIFF of five bands or floats of 16 bits, images that would not fit in memory, and what the service does not take
  (several pages).

`python -m tests.intake.mutations 20000 [SEED]` runs a longer campaign and prints the counts.
"""

from __future__ import annotations

import io
import os
import random
import struct
import sys
import tempfile
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import Image, JpegImagePlugin, TiffImagePlugin

from tests.intake.pictures import jpeg, picture
from tui_uploader.errors import SourceRefused
from tui_uploader.intake.formats.tiff import NotTiff, TiffReader
from tui_uploader.intake.inspect import inspect_image

_MOST_PIXELS = 1 << 20
_CODING_TAGS = {258, 259, 262, 266, 277, 284, 292, 293, 317, 320, 338, 339, 530}
"""Tags of the pixel format. Pillow supports few of their combinations; intake judges none of them."""
_SINGLE_NUMBERS = {256, 257, 259, 277, 278, 322, 323}


@dataclass(frozen=True)
class Mutant:
    source: str
    change: str
    content: bytes

    @property
    def suffix(self) -> str:
        return ".tif" if self.source.startswith("tiff") else ".jpg"


@dataclass
class Outcome:
    """How often intake and decoders gave each verdict, and the mutants on which they disagreed."""

    agreed: Counter[str] = field(default_factory=Counter)
    not_judged: Counter[str] = field(default_factory=Counter)
    refused_though_it_decodes: list[tuple[Mutant, str]] = field(default_factory=list)
    passed_though_it_does_not: list[tuple[Mutant, str]] = field(default_factory=list)


# --------------------------------------------------------------------------------------------------------- sources


@cache
def jpeg_sources() -> dict[str, bytes]:
    small = jpeg(picture(40, 30), quality=60)
    kinds: dict[str, dict[str, object]] = {
        "baseline": {},
        "4:4:4": {"subsampling": 0},
        "4:2:2": {"subsampling": 1},
        "optimized": {"optimize": True},
        "progressive": {"progressive": True},
        "restarts": {"restart_marker_blocks": 5},
        "progressive restarts": {"progressive": True, "restart_marker_rows": 1},
        "thumbnail": {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + small},
        "comment": {"comment": b"of a test", "dpi": (72, 72)},
    }
    made = {f"jpeg {name}": jpeg(picture(96, 64), **options) for name, options in kinds.items()}  # type: ignore[arg-type]
    for mode in ("L", "CMYK"):
        made[f"jpeg {mode}"] = jpeg(picture(96, 64, mode), quality=80)
        made[f"jpeg {mode} progressive"] = jpeg(picture(96, 64, mode), progressive=True)
    return made


@cache
def tiff_sources() -> dict[str, bytes]:
    made = {}
    for order in "<", ">":
        for big in (False, True) if order == "<" else (False,):  # Pillow reads no big-endian BigTIFF
            for tiled in False, True:
                for bits, samples in ((8, 1), (16, 1), (8, 3), (8, 4)):
                    for compression in 1, 8, 32773:
                        for at_end in False, True:
                            name = f"tiff {order}{' big' * big}{' tiles' * tiled} {samples}x{bits} {compression}"
                            made[name + " directory last" * at_end] = _tiff(
                                order, big, tiled, bits, samples, compression, at_end
                            )
    for by_name in "tiff_lzw", "packbits", "tiff_adobe_deflate":
        buffer = io.BytesIO()
        picture(96, 64).save(buffer, "TIFF", compression=by_name)
        made[f"tiff by libtiff {by_name}"] = buffer.getvalue()
    return made


def _tiff(order: str, big: bool, tiled: bool, bits: int, samples: int, compression: int, at_end: bool) -> bytes:
    width, height, across, down = 40, 24, 16, 16
    row = random.Random(bits * samples).randbytes
    if tiled:
        chunks = [row(across * down * samples * bits // 8) for _ in range(6)]
    else:
        chunks = [row(width * rows * samples * bits // 8) for rows in (10, 10, 4)]
    packed = [_compressed(chunk, compression) for chunk in chunks]
    photometric = {1: 1, 3: 2, 4: 5}[samples]
    tags: dict[int, tuple[int, list[int]]] = {
        256: (3, [width]),
        257: (3, [height]),
        258: (3, [bits] * samples),
        259: (3, [compression]),
        262: (3, [photometric]),
        277: (3, [samples]),
        **({322: (3, [across]), 323: (3, [down])} if tiled else {278: (3, [10])}),
        (324 if tiled else 273): (16 if big else 4, [0] * len(packed)),
        (325 if tiled else 279): (4, [len(chunk) for chunk in packed]),
    }
    head, entry, inline = (16, 20, 8) if big else (8, 12, 4)
    directory_size = (8 if big else 2) + entry * len(tags) + (8 if big else 4)
    widths = {3: 2, 4: 4, 16: 8}
    values_size = sum(n for kind, values in tags.values() if (n := widths[kind] * len(values)) > inline)
    pixels_at = head if at_end else head + directory_size + values_size
    directory_at = head + sum(map(len, packed)) if at_end else head
    tags[324 if tiled else 273] = (
        16 if big else 4,
        [pixels_at + sum(map(len, packed[:index])) for index in range(len(packed))],
    )
    table, outside = struct.pack(order + ("Q" if big else "H"), len(tags)), b""
    for number, (kind, values) in sorted(tags.items()):
        raw = struct.pack(f"{order}{len(values)}{ {3: 'H', 4: 'I', 16: 'Q'}[kind] }", *values)
        if len(raw) > inline:
            where = directory_at + directory_size + len(outside)
            outside, raw = outside + raw, struct.pack(order + ("Q" if big else "I"), where)
        table += struct.pack(order + ("HHQ" if big else "HHI"), number, kind, len(values)) + raw.ljust(inline, b"\0")
    table += bytes(8 if big else 4) + outside
    mark = b"II" if order == "<" else b"MM"
    first = struct.pack(order + ("HHHQ" if big else "HI"), *((43, 8, 0) if big else (42,)), directory_at)
    return mark + first + (b"".join(packed) + table if at_end else table + b"".join(packed))


def _compressed(raw: bytes, compression: int) -> bytes:
    if compression == 8:
        return zlib.compress(raw)
    if compression == 32773:  # literal runs of PackBits
        runs = (raw[at : at + 128] for at in range(0, len(raw), 128))
        return b"".join(bytes([len(run) - 1]) + run for run in runs)
    return raw


# --------------------------------------------------------------------------------------------------------- changes

Span = tuple[int, int]


def segments(content: bytes) -> list[Span]:
    """Positions of the segments of a complete JPEG, markers included; its coded pixels are between them."""
    found, at = [], 2
    while content[at : at + 2] != b"\xff\xd9":
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        found.append((at, end))
        if content[at + 1] == 0xDA:
            while content[end] != 0xFF or content[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
        at = end
    return found


def _tiff_spans(content: bytes) -> list[Span]:
    """Header, and directory with its values: all but the pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(content))
    tags = image.tag_v2  # type: ignore[attr-defined]
    big = content[2] == 43 or content[3] == 43
    offsets = tags.get(273) or tags.get(324)
    begin, end = min(offsets), max(at + size for at, size in zip(offsets, tags.get(279) or tags.get(325), strict=True))
    return [
        span
        for span in ((0, min(begin, 16 if big else 8)), (min(16, begin), begin), (end, len(content)))
        if span[0] < span[1]
    ]


def _changed_bytes(content: bytes, spans: list[Span], rng: random.Random) -> tuple[str, bytes]:
    begin, end = rng.choice(spans)
    at = rng.randrange(begin, end)
    length = min(rng.choice((1, 1, 1, 2, 2, 4, 8)), end - at)
    old = content[at : at + length]
    value = rng.choice((b"\0" * length, b"\xff" * length, rng.randbytes(length)))
    change = rng.choice(("flip", "flip", "flip", "set", "set", "insert", "delete", "repeat"))
    new = {
        "flip": bytes([old[0] ^ 1 << rng.randrange(8)]) + old[1:],
        "set": value,
        "insert": value + old,
        "delete": b"",
        "repeat": old + old,
    }[change]
    return f"{change} {length} at {at}", content[:at] + new + content[at + length :]


def _cut(content: bytes, spans: list[Span], rng: random.Random) -> tuple[str, bytes]:
    at = rng.choice((rng.randrange(4, len(content)), len(content) - rng.randrange(1, 12)))
    if rng.random() < 0.4:
        return f"zeros from {at}", content[:at] + bytes(len(content) - at)
    return f"cut at {at}", content[:at]


def _appended(content: bytes, spans: list[Span], rng: random.Random) -> tuple[str, bytes]:
    preview = rng.choice([*jpeg_sources().values()])
    what, tail = rng.choice(
        (
            ("zeros", bytes(rng.randrange(1, 3000))),
            ("noise", rng.randbytes(rng.randrange(1, 3000))),
            ("a preview", preview),
            ("half a preview", preview[: len(preview) // 2]),
        )
    )
    at = rng.choice((len(content), rng.randrange(len(content) // 4, len(content))))
    between = rng.choice((b"", b"", b"\0" * rng.randrange(9), b"\xff"))
    return f"{at} of {len(content)} kept, {what} appended", content[:at] + between + tail


def _moved_segment(content: bytes, spans: list[Span], rng: random.Random) -> tuple[str, bytes]:
    parts = [content[begin:end] for begin, end in spans]
    at = rng.randrange(len(parts))
    change = rng.choice(("drop", "repeat", "swap", "unmark", "garbage"))
    if change == "drop":
        del parts[at]
    elif change == "repeat":
        parts.insert(rng.randrange(len(parts) + 1), parts[at])
    elif change == "swap":
        other = rng.randrange(len(parts))
        parts[at], parts[other] = parts[other], parts[at]
    elif change == "unmark":
        parts[at] = parts[at][1:]
    else:
        parts.insert(at, rng.choice((bytes(2), rng.randbytes(3), b"\xff" * 3, b"\xff\0", b"\xff\xd3")))
    return f"{change} segment {at}", content[:2] + b"".join(parts) + content[spans[-1][1] :]


def _changed_entry(content: bytes, spans: list[Span], rng: random.Random) -> tuple[str, bytes]:
    """Mutate the directory: drop, repeat or exchange an entry, or change its number, type, count or value."""
    order = "<" if content[:2] == b"II" else ">"
    big = 43 in content[2:4]
    size, count_format, offset_format = (20, "Q", "Q") if big else (12, "H", "I")
    (at,) = struct.unpack_from(order + offset_format, content, 8 if big else 4)
    (count,) = struct.unpack_from(order + count_format, content, at)
    table_at = at + struct.calcsize(count_format) if not big else at + 8
    entries = [content[table_at + index * size :][:size] for index in range(count)]
    index = rng.randrange(count)
    tag = struct.unpack_from(order + "H", entries[index])[0]
    change = rng.choice(("drop", "repeat", "swap", "tag", "type", "type", "count", "value", "value"))
    entry = bytearray(entries[index])
    some = rng.choice((0, 1, 2, 3, 5, 7, 100, 1000, 65535, rng.randrange(1 << 16)))
    if change == "drop":
        entries[index] = struct.pack(order + "HH", rng.choice((0, 65000)), 1).ljust(size, b"\0")
    elif change == "repeat":
        entries[rng.randrange(count)] = entries[index]
    elif change == "swap":
        other = rng.randrange(count)
        entries[index], entries[other] = entries[other], entries[index]
    else:
        where, code = {
            "tag": (0, "H"),
            "type": (2, "H"),
            "count": (4, offset_format),
            "value": (size - 8 if big else 8, offset_format),
        }[change]
        new = some if change != "type" else rng.randrange(1, 19)
        if change == "value" and rng.random() < 0.5:
            new = max(0, struct.unpack_from(order + code, entry, where)[0] + rng.randrange(-40, 40))
        struct.pack_into(order + code, entry, where, new)
        entries[index] = bytes(entry)
    return f"{change} of entry {tag}", content[:table_at] + b"".join(entries) + content[table_at + count * size :]


_Change = Callable[[bytes, list[Span], random.Random], tuple[str, bytes]]
_JPEG_CHANGES: tuple[_Change, ...] = (_changed_bytes, _changed_bytes, _moved_segment, _cut, _appended)
_TIFF_CHANGES: tuple[_Change, ...] = (_changed_bytes, _changed_entry, _changed_entry, _cut, _appended)


@cache
def _spans(source: str) -> list[Span]:
    return _tiff_spans(tiff_sources()[source]) if source.startswith("tiff") else _header_spans(jpeg_sources()[source])


def _header_spans(content: bytes) -> list[Span]:
    """The segments without the coded pixels that follow scans."""
    spans = []
    for begin, _ in segments(content):
        spans.append((begin, begin + 2 + int.from_bytes(content[begin + 2 : begin + 4], "big")))
    return spans


def mutants(count: int, seed: int = 1) -> Iterator[Mutant]:
    """The same mutants for the same seed, half of them JPEGs."""
    rng = random.Random(seed)
    jpegs, tiffs = sorted(jpeg_sources()), sorted(tiff_sources())
    for number in range(count):
        sources, names, changes = (
            (jpeg_sources(), jpegs, _JPEG_CHANGES) if number % 2 else (tiff_sources(), tiffs, _TIFF_CHANGES)
        )
        name = rng.choice(names)
        change = rng.choice(changes)
        spans = segments(sources[name]) if change is _moved_segment else _spans(name)
        said, content = change(sources[name], spans, rng)
        yield Mutant(name, said, content)


# ---------------------------------------------------------------------------------------------------------- judges


class NotJudged(Exception):
    pass


def decodes(mutant: Mutant) -> bool:
    """Raises NotJudged."""
    if mutant.suffix == ".jpg":
        return _pillow_decodes(mutant.content)
    own = _pillow_decodes(mutant.content)
    TiffImagePlugin.READ_LIBTIFF = True
    try:
        by_libtiff = _pillow_decodes(mutant.content)
    finally:
        TiffImagePlugin.READ_LIBTIFF = False
    if own != by_libtiff:
        raise NotJudged("one reader of Pillow decodes it, the other does not")
    return own


def _pillow_decodes(content: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, _MOST_PIXELS
        try:
            plugin = JpegImagePlugin.JpegImageFile if content[:2] == b"\xff\xd8" else TiffImagePlugin.TiffImageFile
            image: Image.Image = plugin(io.BytesIO(content))
            if image.width * image.height > _MOST_PIXELS:
                raise NotJudged("too many pixels")
            image.load()
        except SyntaxError as error:
            if str(error.msg).startswith(("cannot handle", "unknown pixel mode", "unknown data organization")):
                raise NotJudged("a kind of pixels that Pillow does not show") from error
            return False
        except NotJudged:
            raise
        except Exception:
            return False
        finally:
            Image.MAX_IMAGE_PIXELS = before
    return True


def refusal(mutant: Mutant, path: Path) -> str:
    """Why intake refuses it; empty if it is accepted."""
    path.write_bytes(mutant.content)
    try:
        inspect_image(str(path))
    except SourceRefused as refused:
        return str(refused)
    return ""


def campaign(count: int, seed: int = 1) -> Outcome:
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        for mutant in mutants(count, seed):
            _compare(mutant, refusal(mutant, Path(folder) / f"a{mutant.suffix}"), outcome)
    return outcome


def _compare(mutant: Mutant, refused: str, outcome: Outcome) -> None:
    try:
        whole = decodes(mutant)
    except NotJudged as not_judged:
        outcome.not_judged[str(not_judged)] += 1
        return
    if "several pages" in refused:
        outcome.not_judged["a page or pyramid, which the service does not take"] += 1
    elif whole == (not refused):
        outcome.agreed["passed" if whole else "refused"] += 1
    elif whole and ("ends too early" in refused or "the file ends after" in refused):
        outcome.not_judged["zeros or noise instead of the end marker, which Pillow reads as pixels"] += 1
    elif mutant.suffix == ".tif" and (reason := _beyond_the_judges(mutant, whole)):
        outcome.not_judged[reason] += 1
    elif whole:
        outcome.refused_though_it_decodes.append((mutant, refused))
    else:
        outcome.passed_though_it_does_not.append((mutant, refused))


def _beyond_the_judges(mutant: Mutant, whole: bool) -> str:
    """Why the verdict of the decoders on a TIFF does not count; empty if it does."""
    if mutant.change.startswith("cut at"):
        return ""
    reader = TiffReader(io.BytesIO(mutant.content), 0, len(mutant.content))
    entries = reader.first_directory().entries
    offsets = max(entries[tag].count for tag in (273, 324, 256) if tag in entries)
    true = 6 if "tiles" in mutant.source else 3
    if whole:
        return "fewer offsets than strips: Pillow and libtiff show something" if offsets < true else ""
    if any(entries[tag].type in (1, 17, 18) for tag in _SINGLE_NUMBERS if tag in entries):
        return "numbers of a type that libtiff takes and Pillow does not"
    if offsets > true:
        return "more offsets than strips"
    mutated, original = _coding(mutant.content), _coding(tiff_sources()[mutant.source])
    # Compressed, or said to be coded in another way than it is.
    return "only decompressing shows it" if mutated != original or mutated[259] not in ((), (1,)) else ""


def _coding(content: bytes) -> dict[int, tuple[int, ...] | None]:
    """None for anything outside the file."""
    reader = TiffReader(io.BytesIO(content), 0, len(content))
    directory = reader.first_directory()
    found: dict[int, tuple[int, ...] | None] = {}
    for tag in _CODING_TAGS:
        try:
            found[tag] = reader.whole_numbers(directory, tag)
        except NotTiff:
            found[tag] = None
    return found


def main() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libtiff says there what it thinks of each file
    outcome = campaign(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print("agreed:", dict(outcome.agreed))
    print("not judged:", dict(outcome.not_judged))
    for what, found in (
        ("refused though it decodes", outcome.refused_though_it_decodes),
        ("passed though it does not", outcome.passed_though_it_does_not),
    ):
        print(f"{what}: {len(found)}")
        for mutant, said in found[:40]:
            print(f"  {mutant.source}: {mutant.change}: {said}")


if __name__ == "__main__":
    main()
