from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from tests.cli.values import COMPLETE, ENGINE, UPLOAD, file, upload
from tui_uploader.cli import lines
from tui_uploader.cli.lines import Leftovers, Style
from tui_uploader.codec import to_json
from tui_uploader.model import (
    Counts,
    EtaRange,
    FileItem,
    FileStatus,
    Link,
    LinkState,
    Notice,
    Processing,
    ProcessingState,
    Project,
    ProjectKind,
    Proof,
    Skipped,
    UploadState,
    UploadStatus,
    Volume,
)
from tui_uploader.text import without_ornament

PLAIN, ASCII, COLOUR = Style(), Style(ascii=True), Style(colour=True)


def test_the_result_has_exactly_the_keys_that_scripts_rely_on() -> None:
    shown = json.loads(to_json(lines.result(UPLOAD, [Skipped("/card/notes.txt", "no image")])))
    assert shown == {
        "upload": 3,
        "project": "256164",
        "state": "active",
        "counts": {"uploaded": 4, "uploading": 2, "waiting": 4, "duplicate": 0, "failed": 0},
        "bytes": {"total": 1000, "sent": 700, "stored": 420, "registered": 400},
        "skipped": [{"path": "/card/notes.txt", "reason": "no image"}],
        "seconds": 12.5,
        "processing": "not_started",
    }


def test_a_listed_upload_adds_rate_and_eta() -> None:
    shown = json.loads(to_json(lines.listed(upload(rate=5.0, eta=EtaRange(10.0, 20.0)), [])))
    assert shown["rate"] == 5.0
    assert shown["eta"] == {"low": 10.0, "high": 20.0}
    assert set(shown) - set(lines.result(UPLOAD, [])) == {"rate", "eta", "notice"}


def test_a_path_that_is_no_utf8_survives_json() -> None:
    item = file(1, path="/card/\udcff.jpg", name="\udcff.jpg", object="x.jpg")
    line = to_json(lines.file_record(item))
    assert "\\udcff" in line
    assert json.loads(line)["path"] == "/card/\udcff.jpg"
    assert set(json.loads(line)) == {"path", "name", "object", "size", "status", "reason", "duplicate_of", "verified"}


@pytest.mark.parametrize(
    ("style", "status", "shown"),
    [
        (PLAIN, FileStatus.UPLOADED, "✓"),
        (PLAIN, FileStatus.UPLOADING, "⇡"),
        (PLAIN, FileStatus.WAITING, "∙"),
        (PLAIN, FileStatus.DUPLICATE, "⚠"),
        (PLAIN, FileStatus.FAILED, "↻"),
        (ASCII, FileStatus.UPLOADED, "+"),
        (ASCII, FileStatus.UPLOADING, "^"),
        (ASCII, FileStatus.WAITING, "."),
        (ASCII, FileStatus.DUPLICATE, "!"),
        (ASCII, FileStatus.FAILED, "x"),
        (COLOUR, FileStatus.UPLOADED, "\x1b[32m✓\x1b[0m"),
        (Style(ascii=True, colour=True), FileStatus.FAILED, "\x1b[1;31mx\x1b[0m"),
    ],
)
def test_glyphs(style: Style, status: FileStatus, shown: str) -> None:
    assert lines.glyph(status, style) == shown


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (file(1), "✓ uploaded   4.03 MB  DJI_0001.JPG"),
        (file(1, object="DJI_0001-1f3a9c.JPG"), "✓ uploaded   4.03 MB  DJI_0001.JPG  → DJI_0001-1f3a9c.JPG"),
        (file(1, verified=Proof.CRC32), "✓ uploaded   4.03 MB  DJI_0001.JPG"),
        (
            file(1, verified=Proof.NONE),
            "✓ uploaded   4.03 MB  DJI_0001.JPG  Stored, but the storage confirmed no checksum.",
        ),
        (
            file(2, FileStatus.DUPLICATE, object=None, duplicate_of="/a/DJI_0001.JPG", reason="same content"),
            "⚠ duplicate  4.03 MB  DJI_0002.JPG  same content as /a/DJI_0001.JPG",
        ),
        (
            file(2, FileStatus.DUPLICATE, object=None, duplicate_of="/card/DJI_0002.JPG"),
            "⚠ duplicate  4.03 MB  DJI_0002.JPG  uploaded before",
        ),
        (
            file(3, FileStatus.FAILED, object=None, reason="The image is cut off."),
            "↻ failed     4.03 MB  DJI_0003.JPG  The image is cut off.",
        ),
        (
            file(4, FileStatus.WAITING, name="a\x1b[2J\n\u202eb.jpg", object=None, size=9),
            "∙ waiting        9 B  a\\x1b[2J\\x0a\\u202eb.jpg",
        ),
    ],
)
def test_a_file_is_one_inert_line(item: FileItem, shown: str) -> None:
    assert lines.file_line(item, PLAIN) == shown


@pytest.mark.parametrize(
    ("volume", "state", "percent"),
    [
        (Volume(total=1000, stored=999), UploadState.ACTIVE, 99),
        (Volume(total=1000, stored=1000), UploadState.ACTIVE, 100),
        (Volume(total=0), UploadState.ACTIVE, 0),
        (Volume(total=0), UploadState.COMPLETE, 100),
        (Volume(total=10, sent=10), UploadState.ACTIVE, 0),
    ],
)
def test_the_percentage_is_of_what_is_stored(volume: Volume, state: UploadState, percent: int) -> None:
    assert lines.percent_stored(upload(bytes=volume, state=state)) == percent


def test_an_estimate_is_shown_only_when_there_is_one() -> None:
    assert lines.pace(UPLOAD) is None
    assert lines.pace(upload(rate=4.03e6)) == "4.03 MB/s"
    assert lines.pace(upload(rate=4.03e6, eta=EtaRange(720, 900))) == "4.03 MB/s · 12–15 min left"


def test_an_upload_shows_its_files_the_three_truths_and_what_somebody_should_know() -> None:
    shown = upload(
        project_name="Qua\x1brry",
        skipped=2,
        counts=Counts(uploaded=1234, uploading=8, waiting=466, duplicate=1, failed=1),
        notice=Notice("NotSignedIn", "Nobody is signed in.\n", needs_person=True),
        processing=Processing(ProcessingState.WAITING, word="Waiting for credits"),
    )
    assert lines.upload_lines(shown) == [
        "3  Qua\\x1brry: active, 42 %",
        "   1,234 uploaded · 8 uploading · 466 waiting · 1 duplicate · 1 failed · 2 skipped",
        "   sent 700 B · stored 420 B · registered 400 B of 1.00 KB",
        "   Processing: waiting (Waiting for credits).",
        "   ! Nobody is signed in.\\x0a",
    ]


def test_no_uploads_says_so() -> None:
    assert lines.status_lines(replace(ENGINE, uploads=()), now=0.0) == ["No uploads."]


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (Link(), None),
        (Link(LinkState.UP, since=1.0), None),
        (Link(LinkState.DOWN), "The link is down."),
        (
            Link(LinkState.DOWN, since=900.0, next_try=1012.0, reason="cloud.pix4d.com does not answer."),
            "The link is down since 1 min 40 s, next try in 12 s: cloud.pix4d.com does not answer.",
        ),
        (Link(LinkState.DOWN, since=990.0, next_try=999.0), "The link is down since 10 s."),
    ],
)
def test_a_dead_link_says_since_when_and_until_when(link: Link, shown: str | None) -> None:
    assert lines.link_line(link, now=1000.0) == shown


@pytest.mark.parametrize(
    ("processing", "shown"),
    [
        (Processing(), "Processing: not started."),
        (Processing(reason="There are only 3 images."), "Processing: not started. There are only 3 images."),
        (
            Processing(ProcessingState.SUBMITTED, waiting_seconds=300, processing_seconds=4200),
            "Processing: submitted, waits about 5 min 00 s, takes about 1 h 10 min.",
        ),
        (Processing(ProcessingState.SUBMITTED, word="CREATED"), "Processing: submitted."),
        (Processing(ProcessingState.DONE, word="DONE", processing_seconds=4200), "Processing: done."),
        (Processing(ProcessingState.PROCESSING, word="\x1bNEW"), "Processing: processing (\\x1bNEW)."),
    ],
)
def test_processing_in_a_sentence(processing: Processing, shown: str) -> None:
    assert lines.processing_line(processing) == shown


def test_progress_in_one_line() -> None:
    assert lines.progress_line(UPLOAD) == "42 %, 4 of 10 files, 420 B of 1.00 KB stored"
    busy = upload(counts=Counts(uploaded=4, waiting=1, duplicate=5, failed=2), rate=10.0)
    assert lines.progress_line(busy) == "42 %, 4 of 7 files, 420 B of 1.00 KB stored, 10 B/s, 2 failed"


def test_the_summary_of_a_clean_upload_is_one_line() -> None:
    assert lines.summary_lines(COMPLETE, Leftovers(), PLAIN) == ["Quarry: 10 files uploaded (1.00 KB) in 12 s."]


def test_the_summary_counts_what_the_storage_did_not_verify() -> None:
    assert lines.summary_lines(COMPLETE, Leftovers(not_verified=4), PLAIN) == [
        "Quarry: 10 files uploaded (1.00 KB) in 12 s.",
        "4 of them not verified: the storage confirmed no checksum of what it stored.",
    ]


def test_the_summary_names_what_did_not_arrive_and_what_helps() -> None:
    status = upload(counts=Counts(uploaded=4, duplicate=7, failed=1), skipped=1)
    leftovers = Leftovers(
        duplicates=[file(n, FileStatus.DUPLICATE, duplicate_of="/a.jpg") for n in range(7)],
        failed=[file(9, FileStatus.FAILED, reason="It is cut off.")],
        skipped=[Skipped("/card/notes\n.txt", "This is no image.")],
    )
    shown = lines.summary_lines(status, leftovers, PLAIN)
    assert "7 duplicates, not sent again:" in shown
    assert sum("same content as" in line for line in shown) == lines.DUPLICATES_SHOWN
    assert "  … and 2 more" in shown
    assert "  ↻ failed     4.03 MB  DJI_0009.JPG  It is cut off." in shown
    assert "  Try again with: tui-uploader retry 3; leave out with: tui-uploader remove 3 --failed" in shown
    assert "  /card/notes\\x0a.txt: This is no image." in shown


def test_the_summary_of_an_unfinished_upload_says_that_it_is_unfinished() -> None:
    shown = lines.summary_lines(upload(state=UploadState.CANCELLED), Leftovers(), PLAIN)
    assert "6 files not uploaded yet; the upload is cancelled." in shown


NEEDS_SOMEBODY = Notice("TooManyImages", "There are 4,001 images.", needs_person=True)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (
            upload(state=UploadState.PREPARING),
            " on the way to Quarry, and more are being looked for. Follow with: tui-uploader status 3 --watch",
        ),
        (
            upload(notice=Notice("LinkDown", "…", needs_person=False)),
            " on the way to Quarry. Follow with: tui-uploader status 3 --watch",
        ),
        (
            upload(state=UploadState.PAUSED, notice=NEEDS_SOMEBODY),
            " queued for Quarry, and nothing moves until somebody acts.",
        ),
        (
            upload(state=UploadState.PAUSED),
            " queued for Quarry; the upload is paused. Go on with: tui-uploader resume 3",
        ),
        (upload(state=UploadState.COMPLETE), ", and nothing is left to upload to Quarry."),
    ],
)
def test_a_queued_upload_says_whether_it_moves_and_what_is_next(status: UploadStatus, shown: str) -> None:
    assert lines.queued_line(status) == f"Upload 3: 10 files (1.00 KB){shown}"


@pytest.mark.parametrize(("kind", "hinted"), [("TrustFailed", True), ("ProxyRefused", True), ("LinkDown", False)])
def test_what_settings_would_mend_says_how_the_engine_gets_them(kind: str, hinted: bool) -> None:
    line = lines.explained(kind, "It fails.\n")
    assert line.startswith("It fails.\\x0a")
    assert ("tui-uploader engine stop" in line) == hinted


def test_projects_are_inert_too() -> None:
    project = Project("256\x1b", "Qua\nrry", ProjectKind.IMAGES, "me@https://cloud", images=7, uploads=(1, 2))
    shown = [lines.project_line(project), *lines.project_lines(project)]
    assert not any(character in line for line in shown for character in "\x1b\n")
    assert any("Qua\\x0arry" in line for line in shown)
    assert any("uploads 1, 2" in line for line in shown)


def test_ornament_becomes_ascii() -> None:
    line = f"{lines.bar(50, 4)} a · 12–15 min … → é"
    assert without_ornament(line) == "##-- a | 12-15 min ... -> é"
