"""Decide whether a JPEG decoder accepts a sequence of segments, by the state that it keeps of them.

It gives up where libjpeg-turbo 3 does, the decoder of nearly every program: what that one reads with a warning is no
reason to refuse a photo. The values of pixels are never decoded.

Source: ITU-T T.81, annex B; jdmarker.c, jdinput.c, jdhuff.c, jdphuff.c and jdsample.c of libjpeg-turbo 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DHT, DAC, SOS, DQT, DRI = 0xC4, 0xCC, 0xDA, 0xDB, 0xDD
FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA})
"""Start-of-frame markers of the processes that decoders support; the others are for hierarchical images."""

_PROGRESSIVE, _LOSSLESS, _ARITHMETIC = frozenset({0xC2, 0xCA}), frozenset({0xC3}), frozenset({0xC9, 0xCA})
_LONGEST_SIDE = 65500
_MOST_COMPONENTS, _MOST_IN_SCAN = 10, 4
_MOST_SAMPLING, _MOST_BLOCKS = 4, 10
_TABLES = 4
_ALL_COEFFICIENTS = 63


class Undecodable(ValueError):
    """A decoder cannot continue after this segment."""


@dataclass(frozen=True, slots=True)
class _Component:
    name: int
    horizontal: int
    """Sampling factors."""
    vertical: int
    quantization: int


@dataclass(frozen=True, slots=True)
class Frame:
    marker: int
    precision: int
    width: int
    height: int
    components: tuple[_Component, ...]

    @property
    def lossless(self) -> bool:
        return self.marker in _LOSSLESS

    @property
    def progressive(self) -> bool:
        return self.marker in _PROGRESSIVE

    @property
    def arithmetic(self) -> bool:
        return self.marker in _ARITHMETIC


@dataclass(frozen=True, slots=True)
class _Scan:
    components: tuple[_Component, ...]
    tables: tuple[tuple[int, int], ...]
    """Numbers of the DC and the AC table of each component."""
    first: int
    """The first and the last coefficient in the scan."""
    last: int
    high: int
    """Bits given by earlier scans, and the lowest bit given by this one."""
    low: int


class Decoder:
    """Receives the segments of one image in order."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self.restarts_in_scan = 0
        """Restart markers inside the current scan."""
        self._restart_interval = 0
        """MCUs between two restart markers; 0 for no such markers."""
        self._scans = 0
        self._several_scans = False
        self._quantization: set[int] = set()
        self._latched: set[_Component] = set()
        """Components whose quantization table was defined when their first scan began."""
        self._huffman: dict[tuple[bool, int], int] = {}
        """The highest symbol by (is it an AC table, its number); -1 if the table is not a code tree."""

    @property
    def in_only_scan(self) -> bool:
        """Whether the current scan has all pixels: they follow from the top of the picture to its bottom."""
        return self._scans == 1 and not self._several_scans

    def take(self, marker: int, body: bytes) -> None:
        """Read a segment whose content is `body`, without its length. Raises Undecodable."""
        if marker in FRAMES:
            self._take_frame(marker, body)
        elif marker == SOS:
            self._take_scan(body)
        elif marker == DHT:
            self._take_huffman(body)
        elif marker == DQT:
            self._take_quantization(body)
        elif marker == DAC:
            _check_arithmetic(body)
        elif marker == DRI:
            _require(len(body) == 2, "a restart interval of another length")
            self._restart_interval = int.from_bytes(body, "big")

    def _take_frame(self, marker: int, body: bytes) -> None:
        _require(self.frame is None, "two frames")
        _require(len(body) >= 6 and len(body) == 6 + 3 * body[5], "a frame of another length")
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        _require(0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE, f"{width} x {height} pixels")
        components = tuple(
            _Component(body[at], body[at + 1] >> 4, body[at + 1] & 15, body[at + 2]) for at in range(6, len(body), 3)
        )
        _require(0 < len(components) <= _MOST_COMPONENTS, f"{len(components)} components")
        self.frame = Frame(marker, body[0], width, height, components)
        _require(body[0] in (range(2, 17) if self.frame.lossless else (8, 12)), f"{body[0]} bits a sample")
        across, down = ({getattr(each, way) for each in components} for way in ("horizontal", "vertical"))
        for factors in across, down:
            _require(min(factors) > 0 and max(factors) <= _MOST_SAMPLING, "impossible sampling")
            _require(all(max(factors) % factor == 0 for factor in factors), "fractional sampling")

    def _take_scan(self, body: bytes) -> None:
        frame = self.frame
        if frame is None:
            raise Undecodable("a scan without a frame")
        scan = _scan(frame, body)
        self._scans += 1
        if self._scans == 1:
            self._several_scans = frame.progressive or len(scan.components) < len(frame.components)
        _require(self._scans == 1 or self._several_scans, "a scan after the only one")
        if len(scan.components) > 1:
            blocks = sum(each.horizontal * each.vertical for each in scan.components)
            _require(blocks <= _MOST_BLOCKS, "more blocks in an MCU than there may be")
        if not frame.lossless:
            for component in scan.components:
                known = component in self._latched or component.quantization in self._quantization
                _require(known, "no quantization table")
                self._latched.add(component)
        _check_coefficients(frame, scan)
        if not frame.arithmetic:
            self._check_huffman(frame, scan)
        self.restarts_in_scan = (_units(frame, scan) - 1) // self._restart_interval if self._restart_interval else 0

    def _check_huffman(self, frame: Frame, scan: _Scan) -> None:
        """Whether the tables of the scan are defined."""
        uses_dc = frame.lossless or not frame.progressive or (scan.first == 0 and scan.high == 0)
        uses_ac = not frame.lossless and (not frame.progressive or scan.first > 0)
        highest_dc = 16 if frame.lossless else 15
        sequential = not frame.lossless and not frame.progressive
        for dc, ac in scan.tables:
            for used, is_ac, number, highest in ((uses_dc, False, dc, highest_dc), (uses_ac, True, ac, 255)):
                # Frames of Motion JPEG come without the usual tables.
                usual = 0 if sequential and number < 2 else -1
                symbol = self._huffman.get((is_ac, number), usual)
                _require(not used or 0 <= symbol <= highest, "no Huffman table")

    def _take_huffman(self, body: bytes) -> None:
        at = 0
        while len(body) - at > 16:
            kind, counts = body[at], body[at + 1 : at + 17]
            symbols = body[at + 17 : at + 17 + sum(counts)]
            _require(sum(counts) <= 256 and len(symbols) == sum(counts), "a Huffman table without its symbols")
            is_ac, number = bool(kind & 0x10), kind & ~0x10
            _require(number < _TABLES, "a Huffman table of an unknown number")
            self._huffman[is_ac, number] = max(symbols, default=0) if _is_code_tree(counts) else -1
            at += 17 + len(symbols)
        _require(at == len(body), "Huffman tables of another length")

    def _take_quantization(self, body: bytes) -> None:
        at = 0
        while at < len(body):
            precision, number = body[at] >> 4, body[at] & 15
            _require(number < _TABLES, "a quantization table of an unknown number")
            self._quantization.add(number)
            at += 129 if precision else 65
        _require(at == len(body), "quantization tables of another length")


def _scan(frame: Frame, body: bytes) -> _Scan:
    count = body[0] if body else 0
    _require(1 <= count <= _MOST_IN_SCAN and len(body) == 4 + 2 * count, "a scan of another length")
    candidates = frame.components[:_MOST_IN_SCAN]
    chosen: list[int] = []
    for at in range(1, 1 + 2 * count, 2):
        # As libjpeg does: of components of the same name, one behind those that the scan has so far.
        found = (i for i, each in enumerate(candidates) if each.name == body[at] and i >= len(chosen))
        index = next(found, -1)
        _require(index >= 0 and index not in chosen, "a scan of an unknown component")
        chosen.append(index)
    return _Scan(
        tuple(candidates[index] for index in chosen),
        tuple((body[at] >> 4, body[at] & 15) for at in range(2, 2 + 2 * count, 2)),
        body[-3],
        body[-2],
        body[-1] >> 4,
        body[-1] & 15,
    )


def _units(frame: Frame, scan: _Scan) -> int:
    """MCUs of a scan (T.81, A.2)."""
    most_across, most_down = (
        max(each.horizontal for each in frame.components),
        max(each.vertical for each in frame.components),
    )
    only = scan.components[0] if len(scan.components) == 1 else None
    across, down = (only.horizontal, only.vertical) if only else (1, 1)
    side = 1 if frame.lossless else 8
    return -(-frame.width * across // (side * most_across)) * -(-frame.height * down // (side * most_down))


def _check_coefficients(frame: Frame, scan: _Scan) -> None:
    if frame.lossless:
        fitting = 1 <= scan.first <= 7 and scan.last == 0 and scan.high == 0 and scan.low < frame.precision
        _require(fitting, "an unknown predictor")
    if not frame.progressive:
        return  # many encoders write zeros here
    if scan.first == 0:
        _require(scan.last == 0, "DC and AC in one scan")
    else:
        _require(scan.first <= scan.last <= _ALL_COEFFICIENTS, "impossible coefficients")
        _require(len(scan.components) == 1, "AC of several components in one scan")
    _require(scan.high == 0 or scan.low == scan.high - 1, "bits left out")
    _require(scan.low <= 13, "bits that no coefficient has")


def _check_arithmetic(body: bytes) -> None:
    _require(len(body) % 2 == 0, "arithmetic conditioning of another length")
    for index, value in zip(body[::2], body[1::2], strict=True):
        _require(index < 32, "arithmetic conditioning of an unknown table")
        _require(index >= 16 or value & 15 <= value >> 4, "impossible arithmetic conditioning")


def _is_code_tree(counts: Sequence[int]) -> bool:
    """Whether so many codes of 1, 2, ... bits form a prefix code without one of all ones (T.81, C.2)."""
    code = 0
    for bits, count in enumerate(counts, 1):
        code += count
        if code >= 1 << bits:
            return False
        code <<= 1
    return True


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Undecodable(otherwise)
