"""`verify` against an engine with scripted answers; `test_verify_end_to_end` uses the real one."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest
from msgspec.structs import replace

from tests.cli.standin import StandIn
from tests.values import COMPLETE, ENGINE, READING_CARD, SAFE_CARD, verification
from tui_uploader.cli import follow
from tui_uploader.cli.main import run
from tui_uploader.cli.output import Style
from tui_uploader.cli.verification import Report, VerificationLog, report_lines
from tui_uploader.errors import EngineGone, EngineUnreachable, NoSuchPath
from tui_uploader.model.projects import ExistingProject
from tui_uploader.model.verification import (
    CardFileKind,
    Finding,
    Verdict,
    VerificationState,
    VerificationStatus,
    VerifiedFile,
    VerifiedFolder,
)

NOT_SAFE = verification(
    verdict=Verdict.NOT_SAFE,
    findings={Finding.DELIVERED: 410, Finding.MISSING: 1, Finding.UNREADABLE: 1, Finding.OTHER: 1},
    kinds={CardFileKind.VIDEO: 1, CardFileKind.HIDDEN: 1},
    kind_bytes={CardFileKind.VIDEO: 9_000, CardFileKind.HIDDEN: 12},
)
FOR_IMAGES = verification(verdict=Verdict.SAFE_FOR_IMAGES, kinds={CardFileKind.LOG: 1})
ITEMS = [
    VerifiedFile("/card/a.JPG", 7, CardFileKind.IMAGE, Finding.MISSING, "is in no project"),
    VerifiedFile("/card/\x1b[2Jb\udcff.JPG", 7, CardFileKind.IMAGE, Finding.UNREADABLE, "cannot be read: I/O error"),
    VerifiedFile("/card/c.MP4", 9_000, CardFileKind.VIDEO, Finding.OTHER),
    VerifiedFile("/card/._c", 12, CardFileKind.HIDDEN, Finding.APART),
]


def found(stand_in: StandIn, *script: VerificationStatus, items: list[VerifiedFile] | None = None) -> None:
    """Let the engine report these states of a verification."""
    stand_in.verifications.script = list(script)
    stand_in.verifications.last = script[0]
    stand_in.script = [COMPLETE] * len(script)
    stand_in.verifications.items = list(ITEMS) if items is None else items


@pytest.mark.parametrize(
    ("status", "options", "code"),
    [
        (SAFE_CARD, [], 0),
        (SAFE_CARD, ["--images-only"], 0),
        (FOR_IMAGES, [], 1),
        (FOR_IMAGES, ["--images-only"], 0),
        (NOT_SAFE, [], 1),
        (NOT_SAFE, ["--images-only"], 1),
        (NOT_SAFE, ["--upload"], 1),
        (replace(SAFE_CARD, state=VerificationState.CANCELLED, verdict=None), [], 1),
        (replace(SAFE_CARD, verdict=None), [], 1),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_the_exit_code_is_zero_only_for_a_safe_card(
    stand_in: StandIn, status: VerificationStatus, options: list[str], code: int, as_json: bool
) -> None:
    found(stand_in, READING_CARD, status)
    assert run(["verify", "/media/card", *options, *(["--json"] if as_json else [])]) == code


@pytest.mark.parametrize("arguments", [["verify"], ["verify", "/card", "--project", " "], ["verify", "/x", "--quick"]])
def test_invalid_arguments_are_refused_before_the_engine_is_asked(stand_in: StandIn, arguments: list[str]) -> None:
    assert run(arguments) == 2
    assert stand_in.connections == 0


def test_the_paths_and_the_project_are_handed_over(stand_in: StandIn) -> None:
    found(stand_in, SAFE_CARD)
    assert run(["verify", "card", "/b", "--project", "Quarry"]) == 0
    (request,) = stand_in.heard("verify")
    assert (request.paths, request.project) == (("card", "/b"), "Quarry")


def test_the_report_ends_with_the_verdict(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    found(stand_in, READING_CARD, SAFE_CARD, items=[])
    assert run(["verify", "/media/card"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "SAFE               412 files  6.20 KB  /media/card/DCIM: no files",
        "Proof: 412 files by size and checksum in the storage.",
        "Found in Quarry.",
        "SAFE: everything in /media/card is in the cloud. It may be wiped.",
    ]
    assert captured.err == (
        "Verifying /media/card: 50 %, reading 212 of 412 files, 3.10 of 6.20 GB, 88.0 MB/s, 35 s left\n"
    )


def test_what_is_missing_is_listed_with_its_reason(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    found(stand_in, NOT_SAFE)
    assert run(["verify", "/media/card"]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.splitlines()[1:] == [
        "Not proven to be in the cloud, 2 files or folders:",
        "  /card/a.JPG: is in no project",
        "  /card/\\x1b[2Jb\\xff.JPG: cannot be read: I/O error",
        "Not in the cloud either, 1 video (9.00 KB):",
        "  /card/c.MP4 (9.00 KB)",
        "Not counted: 1 hidden file (12 B).",
        "Proof: 412 files by size and checksum in the storage.",
        "Found in Quarry.",
        "NOT SAFE: 1 of 412 images is not in the cloud, 1 file or folder could not be read. Do not wipe /media/card.",
        "To upload what is missing: tui-uploader verify /media/card --upload",
    ]


def test_long_lists_are_cut_in_text_and_complete_in_json(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    lost = [VerifiedFile(f"/card/{number:04}.JPG", 1, CardFileKind.IMAGE, Finding.MISSING) for number in range(2500)]
    status = replace(NOT_SAFE, findings={Finding.MISSING: 2500})
    found(stand_in, status, items=lost)
    assert run(["verify", "/media/card"]) == 1
    out = capsys.readouterr().out
    assert out.count(".JPG: ") == 20
    assert "  … and 2,480 more files; --json lists all" in out
    found(stand_in, status, items=lost)
    assert run(["verify", "/media/card", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["missing"]) == 2500


def test_json_has_the_keys_that_scripts_rely_on(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    found(stand_in, READING_CARD, NOT_SAFE)
    assert run(["verify", "/media/card", "--json"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert (record["safe"], record["verdict"], record["files"], record["delivered"]) == (False, "not_safe", 412, 410)
    assert record["missing"] == [
        {"path": "/card/a.JPG", "size": 7, "kind": "image", "reason": "is in no project", "finding": "missing"},
        {
            "path": "/card/\x1b[2Jb\udcff.JPG",
            "size": 7,
            "kind": "image",
            "reason": "cannot be read: I/O error",
            "finding": "unreadable",
        },
    ]
    assert record["others"] == [{"path": "/card/c.MP4", "size": 9000, "kind": "video"}]
    assert record["apart"] == [{"path": "/card/._c", "size": 12, "kind": "hidden"}]
    assert record["folders"][0]["path"] == "/media/card/DCIM"
    assert (record["kinds"], record["evidence"]) == ({"video": 1, "hidden": 1}, {"storage": 412})
    assert "queued" not in record


@pytest.mark.parametrize(
    ("status", "safe"),
    [(SAFE_CARD, True), (FOR_IMAGES, False), (NOT_SAFE, False), (replace(SAFE_CARD, verdict=None), False)],
)
def test_json_calls_only_a_safe_card_safe(
    stand_in: StandIn, status: VerificationStatus, safe: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found(stand_in, status, items=[])
    run(["verify", "/media/card", "--json", "--images-only"])
    record = json.loads(capsys.readouterr().out)
    assert (record["safe"], record["missing"], record["others"]) == (safe, [], [])


# ------------------------------------------------------------------------------------ uploading what is missing


@pytest.mark.parametrize(("options", "target"), [([], None), (["--project", "Quarry"], ExistingProject("Quarry"))])
def test_what_is_missing_is_queued(
    stand_in: StandIn, options: list[str], target: ExistingProject | None, capsys: pytest.CaptureFixture[str]
) -> None:
    found(stand_in, NOT_SAFE)
    assert run(["verify", "/media/card", "--upload", *options]) == 1
    assert stand_in.heard("upload missing") == [(5, target)]
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "1 missing image queued for Quarry as upload 3. Follow with: tui-uploader status 3 --watch",
        "The card is not safe yet. When upload 3 is complete, verify again: tui-uploader verify /media/card",
    ]
    found(stand_in, NOT_SAFE)
    assert run(["verify", "/media/card", "--upload", "--json", *options]) == 1
    queued = {"upload": 3, "project": "256164", "project_name": "Quarry"}
    assert json.loads(capsys.readouterr().out)["queued"] == queued


@pytest.mark.parametrize("status", [SAFE_CARD, FOR_IMAGES, replace(NOT_SAFE, findings={Finding.UNREADABLE: 1})])
def test_nothing_is_queued_where_no_image_is_missing(stand_in: StandIn, status: VerificationStatus) -> None:
    found(stand_in, status)
    run(["verify", "/media/card", "--upload"])
    assert stand_in.heard("upload missing") == []


@pytest.mark.parametrize(
    ("projects", "sentence"),
    [
        ((), "No file of this card is in a project. Name the project for the missing images with --project P."),
        (("Quarry", "Field"), "The files of this card are in 2 projects: Quarry and Field. Name the project"),
    ],
)
def test_an_unclear_project_is_a_usage_error_after_the_report(
    stand_in: StandIn, projects: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found(stand_in, replace(NOT_SAFE, projects=projects))
    assert run(["verify", "/media/card", "--upload"]) == 2
    captured = capsys.readouterr()
    assert "NOT SAFE:" in captured.out
    assert sentence in captured.err
    assert stand_in.heard("upload missing") == []


# ------------------------------------------------------------------------------------------------- odd ends


def test_a_verification_goes_to_the_next_engine_when_one_is_stopped(stand_in: StandIn) -> None:
    found(stand_in, SAFE_CARD)
    stand_in.failures = {"verify": [EngineGone("The engine is being stopped.")]}
    assert run(["verify", "/media/card"]) == 0


def test_it_survives_the_death_of_an_engine(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "_RECONNECT_SECONDS", 0.0)
    found(stand_in, READING_CARD, READING_CARD, SAFE_CARD)
    stand_in.script = [COMPLETE, EngineUnreachable("It died."), COMPLETE, COMPLETE]
    assert run(["verify", "/media/card"]) == 0


def test_a_stopped_engine_leaves_no_verdict(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    found(stand_in, READING_CARD)
    assert run(["verify", "/media/card", "--json"]) == 6
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "The verification of /media/card continues when the next command starts the engine." in captured.err


def test_an_error_of_the_engine_keeps_its_exit_code(stand_in: StandIn) -> None:
    stand_in.failures = {"verify": [NoSuchPath("/media/card does not exist.")]}
    assert run(["verify", "/media/card"]) == 2


def test_an_interrupt_cancels_the_verification(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(stand_in, READING_CARD)

    async def interrupted(verification: int) -> VerificationStatus:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
        raise AssertionError(verification)

    stand_in.verifications.script = [verification(verification=99)]  # another one: the status is asked for
    monkeypatch.setattr(stand_in.verifications, "status", interrupted)
    assert run(["verify", "/media/card"]) == 130
    assert stand_in.heard("cancel verification") == [5]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Verification cancelled: nothing is proven." in captured.err


# --------------------------------------------------------------------------------------------------- pure parts


def test_the_verdict_is_coloured_on_a_terminal_only() -> None:
    folders = (VerifiedFolder("/card/\x1b[2J", Verdict.NOT_SAFE, 1, 7, {Finding.MISSING: 1}),)
    lines = report_lines(Report(NOT_SAFE, folders), Style(colour=True))
    assert lines[0].startswith("\x1b[1;31mNOT SAFE       \x1b[0m")
    assert "/card/\\x1b[2J: 1 missing" in lines[0]
    assert lines[-1].startswith("\x1b[1;31mNOT SAFE\x1b[0m: 1 of 412 images")
    assert report_lines(Report(SAFE_CARD), Style(colour=True))[-1].startswith("\x1b[1;32mSAFE\x1b[0m: everything")
    assert "\x1b" not in "".join(report_lines(Report(NOT_SAFE, folders), Style()))


def test_many_folders_are_cut() -> None:
    folders = tuple(VerifiedFolder(f"/card/{number}", Verdict.SAFE) for number in range(23))
    lines = report_lines(Report(SAFE_CARD, folders), Style())
    assert "  … and 3 more folders; --json lists all" in lines


def test_progress_is_printed_at_growing_intervals() -> None:
    lines: list[str] = []
    now = 100.0
    view = VerificationLog(lines.append, clock=lambda: now)
    told_at = []
    for second in range(100):
        now = 100.0 + second
        before = len(lines)
        view.show(replace(ENGINE, verifications=(READING_CARD,)))
        if len(lines) > before:
            told_at.append(second)
    assert told_at == [0, 5, 15, 35, 75]
