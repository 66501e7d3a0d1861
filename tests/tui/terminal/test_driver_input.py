"""Keys, sequences and pastes arrive whole, however the connection has split them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events
from textual.message import Message

from tui_uploader.tui.terminal import input_stream
from tui_uploader.tui.terminal.input_events import EventReader
from tui_uploader.tui.terminal.input_stream import (
    ESCAPE_WAIT,
    PASTE_CUT,
    PASTE_LIMIT,
    PASTE_WAIT,
    SEQUENCE_WAIT,
    Escape,
    InputStream,
    Pasted,
    Piece,
    Sequence,
    Typed,
)


def typed(text: str) -> list[Piece]:
    return [Typed(character) for character in text]


def fed(*chunks: bytes) -> list[Piece]:
    """The pieces from chunks that arrive at once, followed by a long silence."""
    stream = InputStream()
    pieces = [piece for chunk in chunks for piece in stream.feed(chunk, 0.0)]
    return pieces + stream.tick(1000.0)


WHOLE: list[tuple[bytes, list[Piece]]] = [
    (b"q", typed("q")),
    ("é字\N{GRINNING FACE}".encode(), typed("é字\N{GRINNING FACE}")),
    (b"\r\t\x7f\x03", typed("\r\t\x7f\x03")),
    (b"\x1b", [Escape()]),
    (b"\x1b\x1b", [Escape(), Escape()]),
    (b"\x1b\x1b[A", [Escape(), Sequence("\x1b[A")]),
    (b"\x1b[A", [Sequence("\x1b[A")]),
    (b"\x1b[1;5Bj", [Sequence("\x1b[1;5B"), Typed("j")]),
    (b"\x1b[3~", [Sequence("\x1b[3~")]),
    (b"\x1b[3$x", [Sequence("\x1b[3$"), Typed("x")]),
    (b"\x1b[[Ax", [Sequence("\x1b[[A"), Typed("x")]),
    (b"\x1bOP", [Sequence("\x1bOP")]),
    (b"\x1bO2P", [Sequence("\x1bO2P")]),
    (b"\x1bxy", [Escape(), *typed("xy")]),
    (b"\x1b q", [Escape(), *typed(" q")]),
    (b"\x1b\x1bq", [Escape(), Escape(), Typed("q")]),
    ("\x1béy".encode(), [Escape(), *typed("éy")]),
    (b"\x1b\xc3y", [Escape(), *typed("\ufffdy")]),
    (b"\x1b\x7fq", [Sequence("\x1b\x7f"), Typed("q")]),
    (b"\x1b\tq", [Sequence("\x1b\t"), Typed("q")]),
    (b"\x1b\rq", [Escape(), *typed("\rq")]),
    (b"\x1b\\q", typed("q")),
    (b"\x1b[<0;12;7M", [Sequence("\x1b[<0;12;7M")]),
    (b"\x1b[?2026;2$y", [Sequence("\x1b[?2026;2$y")]),
    (b"\x1b[M !!", [Sequence("\x1b[<0;1;1M")]),
    (b"\x1b[M#\xff\xc3", [Sequence("\x1b[<0;223;163m")]),
    (b"\x1b[M`)*", [Sequence("\x1b[<64;9;10M")]),
    (b"\x1b[M\x00\x00\x00q", typed("q")),
    (b"\x1b]11;rgb:0000/0000/0000\x1b\\q", typed("q")),
    (b"\x1b]11;rgb:0000/0000/0000\aq", typed("q")),
    (b"\x1bP>|xterm(388)\x1b\\q", typed("q")),
    (b"\x1bPa\ab\x1b\\q", typed("q")),
    (b"\x1b]" + b"x" * 100_000 + b"\aq", typed("q")),
    (b"\x1b[" + b"1" * 40 + b"mq", typed("q")),
    (b"\x1b[" + b"1" * 100_000 + b"mq", typed("q")),
    (b"\x1b[12\nq", typed("\nq")),
    (b"\x1b[\xc3\xa9", typed("é")),
    (b"\x1bO\x01", typed("\x01")),
    (b"\xff\xfe", typed("\ufffd\ufffd")),
    (b"\xc3\x1b[A", [Typed("\ufffd"), Sequence("\x1b[A")]),
    (b"\x1b[200~a\x1b[Ab\0c\x1b[201~q", [Pasted("a\x1b[Abc"), Typed("q")]),
    (b"\x1b[200~\x1b[201~", [Pasted("")]),
    (b"\x1b[200~\xff\xc3\x1b[201~", [Pasted("\ufffd\ufffd")]),
    (b"\x1b[201~q", typed("q")),
]


@pytest.mark.parametrize(("data", "pieces"), WHOLE)
def test_bytes_become_pieces(data: bytes, pieces: list[Piece]) -> None:
    assert fed(data) == pieces


@pytest.mark.parametrize(("data", "pieces"), [each for each in WHOLE if len(each[0]) < 100])
def test_single_bytes_give_the_same_pieces(data: bytes, pieces: list[Piece]) -> None:
    assert fed(*(bytes([byte]) for byte in data)) == pieces


_FRAGMENTS = st.one_of(
    st.sampled_from([each[0] for each in WHOLE if len(each[0]) < 100]),
    st.sampled_from(
        [b"\x1b[200~", b"\x1b[201~", b"\x1b", b"\x1b[", b"\x1bO", b"\x1b[M", b"\x1b]", b"\x1bP", b"~", b"\\"]
    ),
    st.binary(max_size=6),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(_FRAGMENTS, max_size=12).map(b"".join), st.lists(st.integers(min_value=0, max_value=80)))
def test_splitting_the_input_changes_nothing(data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert fed(*chunks) == fed(data)


@pytest.mark.parametrize(
    ("data", "deadline"),
    [
        (b"q", None),
        (b"\x1b[A", None),
        (b"\x1b", ESCAPE_WAIT),
        (b"\x1b[", SEQUENCE_WAIT),
        (b"\x1b[<35;20", SEQUENCE_WAIT),
        (b"\x1bO", SEQUENCE_WAIT),
        (b"\x1b]11;", SEQUENCE_WAIT),
        (b"\x1bP", SEQUENCE_WAIT),
        (b"\x1b[M ", SEQUENCE_WAIT),
        (b"\x1b[200~ab", PASTE_WAIT),
    ],
)
def test_unfinished_input_has_a_deadline(data: bytes, deadline: float | None) -> None:
    stream = InputStream()
    stream.feed(data, 100.0)
    assert stream.deadline == (None if deadline is None else 100.0 + deadline)


@pytest.mark.parametrize("tail", [b"\x1b[", b"\x1b[<35;20", b"\x1bO", b"\x1b]11;", b"\x1bP", b"\x1b[M "])
def test_an_unfinished_sequence_is_kept_then_dropped_and_never_typed(tail: bytes) -> None:
    stream = InputStream()
    assert stream.feed(tail, 0.0) == []
    assert stream.tick(SEQUENCE_WAIT - 0.01) == []
    assert stream.tick(SEQUENCE_WAIT) == []
    assert stream.deadline is None
    assert stream.feed(b"q", SEQUENCE_WAIT) == typed("q")


def test_the_wait_for_a_sequence_begins_with_its_first_byte() -> None:
    """Esc and P at once is how a device control string begins: typing on must not keep the keyboard locked."""
    stream = InputStream()
    stream.feed(b"\x1bP", 0.0)
    stream.feed(b"a", 1.9)
    assert stream.deadline == SEQUENCE_WAIT
    stream.feed(b"\x1b\\\x1b[", 1.95)
    assert stream.deadline == 1.95 + SEQUENCE_WAIT


def test_the_escape_key_waits_briefly() -> None:
    stream = InputStream()
    assert stream.feed(b"\x1b", 0.0) == []
    assert stream.tick(ESCAPE_WAIT - 0.01) == []
    assert stream.tick(ESCAPE_WAIT) == [Escape()]
    assert stream.feed(b"j", 0.2) == typed("j")


@pytest.mark.parametrize(
    ("first", "given_up", "late", "pieces"),
    [
        (b"\x1b", [Escape()], b"[B", [Sequence("\x1b[B")]),
        (b"\x1b", [Escape()], b"[<0;5;6M", [Sequence("\x1b[<0;5;6M")]),
        (b"\x1b", [Escape()], b"[", typed("[")),
        (b"\x1b", [Escape()], b"j", typed("j")),
        (b"\x1b[<0;", [], b"5;6Mj", [Sequence("\x1b[<0;5;6M"), Typed("j")]),
        (b"\x1b[<0;5;6", [], b"M", [Sequence("\x1b[<0;5;6M")]),
        (b"\x1b[3", [], b"~", [Sequence("\x1b[3~")]),
        (b"\x1b[", [], b"B", typed("B")),
        (b"\x1b[", [], b"1", typed("1")),
        (b"\x1b]11;", [], b"12", typed("12")),
        (b"\x1b[200", [], b"~x\x1b[201~q", [Pasted("x"), Typed("q")]),
    ],
)
def test_a_late_rest_is_recognised_unless_it_could_be_a_key(
    first: bytes, given_up: list[Piece], late: bytes, pieces: list[Piece]
) -> None:
    stream = InputStream()
    stream.feed(first, 0.0)
    assert stream.tick(SEQUENCE_WAIT) == given_up
    assert stream.feed(late, 6.0) == pieces


def test_a_very_late_rest_is_not_recognised() -> None:
    stream = InputStream()
    stream.feed(b"\x1b", 0.0)
    stream.tick(1.0)
    assert stream.feed(b"[B", 60.0) == typed("[B")


def test_an_open_paste_ends_after_silence() -> None:
    stream = InputStream()
    stream.feed(b"\x1b[200~one", 0.0)
    stream.feed(b" two", 2.0)
    assert stream.tick(2.0 + PASTE_WAIT - 0.01) == []
    assert stream.tick(2.0 + PASTE_WAIT) == [Pasted("one two")]
    assert stream.feed(b"\x11", 6.0) == typed("\x11")


def test_the_rest_of_an_ended_paste_is_text() -> None:
    stream = InputStream()
    stream.feed(b"\x1b[200~one", 0.0)
    stream.tick(PASTE_WAIT)
    assert stream.feed(b" xx\x1b[201~q", 5.0) == [Pasted(" xx"), Typed("q")]


def test_the_end_of_a_paste_may_be_split_and_late() -> None:
    stream = InputStream()
    stream.feed(b"\x1b[200~one\x1b[20", 0.0)
    assert stream.tick(PASTE_WAIT) == [Pasted("one")]
    assert stream.feed(b"1~q", 5.0) == typed("q")


@pytest.mark.parametrize("size", [PASTE_LIMIT, PASTE_LIMIT + 1, 10_000_000])
def test_a_huge_paste_is_cut_and_says_so(size: int) -> None:
    stream = InputStream()
    assert stream.feed(b"\x1b[200~", 0.0) == []
    chunk = b"x" * 65536
    for at in range(0, size, len(chunk)):
        assert stream.feed(chunk[: size - at], 0.0) == []
    (pasted, key) = stream.feed(b"\x1b[201~q", 0.0)
    assert pasted == Pasted("x" * min(size, PASTE_LIMIT) + (PASTE_CUT if size > PASTE_LIMIT else ""))
    assert key == Typed("q")


def test_a_cut_leaves_no_half_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_stream, "PASTE_LIMIT", 4)
    assert fed("\x1b[200~aéé\x1b[201~".encode()) == [Pasted("aé" + PASTE_CUT)]


def keys(messages: list[Message]) -> list[str]:
    return [message.key for message in messages if isinstance(message, events.Key)]


@pytest.mark.parametrize(
    ("piece", "key"),
    [
        (Typed("q"), "q"),
        (Typed("\x10"), "ctrl+p"),
        (Escape(), "escape"),
        (Sequence("\x1b[A"), "up"),
        (Sequence("\x1b[1;5B"), "ctrl+down"),
        (Sequence("\x1bOP"), "f1"),
        (Sequence("\x1b[[A"), "f1"),
        (Sequence("\x1b[27u"), "escape"),
        (Sequence("\x1b\x7f"), "ctrl+w"),
        (Sequence("\x1b\t"), "shift+tab"),
    ],
)
def test_pieces_become_keys(piece: Piece, key: str) -> None:
    assert keys(EventReader().read(piece))[-1].split("+")[-1] == key.split("+")[-1]


def test_pieces_become_clicks_and_pastes() -> None:
    (click,) = EventReader().read(Sequence("\x1b[<0;5;6M"))
    assert isinstance(click, events.MouseDown) and (click.x, click.y) == (4, 5)
    (paste,) = EventReader().read(Pasted("[red]"))
    assert isinstance(paste, events.Paste) and paste.text == "[red]"


@settings(deadline=None)
@given(st.from_regex(r"\x1b[\[O][0-?]{0,12}[ -/]{0,2}[@-~]", fullmatch=True), st.from_regex(r"[a-z]", fullmatch=True))
def test_no_sequence_types_or_disturbs_the_key_after_it(text: str, key: str) -> None:
    reader = EventReader()
    typed_by_sequence = [message for message in reader.read(Sequence(text)) if isinstance(message, events.Key)]
    assert len(typed_by_sequence) <= 3
    assert keys(reader.read(Typed(key))) == [key]
