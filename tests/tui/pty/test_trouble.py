"""Bad input and bad terminals for the real app: hostile names, broken keys, huge pastes, tiny or unread terminals."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.world import quick
from tests.photos import jpeg
from tests.tui.pty_session import PtySession, resident_bytes
from tests.tui.real_terminal import DOWN, ENTER, ESCAPE, PATIENCE, Field, field

PAGE_DOWN = "\x1b[6~"
HOSTILE = (
    b"[red]bold[.JPG",
    b"[@click=app.bell].JPG",
    b"\x1b[31mred\x1b]0;owned\x07.JPG",
    b"\x9b31m\xff\xfe.JPG",
    b"line\nbreak\rback\ttab.JPG",
    "\u202egnp.JPG".encode(),
    "漢字写真.JPG".encode(),
    "e\u0301\u200b\u200d\ufeff.JPG".encode(),
    "👩‍👩‍👧‍👦🇨🇭.JPG".encode(),
    b"x" * 251 + b".JPG",
    ("字" * 83 + "xx").encode() + b".JPG",
)
_COLOUR = re.compile(rb"\x1b\[([0-9;:]*)m")
_PLAIN = {b"", b"0", b"1", b"2", b"3", b"4", b"7", b"9", b"22", b"23", b"24", b"27", b"29"}
_UNREAD_SECONDS = float(os.environ.get("UNREAD_SECONDS", "4"))


@pytest.fixture(scope="module")
def slow_field() -> Iterator[Field]:
    with field("--fault", "stall:route=put,probability=1,seconds=0.4") as ready:
        yield ready


@pytest.fixture(scope="module")
def done_field() -> Iterator[Field]:
    """Everything has arrived: 160 photos."""
    with field() as ready:
        ready.card("north", 160, 600)
        ready.queue("north", "--no-process", "--wait")
        yield ready


def codes(terminal: PtySession) -> set[bytes]:
    """Every attribute that was switched on or off."""
    return {code for run in _COLOUR.findall(bytes(terminal.written)) for code in run.split(b";")}


def test_hostile_names_are_shown_and_do_nothing() -> None:
    with field() as ready:
        card = ready.home / "[b]漢字\u202e"
        card.mkdir()
        for name in HOSTILE:
            Path(os.fsdecode(os.fsencode(card) + b"/" + name)).write_bytes(jpeg(600))
        upload = ready.queue(card.name, "--no-process", "--wait")
        with ready.app(columns=200) as terminal:
            terminal.wait_for("[red]bold[.JPG")
            terminal.wait_for("[@click=app.bell].JPG")
            terminal.wait_for("[2] Files  [b]漢")
            terminal.feed("G" + ENTER)
            terminal.wait_for("Status       uploaded")
            terminal.feed(ESCAPE)
            terminal.wait_for(lambda: "Status       uploaded" not in terminal.text)
            rows = [row for row in range(terminal.screen.lines) if " B uploaded" in terminal.line(row)]
            assert len(rows) == len(HOSTILE)
            assert len({cell_of(terminal, row, " B uploaded") for row in rows}) == 1, terminal.text
            assert b"\x1b]0;" not in terminal.written
            assert "\u202e".encode() not in terminal.written
            assert "\u200b".encode() not in terminal.written
            assert b"\x9b31m" not in terminal.written
        assert ready.counts(upload)["uploaded"] == len(HOSTILE)


def cell_of(terminal: PtySession, row: int, text: str) -> int:
    """In which cell of the row the text begins; a wide character has two of them."""
    cells = [terminal.cell(row, column).data for column in range(terminal.screen.columns)]
    return next(at for at in range(len(cells)) if "".join(cells[at : at + len(text)]) == text)


def test_a_huge_paste_leaves_memory_and_app_as_before(done_field: Field) -> None:
    """Three times what is kept of it. Each 4 KB take a turn of both processes: more can take minutes under load."""
    with done_field.app() as terminal:
        terminal.wait_for("[2] Files  north  160")
        before = resident_bytes(terminal.process.pid)
        terminal.feed_all(b"\x1b[200~" + b"/card/x y\n" * 300_000 + b"\x1b[201~", PATIENCE)
        terminal.wait_for("Upload files", PATIENCE)
        terminal.feed(ESCAPE)
        terminal.wait_for(lambda: "Upload files" not in terminal.text, PATIENCE)
        assert resident_bytes(terminal.process.pid) - before < 32 * 2**20
        terminal.feed("q")
        assert terminal.exit_code() == 0


def test_broken_input_presses_no_key(done_field: Field) -> None:
    pieces = (
        b"\x1b[<3",
        b"5;20;5M",
        b"\x1b",
        b"[<0;c",
        b"\x1b[M \xf0\xb6",
        b"\xff\xfe\x1b[20",
        b"0~no",
        b"thing\x1b[2",
        b"01~",
    )
    with done_field.app() as terminal:
        terminal.wait_for("[2] Files  north  160")
        terminal.fall_silent()
        for piece in pieces:
            terminal.feed(piece)
            terminal.bytes_in(0.03)
        terminal.wait_for("Upload files")
        assert terminal.process.poll() is None
        terminal.feed(ESCAPE)
        terminal.wait_for(lambda: "Upload files" not in terminal.text)
        terminal.wait_for("[2] Files  north  160")
        assert "?" not in terminal.line(0)


def test_keys_that_come_faster_than_frames_all_count(done_field: Field) -> None:
    with done_field.app() as terminal:
        terminal.wait_for("[2] Files  north  160")
        terminal.feed("s")  # tells once where the key went
        terminal.wait_for("sort menu")
        terminal.feed("s")
        terminal.wait_for("Sort files by")
        terminal.feed("o")
        terminal.wait_for("› ✓ north_001.JPG")
        terminal.feed_all(b"j" * 150 + b"k" * 30 + DOWN.encode() * 20)
        terminal.wait_for("› ✓ north_141.JPG")
        terminal.feed_all(PAGE_DOWN.encode() * 40)
        terminal.wait_for("› ✓ north_160.JPG")
        terminal.feed("gjj")
        terminal.wait_for("› ✓ north_003.JPG")


def test_any_terminal_size_works(done_field: Field) -> None:
    with done_field.app(columns=20, rows=5) as terminal:
        terminal.wait_for("complete north")
        for columns, rows in ((80, 24), (200, 60), (20, 5), (1, 1), (59, 15), (100, 30)):
            terminal.resize(columns, rows)
            terminal.wait_quiet(0.2)
        terminal.screen.erase_in_display(2)
        terminal.feed("\x0c")
        terminal.wait_for(lambda: terminal.line(29).startswith("u upload"))
        assert "[2] Files  north  160" in terminal.line(1)


def test_no_color_writes_no_colour_codes(done_field: Field) -> None:
    with done_field.app(NO_COLOR="1") as terminal:
        _look_around(terminal)
        assert codes(terminal) <= _PLAIN


def test_the_linux_console_gets_ascii_and_its_own_colours(done_field: Field) -> None:
    with done_field.app(TERM="linux", COLORTERM="") as terminal:
        _look_around(terminal)
        assert bytes(terminal.written).isascii()
        assert codes(terminal) <= _PLAIN | {b"%d" % code for code in (*range(30, 38), 39, *range(40, 48), 49)}


def _look_around(terminal: PtySession) -> None:
    terminal.wait_for("[2] Files  north  160")
    terminal.feed("?")
    terminal.wait_for("In the files")
    terminal.feed(ESCAPE)
    terminal.wait_for(lambda: "In the files" not in terminal.text)
    terminal.feed("\x10start")
    terminal.wait_for("Start processing")
    terminal.feed(ESCAPE)
    terminal.wait_for(lambda: "start" not in terminal.text.partition("[3] Uploads")[0])
    terminal.feed("u")
    terminal.wait_for("Upload files")


def test_the_slow_option_writes_fewer_frames(slow_field: Field) -> None:
    card = slow_field.card("south", 40)
    upload = slow_field.queue("south", "--no-process")
    with slow_field.app("--slow", columns=80, rows=24) as terminal:
        terminal.wait_for("slow connection")
        terminal.wait_for("⇡")
        began, frames = time.monotonic(), terminal.written.count(b"\x1b[?2026h")
        terminal.wait_for(lambda: slow_field.is_complete(upload), PATIENCE)
        frames = terminal.written.count(b"\x1b[?2026h") - frames
        assert frames <= (time.monotonic() - began) / 2.0 * 4 + 8
    assert slow_field.stored("south") == card


def test_uploads_continue_while_the_terminal_is_not_read(slow_field: Field) -> None:
    card = slow_field.card("unread", 60 + int(4 * _UNREAD_SECONDS))
    upload = slow_field.queue("unread", "--no-process")
    with slow_field.app() as terminal:
        terminal.wait_for("[2] Files  unread")
        before, sent = resident_bytes(terminal.process.pid), len(slow_field.stored("unread"))
        until = time.monotonic() + _UNREAD_SECONDS
        while time.monotonic() < until:  # the elapsed time is what is tested
            terminal.process.poll()
            terminal.feed("jk\t")  # every key draws
            time.sleep(0.1)
        grown = resident_bytes(terminal.process.pid) - before
        assert len(slow_field.stored("unread")) > sent
        assert terminal.process.poll() is None
        assert grown < 8 * 2**20
        terminal.wait_for(lambda: slow_field.is_complete(upload), PATIENCE)
        terminal.wait_for("0 active")
        terminal.feed("q")
        assert terminal.exit_code() == 0
    assert slow_field.stored("unread") == card


def test_a_paste_without_brackets_runs_no_command(slow_field: Field) -> None:
    slow_field.card("serial", 40)
    upload = slow_field.queue("serial", "--no-process")
    assert quick("pause", str(upload)).code == 0
    with slow_field.app() as terminal:
        terminal.wait_for("[2] Files  serial")
        terminal.wait_for(lambda: not slow_field.counts(upload).get("uploading"))
        before = slow_field.upload(upload)
        terminal.fall_silent()
        for character in "Sorry, cy: delete all of it, pay later\r":  # as a serial line delivers it
            terminal.feed(character)
        terminal.wait_for("Pasted text ignored, no command was run: Sorry, cy")
        terminal.feed("cy")  # typed ahead, before the question could be read
        terminal.wait_for("Cancel the upload to serial?")
        terminal.feed(ESCAPE)
        terminal.wait_for(lambda: "Cancel the upload" not in terminal.text)
        terminal.feed(f"{slow_field.home}/serial\r")
        terminal.wait_for("Upload files")
    assert slow_field.upload(upload) == before
