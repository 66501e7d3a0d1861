"""Take the pictures of the app: `make screenshots`. They show a real terminal's screen; nothing is retouched."""

from __future__ import annotations

import re
from pathlib import Path

from screenshots.after_upload import compare_cards, replace_result
from screenshots.camera import Camera
from screenshots.stage import Stage, stage
from tests.tui.pty_session import PtySession

_FOLDER = Path(__file__).parent
_WIDE, _SMALL, _LARGE_TERMINAL = (120, 36), (80, 24), (200, 50)
_LARGE, _LITTLE = "South field", "North field"
_DOWN, _RIGHT, _ESCAPE = "\x1b[B", "\x1b[C", "\x1b"
_NEXT_STEP = "\x0e"
"""Ctrl+N."""
_PATIENCE = 240.0


def main() -> None:
    camera = Camera(_FOLDER)
    with stage() as set_up:
        with set_up.app(*_WIDE) as terminal:
            terminal.wait_for("No projects yet.")
            camera.take("nothing-yet", terminal)
            # The app starts before the uploads: some of their states last only seconds.
            set_up.upload(set_up.large_card, _LARGE)
            set_up.upload(set_up.small_card, _LITTLE)
            _look_at_statuses(terminal, camera)
            _look_at_flight(terminal, camera)
            _add_files(terminal, camera)
        _look_from_other_terminals(set_up, camera)
        with set_up.app(*_WIDE) as terminal:
            _look_at_uploads(terminal, camera)
            _submit(terminal, set_up, camera)
            _lose_the_link(terminal, set_up, camera)
    with stage(bad_link=False) as set_up:
        compare_cards(set_up, camera)
        replace_result(set_up, camera)


def _look_at_statuses(terminal: PtySession, camera: Camera) -> None:
    terminal.wait_for("2 active")
    terminal.feed("3g")
    terminal.wait_for(f"[2] Files  {_LITTLE}")
    terminal.feed("2")
    terminal.wait_for(lambda: all(sign in _upload_row(terminal, _LITTLE) for sign in "✓⇡∙=✗"), _PATIENCE)
    camera.take("all-statuses", terminal)


def _look_at_flight(terminal: PtySession, camera: Camera) -> None:
    terminal.feed(f"g{_DOWN}{_DOWN}")
    terminal.feed("v")
    terminal.wait_for(" to this terminal")
    camera.take("image-view", terminal)
    terminal.feed("zz")
    terminal.wait_for("1:1")
    camera.take("image-full-size", terminal)
    terminal.feed(_ESCAPE)
    terminal.wait_for("[2] Files")
    terminal.feed("m")
    terminal.wait_for(lambda: "Map of the flight" in terminal.text and " images " in terminal.text)
    camera.take("map", terminal)
    terminal.feed(_ESCAPE)
    terminal.wait_for("[2] Files")


def _upload_row(terminal: PtySession, project: str) -> str:
    """The row of a project's upload in the uploads pane."""
    lines = reversed(terminal.text.splitlines())  # the lowest with a per cent: the key bar names projects too
    return next((line for line in lines if project in line and " %" in line), "")


def _go_to_large(terminal: PtySession) -> None:
    terminal.feed("1")
    terminal.wait_for("Enter files")
    terminal.feed("G\r")  # the older of the two
    terminal.wait_for(f"[2] Files  {_LARGE}")


def _add_files(terminal: PtySession, camera: Camera) -> None:
    terminal.feed("u")
    terminal.wait_for("To be uploaded")
    terminal.feed(f"{_DOWN}{_DOWN}{_RIGHT}")
    terminal.wait_for("100MEDIA")
    terminal.feed(f"{_DOWN} ")
    terminal.feed(f"{_NEXT_STEP}Bridge north\r")
    terminal.wait_for("NEW project")
    terminal.wait_for("to new Bridge north")
    camera.take("adding-files", terminal)


def _look_from_other_terminals(set_up: Stage, camera: Camera) -> None:
    with set_up.app(*_SMALL) as terminal:
        terminal.wait_for(_LITTLE)
        camera.take("small-terminal", terminal)
        terminal.feed("u")
        terminal.wait_for("To be uploaded")
        camera.take("small-adding-files", terminal)
    with set_up.app(*_LARGE_TERMINAL) as terminal:
        terminal.wait_for(_LITTLE)
        terminal.feed(f"{_DOWN}{_DOWN}")
        terminal.wait_for("Pixels")
        camera.take("large-terminal", terminal)
    with set_up.app(*_SMALL, TERM="linux", LANG="C") as terminal:
        terminal.wait_for(_LITTLE)
        camera.take("ascii", terminal)


def _look_at_uploads(terminal: PtySession, camera: Camera) -> None:
    terminal.wait_for(_LITTLE)
    _go_to_large(terminal)
    # Wait for a reliable estimate.
    terminal.wait_for(lambda: re.search(r"~\d\d:\d\d \(", _upload_row(terminal, _LARGE)), _PATIENCE)
    camera.take("uploading", terminal)
    terminal.feed("?")
    terminal.wait_for("What can be done now")
    camera.take("help", terminal)
    terminal.feed(_ESCAPE)
    terminal.wait_for(lambda: "What can be done now" not in terminal.text)
    terminal.feed("b")
    terminal.wait_for("No data budget set.")
    terminal.feed("8Mbit/s\tMon-Fri 08:00-18:00 500k\t20GB")
    camera.take("bandwidth", terminal)
    terminal.feed(_ESCAPE)
    terminal.wait_for(lambda: "No data budget set." not in terminal.text)


def _submit(terminal: PtySession, set_up: Stage, camera: Camera) -> None:
    set_up.run("remove", "2", "--failed")
    terminal.wait_for("Submitted", _PATIENCE)
    camera.take("submitted", terminal)
    terminal.feed("\r")
    terminal.wait_for(lambda: "Submitted" not in terminal.text)


def _lose_the_link(terminal: PtySession, set_up: Stage, camera: Camera) -> None:
    set_up.cut_link()
    terminal.wait_for("OFFLINE since", _PATIENCE)
    camera.take("link-down", terminal)


if __name__ == "__main__":
    main()
