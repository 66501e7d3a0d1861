from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.standin import StandIn
from tests.values import COMPLETE, UPLOAD, file, upload
from tui_uploader.cli import follow
from tui_uploader.cli.main import run
from tui_uploader.errors import EngineGone, EngineUnreachable, LinkDown, NothingToUpload, SignInRefused
from tui_uploader.model.projects import NewProject, Processing, ProcessingState, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import Counts, Notice, Skipped

SUBMITTED = Processing(ProcessingState.SUBMITTED)
DONE = upload(state=COMPLETE.state, counts=COMPLETE.counts, bytes=COMPLETE.bytes, processing=SUBMITTED)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    folder = tmp_path / "card"
    folder.mkdir()
    return folder


@pytest.fixture
def environment_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIX4D_CLIENT_ID", "field")
    monkeypatch.setenv("PIX4D_CLIENT_SECRET", "s3cr3t")
    monkeypatch.setenv("PIX4D_CLOUD_URL", "https://cloud.example/")


def test_the_request_is_as_typed(stand_in: StandIn) -> None:
    assert run(["upload", "card", "--new", "Quarry", "--results"]) == 0
    (request,) = stand_in.heard("add")
    assert request.paths == ("card",)
    assert (request.target, request.kind) == (NewProject("Quarry"), ProjectKind.RESULTS)
    assert not request.auto_process
    assert request.account is None


def test_a_name_that_is_not_utf8_is_accepted(stand_in: StandIn, card: Path) -> None:
    odd = os.fsdecode(os.fsencode(card) + b"/\xff.jpg")
    Path(odd).touch()
    assert run(["upload", odd, "--project", "7"]) == 0
    assert stand_in.heard("add")[0].paths == (odd,)


@pytest.mark.parametrize(
    "arguments",
    [
        ["upload"],
        ["upload", "/"],
        ["upload", "/", "--new", "A", "--project", "B"],
        ["upload", "/", "--new", " "],
        ["upload", "/", "--project", ""],
        ["upload", "/", "--new", "A", "--nonsense"],
    ],
)
def test_invalid_arguments_are_refused_before_the_engine_is_asked(
    stand_in: StandIn, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tui-uploader: ")
    assert "\x1b" not in captured.err
    assert stand_in.connections == 0


def test_without_wait_it_prints_the_queued_files(
    stand_in: StandIn, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.last = UPLOAD
    assert run(["upload", str(card), "--new", "Quarry"]) == 0
    assert capsys.readouterr().out.startswith("Upload 3: 10 files (1.00 KB) queued for Quarry.")
    assert run(["upload", str(card), "--new", "Quarry", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "active"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_without_wait_a_blocked_upload_is_no_success(
    stand_in: StandIn, card: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    notice = Notice("TooManyImages", "There are 4,001 images.", needs_person=True)
    stand_in.last = upload(state=UploadState.PAUSED, notice=notice)
    assert run(["upload", str(card), "--new", "Quarry", *options]) == 2
    captured = capsys.readouterr()
    assert captured.err == "There are 4,001 images.\n"
    assert captured.out.count("\n") == 1


def test_waiting_ends_with_the_result_on_stdout_and_progress_on_stderr(
    stand_in: StandIn, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.script = [UPLOAD, DONE]
    stand_in.left_out = (Skipped(f"{card}/notes.txt", "This is no image."),)
    assert run(["upload", str(card), "--new", "Quarry", "--wait", "--json"]) == 0
    captured = capsys.readouterr()
    (line,) = captured.out.splitlines()
    shown = json.loads(line)
    assert shown["counts"]["uploaded"] == 10
    assert shown["processing"] == "submitted"
    assert shown["skipped"] == [{"path": f"{card}/notes.txt", "reason": "This is no image."}]
    assert "70 % sent" in captured.err


def test_failed_files_are_named_and_make_the_exit_code_one(
    stand_in: StandIn, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.script = [upload(counts=Counts(uploaded=9, failed=1))]
    stand_in.items = [file(7, FileStatus.FAILED, reason="It is cut off."), file(8)]
    assert run(["upload", str(card), "--new", "Quarry", "--wait"]) == 1
    shown = capsys.readouterr().out
    assert "DJI_0007.JPG  It is cut off." in shown
    assert "DJI_0008.JPG" not in shown


def test_a_blocked_upload_ends_the_waiting(stand_in: StandIn, card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notice = Notice("TrustFailed", "The network intercepts TLS.", needs_person=True)
    stand_in.script = [UPLOAD, upload(notice=notice)]
    assert run(["upload", str(card), "--new", "Quarry", "--wait"]) == 4
    assert "The network intercepts TLS. A running engine keeps its settings" in capsys.readouterr().out


@pytest.mark.parametrize("method", ["sign_in", "add"])
def test_an_upload_goes_to_the_next_engine_when_one_is_stopped(
    stand_in: StandIn, card: Path, method: str, environment_login: None
) -> None:
    stand_in.failures = {method: [EngineGone("The engine is being stopped."), EngineGone("It ended.")]}
    assert run(["upload", str(card), "--new", "Quarry"]) == 0
    assert stand_in.connections == 3
    assert len(stand_in.heard("sign_in")) == 3  # the next engine does not know the login yet


def test_an_upload_is_given_up_when_engine_after_engine_ends(stand_in: StandIn, card: Path) -> None:
    stand_in.failures = {"add": [EngineGone("It ended.")] * 20}
    assert run(["upload", str(card), "--new", "Quarry"]) == 6


def test_waiting_survives_the_death_of_an_engine(
    stand_in: StandIn, card: Path, monkeypatch: pytest.MonkeyPatch, environment_login: None
) -> None:
    monkeypatch.setattr(follow, "_RECONNECT_SECONDS", 0.0)
    stand_in.script = [UPLOAD, EngineUnreachable("It died."), UPLOAD, EngineUnreachable("It died."), DONE]
    assert run(["upload", str(card), "--new", "Quarry", "--wait"]) == 0
    assert [request.verify for request in stand_in.heard("sign_in")] == [True, False, False]


def test_waiting_gives_up_when_engine_after_engine_dies(
    stand_in: StandIn, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_RECONNECT_SECONDS", 0.0)
    stand_in.script = [EngineUnreachable("It died.")] * 20
    assert run(["upload", str(card), "--new", "Quarry", "--wait"]) == 6


def test_waiting_does_not_restart_an_engine_that_was_stopped(
    stand_in: StandIn, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.script = [UPLOAD]
    assert run(["upload", str(card), "--new", "Quarry", "--wait", "--json"]) == 6
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "The engine was stopped" in captured.err
    assert stand_in.connections == 2


def test_the_login_of_the_environment_is_handed_over_and_used(
    stand_in: StandIn, card: Path, environment_login: None
) -> None:
    assert run(["upload", str(card), "--new", "Quarry"]) == 0
    (request,) = stand_in.heard("sign_in")
    assert (request.keep, request.verify) == (False, True)
    assert stand_in.heard("add")[0].account == "field@https://cloud.example"


def test_a_refused_login_queues_nothing(
    stand_in: StandIn, card: Path, environment_login: None, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.failures = {"sign_in": [SignInRefused("The cloud does not accept this login.")]}
    assert run(["upload", str(card), "--new", "Quarry", "--json"]) == 3
    assert stand_in.heard("add") == []
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "tui-uploader: The cloud does not accept this login.\n"


def test_a_dead_link_does_not_keep_files_out_of_the_queue(
    stand_in: StandIn, card: Path, environment_login: None, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.failures = {"sign_in": [LinkDown("cloud.example does not answer.")]}
    assert run(["upload", str(card), "--new", "Quarry"]) == 0
    assert [request.verify for request in stand_in.heard("sign_in")] == [True, False]
    assert stand_in.heard("add")[0].account == "field@https://cloud.example"
    captured = capsys.readouterr()
    assert "cloud.example does not answer." in captured.err
    assert "s3cr3t" not in captured.out + captured.err


def test_an_error_of_the_engine_keeps_its_exit_code(stand_in: StandIn, card: Path) -> None:
    stand_in.failures = {"add": [NothingToUpload("There is nothing to upload in the folder.")]}
    assert run(["upload", str(card), "--new", "Quarry"]) == 2


@pytest.mark.parametrize(
    ("options", "auto_process"), [([], None), (["--process"], True), (["--no-process"], False), (["--results"], False)]
)
def test_processing_again_has_to_be_asked_for(
    stand_in: StandIn, card: Path, options: list[str], auto_process: bool | None
) -> None:
    assert run(["upload", str(card), "--new", "Quarry", *options]) == 0
    assert stand_in.heard("add")[0].auto_process is auto_process


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_project_that_was_processed_is_named(
    stand_in: StandIn, card: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    stand_in.last = upload(auto_process=False, processing=Processing(ProcessingState.DONE, images=12))
    assert run(["upload", str(card), "--project", "7", *options]) == 0
    captured = capsys.readouterr()
    assert "Quarry was processed with 12 images; it is not processed again automatically." in captured.err
    assert "tui-uploader process 256164 --again" in captured.err
    if options:
        assert (json.loads(captured.out)["auto_process"], json.loads(captured.out)["processing"]) == (False, "done")


def test_the_answer_says_when_processing_starts(
    stand_in: StandIn, card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.last = UPLOAD
    assert run(["upload", str(card), "--new", "Quarry"]) == 0
    assert "Processing of Quarry starts automatically when all is uploaded." in capsys.readouterr().out
