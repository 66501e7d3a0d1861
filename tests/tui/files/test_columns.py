"""Columns of the files pane, by width."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from tests.tui.values import HOSTILE, file_item, text_of
from tui_uploader.model.files import FileItem, Hold
from tui_uploader.model.results import ResultType
from tui_uploader.model.states import FileStatus
from tui_uploader.tui.files.columns import Look, Widths, file_cells, file_columns
from tui_uploader.tui.files.folders import FolderNames, folder_of
from tui_uploader.tui.lines.columns import Column, layout, line
from tui_uploader.tui.lines.glyphs import UNICODE
from tui_uploader.wording.files import shown_status

NAMES = ["", "Name", "Folder", "Taken", "GPS", "Camera", "Height", "Size", "State", "Uploaded", "Name in project"]
NOON = 1795953600.0
"""2026-11-29 12:00."""


def image(name: str = "DJI_0001.JPG", folder: str = "/media/card/DCIM/100MEDIA", at: float = NOON) -> FileItem:
    return FileItem(
        1,
        f"{folder}/{name}",
        name,
        None,
        4_000_000,
        FileStatus.WAITING,
        taken_at=at,
        located=False,
        camera="FC6520",
        height=121.6,
    )


def laid_out(width: int, *files: FileItem) -> tuple[tuple[tuple[Column, int], ...], FolderNames]:
    folders = FolderNames()
    folders.see(folder_of(file.path) for file in files)
    return layout(file_columns(Widths().including(files, folders)), width), folders


def shown(width: int, *files: FileItem) -> list[str]:
    """The cells of the last of the files."""
    columns, folders = laid_out(width, *files)
    look = Look(UNICODE, folders, {}, date(2026, 11, 29))
    return [text_of(cell).strip() for cell in file_cells(files[-1], columns, look)]


@pytest.mark.parametrize(
    ("width", "hidden"),
    [
        (57, {"Taken", "GPS", "Camera", "Height", "Uploaded", "Name in project"}),
        (77, {"GPS", "Camera", "Height", "Uploaded", "Name in project"}),
        (84, {"Camera", "Height", "Uploaded", "Name in project"}),
        (105, {"Camera", "Height", "Name in project"}),
        (120, {"Name in project"}),
        (164, set()),
    ],
)
@pytest.mark.parametrize("name", ["DJI_0001.JPG", "long " * 40])
def test_the_width_decides_which_columns_there_are(width: int, hidden: set[str], name: str) -> None:
    columns, _ = laid_out(width, image(name))
    assert [column.title for column, _ in columns] == [title for title in NAMES if title not in hidden]
    assert sum(cells for _, cells in columns) + len(columns) - 1 == width


MESH = replace(file_item(name="quarry.obj"), result=ResultType.MESH)
TEXTURE = replace(file_item(2, "wall.jpg"), result=ResultType.MESH, belongs_to="/card/quarry.obj")


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (57, ["", "Name", "Type", "Size", "State"]),
        (77, ["", "Name", "Type", "Folder", "Size", "State"]),
        (164, ["", "Name", "Type", "Folder", "Size", "State", "Uploaded", "Name in project"]),
    ],
)
def test_results_have_their_type_instead_of_facts_about_photos(width: int, titles: list[str]) -> None:
    columns, _ = laid_out(width, MESH, TEXTURE)
    assert [column.title for column, _ in columns] == titles
    assert sum(cells for _, cells in columns) + len(columns) - 1 == width
    assert shown(width, TEXTURE, MESH)[2] == "mesh"
    assert shown(width, MESH, TEXTURE)[2] == ("part of quarry.obj" if width > 60 else "part ⋯y.obj")


@pytest.mark.parametrize("width", [57, 77, 140])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_companion_of_a_hostile_name_fits(width: int, name: str) -> None:
    file = replace(TEXTURE, belongs_to=f"/card/{name * 50}")
    columns, folders = laid_out(width, MESH, file)
    drawn = line(columns, file_cells(file, columns, Look(UNICODE, folders, {}, date(2026, 11, 29))), UNICODE)
    assert cell_len(text_of(drawn)) == width


@pytest.mark.parametrize("width", [57, 77, 84, 105, 117, 140, 164])
@pytest.mark.parametrize("name", HOSTILE)
def test_names_give_way_to_folders_and_folders_to_states(width: int, name: str) -> None:
    file = image((name.replace("/", "") or "x") * 200, f"/card/{'folder ' * 20}")
    columns, folders = laid_out(width, file)
    cells = {column.title: cells for column, cells in columns}
    assert cells[""] == 1 and cells["Size"] == 7 and cells["State"] >= 18
    assert cells["Folder"] == 24 or cells["Name"] == 12
    assert cells["State"] >= 30 or cells["Folder"] == 9
    drawn = line(columns, file_cells(file, columns, Look(UNICODE, folders, {}, date(2026, 11, 29))), UNICODE)
    assert cell_len(text_of(drawn)) == width


def test_the_cells_of_a_file_in_a_wide_table() -> None:
    other = image(folder="/media/card2/DCIM/100MEDIA")
    renamed = replace(image(), object="DJI_0001-739bb7.JPG", status=FileStatus.UPLOADED)
    cells = "✓|DJI_0001.JPG|card/100MEDIA|12:00:00|no|FC6520|122 m|4.00 MB|uploaded||DJI_0001-739bb7.JPG"
    assert shown(164, other, renamed) == cells.split("|")


def test_files_of_two_cards_with_equal_names_differ() -> None:
    one, two = image(), image(folder="/media/card2/DCIM/100MEDIA")
    assert shown(77, two, one)[2] == "card/100MEDIA" and shown(77, one, two)[2] == "card2/100MEDIA"


def test_the_day_is_shown_where_photos_are_of_several() -> None:
    assert shown(84, image(at=NOON - 86400), image())[3] == "29 Nov 12:00:00"
    assert shown(84, image(), image())[3] == "12:00:00"


@pytest.mark.parametrize("at", [float("nan"), 1e300, -1e300])
def test_an_impossible_time_is_unknown(at: float) -> None:
    assert shown(84, image(at=at))[3] == "--"


def test_what_is_not_read_yet_is_not_claimed() -> None:
    assert shown(84, file_item())[3:5] == ["--", "--"]


@pytest.mark.parametrize("width", [77, 84, 105, 117, 140, 164])
def test_usual_names_are_whole_beside_every_other_column(width: int) -> None:
    renamed = replace(image("DJI_0001 (1).JPG"), object="DJI_0001-739bb7.JPG", camera="DJI FC6310S")
    assert shown(width, image(at=NOON - 86400), renamed)[1] == "DJI_0001 (1).JPG"


def test_only_a_file_that_a_stream_carries_has_the_sign_of_uploading() -> None:
    chosen = replace(file_item(status=FileStatus.UPLOADING), hold=Hold.QUEUED)
    stored = replace(chosen, hold=Hold.REGISTERING)
    carried = replace(chosen, hold=None)
    assert [shown_status(item) for item in (chosen, stored, carried)] == [
        FileStatus.WAITING,
        FileStatus.WAITING,
        FileStatus.UPLOADING,
    ]
