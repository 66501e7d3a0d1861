"""From the bytes of a keyboard to whole keys, escape sequences and pastes, however the line has cut them.

A slow line delivers an escape sequence in pieces, seconds apart. A piece must never be taken for keys: half a mouse
report would press digits and letters, half an arrow would press Esc. So an unfinished sequence waits for its rest, and
is dropped when that does not come; a paste that never ends is ended. Nothing here reads a clock or a file.
"""

from __future__ import annotations

import codecs
import re

import msgspec

ESCAPE_WAIT = 0.15
"""Seconds after which an ESC alone is the Esc key."""
SEQUENCE_WAIT = 2.0
"""Seconds that an unfinished sequence is held, from its first byte."""
PASTE_WAIT = 3.0
"""Seconds of silence after which an open paste is over."""
PASTE_LIMIT = 1024 * 1024
"""Bytes kept of one paste."""
PASTE_CUT = "\n… the rest of this paste was left out: it is longer than 1 MiB"
"""How the text of a paste ends that was longer than that."""

# How long the rest of something that was given up is still known as such. A lost packet is sent again after 1, 2, 4 s.
_LATE = 10.0
LONGEST_SEQUENCE = 32
"""Characters of the longest sequence that means anything; Textual replays longer ones as keys (_xterm_parser.py)."""

_ESC = 0x1B
_PASTE_START, _PASTE_END = b"\x1b[200~", b"\x1b[201~"
_STRINGS, _STRING_END = frozenset(b"]PX^_"), ord("\\")
# Alt+Backspace, which deletes a word and does not leave the field, and Shift+Tab of some terminals.
_NO_KEY_AFTER_ESC = frozenset(b"\b\x7f\t") | {_STRING_END}
# ECMA-48, 5.4: parameters, intermediate bytes, one final byte.
_CSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_CSI_SO_FAR = re.compile(rb"\x1b\[[0-?]*[ -/]*")
# rxvt ends shifted keys with a dollar sign, which ECMA-48 has as an intermediate byte; answers about modes have a
# question mark and go on.
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
    """What was pasted at once; ends with PASTE_CUT if there was more."""

    text: str


Piece = Typed | Escape | Sequence | Pasted


class InputStream:
    """`feed` it bytes as they come; when `deadline` passes without any, `tick` it."""

    def __init__(self) -> None:
        self._tail = b""
        """The beginning of a sequence."""
        self._since = 0.0
        """When the tail began, or when the last byte of a paste came."""
        self._paste: bytearray | None = None
        self._paste_is_cut = False
        self._given_up = b""
        """The beginning of a sequence whose rest may come late."""
        self._given_up_at = 0.0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def deadline(self) -> float | None:
        """When to `tick` if nothing comes before; None if nothing is unfinished."""
        if self._paste is not None:
            return self._since + PASTE_WAIT
        if not self._tail:
            return None
        return self._since + (ESCAPE_WAIT if self._tail == b"\x1b" else SEQUENCE_WAIT)

    def feed(self, data: bytes, now: float) -> list[Piece]:
        """What `data` completes. `now` is the time at which it came."""
        if self._given_up:
            self._resume(data, now)
        pieces: list[Piece] = []
        buffer, held = self._tail + data, len(self._tail)
        self._tail = b""
        begun = at = 0
        while at < len(buffer):
            begun, at = at, self._step(buffer, at, pieces)
        if self._paste is not None or begun or not held:  # else it is still the sequence that began before
            self._since = now
        return pieces

    def tick(self, now: float) -> list[Piece]:
        """What has waited long enough: Esc, or the part of a paste that came. Sequences are dropped."""
        if self.deadline is None or now < self.deadline:
            return []
        tail, self._tail = self._tail, b""
        self._given_up, self._given_up_at = tail or _PASTE_START, now
        if self._paste is not None:
            return [self._finished_paste()]
        return [Escape()] if tail == b"\x1b" else []

    def _step(self, buffer: bytes, at: int, pieces: list[Piece]) -> int:
        """Take one thing from `buffer`, and return where the next one begins."""
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
            room = PASTE_LIMIT - len(self._paste)
            self._paste += data[:room]
            self._paste_is_cut |= len(data) > room

    def _finished_paste(self) -> Pasted:
        cut, self._paste_is_cut = self._paste_is_cut, False
        # A character that the limit has cut in two is left out as well.
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(bytes(self._paste or b""), final=not cut).replace("\0", "")
        self._paste = None
        return Pasted(text + PASTE_CUT if cut else text)

    def _resume(self, data: bytes, now: float) -> None:
        """Take up again what was given up, if `data` is its rest: what was sent does come, only late."""
        given_up, self._given_up = self._given_up, b""
        if now - self._given_up_at > _LATE:
            return
        if given_up == _PASTE_START:
            if _PASTE_END in data.partition(_PASTE_START)[0]:
                self._paste = bytearray()
        elif _is_late_rest(given_up, data):
            self._tail, self._since = given_up, now


def _is_late_rest(given_up: bytes, data: bytes) -> bool:
    """Whether `data` goes on where `given_up` ended. One byte alone is a key, where a person may have pressed it."""
    if given_up == b"\x1b":
        return data.startswith(b"[") and len(data) > 1
    if not given_up.startswith(b"\x1b["):
        return False
    mouse = given_up.startswith(b"\x1b[<") and data[:1] in (b"M", b"m")
    return mouse or data.startswith(b"~") or (data[0] in _PARAMETERS and len(data) > 1)


def sequence_end(buffer: bytes, at: int) -> tuple[int, bool]:
    """Where the sequence that begins at `at` ends, and whether it is whole.

    One that is not whole ends with the buffer, and may go on; or before it, where a byte has broken it off.
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
    # Alt with a key sends just what Esc and that key send, and no key of the app has Alt: whoever types fast after Esc
    # means both, and Enter above all must not confirm what Esc has left.
    return (at + 2, True) if introducer in _NO_KEY_AFTER_ESC else (at + 1, False)


def _csi_end(buffer: bytes, at: int) -> tuple[int, bool]:
    kind = buffer[at + 2 : at + 3]
    if kind in (b"M", b"["):  # a mouse report of three raw bytes; F1 to F5 of the Linux console, one letter
        end = at + (6 if kind == b"M" else 4)
        return (end, True) if len(buffer) >= end else (len(buffer), False)
    whole = _RXVT_KEY.match(buffer, at) or _CSI.match(buffer, at)
    return (whole.end(), True) if whole else (_matched_end(_CSI_SO_FAR, buffer, at), False)


def _string_end(buffer: bytes, at: int) -> tuple[int, bool]:
    """OSC, DCS and their like end with ST; OSC also with BEL, as xterm's do."""
    ends = [end + 2 for end in (buffer.find(b"\x1b\\", at + 2),) if end >= 0]
    if buffer[at + 1] == ord("]"):
        ends += [end + 1 for end in (buffer.find(b"\a", at + 2),) if end >= 0]
    return (min(ends), True) if ends else (len(buffer), False)


def _matched_end(pattern: re.Pattern[bytes], buffer: bytes, at: int) -> int:
    found = pattern.match(buffer, at)
    return found.end() if found else at + 1


def _bounded(tail: bytes) -> bytes:
    """What has to be kept of an unfinished sequence, which may never end.

    Of a long string its kind and its last byte; of anything else enough to know that it is too long.
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
    """A mouse report of the old kind in the new kind's words; nothing if its bytes make no sense.

    Both kinds: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html#h2-Mouse-Tracking. The old kind adds 32
    to button, column and row, and does not say which button was released.
    """
    button, column, row = (byte - 32 for byte in report[3:6])
    if button < 0 or column < 1 or row < 1:
        return ""
    released = button & 3 == 3 and not button & 0x60
    return f"\x1b[<{button & ~3 if released else button};{column};{row}{'m' if released else 'M'}"
