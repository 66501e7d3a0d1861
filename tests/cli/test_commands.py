from __future__ import annotations

import io
import json

import pytest

from tests.cli.standin import StandIn
from tests.values import UPLOAD, file, upload
from tui_uploader.cli.main import run
from tui_uploader.errors import AlreadyProcessed, EngineUnreachable, NoSuchUpload
from tui_uploader.model.accounts import Account
from tui_uploader.model.files import FileSelection
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import Counts
from tui_uploader.settings import Directories

ME = Account("me@https://cloud", "https://cloud", "me", "keyring")


FULL = upload(counts=Counts(waiting=400))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_command_it_prints_the_status_and_a_hint(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("3  Quarry: complete, 100 % sent\n")
    assert "--help" in captured.err


@pytest.mark.parametrize("flags", [[], ["--ascii", "--slow", "--read-only"]])
def test_without_a_command_on_a_terminal_it_starts_the_app(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    shown: list[tuple[Directories, bool, bool, bool]] = []

    def run_app(directories: Directories, *, ascii_only: bool, slow: bool, in_demo: bool, read_only: bool) -> int:
        assert not in_demo
        shown.append((directories, ascii_only, slow, read_only))
        return 143

    monkeypatch.setattr("tui_uploader.tui.run.run_app", run_app)
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{stream}", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert run(flags) == 143
    assert shown == [(Directories.of_user(), bool(flags), bool(flags), bool(flags))]
    monkeypatch.setenv("TERM", "dumb")
    assert run(flags) == 0
    assert len(shown) == 1


def test_status_json_is_one_object(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    (shown,) = json.loads(line)["uploads"]
    assert (shown["upload"], shown["rate"], shown["eta"]) == (3, 0.0, None)


def test_status_of_an_unknown_upload(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "4"]) == 2
    assert "There is no upload 4" in capsys.readouterr().err


def test_watch_json_prints_a_line_per_change(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.script = [UPLOAD, UPLOAD, UPLOAD]
    assert run(["status", "--watch", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_files_come_window_by_window(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.items = [file(n, FileStatus.FAILED if n % 2 else FileStatus.UPLOADED) for n in range(2500)]
    assert run(["files", "3", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["name"] for line in lines] == [item.name for item in stand_in.items]
    assert [query.offset for _, query in stand_in.heard("files")] == [0, 1000, 2000]
    assert run(["files", "3", "--status", "failed"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1250


@pytest.mark.parametrize(
    ("arguments", "selection"),
    [
        (["retry", "3"], FileSelection(statuses=(FileStatus.FAILED,))),
        (["retry", "3", "DJI_0001.JPG"], FileSelection(names=("DJI_0001.JPG",))),
        (["remove", "3", "/card/a.jpg", "b.jpg"], FileSelection(names=("/card/a.jpg", "b.jpg"))),
        (["remove", "3", "--duplicates"], FileSelection(statuses=(FileStatus.DUPLICATE,))),
        (["remove", "3", "--waiting"], FileSelection(statuses=(FileStatus.WAITING,))),
        (["remove", "3", "--failed"], FileSelection(statuses=(FileStatus.FAILED,))),
        (
            ["remove", "3", "--failed", "--waiting", "b.jpg"],
            FileSelection(names=("b.jpg",), statuses=(FileStatus.FAILED, FileStatus.WAITING)),
        ),
    ],
)
def test_names_and_options_select_files(stand_in: StandIn, arguments: list[str], selection: FileSelection) -> None:
    assert run(arguments) == 0
    assert stand_in.heard(arguments[0]) == [(3, selection)]


def test_remove_without_files_is_a_usage_error(stand_in: StandIn) -> None:
    assert run(["remove", "3"]) == 2
    assert stand_in.heard("remove") == []


def test_an_upload_is_paused_only_once(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.last = upload(state=UploadState.PAUSED)
    assert run(["pause", "3"]) == 0
    assert (
        capsys.readouterr().out == "Upload 3 is paused: 70 % sent (700 B of 1.00 KB), 4 of 10 files in the project.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "checked"),
    [(["status"], [False]), (["files", "3"], [False]), (["pause", "3"], [False]), (["resume", "3"], [True])],
)
def test_an_engine_that_does_not_know_the_account_gets_the_login_of_the_environment(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, arguments: list[str], checked: list[bool]
) -> None:
    monkeypatch.setenv("PIX4D_CLIENT_ID", "field")
    monkeypatch.setenv("PIX4D_CLIENT_SECRET", "s3cr3t")
    stand_in.known = (ME,)
    for _ in range(2):
        assert run(arguments) == 0
    requests = stand_in.heard("sign_in")
    assert [request.verify for request in requests] == checked * (2 if checked[0] else 1)
    assert not any(request.keep for request in requests)
    assert requests[0].login.client_id == "field"


@pytest.mark.parametrize(("answer", "code", "cancelled"), [("n\n", 130, []), ("\n", 130, []), ("y\n", 0, [3])])
def test_cancel_asks_on_a_terminal_when_many_files_are_left(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, cancelled: list[int]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    stand_in.last = FULL
    assert run(["cancel", "3"]) == code
    assert stand_in.heard("cancel") == cancelled


@pytest.mark.parametrize("arguments", [["cancel", "3"], ["cancel", "3", "--yes"]])
def test_cancel_does_not_ask_a_script(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("n\n") if "--yes" in arguments else io.StringIO("n\n"))
    stand_in.last = FULL
    assert run(arguments) == 0
    assert stand_in.heard("cancel") == [3]


def test_a_dismissal_and_an_addition_are_undone(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dismiss", "3"]) == 0
    assert capsys.readouterr().out == (
        "Upload to Quarry removed from the list; the project stays. Undo with: tui-uploader undismiss 3\n"
    )
    stand_in.last = upload(project=None)
    assert run(["dismiss", "3"]) == 0
    assert "the project stays" not in capsys.readouterr().out
    assert run(["undismiss", "3"]) == 0
    assert run(["undo", "12"]) == 0
    assert capsys.readouterr().out.endswith(
        "3,922 files taken out of the queue of Quarry; 78 files that were sent stay in the project.\n"
    )
    assert (stand_in.heard("undismiss"), stand_in.heard("undo_addition")) == ([3], [12])


PROCESSED = Project(
    "7", "North field", ProjectKind.IMAGES, "me@https://cloud", Processing(ProcessingState.DONE, images=12)
)


def test_process_asks_on_a_terminal_before_it_starts_again(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.found = (PROCESSED,)
    for typed, code, asked in (("\n", 130, 1), ("y\n", 0, 2)):
        stand_in.requests.clear()
        stand_in.failures = {"start_processing": [AlreadyProcessed("North field was processed before.")]}
        monkeypatch.setattr("sys.stdin", Terminal(typed))
        assert run(["process", "7"]) == code
        assert len(stand_in.heard("start_processing")) == asked
        said = capsys.readouterr()
        assert "North field was processed with 12 images. Process again? This may use credits." in said.err
    assert stand_in.heard("start_processing")[-1] == ("7", False, True)
    assert "Processing requested for North field." in said.out


def test_process_needs_a_flag_in_a_script(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    stand_in.found = (PROCESSED,)
    stand_in.failures = {"start_processing": [AlreadyProcessed("North field was processed before.")]}
    assert run(["process", "7"]) == 2
    assert run(["process", "7", "--again"]) == 0
    assert stand_in.heard("start_processing") == [("7", False, False), ("7", False, True)]


def test_login_reads_a_pipe_and_keeps_the_login(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("me\ns3cr3t\n"))
    assert run(["login", "--cloud", "https://other.example/", "--profile", "work"]) == 0
    (request,) = stand_in.heard("sign_in")
    assert (request.keep, request.verify, request.profile) == (True, True, "work")
    assert request.login.account == "me@https://other.example"
    assert request.login.client_secret == "s3cr3t"
    captured = capsys.readouterr()
    assert "s3cr3t" not in captured.out + captured.err


def test_login_with_half_a_login_is_a_usage_error(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("me\n"))
    assert run(["login"]) == 2
    assert stand_in.heard("sign_in") == []


def test_no_command_takes_a_secret_as_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["login", "--help"]) == 0
    assert "--secret" not in capsys.readouterr().out


def test_whoami(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["whoami"]) == 3
    stand_in.known = (ME,)
    monkeypatch.setenv("PIX4D_CLIENT_ID", "field")
    monkeypatch.setenv("PIX4D_CLIENT_SECRET", "s3cr3t")
    capsys.readouterr()
    assert run(["whoami", "--json"]) == 0
    sources = [json.loads(line)["source"] for line in capsys.readouterr().out.splitlines()]
    assert sources == ["environment", "keyring"]


def test_logout_without_a_login_succeeds(stand_in: StandIn) -> None:
    assert run(["logout", "--profile", "work"]) == 0
    assert stand_in.heard("sign_out") == ["work"]


def test_projects_are_listed_one_per_line(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.found = (Project("7", "Quarry\n", ProjectKind.IMAGES, "me@https://cloud"),)
    assert run(["projects", "list"]) == 0
    assert capsys.readouterr().out.endswith("Quarry\\x0a\n")
    assert run(["projects", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "7"


def test_failures_are_one_sentence_and_an_exit_code(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    stand_in.failures = {"pause": [NoSuchUpload("There is no upload 9.")], "connect": [], "resume": []}
    assert run(["pause", "9"]) == 2
    assert capsys.readouterr().err == "tui-uploader: There is no upload 9.\n"
    stand_in.failures = {"connect": [EngineUnreachable("The engine is silent.")]}
    assert run(["engine", "status", "--json"]) == 6
    assert capsys.readouterr().out == ""


def test_an_internal_error_shows_its_traceback_only_on_request(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(upload: int) -> None:
        raise RuntimeError("some detail")

    monkeypatch.setattr(stand_in, "pause", broken)
    assert run(["pause", "3"]) == 6
    shown = capsys.readouterr().err
    assert "some detail" in shown
    assert "engine.log" in shown
    assert "Traceback" not in shown
    assert run(["--debug", "pause", "3"]) == 6
    assert "Traceback" in capsys.readouterr().err
