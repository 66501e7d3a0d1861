"""Details of a file, with the keys that they name, and the list of skipped paths."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.service.stand_in import StandInManager
from tests.tui.conftest import add_upload, showing
from tests.tui.files.test_activity import become
from tests.tui.headless import press, rendered_lines
from tests.tui.still_engine import StillEngine, connecting
from tests.tui.uploads import flight, queued
from tests.tui.values import file_item, project, upload_status
from tests.until import until
from tui_uploader.model.files import FileItem
from tui_uploader.model.results import ProjectResult, ResultType
from tui_uploader.model.states import FileStatus
from tui_uploader.settings import Directories
from tui_uploader.tui.app import UploaderApp
from tui_uploader.tui.screens.file_details import file_lines, key_line, next_step
from tui_uploader.tui.screens.lists import results_section
from tui_uploader.tui.terminal.capabilities import Terminal
from tui_uploader.wording.files import not_an_image

FAILED = file_item(status=FileStatus.FAILED, reason="DJI_0001.JPG is cut off; copy it again from the card")
COPY = file_item(status=FileStatus.DUPLICATE, duplicate_of="/card/a.JPG", reason="same content as a.JPG")


async def test_details_of_a_duplicate_and_of_skipped_paths(
    directories: Directories, field: Path, tmp_path: Path
) -> None:
    card = flight(tmp_path, 1)
    (card / "copy.JPG").write_bytes((card / "DJI_0001.JPG").read_bytes())
    (card / "notes.txt").write_text("no image")
    async with showing(directories) as screen:
        await until(lambda: screen.app.session.account)
        await queued(directories, card)
        await screen.shows("= copy.JPG", "copy of card/DJI_0001.JPG")
        await screen.press("f", "f")
        await screen.shows("only duplicate", "copy.JPG")
        await screen.press("enter")
        await screen.shows("Status       duplicate", "Copy of", "Next step", str(card)[:20])
        await screen.press("escape")
        await screen.app.run_action("dialog('show_skipped')")
        await screen.shows("1 file skipped", "notes.txt")


async def test_every_key_that_details_name_works_there(manager: StandInManager, directories: Directories) -> None:
    def change(file: FileItem) -> FileItem:
        return replace(file, status=FileStatus.FAILED, reason="cut off") if file.id == 2 else file

    await add_upload(manager, "a.JPG", "b.JPG", "mesh.obj", "d.JPG")
    become(manager, change)
    async with showing(directories) as screen:
        await screen.shows("✗ b.JPG")
        await screen.press("enter")
        await screen.shows("Name         b.JPG", "R retry", "x remove", "v view")
        await screen.press("R")
        await screen.shows("None of these files has failed")  # the stand-in retries nothing
        await screen.press("space")
        await screen.shows("File, selected")
        assert len(screen.app.main.files.table.marks) == 1
        await screen.press("n")
        await screen.shows("Name         a.JPG")
        await screen.press("n")
        await screen.shows("Name         mesh.obj")
        assert "v view   Space" not in screen.text
        await screen.press("v")
        await screen.shows("mesh.obj is a mesh (OBJ); only images can be shown.")
        await screen.press("N")
        await screen.shows("Name         a.JPG")
        await screen.press("x")
        await screen.shows("1 file removed")
        assert [file.name for file in manager._state.files[1]] == ["b.JPG", "mesh.obj", "d.JPG"], "not the selected one"


@pytest.mark.parametrize(
    ("item", "step", "keys"),
    [
        (FAILED, "R retries it; x removes it from the queue.", "R retry   x remove   v view"),
        (replace(FAILED, damaged=True), "Copy it again from the card, then R retries it", "R retry"),
        (COPY, "It is not sent again; x removes it from the list.", "x remove   v view"),
        (file_item(status=FileStatus.UPLOADED), "", "v view   Space"),
        (file_item(name="a.las"), "x removes it from the queue.", "x remove   Space select"),
    ],
)
def test_details_say_what_to_do(item: FileItem, step: str, keys: str) -> None:
    assert (next_step(item) or "").startswith(step)
    assert key_line(item).startswith(keys)


def test_details_state_each_fact_once() -> None:
    facts = file_lines(COPY, None, 0.0)
    assert len({label for label, _ in facts}) == len(facts)
    assert dict(facts)["Copy of"] == "/card/a.JPG" and "Why" not in dict(facts)
    assert dict(file_lines(FAILED, None, 0.0))["Why"] == "cut off; copy it again from the card"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.JPG", None),
        ("texture.png", None),
        ("cloud.las", "is a point cloud (LAS); only images can be shown."),
        ("README", "is no image (no extension); only images can be shown."),
    ],
)
def test_only_images_can_be_shown(name: str, why: str | None) -> None:
    assert not_an_image(name) == why


async def test_v_says_why_a_file_cannot_be_shown(manager: StandInManager, directories: Directories) -> None:
    await add_upload(manager, "cloud.las")
    async with showing(directories, (80, 24)) as screen:
        await screen.shows("› ∙ cloud.las")
        await screen.press("v")
        await screen.shows("cloud.las is a point cloud (LAS); only images can be shown.")


def test_details_name_the_type_of_a_result_and_the_receipt_of_the_upload() -> None:
    texture = replace(file_item(name="wall.jpg"), result=ResultType.MESH, belongs_to="/out/quarry.obj")
    upload = replace(upload_status(), receipt="/receipts/7.json")
    facts = dict(file_lines(texture, upload, 0.0))
    assert (facts["Result"], facts["Receipt"]) == ("part of quarry.obj", "/receipts/7.json")
    assert dict(file_lines(replace(texture, belongs_to=None), None, 0.0))["Result"] == "mesh"
    assert "Result" not in dict(file_lines(file_item(), None, 0.0))


def test_the_results_of_a_project_stand_below_each_other() -> None:
    at = datetime(2026, 5, 12, 14, 20).timestamp()
    ortho = ProjectResult(ResultType.ORTHOMOSAIC, "\x1b[2Jortho.tif", 2_100_000_000, at)
    own = project("Quarry", results=(ortho, ProjectResult(ResultType.MESH, "quarry.obj", 150_000_000)))
    title, lines = results_section(own, at + 60)
    assert title == "Results of Quarry"
    assert lines == [
        r"orthomosaic  \x1b[2Jortho.tif  2.10 GB  today at 14:20",
        r"mesh         quarry.obj         150 MB",
    ]


async def test_v_lists_the_results_of_the_project_under_the_cursor(tmp_path: Path) -> None:
    app = UploaderApp(Directories(*(tmp_path,) * 4), Terminal(), connect=connecting(StillEngine()))
    async with app.run_test(size=(80, 24)):
        await until(lambda: len(app.main.projects.listed) > 6)
        await press(app, "1", "G")
        await until(lambda: "Delivery" in app.main.scope().name)
        await press(app, "v")
        await until(lambda: "Results of Delivery" in "\n".join(rendered_lines(app)))
        shown = "\n".join(rendered_lines(app))
        assert "orthomosaic  ortho_may.tif" in shown and "mesh" in shown
