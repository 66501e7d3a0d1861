"""Values round-trip as JSON; anything else is rejected."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.codec import Malformed, from_json, to_json
from tui_uploader.model.accounts import Account, Login, SignInRequest
from tui_uploader.model.engine import EngineStatus, Link, LinkState
from tui_uploader.model.files import FileItem, FileQuery, FileSelection, FileWindow
from tui_uploader.model.projects import NewProject, Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import AddRequest, ByteCounts, Counts, EtaRange, Notice, Skipped, UploadStatus
from tui_uploader.model.verification import Verdict, VerificationState, VerificationStatus

PROCESSING = Processing(ProcessingState.WAITING, "Waiting for credits", 60.0, 3600.5, 1.7e9, "no credits")
UPLOAD = UploadStatus(
    upload=3,
    project=None,
    project_name="Feld 7 – Süd",
    state=UploadState.PAUSED,
    counts=Counts(1, 2, 3, 4, 5),
    bytes=ByteCounts(10, 9, 8, 7),
    skipped=2,
    rate=1234.5,
    eta=EtaRange(60.0, 90.0),
    seconds=12.25,
    auto_process=False,
    processing=PROCESSING,
    notice=Notice("SignInRefused", "The login was refused.", needs_person=True),
    dismissed=True,
)
FILE = FileItem(7, "/card/a.jpg", "a.jpg", "a-1f3a9c.jpg", 1 << 40, FileStatus.DUPLICATE, "same content", "/b.jpg", 9)
LOGIN = Login("https://cloud.example", "me", "secret")


@pytest.mark.parametrize(
    "value",
    [
        UPLOAD,
        FILE,
        EngineStatus("0.1", 42, 1.7e9, Link(LinkState.DOWN, 1.0, 2.0, "no route"), 4, 0.0, (UPLOAD, UPLOAD)),
        EngineStatus("0.1", 42, 1.7e9, Link(), 0, 0.0, ()),
        Project(None, "x", ProjectKind.RESULTS, "me@cloud", PROCESSING, (1, 2), 3, "https://cloud.example/1"),
        AddRequest(
            ("/card", "/more"), NewProject("x"), kind=ProjectKind.RESULTS, auto_process=False, account="me@cloud"
        ),
        FileSelection(ids=(1, 2), names=("a.jpg",), statuses=(FileStatus.FAILED,), all=True),
        FileQuery(10, 50, FileStatus.WAITING, FileStatus.FAILED, "!dji", "size", True),
        FileWindow(100, 10, (FILE, FILE)),
        SignInRequest(LOGIN, keep=True, profile="work", verify=False),
        Account("me@cloud", "https://cloud.example", "me", "keyring"),
        Skipped("/card/film.mp4", "not an image (.mp4)"),
        VerificationStatus(1, ("/card",), VerificationState.DONE, 1.7e9, verdict=Verdict.SAFE, uploads={3: 412}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_round_trips(value: object) -> None:
    line = to_json(value)
    assert from_json(line, type(value)) == value
    assert from_json(line.encode(), type(value)) == value
    assert "\n" not in line


@given(st.binary(max_size=60))
def test_a_path_that_is_not_utf8_round_trips(raw: bytes) -> None:
    line = to_json(Skipped(os.fsdecode(raw), "not an image (.mp4)"))
    assert line.isascii()
    assert os.fsencode(from_json(line.encode(), Skipped).path) == raw


def test_a_byte_that_is_not_utf8_is_written_as_scripts_expect() -> None:
    assert to_json(os.fsdecode(b"caf\xe9.jpg")) == r'"caf\udce9.jpg"'


@given(st.text())
def test_any_text_round_trips_on_one_ascii_line(text: str) -> None:
    line = to_json(Skipped(text, text))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert from_json(line, Skipped) == Skipped(text, text)


def test_enums_are_written_as_their_values() -> None:
    assert json.loads(to_json(FileSelection(statuses=(FileStatus.FAILED,))))["statuses"] == ["failed"]


def test_unknown_fields_are_ignored() -> None:
    assert from_json('{"path":"/a","reason":"r","since":"0.9"}', Skipped) == Skipped("/a", "r")


def test_missing_fields_take_their_defaults() -> None:
    assert from_json('{"paths":["/card"],"target":{"type":"new","name":"x"}}', AddRequest) == AddRequest(
        ("/card",), NewProject("x")
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        '{"path":"/a"',
        '{"path":"/a"}',
        '{"path":1,"reason":"r"}',
        '["/a","r"]',
        "null",
        b"\xff\xfe{",
        b"\x80",
        "[" * 100_000,
    ],
)
def test_another_shape_is_malformed(text: str | bytes) -> None:
    with pytest.raises(Malformed):
        from_json(text, Skipped)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ('{"statuses":["exploded"]}', FileSelection),
        ('{"limit":"many"}', FileQuery),
        ('{"sort":"colour"}', FileQuery),
        ('{"paths":"/card"}', AddRequest),
        ('{"uploaded":1.5}', Counts),
    ],
)
def test_a_wrong_field_is_malformed(text: str, shape: type[object]) -> None:
    with pytest.raises(Malformed):
        from_json(text, shape)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_numbers_are_never_written(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json(EtaRange(number, 1.0))


def test_the_repr_of_a_login_omits_the_secret() -> None:
    assert "secret" not in repr(LOGIN)
    assert "secret" not in repr(SignInRequest(LOGIN))
