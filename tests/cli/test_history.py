"""The command `history`."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from tests.cli.standin import StandIn
from tui_uploader.cli.commands.history import moment
from tui_uploader.cli.main import run
from tui_uploader.errors import UsageError
from tui_uploader.model.history import EventKind, PastEvent

NOW = datetime(2026, 5, 12, 14, 30).timestamp()


def of(*when: int) -> float:
    return datetime(*when).timestamp()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("13:05", of(2026, 5, 12, 13, 5)),
        ("15:00", of(2026, 5, 11, 15, 0)),
        ("90m", NOW - 5400),
        ("2 h", NOW - 7200),
        ("3d", NOW - 3 * 86_400),
        (" 2026-05-11 ", of(2026, 5, 11)),
        ("2026-05-11 09:30", of(2026, 5, 11, 9, 30)),
        ("2026-05-11T09:30", of(2026, 5, 11, 9, 30)),
    ],
)
def test_times_are_written_as_people_write_them(text: str, named: float) -> None:
    assert moment(text, NOW) == named


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "2h30", "99999d", "2026-13-01", "\x1b[2J", "٣h"])
def test_other_times_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="13:05, 2h") as refused:
        moment(text, NOW)
    assert str(refused.value).isprintable()


def test_events_are_sentences_or_json(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["history"]) == 0
    assert capsys.readouterr().out == "Nothing has happened yet.\n"
    stand_in.happened = (PastEvent(7, NOW, EventKind.UPLOADED, 3, "Quarry", "me@cloud", 12, 5000),)
    assert run(["history", "--since", "2026-05-11"]) == 0
    assert capsys.readouterr().out.endswith("14:30 Quarry: 12 files uploaded (5.00 KB).\n")
    assert stand_in.heard("history") == [(0, 50, None), (0, 5000, of(2026, 5, 11))]
    assert run(["history", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {
        "id": 7,
        "at": NOW,
        "kind": "uploaded",
        "upload": 3,
        "project": "Quarry",
        "account": "me@cloud",
        "files": 12,
        "bytes": 5000,
        "until": None,
        "error": "",
        "detail": "",
        "sentence": "Quarry: 12 files uploaded (5.00 KB).",
    }


def test_a_time_that_is_none_ends_the_command(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["history", "--since", "soon"]) == 2
    assert "is not a time" in capsys.readouterr().err
