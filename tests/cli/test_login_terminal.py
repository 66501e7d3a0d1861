"""`login` on a real terminal: the secret is never on the screen, however it is typed or pasted."""

from __future__ import annotations

import os
import signal
import sys
import termios

import pytest

from tests.cli.world import LocalCloud, command, kill_engine
from tests.tui.pty_session import PtySession

ID, SECRET = "CLIENT-ID-0123456789", "SECRET-abcdefghijklmnop"


def login_at(url: str) -> PtySession:
    program = (sys.executable, "-m", "tui_uploader", "login", "--cloud", url)
    return PtySession(program, columns=160, environment={"NO_COLOR": "1"})


def test_two_lines_pasted_at_once_sign_in_and_show_no_secret(cloud: LocalCloud) -> None:
    with login_at(cloud.url) as session:
        session.wait_for("Client id")
        session.feed(f"{cloud.client_id}\n{cloud.client_secret}\n")
        assert session.exit_code() == 0
        shown = bytes(session.written).decode()
        assert cloud.client_secret not in shown
        assert "Signed in" in shown and shown.count(cloud.client_id) == 1, "the id is shown when it proved to be one"
        assert session.is_cooked()


def test_typed_keys_are_not_shown() -> None:
    with login_at("http://127.0.0.1:9") as session:
        session.wait_for("Client id")
        for key in f"{ID}\n\n{SECRET}\n":
            session.feed(key)
        assert session.exit_code() == 4, "no server answers at that address"
        shown = bytes(session.written).decode()
        assert SECRET[:4] not in shown and ID not in shown
        assert "CLIE…6789 (20 characters)" in shown and shown.count("Client secret (not shown)") == 2
        assert session.is_cooked()


@pytest.mark.parametrize("typed", ["", "half a li", f"{ID}\n"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_login_restores_the_terminal(typed: str, number: signal.Signals) -> None:
    with login_at("http://127.0.0.1:9") as session:
        session.wait_for("Client id")
        session.feed(typed)
        if typed.endswith("\n"):
            session.wait_for("Client secret")
        if number is signal.SIGINT:
            session.feed("\x03")
        else:
            session.process.send_signal(number)
        assert session.exit_code() == 130
        assert session.is_cooked()


def test_the_echo_stays_off_after_stop_and_continue() -> None:
    with login_at("http://127.0.0.1:9") as session:
        session.wait_for("Client id")
        session.process.send_signal(signal.SIGSTOP)
        os.waitpid(session.process.pid, os.WUNTRACED)
        termios.tcsetattr(session._theirs, termios.TCSANOW, session.cooked)  # as a shell does
        session.process.send_signal(signal.SIGCONT)
        session.wait_for(lambda: not termios.tcgetattr(session._theirs)[3] & termios.ECHO)
        session.feed("\x04")
        assert session.exit_code() == 2
        assert session.is_cooked()


@pytest.mark.parametrize(
    "address",
    [
        "http://joe:PASSWORD@127.0.0.1:9",
        "http://joe:PASS/WORD@127.0.0.1",
        "http://joe:PASSWORD%40127.0.0.1",
        "http://joe:PASSWORD\uff20127.0.0.1",  # which urllib takes for the same sign, and quotes
    ],
)
def test_an_address_with_a_password_is_refused_before_anything_is_asked(address: str) -> None:
    done = command("login", "--cloud", address, typed=f"{ID}\n{SECRET}\n")
    assert done.code == 2 and "must not contain a user name or password" in done.err
    assert "PASS" not in done.out + done.err
    kept = command("whoami", PIX4D_CLOUD_URL=address, PIX4D_CLIENT_ID="a", PIX4D_CLIENT_SECRET="b")
    assert kept.code == 2 and "PASS" not in kept.out + kept.err
    kill_engine()
