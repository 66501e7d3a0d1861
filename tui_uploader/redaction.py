"""The secrets that this process knows, and how they are taken out of sentences.

A server may quote what it was sent: the client secret, a token, a storage credential, a proxy's password. Whoever
learns such a secret keeps it here, in a `Secrets`, and every sentence on its way to a person, a log or the journal goes
through `without_secrets`: all errors of `errors` do by themselves, and all lines of the engine's log.

A secret is found as it is, percent-encoded, as JSON or HTML writes it, in hexadecimal digits, and within the base64
text of anything (of `user:password`, or of a whole request), whatever the case of the letters. Of a long one, such as
a token, fragments of 16 bytes and more are found too. What is not found: a secret of less than four bytes, shorter
fragments, and what a server encrypts, compresses or spells out in words.
"""

from __future__ import annotations

import re
import sys
import threading
import weakref
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, cached_property
from types import TracebackType

REMOVED = "…"
"""What stands in a sentence instead of a secret."""

SHORTEST_ANYWHERE = 6
"""Bytes of a secret that is taken out wherever it stands."""
SHORTEST = 4
"""Bytes of a secret that is taken out as a whole word; a shorter one would take ordinary text apart, and so tell what
it is."""

_FRAGMENT = 16
_LONG = 3 * _FRAGMENT
_MOST_DECODINGS = 4


class Secrets:
    """Some secrets, for as long as this object lives. It lies beside the secrets in the value that has them."""

    def __init__(self, *secrets: str | None) -> None:
        self.secrets = frozenset(secret for secret in secrets if secret)
        _KNOWN.add(self)

    @cached_property
    def forms(self) -> Sequence[tuple[bytes, bool]]:
        """What to look for, in small letters, and whether it is taken out within a word too."""
        plain = [_bytes_of(secret) for secret in self.secrets]
        return [
            (form.lower(), len(secret) >= SHORTEST_ANYWHERE or len(form) > len(secret))
            for secret in plain
            for form in forms(secret)
        ]


class _Index:
    """All forms of some secrets, to be found in a text in one pass."""

    def __init__(self, wanted: Iterable[tuple[bytes, bool]]) -> None:
        self.by_start: dict[bytes, list[bytes]] = {}
        self.words: dict[bytes, list[bytes]] = {}
        self.fragments: dict[bytes, tuple[bytes, int]] = {}
        for form, anywhere in wanted:
            self._add(form, anywhere=anywhere)

    def _add(self, form: bytes, *, anywhere: bool) -> None:
        if anywhere and len(form) >= SHORTEST_ANYWHERE:
            self.by_start.setdefault(form[:SHORTEST_ANYWHERE], []).append(form)
        elif not anywhere and len(form) >= SHORTEST:
            self.words.setdefault(form[:SHORTEST], []).append(form)
        if len(form) >= _LONG:
            for offset in range(0, len(form) - _FRAGMENT + 1, _FRAGMENT):
                self.fragments.setdefault(form[offset : offset + _FRAGMENT], (form, offset))

    def found_in(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where forms begin and end in `data`."""
        low = data.lower()
        for at in _places(low, SHORTEST_ANYWHERE, self.by_start):
            for form in self.by_start[low[at : at + SHORTEST_ANYWHERE]]:
                if low.startswith(form, at):
                    yield at, at + len(form)
        for at in _places(low, SHORTEST, self.words):
            for form in self.words[low[at : at + SHORTEST]]:
                if low.startswith(form, at) and _is_word(low, at, at + len(form)):
                    yield at, at + len(form)
        done = 0
        for at in _places(low, _FRAGMENT, self.fragments):
            if at + _FRAGMENT > done:  # else a text of repetitions would be walked through once for each of them
                start, done = _widened(low, at, *self.fragments[low[at : at + _FRAGMENT]])
                yield start, done


def _places(text: bytes, length: int, beginnings: Collection[bytes]) -> list[int]:
    """Where one of `beginnings`, all of that length, stands in `text`. Nearly all of the time goes into this."""
    return [at for at in range(len(text) - length + 1) if text[at : at + length] in beginnings] if beginnings else []


class _Known:
    """All holders of the process. Log lines are written by any thread."""

    def __init__(self) -> None:
        self._holders: weakref.WeakSet[Secrets] = weakref.WeakSet()
        self._index: _Index | None = None
        self._lock = threading.Lock()

    def add(self, holder: Secrets) -> None:
        with self._lock:
            self._holders.add(holder)
            self._index = None

    def index(self) -> _Index:
        index = self._index
        if index is None:
            with self._lock:
                wanted = {form for holder in self._holders for form in holder.forms}
                index = self._index = _Index(wanted)
        return index


_KNOWN = _Known()


def without_secrets(text: str) -> str:
    """`text` with an ellipsis in the place of every secret that a `Secrets` of this process has."""
    index = _KNOWN.index()
    if not index.by_start and not index.words:
        return text
    spans = sorted(span for view in _views(text) for span in view.spans_of(index))
    if not spans:
        return text
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        if start >= done:
            pieces += (text[done:start], REMOVED)
        done = max(done, end)
    return "".join([*pieces, text[done:]])


def holds_secret(text: str) -> bool:
    return without_secrets(text) != text


# ---------------------------------------------------------------------------------------------------------- forms


def forms(secret: bytes) -> set[bytes]:
    """How a server may write `secret`, beyond escapes of single characters, which `_views` decodes."""
    from urllib.parse import quote, quote_plus  # what a process without secrets does not wait for

    found = {secret, secret.replace(b" ", b"+")}
    text = secret.decode("utf-8", "surrogateescape")
    escaped = (quote(text, safe="", errors="surrogateescape"), quote_plus(text, errors="surrogateescape"))
    for written in {secret, *(form.encode() for form in escaped)}:
        found |= {written.hex().encode(), *_base64_cores(written)}
    return found


def _base64_cores(data: bytes) -> Iterator[bytes]:
    """What every base64 text of something with `data` in it contains: by the three ways in which three bytes that
    become four letters may lie, without the letters at the ends that depend on what stands beside it."""
    import base64

    for before in range(3):
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = alphabet(bytes(before) + data).rstrip(b"=")
            whole = (before + len(data)) * 8 // 6
            yield encoded[-(-before * 8 // 6) : whole]


def _bytes_of(text: str) -> bytes:
    """UTF-8; what is no text becomes the bytes that it stands for."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _is_word(text: bytes, start: int, end: int) -> bool:
    return not text[max(0, start - 1) : start].isalnum() and not text[end : end + 1].isalnum()


def _widened(text: bytes, at: int, form: bytes, offset: int) -> tuple[int, int]:
    """From one aligned fragment of `form` to all of it that stands in `text`."""
    start, end = at, at + _FRAGMENT
    while start > 0 and offset > 0 and text[start - 1] == form[offset - 1]:
        start, offset = start - 1, offset - 1
    behind = offset + end - start
    while end < len(text) and behind < len(form) and text[end] == form[behind]:
        end, behind = end + 1, behind + 1
    return start, end


# ---------------------------------------------------------------------------------------------------------- views

_PERCENT = rb"%(?P<percent>[0-9a-f]{2})"
_BACKSLASH = rb"""
      (?-i:\\u)(?P<high>d[89ab][0-9a-f]{2})(?-i:\\u)(?P<low>d[c-f][0-9a-f]{2})
    | (?-i:\\u)(?P<u>[0-9a-f]{4})
    | (?-i:\\U)(?P<U>[0-9a-f]{8})
    | \\x(?P<x>[0-9a-f]{2})
    | \\(?P<escaped>["'\\/bfnrt])
    """
_HTML = rb"""
      &\#x0*(?P<hexadecimal>[0-9a-f]{1,6});
    | &\#0*(?P<decimal>[0-9]{1,7});
    | &(?P<named>amp|lt|gt|quot|apos);
    """
_NAMED = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_CONTROL = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


@cache
def _encodings() -> Sequence[re.Pattern[bytes]]:
    return [re.compile(escapes, re.VERBOSE | re.IGNORECASE) for escapes in (_PERCENT, _BACKSLASH, _HTML)]


class _View:
    """A text as bytes, perhaps decoded, and which characters of the text each byte comes from."""

    def __init__(self, data: bytes, starts: list[int], ends: list[int]) -> None:
        self.data = data
        self._starts = starts
        self._ends = ends

    @classmethod
    def of(cls, text: str) -> _View:
        if text.isascii():
            return cls(text.encode(), list(range(len(text))), list(range(1, len(text) + 1)))
        encoded = [_bytes_of(character) for character in text]
        origins = [at for at, piece in enumerate(encoded) for _ in piece]
        return cls(b"".join(encoded), origins, [at + 1 for at in origins])

    def spans_of(self, index: _Index) -> Iterator[tuple[int, int]]:
        for start, end in index.found_in(self.data):
            yield self._starts[start], self._ends[end - 1]

    def decoded(self, escapes: re.Pattern[bytes], *, x_is_byte: bool) -> _View | None:
        """Undo one level of one encoding; None where the text has no escapes of it.

        `\\xe9` is a byte to some, and to others the character of that number.
        """
        data = bytearray()
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for escape in escapes.finditer(self.data):
            data += self.data[done : escape.start()]
            starts += self._starts[done : escape.start()]
            ends += self._ends[done : escape.start()]
            meant = _meaning(escape, x_is_byte=x_is_byte)
            data += meant
            starts += [self._starts[escape.start()]] * len(meant)
            ends += [self._ends[escape.end() - 1]] * len(meant)
            done = escape.end()
        if done == 0:
            return None
        return _View(
            bytes(data) + self.data[done:],
            starts + self._starts[done:],
            ends + self._ends[done:],
        )


def _views(text: str) -> Iterator[_View]:
    """The text, and what it may stand for: up to `_MOST_DECODINGS` encodings undone, one after another, in any order.

    One encoding at a time, because a secret may itself hold what another encoding would take for an escape.
    """
    whole = _View.of(text)
    seen = {whole.data}
    views = [whole]
    for _ in range(_MOST_DECODINGS + 1):
        yield from views
        deeper = []
        for view in views:
            for escapes in _encodings():
                for x_is_byte in (True, False) if b"\\x" in view.data.lower() else (True,):
                    decoded = view.decoded(escapes, x_is_byte=x_is_byte)
                    if decoded is not None and decoded.data not in seen:
                        seen.add(decoded.data)
                        deeper.append(decoded)
        views = deeper


def _meaning(escape: re.Match[bytes], *, x_is_byte: bool) -> bytes:
    kind, value = escape.lastgroup, escape[escape.lastgroup or 0]
    match kind:
        case "percent":
            return bytes([int(value, 16)])
        case "x":
            return bytes([int(value, 16)]) if x_is_byte else _character(int(value, 16))
        case "low":
            high, low = int(escape["high"], 16), int(value, 16)
            return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)).encode()
        case "u" | "U" | "hexadecimal":
            return _character(int(value, 16))
        case "decimal":
            return _character(int(value))
        case "named":
            return _NAMED[value.lower()]
        case _:
            return _CONTROL.get(value.lower(), value)


def _character(code: int) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass") if code <= sys.maxunicode else b""


# --------------------------------------------------------------------------------------------------------- faults


def shown_traceback(error: BaseException) -> str:
    """What the interpreter would print of `error`, without secrets."""
    import traceback  # for faults alone

    return without_secrets("".join(traceback.format_exception(error)))


def guard_tracebacks() -> None:
    """Take secrets out of what the interpreter prints of faults that nobody handles, in any thread."""

    def of_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(shown_traceback(error))

    def of_thread(unhandled: threading.ExceptHookArgs) -> None:
        if unhandled.exc_type is not SystemExit and unhandled.exc_value is not None:
            sys.stderr.write(shown_traceback(unhandled.exc_value))

    sys.excepthook = of_main
    threading.excepthook = of_thread
