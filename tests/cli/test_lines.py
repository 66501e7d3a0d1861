from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.values import ENGINE, UPLOAD, file, upload
from tui_uploader.cli import lines
from tui_uploader.cli.output import Style
from tui_uploader.model.engine import Link, LinkState
from tui_uploader.model.files import FileItem, Hold, Proof
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.results import CoordinateSystem, ProjectResult, ResultType
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import Counts, EtaRange, Notice, UploadStatus
from tui_uploader.text import without_ornament

PLAIN, ASCII, COLOUR = Style(), Style(ascii=True), Style(colour=True)


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        (PLAIN, "✗"),
        (ASCII, "x"),
        (COLOUR, "\x1b[1;31m✗\x1b[0m"),
        (Style(ascii=True, colour=True), "\x1b[1;31mx\x1b[0m"),
    ],
)
def test_a_glyph_takes_the_style_of_its_stream(style: Style, shown: str) -> None:
    assert lines.glyph(FileStatus.FAILED, style) == shown


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
            "= duplicate  4.03 MB  DJI_0002.JPG  copy of /a/DJI_0001.JPG",
        ),
        (
            file(2, FileStatus.DUPLICATE, object=None, duplicate_of="/card/DJI_0002.JPG"),
            "= duplicate  4.03 MB  DJI_0002.JPG  uploaded before",
        ),
        (
            file(3, FileStatus.FAILED, object=None, reason="The image is cut off."),
            "✗ failed     4.03 MB  DJI_0003.JPG  The image is cut off.",
        ),
        (
            file(4, FileStatus.WAITING, name="a\x1b[2J\n\u202eb.jpg", object=None, size=9),
            "∙ waiting        9 B  a\\x1b[2J\\x0a\\u202eb.jpg",
        ),
    ],
)
def test_a_file_is_one_printable_line(item: FileItem, shown: str) -> None:
    assert lines.file_line(item, PLAIN) == shown


def test_pace_is_rate_and_time_left() -> None:
    assert lines.pace(UPLOAD) is None
    assert lines.pace(upload(rate=4.03e6)) == "4.03 MB/s"
    assert lines.pace(upload(rate=4.03e6, eta=EtaRange(720, 900))) == "4.03 MB/s, 12–15 min left"


def test_an_upload_shows_its_files_its_bytes_and_its_notice() -> None:
    shown = upload(
        project_name="Qua\x1brry",
        skipped=2,
        moving=4,
        registering=3,
        counts=Counts(uploaded=1234, uploading=8, waiting=466, duplicate=1, failed=1),
        notice=Notice("NotSignedIn", "Not signed in.\n", needs_person=True),
        processing=Processing(ProcessingState.WAITING, word="Waiting for credits"),
    )
    assert lines.upload_lines(shown, now=0.0) == [
        "3  Qua\\x1brry: active, 70 % sent",
        "   1,234 uploaded, 4 uploading, 3 stored, 467 waiting, 1 duplicate, 1 failed, 2 skipped",
        "   Sent 700 B, stored 420 B, in the project 400 B of 1.00 KB",
        "   Waiting for processing (Waiting for credits).",
        "   ! Not signed in.\\x0a",
    ]


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"hold": Hold.OFFLINE}, "offline"),
        ({"hold": Hold.QUEUED, "behind": "Flight check"}, "queued behind Flight check"),
        ({"hold": Hold.QUEUED}, "starting"),
        ({"hold": None, "moving": 2}, "active"),
        ({"hold": Hold.PAUSED, "state": UploadState.PAUSED}, "paused"),
        ({"state": UploadState.COMPLETE}, "complete"),
    ],
)
def test_an_upload_that_does_not_move_says_why(fields: dict[str, Any], shown: str) -> None:
    assert lines.upload_lines(upload(**fields), now=0.0)[0] == f"3  Quarry: {shown}, 70 % sent"


def test_no_uploads_says_so() -> None:
    assert lines.status_lines(replace(ENGINE, uploads=()), now=0.0) == ["No uploads."]


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        (Link(), None),
        (Link(LinkState.UP, since=1.0), None),
        (Link(LinkState.DOWN), "OFFLINE."),
        (
            Link(LinkState.DOWN, next_try=1012.0, reason="cloud.pix4d.com does not answer."),
            "OFFLINE, next try in 12 s. cloud.pix4d.com does not answer.",
        ),
    ],
)
def test_only_a_dead_link_is_worth_a_line(link: Link, shown: str | None) -> None:
    assert lines.link_line(link, now=1000.0) == shown


def test_progress_in_one_line() -> None:
    assert lines.progress_line(UPLOAD) == "70 % sent (700 B of 1.00 KB), 4 of 10 files in the project"
    busy = upload(counts=Counts(uploaded=4, waiting=1, duplicate=5, failed=2), rate=10.0)
    assert lines.progress_line(busy) == "70 % sent (700 B of 1.00 KB), 4 of 7 files in the project, 10 B/s, 2 failed"


NEEDS_ACTION = Notice("TooManyImages", "There are 4,001 images.", needs_person=True)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (
            upload(state=UploadState.PREPARING),
            " queued for Quarry; still looking for more. Follow with: tui-uploader status 3 --watch",
        ),
        (
            upload(notice=Notice("LinkDown", "…", needs_person=False)),
            " queued for Quarry. Follow with: tui-uploader status 3 --watch",
        ),
        (
            upload(state=UploadState.PAUSED, notice=NEEDS_ACTION),
            " queued for Quarry, but blocked: action required (see the reason above).",
        ),
        (
            upload(state=UploadState.PAUSED),
            " queued for Quarry, but the upload is paused. Resume with: tui-uploader resume 3",
        ),
        (upload(state=UploadState.COMPLETE), ", nothing left to upload to Quarry."),
    ],
)
def test_a_queued_upload_names_its_state_and_the_next_command(status: UploadStatus, shown: str) -> None:
    assert lines.queued_line(status) == f"Upload 3: 10 files (1.00 KB){shown}"


def test_lines_about_projects_are_printable() -> None:
    project = Project("256\x1b", "Qua\nrry", ProjectKind.IMAGES, "me@https://cloud", images=7, uploads=(1, 2))
    shown = [lines.project_line(project), *lines.project_lines(project, now=0.0)]
    assert not any(character in line for line in shown for character in "\x1b\n")
    assert any("Qua\\x0arry" in line for line in shown)
    assert any("uploads 1, 2" in line for line in shown)


def test_ornament_becomes_ascii() -> None:
    line = f"{lines.bar(50, 4)} a · 12–15 min … → é"
    assert without_ornament(line) == "##-- a | 12-15 min ... -> é"


def test_a_project_of_results_lists_them_and_counts_no_images() -> None:
    utm = CoordinateSystem(32632, "WGS 84 / UTM zone 32N", True)
    results = (
        ProjectResult(ResultType.ORTHOMOSAIC, "ortho.tif", 12_000_000_000, None, utm),
        ProjectResult(ResultType.MESH, "site.obj", 100_000_000),
    )
    project = Project("7", "Maps", ProjectKind.RESULTS, "a@https://c.example", images=5, results=results)
    assert lines.project_lines(project, 0.0) == [
        "Maps",
        "   id 7",
        "   results of a@https://c.example",
        "   2 results (12.1 GB)",
        "   orthomosaic   12.0 GB  ortho.tif, EPSG:32632 (WGS 84 / UTM zone 32N)",
        "   mesh           100 MB  site.obj",
    ]
    assert lines.project_line(project) == "          7  results uploaded            2 results  Maps"


def test_files_of_a_result_name_what_they_belong_to() -> None:
    main = file(1, name="site.obj", object="site.obj", result=ResultType.MESH, replaced=True)
    texture = file(2, name="0.jpg", object="0.jpg", result=ResultType.MESH, belongs_to="/out/site.obj")
    assert lines.file_line(main, PLAIN).endswith("site.obj  mesh  replaced since")
    assert lines.file_line(texture, PLAIN).endswith("0.jpg  of site.obj")
