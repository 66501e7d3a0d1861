"""Remove the secrets that this process knows from text.

A server may quote what it was sent: the client secret, a token, storage credentials, a proxy password. Code that
obtains such a secret registers it in a `Secrets`. All text for users, logs and the journal passes `without_secrets`;
the errors of `errors` and the engine's log do so automatically.

A secret is found plain, percent-encoded, escaped as in JSON or HTML, in hexadecimal digits, and inside the base64 text
of anything (of `user:password`, or of a whole request), regardless of case. Of a long secret, such as a token,
fragments of 16 bytes and more are found too. Not found: secrets of less than four bytes, shorter fragments, and secrets
that a server encrypts, compresses or paraphrases.
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
"""The replacement for a secret."""

SHORTEST_ANYWHERE = 6
"""Bytes of the shortest secret that is removed anywhere, even inside a word."""
SHORTEST = 4
"""Bytes of the shortest secret that is removed as a whole word. A shorter one would match ordinary text, and the gaps
would reveal it."""

_FRAGMENT = 16
_LONG = 3 * _FRAGMENT
_MAX_DECODINGS = 4


class Secrets:
    """Registers secrets for redaction for as long as this object lives. Keep it beside the secrets it registers."""

    def __init__(self, *secrets: str | None) -> None:
        self.secrets = frozenset(secret for secret in secrets if secret)
        _REGISTRY.add(self)

    @cached_property
    def forms(self) -> Sequence[tuple[bytes, bool]]:
        """The encoded forms to search for, in lower case, each with whether it is removed inside a word too."""
        plain = [_bytes_of(secret) for secret in self.secrets]
        return [
            (form.lower(), len(secret) >= SHORTEST_ANYWHERE or len(form) > len(secret))
            for secret in plain
            for form in forms(secret)
        ]


class _Index:
    """An index over the forms of all secrets, to search a text in one pass."""

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
        """The start and end of each form in `data`."""
        low = data.lower()
        for at in _occurrences(low, SHORTEST_ANYWHERE, self.by_start):
            for form in self.by_start[low[at : at + SHORTEST_ANYWHERE]]:
                if low.startswith(form, at):
                    yield at, at + len(form)
        for at in _occurrences(low, SHORTEST, self.words):
            for form in self.words[low[at : at + SHORTEST]]:
                if low.startswith(form, at) and _is_word(low, at, at + len(form)):
                    yield at, at + len(form)
        done = 0
        for at in _occurrences(low, _FRAGMENT, self.fragments):
            if at + _FRAGMENT > done:  # otherwise repetitive text would take quadratic time
                start, done = _widened(low, at, *self.fragments[low[at : at + _FRAGMENT]])
                yield start, done


def _occurrences(text: bytes, length: int, beginnings: Collection[bytes]) -> list[int]:
    """The offsets in `text` of the `beginnings`, which all have this length. Nearly all the time is spent here."""
    return [at for at in range(len(text) - length + 1) if text[at : at + length] in beginnings] if beginnings else []


class _Registry:
    """All `Secrets` of the process. Used by all threads that log."""

    def __init__(self) -> None:
        self._all: weakref.WeakSet[Secrets] = weakref.WeakSet()
        self._index: _Index | None = None
        self._lock = threading.Lock()

    def add(self, secrets: Secrets) -> None:
        with self._lock:
            self._all.add(secrets)
            self._index = None

    def index(self) -> _Index:
        index = self._index
        if index is None:
            with self._lock:
                wanted = {form for secrets in self._all for form in secrets.forms}
                index = self._index = _Index(wanted)
        return index


_REGISTRY = _Registry()


def without_secrets(text: str) -> str:
    """`text` with every registered secret replaced by an ellipsis."""
    index = _REGISTRY.index()
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
    """The forms in which a server may write `secret`. Escapes of single characters are left to `_views`."""
    from urllib.parse import quote, quote_plus  # not needed in a process without secrets

    found = {secret, secret.replace(b" ", b"+")}
    text = secret.decode("utf-8", "surrogateescape")
    escaped = (quote(text, safe="", errors="surrogateescape"), quote_plus(text, errors="surrogateescape"))
    for written in {secret, *(form.encode() for form in escaped)}:
        found |= {written.hex().encode(), *_base64_cores(written)}
    return found


def _base64_cores(data: bytes) -> Iterator[bytes]:
    """The texts of which every base64 text that includes `data` contains one.

    Three, as `data` may begin at each of the three bytes that become four letters; without the letters at the ends,
    which depend on the neighbouring bytes.
    """
    import base64

    for before in range(3):
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = alphabet(bytes(before) + data).rstrip(b"=")
            whole = (before + len(data)) * 8 // 6
            yield encoded[-(-before * 8 // 6) : whole]


def _bytes_of(text: str) -> bytes:
    """The UTF-8 bytes of `text`; surrogate escapes become the bytes they stand for."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _is_word(text: bytes, start: int, end: int) -> bool:
    return not text[max(0, start - 1) : start].isalnum() and not text[end : end + 1].isalnum()


def _widened(text: bytes, at: int, form: bytes, offset: int) -> tuple[int, int]:
    """Extend a match of one fragment of `form` in both directions as far as `text` agrees."""
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


class _DecodedText:
    """A text as bytes, possibly decoded, and the characters of the original text that each byte comes from."""

    def __init__(self, data: bytes, starts: list[int], ends: list[int]) -> None:
        self.data = data
        self._starts = starts
        self._ends = ends

    @classmethod
    def of(cls, text: str) -> _DecodedText:
        if text.isascii():
            return cls(text.encode(), list(range(len(text))), list(range(1, len(text) + 1)))
        encoded = [_bytes_of(character) for character in text]
        origins = [at for at, piece in enumerate(encoded) for _ in piece]
        return cls(b"".join(encoded), origins, [at + 1 for at in origins])

    def spans_of(self, index: _Index) -> Iterator[tuple[int, int]]:
        for start, end in index.found_in(self.data):
            yield self._starts[start], self._ends[end - 1]

    def decoded(self, escapes: re.Pattern[bytes], *, x_is_byte: bool) -> _DecodedText | None:
        """Undo one level of one encoding; None if the text has no escapes of it.

        `\\xe9` may mean a byte, or the character of that number.
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
        return _DecodedText(
            bytes(data) + self.data[done:],
            starts + self._starts[done:],
            ends + self._ends[done:],
        )


def _views(text: str) -> Iterator[_DecodedText]:
    """The text as it is, and with up to `_MAX_DECODINGS` encodings undone, in any order.

    One encoding at a time, because a secret may contain what another encoding takes for an escape.
    """
    whole = _DecodedText.of(text)
    seen = {whole.data}
    views = [whole]
    for _ in range(_MAX_DECODINGS + 1):
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


# ----------------------------------------------------------------------------------------------------- tracebacks


def shown_traceback(error: BaseException) -> str:
    """The traceback of `error` as the interpreter prints it, without secrets."""
    import traceback  # only needed for bugs

    return without_secrets("".join(traceback.format_exception(error)))


def guard_tracebacks() -> None:
    """Remove secrets from the tracebacks that the interpreter prints of unhandled exceptions, in any thread."""

    def of_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(shown_traceback(error))

    def of_thread(unhandled: threading.ExceptHookArgs) -> None:
        if unhandled.exc_type is not SystemExit and unhandled.exc_value is not None:
            sys.stderr.write(shown_traceback(unhandled.exc_value))

    sys.excepthook = of_main
    threading.excepthook = of_thread
