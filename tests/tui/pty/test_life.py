"""Lost connections, kills, shells and other terminals: the app may end, the uploads go to their end."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.cli.world import PROGRAM, engine_pid, kill_engine, quick
from tests.tui.pty_session import PtySession
from tests.tui.real_terminal import DOWN, ENTER, ESCAPE, LEFT, PATIENCE, UTF8, Field, field, lives

PROMPT = "shell waits:"


@pytest.fixture
def life() -> Iterator[Field]:
    with field("--fault", "stall:route=put,probability=1,seconds=0.8") as ready:
        yield ready


@pytest.fixture(scope="module")
def calm() -> Iterator[Field]:
    """Without uploads, until the last test that uses it."""
    with field() as ready:
        yield ready


def in_the_middle(life: Field) -> bool:
    """Whether some of the 48 photos have arrived, and others have not."""
    return 0 < len(life.stored("north")) < 48


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_uploads_survive_the_end_of_the_app(life: Field, number: signal.Signals) -> None:
    card = life.card("north", 48)
    life.queue("north", "--no-process")
    with life.app() as terminal:
        terminal.wait_for("[2] Files  north")
        terminal.wait_for(lambda: in_the_middle(life))
        engine = engine_pid()
        if number is signal.SIGHUP:
            terminal.hang_up()
            assert terminal.exit_code() == 128 + number
        else:
            terminal.process.kill()
            terminal.process.wait()
    assert in_the_middle(life)
    with life.app() as terminal:
        terminal.wait_for("[2] Files  north")
        terminal.wait_for("0 active", PATIENCE)
    assert engine_pid() == engine
    assert lives(engine)
    assert life.stored("north") == card


def test_all_terminals_show_what_is_done_on_one(life: Field) -> None:
    card = life.card("north", 24)
    upload = life.queue("north", "--no-process")
    assert quick("pause", str(upload)).code == 0
    with contextlib.ExitStack() as opened:
        sizes = ((120, 30), (80, 24), (40, 8))
        terminals = [opened.enter_context(life.app(columns=columns, rows=rows)) for columns, rows in sizes]
        for terminal in terminals:
            terminal.wait_for("paused")
        first, second, small = terminals
        second.feed("p")
        small.wait_for(lambda: "paused" not in small.text)
        small.process.kill()
        second.feed("q")
        assert second.exit_code() == 0
        first.wait_for("0 active", PATIENCE)
    assert lives(engine_pid())
    assert life.stored("north") == card


def test_quitting_restores_the_terminal(life: Field) -> None:
    """An answer may still be on its way to the app when it ends."""
    life.card("north", 40)
    life.queue("north", "--no-process")
    with life.app(delay=0.7) as terminal:
        terminal.wait_for("⇡")
        terminal.feed("p")
        terminal.wait_for("Paused. p resumes")
        terminal.wait_quiet(2.2)  # as long as it takes until the next frame asks again how far behind the terminal is
        shown = len(terminal.written)
        terminal.feed("q")
        assert terminal.exit_code() == 0
        assert terminal.left_for_shell() == b""
        assert [code for code in LEFT if code not in terminal.written[shown:]] == []
        assert "Uploads continue in the background. Run tui-uploader to see them." in terminal.text


def test_quitting_at_once_leaves_no_answer_for_the_shell(calm: Field) -> None:
    with calm.app(delay=0.4) as terminal:
        terminal.wait_for("quit")
        terminal.feed("q")
        assert terminal.exit_code() == 0
        assert terminal.left_for_shell() == b""


def test_a_crashed_engine_is_started_again_by_the_screen(life: Field) -> None:
    card = life.card("north", 48)
    upload = life.queue("north", "--no-process")
    with life.app() as terminal:
        terminal.wait_for(lambda: in_the_middle(life))
        terminal.wait_for("north_001.JPG")
        before = engine_pid()
        terminal.feed("jj")
        kill_engine()
        terminal.feed(f"jj{DOWN}")
        terminal.wait_for("E starts the engine")
        assert "[2] Files  north" in terminal.text
        terminal.wait_for(lambda: "E starts the engine" not in terminal.text)
        terminal.wait_for(lambda: life.is_complete(upload), PATIENCE)
        terminal.wait_for("✓48")
    assert engine_pid() != before
    assert life.stored("north") == card


@contextlib.contextmanager
def shell(calm: Field) -> Iterator[PtySession]:
    """A shell with job control, with the app in front of it."""
    environment = {**UTF8, "PS1": PROMPT, "PROMPT_COMMAND": "", "BASH_SILENCE_DEPRECATION_WARNING": "1"}
    command = ("bash", "--noprofile", "--norc", "--noediting", "-i")
    with PtySession(command, columns=100, rows=24, environment=environment, folder=calm.home) as session:
        session.wait_for(PROMPT)
        session.feed(shlex.join(PROGRAM) + "\n")
        session.wait_for("No uploads yet.")
        yield session


def test_suspending_to_the_shell_and_resuming(calm: Field) -> None:
    with shell(calm) as session:
        for _ in range(2):
            session.feed("\x1a")
            session.wait_for("Stopped")
            session.feed("echo still $((40 + 2))\n")
            session.wait_for("still 42")
            session.screen.reset()
            session.feed("fg\n")
            session.wait_for("No uploads yet.")
        session.feed("?")
        session.wait_for("In the files")
        session.feed(ESCAPE)
        session.wait_for(lambda: "In the files" not in session.text)
        prompts = session.written.count(PROMPT.encode())
        session.feed("q")
        session.wait_for(lambda: session.written.count(PROMPT.encode()) > prompts)
        session.feed("echo then $?\n")
        session.wait_for("then 0")
        assert "[0n" not in session.text
        session.feed("exit\n")
        assert session.exit_code() == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_the_app_works_in_tmux(calm: Field) -> None:
    card = calm.card("north", 6)
    server = ("tmux", "-L", f"test-{os.getpid()}", "-f", "/dev/null")
    command = (*server, "new-session", "-x", "100", "-y", "30", shlex.join(PROGRAM))
    try:
        with PtySession(command, columns=100, rows=30, environment=UTF8, folder=calm.home) as session:
            session.wait_for("No uploads yet.")
            session.feed(f"\x1b[200~{calm.home}/north\x1b[201~")
            session.wait_for("6 images")
            session.feed(ENTER)
            session.wait_for("existing projects")
            session.feed(f"north{ENTER}")
            session.wait_for("Upload 6 images to new north")
            session.feed(ENTER)
            session.wait_for("Submitted for processing", PATIENCE)
            session.resize(80, 24)
            session.wait_for("0 active")
            session.feed("q")
            assert session.exit_code() == 0
            assert calm.stored("north") == card
    finally:
        subprocess.run((*server, "kill-server"), check=False, capture_output=True)
