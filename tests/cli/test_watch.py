"""`upload --watch` and `watch` with the real engine and a local cloud."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.world import LocalCloud, engine_pid, kill_engine, quick
from tests.photos import write_flight, write_photo
from tui_uploader.cli.commands.watch import seconds_in
from tui_uploader.errors import UsageError


def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def uploaded() -> int:
    """Number of uploaded files of all uploads."""
    uploads: list[dict[str, Any]] = quick("status", "--json").json["uploads"]
    return sum(upload["counts"]["uploaded"] for upload in uploads)


def test_a_watch_survives_a_killed_engine_and_adds_what_came_meanwhile(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    write_flight(card, 3)
    added = quick("upload", "--watch", str(card), "--no-process")
    assert added.code == 0, added.err
    assert f"New images in {card} are uploaded automatically." in added.out
    assert "To stop that: tui-uploader watch remove 1" in added.out
    eventually(lambda: uploaded() == 3)

    before = engine_pid()
    kill_engine()
    write_photo(card / "DJI_0100.JPG")
    listed = quick("watch", "list", "--json")
    assert [(each["watch"], each["path"]) for each in listed.json_lines] == [(1, str(card))]
    assert engine_pid() != before
    eventually(lambda: uploaded() == 4)
    status = quick("status", "--json").json
    assert len(status["uploads"]) == 1, "the card is recognised"
    assert [watch["upload"] for watch in status["watches"]] == [1]
    assert cloud.stored() == 4
    assert f"Watch 1  {card}: " in quick("status").out

    removed = quick("watch", "remove", "1")
    assert removed.code == 0
    assert "is no longer watched; what was added stays in its uploads." in removed.out
    assert quick("watch", "list").out == "No watched folders.\n"
    assert quick("watch", "remove", "1").code == 2


def test_what_the_options_are_for(cloud: LocalCloud, tmp_path: Path) -> None:
    card = tmp_path / "card"
    given = quick(
        "upload", "--watch", str(card), "--name", "{site} {date}", "--quiet", "90s", "--verify-after", "--json"
    )
    assert given.code == 0, given.err
    watch = given.json
    assert (watch["state"], watch["project_name"], watch["quiet_seconds"]) == ("absent", "{site} {date}", 90.0)
    assert (watch["verify_after"], watch["auto_process"]) == (True, True)
    again = quick("upload", "--watch", str(card), "--new", "Quarry", "--no-process", "--json").json
    assert (again["watch"], again["project_name"], again["auto_process"]) == (1, "Quarry", False)
    text = quick("watch", "list").out
    assert f"Watch 1  {card}: waits for a card" in text
    assert "no automatic processing" in text


BAD_INPUT = [
    ("upload", "{card}", "--new", "A", "--quiet", "10m"),
    ("upload", "{card}", "--new", "A", "--verify-after"),
    ("upload", "{card}", "--new", "A", "--name", "{{card}}"),
    ("upload", "--watch", "{card}", "--results"),
    ("upload", "--watch", "{card}", "--wait"),
    ("upload", "--watch", "{card}", "--new", "A", "--name", "x"),
    ("upload", "--watch", "{card}", "--new", "A", "--project", "B"),
    ("upload", "--watch", "{card}", "--project", "no such project"),
    ("upload", "--watch", "{card}", "--name", "{{place}}"),
    ("upload", "--watch", "{card}", "--quiet", "soon"),
    ("upload", "--watch", "{card}", "--quiet", "0"),
    ("upload", "--watch", "/"),
    ("upload", "--watch", "/etc"),
    ("watch", "remove", "99999999999999999999999"),
    ("watch", "remove", "-1"),
]


def test_bad_input_is_refused_with_a_sentence(cloud: LocalCloud, tmp_path: Path) -> None:
    for arguments in BAD_INPUT:
        done = quick(*(argument.format(card=tmp_path / "card") for argument in arguments))
        assert done.code == 2, (arguments, done)
        assert done.err.startswith("tui-uploader: "), (arguments, done)
    assert quick("watch", "list").out == "No watched folders.\n"


@pytest.mark.parametrize(
    ("text", "seconds"), [("600", 600), ("90s", 90), ("10m", 600), ("10 min", 600), ("2H", 7200), ("1d", 86_400)]
)
def test_times(text: str, seconds: float) -> None:
    assert seconds_in(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-1m", "1.5h", "10 years", "1m30s", "١٠m", "9999999999"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError):
        seconds_in(text)
