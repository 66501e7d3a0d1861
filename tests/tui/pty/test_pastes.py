"""Pastes and typed-ahead keys in a real terminal, with and without brackets around pastes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pytest

from tests.cli.world import PROGRAM, quick
from tests.tui.pty_session import ANSWERS, PtySession
from tests.tui.real_terminal import PATIENCE, UTF8, Field, field

_BRACKETS: Mapping[bytes, bytes] = {**ANSWERS, b"\x1b[?2004$p": b"\x1b[?2004;1$y"}
_MANY = 4_000


@pytest.fixture(scope="module")
def done() -> Iterator[Field]:
    """Everything has arrived: 160 photos."""
    with field() as ready:
        ready.card("north", 160, 600)
        ready.queue("north", "--no-process", "--wait")
        yield ready


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The paths of 4,000 images, one a line, as a terminal pastes them."""
    folder = tmp_path_factory.mktemp("card") / "DCIM" / "100MEDIA"
    folder.mkdir(parents=True)
    paths = [folder / f"DJI_{number:04}.JPG" for number in range(_MANY)]
    for path in paths:
        path.touch()
    return b"".join(bytes(path) + b"\r" for path in paths)


@pytest.mark.parametrize("before", ["", "u"])
@pytest.mark.parametrize("brackets", [True, False])
def test_four_thousand_pasted_paths_are_chosen_and_run_no_command(
    done: Field, many: bytes, before: str, brackets: bool
) -> None:
    with done.app() as terminal:
        terminal.wait_for("Files  north  160")
        if before:
            terminal.feed(before)
            terminal.wait_for("1 What")
        terminal.feed_all(b"\x1b[200~" + many + b"\x1b[201~" if brackets else many, PATIENCE)
        terminal.wait_for("4,000 images, 0 B.", PATIENCE)
        assert "Nothing chosen" not in terminal.text
    assert len(quick("status", "--json").json["uploads"]) == 1


def test_two_hundred_keys_typed_ahead_all_count_where_pastes_have_brackets(done: Field) -> None:
    """A line that stalled for two seconds delivers them in one read; three letters alone would look like a paste."""
    with PtySession(PROGRAM, columns=120, rows=30, environment=UTF8, answers=_BRACKETS, folder=done.home) as terminal:
        terminal.wait_for("Files  north  160")
        terminal.wait_for(lambda: b"\x1b[?2004$p" in terminal.written)
        terminal.fall_silent()
        terminal.feed("jwkwAi" * 31 + "/north_159\r")
        terminal.wait_for("north_159.JPG")
        terminal.wait_for(lambda: "north_158.JPG" not in terminal.text, PATIENCE)
        assert "Pasted text ignored" not in terminal.text


def test_a_whole_upload_typed_ahead_waits_for_a_look(done: Field) -> None:
    with done.app() as terminal:
        terminal.wait_for("Files  north  160")
        terminal.feed("u~/north\rBridge\r\r")
        terminal.wait_for("Look at what will be uploaded, then press the key again.")
        terminal.wait_for("Upload 160 images to new Bridge")
    assert len(quick("status", "--json").json["uploads"]) == 1


def test_the_same_keys_are_refused_where_they_may_be_a_paste(done: Field) -> None:
    with done.app() as terminal:
        terminal.wait_for("Files  north  160")
        terminal.feed("jwkwAi" * 31)
        terminal.wait_for("Pasted text ignored, no command was run")


def test_typed_at_the_speed_of_a_person_every_key_counts(done: Field) -> None:
    with done.app() as terminal:
        terminal.wait_for("Files  north  160")
        for key in "jwkwAi/north_159\r":
            terminal.feed(key)
            time.sleep(0.1)  # the speed is what is tested
        terminal.wait_for(lambda: "north_158.JPG" not in terminal.text and "north_159.JPG" in terminal.text)
        assert "Pasted text ignored" not in terminal.text
