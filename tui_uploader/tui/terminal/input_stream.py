"""Turn keyboard bytes into whole keys, escape sequences and pastes, however the connection has split them.

A slow connection delivers an escape sequence in pieces, seconds apart. A piece must never count as keys: half a mouse
report would press digits and letters, half an arrow would press Esc. So an unfinished sequence waits for its rest, and
is dropped if that does not come; a paste that never ends is ended. Nothing here reads a clock or a file.
"""

from __future__ import annotations

import codecs
import re

import msgspec

ESCAPE_WAIT = 0.15
"""Seconds after which a lone ESC is the Esc key."""
SEQUENCE_WAIT = 2.0
"""Seconds that an unfinished sequence is kept, from its first byte."""
PASTE_WAIT = 3.0
"""Seconds of silence after which an open paste is ended."""
PASTE_LIMIT = 1024 * 1024
"""Bytes kept of one paste."""
PASTE_CUT = "\n… the rest of this paste was cut off: it is longer than 1 MiB"
"""The end of the text of a longer paste."""

# How long the late rest of an abandoned sequence is still recognised. A lost packet is sent again after 1, 2, 4 s.
_LATE = 10.0
LONGEST_SEQUENCE = 32
"""Characters of the longest known sequence; Textual replays longer ones as keys (_xterm_parser.py)."""

_ESC = 0x1B
_PASTE_START, _PASTE_END = b"\x1b[200~", b"\x1b[201~"
_STRINGS, _STRING_END = frozenset(b"]PX^_"), ord("\\")
# Alt+Backspace, which deletes a word and does not leave the field, and Shift+Tab of some terminals.
_NO_KEY_AFTER_ESC = frozenset(b"\b\x7f\t") | {_STRING_END}
# ECMA-48, 5.4: parameters, intermediate bytes, one final byte.
_CSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_CSI_SO_FAR = re.compile(rb"\x1b\[[0-?]*[ -/]*")
# rxvt ends shifted keys with a dollar sign, an intermediate byte in ECMA-48; answers about modes contain a question
# mark and are longer.
_RXVT_KEY = re.compile(rb"\x1b\[\d+\$")
_SS3 = re.compile(rb"\x1bO\d*[@-~]")
_SS3_SO_FAR = re.compile(rb"\x1bO\d*")
_PARAMETERS = frozenset(range(0x30, 0x40))


class Typed(msgspec.Struct, frozen=True):
    """One character: a key, or a key with Ctrl."""

    character: str


class Escape(msgspec.Struct, frozen=True):
    """The Esc key."""


class Sequence(msgspec.Struct, frozen=True):
    """A whole escape sequence: an arrow, the mouse, an answer of the terminal, Alt+Backspace."""

    text: str


class Pasted(msgspec.Struct, frozen=True):
    """A pasted text; ends with PASTE_CUT if it was longer."""

    text: str


Piece = Typed | Escape | Sequence | Pasted


class InputStream:
    """`feed` it bytes as they arrive; when `deadline` passes without any, `tick` it."""

    def __init__(self) -> None:
        self._tail = b""
        """The beginning of an unfinished sequence."""
        self._since = 0.0
        """When the tail began, or when the last byte of a paste arrived."""
        self._paste: bytearray | None = None
        self._paste_is_cut = False
        self._abandoned = b""
        """The beginning of a dropped sequence whose rest may still come."""
        self._abandoned_at = 0.0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def deadline(self) -> float | None:
        """When to `tick` unless more bytes arrive; None if nothing is unfinished."""
        if self._paste is not None:
            return self._since + PASTE_WAIT
        if not self._tail:
            return None
        return self._since + (ESCAPE_WAIT if self._tail == b"\x1b" else SEQUENCE_WAIT)

    def feed(self, data: bytes, now: float) -> list[Piece]:
        """The pieces that `data` completes. `now` is the time of its arrival."""
        if self._abandoned:
            self._resume(data, now)
        pieces: list[Piece] = []
        buffer, held = self._tail + data, len(self._tail)
        self._tail = b""
        begun = at = 0
        while at < len(buffer):
            begun, at = at, self._step(buffer, at, pieces)
        if self._paste is not None or begun or not held:  # otherwise the same sequence is still unfinished
            self._since = now
        return pieces

    def tick(self, now: float) -> list[Piece]:
        """The pieces that are due: Esc, or the part of a paste that arrived. Unfinished sequences are dropped."""
        if self.deadline is None or now < self.deadline:
            return []
        tail, self._tail = self._tail, b""
        self._abandoned, self._abandoned_at = tail or _PASTE_START, now
        if self._paste is not None:
            return [self._finished_paste()]
        return [Escape()] if tail == b"\x1b" else []

    def _step(self, buffer: bytes, at: int, pieces: list[Piece]) -> int:
        """Take one piece from `buffer`, and return where the next begins."""
        if self._paste is not None:
            return self._step_in_paste(buffer, at, pieces)
        if buffer[at] != _ESC:
            end = buffer.find(b"\x1b", at)
            end = len(buffer) if end < 0 else end
            pieces += map(Typed, self._decoder.decode(buffer[at:end]))
            return end
        pieces += map(Typed, self._decoder.decode(b"", final=True))
        end, whole = sequence_end(buffer, at)
        if not whole:
            if end == len(buffer):
                self._tail = _bounded(buffer[at:])
            elif end == at + 1:
                pieces.append(Escape())
            return end
        sequence = buffer[at:end]
        if sequence == _PASTE_START:
            self._paste = bytearray()
        elif sequence != _PASTE_END and sequence[1] not in (*_STRINGS, _STRING_END):
            pieces += _sequence(sequence)
        return end

    def _step_in_paste(self, buffer: bytes, at: int, pieces: list[Piece]) -> int:
        end = buffer.find(_PASTE_END, at)
        if end >= 0:
            self._keep(buffer[at:end])
            pieces.append(self._finished_paste())
            return end + len(_PASTE_END)
        held = next((n for n in range(len(_PASTE_END) - 1, 0, -1) if buffer.endswith(_PASTE_END[:n], at)), 0)
        end = len(buffer) - held
        self._keep(buffer[at:end])
        self._tail = buffer[end:]
        return len(buffer)

    def _keep(self, data: bytes) -> None:
        if self._paste is not None:
            left = PASTE_LIMIT - len(self._paste)
            self._paste += data[:left]
            self._paste_is_cut |= len(data) > left

    def _finished_paste(self) -> Pasted:
        cut, self._paste_is_cut = self._paste_is_cut, False
        # A character that was split by the limit is left out too.
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(bytes(self._paste or b""), final=not cut).replace("\0", "")
        self._paste = None
        return Pasted(text + PASTE_CUT if cut else text)

    def _resume(self, data: bytes, now: float) -> None:
        """Continue an abandoned sequence if `data` is its rest: TCP delivers it, only late."""
        abandoned, self._abandoned = self._abandoned, b""
        if now - self._abandoned_at > _LATE:
            return
        if abandoned == _PASTE_START:
            if _PASTE_END in data.partition(_PASTE_START)[0]:
                self._paste = bytearray()
        elif _is_late_rest(abandoned, data):
            self._tail, self._since = abandoned, now


def _is_late_rest(abandoned: bytes, data: bytes) -> bool:
    """Whether `data` continues `abandoned`. A single byte counts as a key, since the user may have pressed it."""
    if abandoned == b"\x1b":
        return data.startswith(b"[") and len(data) > 1
    if not abandoned.startswith(b"\x1b["):
        return False
    mouse = abandoned.startswith(b"\x1b[<") and data[:1] in (b"M", b"m")
    return mouse or data.startswith(b"~") or (data[0] in _PARAMETERS and len(data) > 1)


def sequence_end(buffer: bytes, at: int) -> tuple[int, bool]:
    """Where the sequence that begins at `at` ends, and whether it is whole.

    One that is not whole ends with the buffer, and may continue; or earlier, at a byte that cannot belong to it.
    """
    if len(buffer) == at + 1:
        return at + 1, False
    introducer = buffer[at + 1]
    if introducer == ord("["):
        return _csi_end(buffer, at)
    if introducer == ord("O"):
        whole = _SS3.match(buffer, at)
        return (whole.end(), True) if whole else (_matched_end(_SS3_SO_FAR, buffer, at), False)
    if introducer in _STRINGS:
        return _string_end(buffer, at)
    # Alt with a key sends the same bytes as Esc and that key, and no key of the app uses Alt: fast typing after Esc
    # means both keys, and Enter above all must not confirm a dialog that Esc has closed.
    return (at + 2, True) if introducer in _NO_KEY_AFTER_ESC else (at + 1, False)


def _csi_end(buffer: bytes, at: int) -> tuple[int, bool]:
    kind = buffer[at + 2 : at + 3]
    if kind in (b"M", b"["):  # a mouse report of three raw bytes; F1 to F5 of the Linux console, one letter
        end = at + (6 if kind == b"M" else 4)
        return (end, True) if len(buffer) >= end else (len(buffer), False)
    whole = _RXVT_KEY.match(buffer, at) or _CSI.match(buffer, at)
    return (whole.end(), True) if whole else (_matched_end(_CSI_SO_FAR, buffer, at), False)


def _string_end(buffer: bytes, at: int) -> tuple[int, bool]:
    """OSC, DCS and similar strings end with ST; OSC also with BEL, as in xterm."""
    ends = [end + 2 for end in (buffer.find(b"\x1b\\", at + 2),) if end >= 0]
    if buffer[at + 1] == ord("]"):
        ends += [end + 1 for end in (buffer.find(b"\a", at + 2),) if end >= 0]
    return (min(ends), True) if ends else (len(buffer), False)


def _matched_end(pattern: re.Pattern[bytes], buffer: bytes, at: int) -> int:
    found = pattern.match(buffer, at)
    return found.end() if found else at + 1


def _bounded(tail: bytes) -> bytes:
    """The part to keep of an unfinished sequence, which may never end.

    For a long string its kind and its last byte; for anything else enough to see that it is too long.
    """
    if tail[1:2] and tail[1] in _STRINGS:
        return tail[:2] + tail[2:][-1:]
    return tail[: LONGEST_SEQUENCE + 1]


def _sequence(sequence: bytes) -> list[Piece]:
    if len(sequence) > LONGEST_SEQUENCE:
        return []
    if sequence.startswith(b"\x1b[M"):
        report = _sgr_mouse_report(sequence)
        return [Sequence(report)] if report else []
    return [Sequence(sequence.decode(errors="replace"))]


def _sgr_mouse_report(report: bytes) -> str:
    """A mouse report of the old format in the new (SGR) format; empty if its bytes make no sense.

    Both formats: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html#h2-Mouse-Tracking. The old one adds
    32 to button, column and row, and does not state which button was released.
    """
    button, column, row = (byte - 32 for byte in report[3:6])
    if button < 0 or column < 1 or row < 1:
        return ""
    released = button & 3 == 3 and not button & 0x60
    return f"\x1b[<{button & ~3 if released else button};{column};{row}{'m' if released else 'M'}"
