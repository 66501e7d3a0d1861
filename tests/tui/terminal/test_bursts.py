"""Text that is pasted without brackets is distinguished from typed-ahead keys, and runs no command."""

from __future__ import annotations

import pytest
from textual import events

from tui_uploader.tui import keys
from tui_uploader.tui.messages import HastyKey, UnbracketedPaste
from tui_uploader.tui.terminal.bursts import (
    GAP,
    LONG_GAP,
    LONGEST_BURST,
    MOVEMENTS,
    OPENERS,
    Burst,
    Bursts,
    Unbracketed,
    is_text,
    judged,
)
from tui_uploader.tui.terminal.input_events import EventReader
from tui_uploader.tui.terminal.input_stream import Escape, Pasted, Piece, Sequence, Typed


def typed(text: str) -> list[Piece]:
    return [Typed(character) for character in text]


@pytest.mark.parametrize(
    "ahead",
    [
        "",
        "j" * 300,
        "gjj",
        "xjjxjjx",
        "RRr",
        "pc",
        "cy",
        "1k\r/nothing\r",
        "/gamma_039",
        "ualpha\t",
        "u/media/card\r",
        "u/media/pilot/card/DCIM/100MEDIA/DJI_202405031200\r",
        "CA new one",
        "CQuarry May 2024\r",
        "2G/_04\rx",
        "S/nothing",
        "jRr aa",
        "\x10start",
        "j\x0c",
    ],
)
def test_typed_ahead_keys_stay_keys(ahead: str) -> None:
    assert not is_text(ahead)


@pytest.mark.parametrize(
    "pasted",
    [
        "/media/card/DCIM",
        "/media/card/DCIM/DJI_0001.JPG\r/media/card/DCIM/DJI_0002.JPG\r",
        "'/media/my card/DCIM'",
        "~/card/DCIM",
        "file:///media/card",
        "C:\\Users\\joe",
        "hello cy",
        "cancel y",
        "pay",
        "yes please",
        "Please cancel\rthe upload\r",
        "sudo rm -rf x",
        "ssh pilot@field.example",
        "Create project\rand cancel y",
        "/filter\rcancel y",
        "nothing of this was meant for the uploader, it is a mail",
        "/" + "a" * 201,
        "u" + "/media/card/DCIM/DJI_0001.JPG\r" * 7,
        "hello\x0ccy",
        "gr\u00fc\u00dfe",
    ],
)
def test_pasted_text_is_not_read_as_keys(pasted: str) -> None:
    assert is_text(pasted)


@pytest.mark.parametrize("text", ["hello cy\r", "/media/card/DCIM\r", "~/card\rNorth field\r", "A / B /c/d"])
def test_in_a_text_field_keys_stay_keys(text: str) -> None:
    assert judged(typed(text), in_field=True).pieces == tuple(typed(text))


@pytest.mark.parametrize("text", ["/media/card/a.JPG\r/media/card/b.JPG\r", "'/a/b/c d' '/a/b/e'", "~/a file:///b/c"])
def test_a_list_of_paths_in_a_text_field_is_a_paste(text: str) -> None:
    assert judged(typed(text), in_field=True) == Burst((Unbracketed(text),), hasty=True)


def test_where_pastes_have_brackets_everything_else_is_typed() -> None:
    """Two hundred keys, typed ahead on a slow connection, arrive in one read."""
    ahead = "jjxkUdpra/card\r  V" * 12
    assert is_text(ahead)
    assert judged(typed(ahead), in_field=False, brackets=True) == Burst(tuple(typed(ahead)), hasty=True)
    dropped = "/media/card/DCIM "
    assert judged(typed(dropped), in_field=False, brackets=True).pieces == (Unbracketed(dropped),)


@pytest.mark.parametrize(
    ("pieces", "burst"),
    [
        (typed("c"), Burst(tuple(typed("c")), hasty=False)),
        (typed("cy"), Burst(tuple(typed("cy")), hasty=True)),
        ([Typed("c"), Sequence("\x1b[<0;5;6M")], Burst((Typed("c"), Sequence("\x1b[<0;5;6M")), hasty=False)),
        ([Typed("c"), Sequence("\x1b[C")], Burst((Typed("c"), Sequence("\x1b[C")), hasty=True)),
        ([Pasted("hello cy"), Typed("q")], Burst((Pasted("hello cy"), Typed("q")), hasty=False)),
        (typed("hello cy"), Burst((Unbracketed("hello cy"),), hasty=True)),
        (
            [*typed("hello cy"), Escape(), *typed("jj")],
            Burst((Unbracketed("hello cy"), Escape(), *typed("jj")), hasty=True),
        ),
    ],
)
def test_a_burst_is_split_into_keys_and_texts(pieces: list[Piece], burst: Burst) -> None:
    assert judged(pieces, in_field=False) == burst


def test_characters_of_a_serial_line_are_one_burst() -> None:
    bursts, now = Bursts(), 100.0
    for character in "hello cy":
        bursts.add(typed(character), now)
        assert bursts.take(now) == []
        now += 0.001  # 9600 baud
    assert bursts.deadline == pytest.approx(now - 0.001 + GAP)
    assert bursts.take(now + GAP) == typed("hello cy")
    assert bursts.deadline is None


def test_keys_that_waited_while_nothing_was_read_may_be_typed() -> None:
    bursts = Bursts()
    bursts.add(typed("pxaR"), 1.0, unread=0.3)
    assert bursts.take(1.0 + GAP) == typed("pxaR")
    assert bursts.seconds == 0.3
    assert judged(typed("pxaR"), in_field=False, seconds=0.3).pieces == tuple(typed("pxaR"))
    assert judged(typed("pxaRfd"), in_field=False, seconds=0.2).pieces == (Unbracketed("pxaRfd"),)
    assert judged(typed("~/a/b"), in_field=False, seconds=9.0).pieces == (Unbracketed("~/a/b"),)


def test_the_late_end_of_a_long_paste_belongs_to_it() -> None:
    bursts = Bursts()
    bursts.add(typed("x" * 40), 1.0)
    assert bursts.take(1.0 + GAP) == []
    bursts.add(typed("cy"), 1.0 + LONG_GAP * 0.9)
    assert len(bursts.take(1.0 + 2 * LONG_GAP)) == 42


def test_typed_keys_are_separate_bursts() -> None:
    bursts = Bursts()
    bursts.add(typed("c"), 1.0)
    assert bursts.take(1.0) == []
    assert bursts.take(1.0 + GAP) == typed("c")
    bursts.add(typed("y"), 1.03)
    assert bursts.take(1.03 + GAP) == typed("y")


@pytest.mark.parametrize("pieces", [typed("j"), typed("jjk"), [Sequence("\x1b[B")], [Escape()], [Typed("c"), Escape()]])
def test_movements_are_not_delayed(pieces: list[Piece]) -> None:
    bursts = Bursts()
    bursts.add(pieces, 1.0)
    assert bursts.take(1.0) == pieces


def test_an_endless_burst_is_bounded() -> None:
    bursts = Bursts()
    for _ in range(3):
        bursts.add(typed("x" * (LONGEST_BURST // 2)), 1.0)
    assert len(bursts.take(2.0)) == LONGEST_BURST


def test_keys_of_a_burst_are_marked_as_hasty() -> None:
    (key,) = EventReader().read(Typed("y"), hasty=True)
    assert isinstance(key, HastyKey) and (key.key, key.handler_name) == ("y", events.Key.handler_name)
    (paste,) = EventReader().read(Unbracketed("text"))
    assert isinstance(paste, UnbracketedPaste) and paste.handler_name == events.Paste.handler_name


def test_movements_change_nothing_and_openers_open_a_field() -> None:
    """Both are letters of the key tables: a new meaning has to be thought of here."""
    meanings = {
        key: binding.action
        for binding in (*keys.EVERYWHERE, *keys.IN_FILES, *keys.IN_PROJECTS, *keys.IN_UPLOADS)
        for key in binding.key.split(",")
    }
    assert {meanings[key] for key in OPENERS} == {f"app.dialog('{name}')" for name in ("add_files", "new_project")}
    bound = {meanings[key] for key in MOVEMENTS if key in meanings}
    assert bound == {"focus_pane('projects')", "focus_pane('files')", "focus_pane('uploads')"}
