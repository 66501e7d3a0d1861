"""What the dialogs decide without a screen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.intake.scan import scan
from tui_uploader.model import AddRequest, ExistingProject, NewProject, Project, ProjectKind
from tui_uploader.text import printable
from tui_uploader.tui.add_files.chosen_paths import clipped_start
from tui_uploader.tui.add_files.destination import (
    add_request,
    checked_name,
    destination_words,
    matching,
    name_note,
    named,
    settled_kind,
    stepped,
    target_note,
)
from tui_uploader.tui.add_files.folder_counts import Entry, FolderCount, Listing, count_files, listed, wanted
from tui_uploader.tui.add_files.folder_rows import FolderRows
from tui_uploader.tui.add_files.path_completion import Completion, completed, meant_path
from tui_uploader.tui.add_files.resolve_paths import (
    GivenPath,
    GivenPaths,
    dropped,
    is_drop,
    said_of_drop,
    said_of_typed,
    topmost,
    total,
    typed,
)
from tui_uploader.tui.widgets.text_field import first_line

IMAGES, RESULTS = ProjectKind.IMAGES, ProjectKind.RESULTS
NORTH = Project("11", "North field", IMAGES, "me@cloud", uploads=(1,), images=1711)
SOUTH = Project("12", "South field", RESULTS, "me@cloud")
TO_BE_MADE = Project(None, "Offline", IMAGES, "me@cloud", uploads=(2,))

# ------------------------------------------------------------------------------------------- completing a path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/a/b", "/a/b"),
        ("/a//b/../c/", "/a/c"),
        ("c", "/here/c"),
        ("../c", "/c"),
        ("", "/here"),
        ("~", "/home/me"),
        ("~/c", "/home/me/c"),
        ("~anna/c", "/here/~anna/c"),
    ],
)
def test_a_typed_path_leads_somewhere(text: str, path: str) -> None:
    assert meant_path(text, "/here", "/home/me") == path


@pytest.mark.parametrize(
    ("text", "names", "completion"),
    [
        ("/m/D", ["DCIM/", "MISC/"], Completion("/m/DCIM/")),
        ("/m/", ["100/", "101/"], Completion("/m/10", ("100/", "101/"))),
        ("/m/10", ["100/", "101/"], Completion("/m/10", ("100/", "101/"))),
        ("/m/DJI_1.JPG", ["DJI_1.JPG"], Completion("/m/DJI_1.JPG")),
        ("/m/a", ["a", "ab"], Completion("/m/a", ("a", "ab"))),
        ("/m/z", ["DCIM/"], Completion("/m/z")),
        ("/m/d", ["DCIM/"], Completion("/m/DCIM/")),
        ("/m/dc", ["DCIM/", "dcx/"], Completion("/m/dcx/")),
        ("/m/dc", ["DCIM/", "Dcx/"], Completion("/m/dc", ("DCIM/", "Dcx/"))),
        ("/m/", [".git/", "a/"], Completion("/m/a/")),
        ("/m/.", [".git/", "a/"], Completion("/m/.git/")),
        ("~", ["a/", "b/"], Completion("~/", ("a/", "b/"))),
        ("", ["a/", "ab/"], Completion("a", ("a/", "ab/"))),
        ("/m/e", ["ev\x1bil/"], Completion("/m/ev", ("ev\x1bil/",))),
        ("/m/e", ["ev\x1bil/", "eve/"], Completion("/m/ev", ("ev\x1bil/", "eve/"))),
    ],
)
def test_tab_goes_as_far_as_there_is_no_choice(text: str, names: list[str], completion: Completion) -> None:
    assert completed(text, names) == completion


@given(st.text(max_size=5), st.lists(st.text(min_size=1, max_size=8), max_size=5))
def test_completion_never_writes_what_a_terminal_would_obey(text: str, names: list[str]) -> None:
    typed = printable(text)
    assert printable(completed(typed, names).text) == completed(typed, names).text


# --------------------------------------------------------------------------------------------- counting files


def card(folder: Path) -> Path:
    """A messy card: other files, hidden ones, a loop, a second way to the same files, results beside a mesh."""
    for name in ("DJI_1.JPG", "DJI_2.jpeg", "scan.TIF", "notes.txt", "._DJI_1.JPG", "cloud.laz", "texture.png"):
        (folder / "DCIM" / "100MEDIA").mkdir(parents=True, exist_ok=True)
        (folder / "DCIM" / "100MEDIA" / name).touch()
    for name in ("model.obj", "model.mtl", "skin.png", "skin.jpg"):
        (folder / "mesh").mkdir(exist_ok=True)
        (folder / "mesh" / name).touch()
    for name in (".Trashes", "@eaDir", "$Recycle.Bin", "#recycle"):
        (folder / name).mkdir()
        (folder / name / "DJI_1.JPG").touch()
    (folder / "older").symlink_to("#recycle")
    (folder / "again").symlink_to("DCIM")
    (folder / "DCIM" / "loop").symlink_to("..")
    (folder / "DCIM" / "copy.jpg").symlink_to("100MEDIA/DJI_1.JPG")
    (folder / "DCIM" / "renamed.jpg").symlink_to("100MEDIA/notes.txt")
    elsewhere = folder.with_name(f"{folder.name} elsewhere")
    elsewhere.mkdir()
    (elsewhere / "private.jpg").touch()
    (elsewhere / "private.laz").touch()
    (folder / "out").symlink_to(elsewhere)
    (folder / "DCIM" / "out.jpg").symlink_to(elsewhere / "private.jpg")
    (folder / "DCIM" / "out.laz").symlink_to(elsewhere / "private.laz")
    return folder


@pytest.mark.parametrize("kind", ProjectKind)
def test_the_count_is_what_the_engine_finds(tmp_path: Path, kind: ProjectKind) -> None:
    folder = str(card(tmp_path))
    found = sum(len(batch.candidates) for batch in scan([folder], kind))
    assert found > 2
    assert count_files(folder, kind, lambda: False) == FolderCount(found)


def test_a_count_ends_where_it_gets_long_or_is_not_wanted_any_more(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.jpg").touch()
    assert count_files(str(tmp_path), IMAGES, lambda: False, limit=4) == FolderCount(4, complete=False)
    assert count_files(str(tmp_path), IMAGES, lambda: False, limit=10) == FolderCount(10)
    assert count_files(str(tmp_path), IMAGES, lambda: True) == FolderCount(0, complete=False)


@pytest.mark.parametrize("folder", ["/does/not/exist", "/nul\0byte", __file__])
def test_what_cannot_be_looked_into_is_told_as_such(folder: str) -> None:
    assert count_files(folder, IMAGES, lambda: False) == FolderCount(0, complete=False)
    assert (listed(folder, IMAGES, hidden=False, files=False).trouble or "").startswith("cannot be read: ")


@pytest.mark.parametrize(("count", "text"), [(FolderCount(1711), "1,711"), (FolderCount(9, complete=False), "9+")])
def test_a_count_says_whether_it_is_all(count: FolderCount, text: str) -> None:
    assert str(count) == text


def names_in(listing: Listing) -> list[str]:
    return [entry.name for entry in listing.entries]


def test_a_folder_is_listed_as_people_count(tmp_path: Path) -> None:
    for name in ("1000MEDIA", "101MEDIA", "99media", ".hidden"):
        (tmp_path / name).mkdir()
    for name in ("ortho.tif", "photo.jpg", "notes.txt"):
        (tmp_path / name).touch()
    folder = str(tmp_path)
    assert names_in(listed(folder, IMAGES, hidden=False, files=False)) == ["99media", "101MEDIA", "1000MEDIA"]
    assert names_in(listed(folder, IMAGES, hidden=True, files=False))[0] == ".hidden"
    assert names_in(listed(folder, RESULTS, hidden=False, files=True))[3:] == ["ortho.tif"]
    cut = listed(folder, IMAGES, hidden=False, files=False, most=2)
    assert (names_in(cut), cut.trouble) == (["99media", "101MEDIA"], "only 2 entries shown")


def test_a_name_that_is_no_text_is_listed(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")  # noqa: PTH102 - pathlib takes no bytes
    (entry,) = listed(str(tmp_path), IMAGES, hidden=False, files=False).entries
    assert Path(entry.path).is_dir()


@pytest.mark.parametrize(
    ("names", "kind", "kept"),
    [
        (["a.JPG", "b.tiff", "c.png", "d"], IMAGES, ["a.JPG", "b.tiff"]),
        (["a.jpg", "b.tif", "c.las"], RESULTS, ["b.tif", "c.las"]),
        (["a.jpg", "m.OBJ"], RESULTS, ["a.jpg", "m.OBJ"]),
    ],
)
def test_names_tell_what_a_project_takes(names: list[str], kind: ProjectKind, kept: list[str]) -> None:
    assert wanted(names, kind) == kept


# -------------------------------------------------------------------------------------------- rows of the tree


def entries(*paths: str) -> Listing:
    return Listing(tuple(Entry(path, path.rpartition("/")[2], True) for path in paths))


def shown(rows: FolderRows) -> list[str]:
    return [f"{'-' * rows[index].depth}{rows[index].entry.name}" for index in range(len(rows))]


def test_folders_open_and_close() -> None:
    rows = FolderRows("/m")
    rows.show("/m", entries("/m/a", "/m/b"))
    rows.show("/m/a", entries("/m/a/1", "/m/a/2"))
    assert shown(rows) == ["/m", "-a", "--1", "--2", "-b"]
    assert rows.open_folders() == ["/m", "/m/a"]
    assert [rows.holder_of(index) for index in range(5)] == [0, 0, 1, 1, 0]
    rows.show("/m/a", entries("/m/a/3"))
    rows.show("/gone", entries("/gone/1"))
    assert shown(rows) == ["/m", "-a", "--3", "-b"]
    rows.close(1)
    assert shown(rows) == ["/m", "-a", "-b"]
    rows.show("/m", Listing(trouble="cannot be read"))
    assert (shown(rows), rows[0].trouble) == (["/m"], "cannot be read")


@pytest.mark.parametrize(("root", "parent"), [("/a/b", "/a"), ("/a", "/"), ("/", "/")])
def test_the_root_lies_in_a_folder(root: str, parent: str) -> None:
    assert FolderRows(root).parent == parent


# -------------------------------------------------------------------------------------- paths that were given


def test_dropped_paths_are_sorted_by_whether_they_are_here(tmp_path: Path) -> None:
    photo = tmp_path / "a b.jpg"
    photo.touch()
    text = f"'{photo}' {tmp_path} {tmp_path} ~/{tmp_path.name} /Users/anna/1.jpg C:\\a.jpg {photo}/x file:///%00"
    sorted_out = dropped(text.replace(f"{photo}/x", f"'{photo}/x'"), str(tmp_path.parent))
    assert sorted_out == GivenPaths(
        found=(GivenPath(str(photo), False), GivenPath(str(tmp_path), True), GivenPath(str(tmp_path), True)),
        missing=("/Users/anna/1.jpg", "C:\\a.jpg", f"{photo}/x", "/\0"),
    )
    assert said_of_drop(sorted_out) == (
        "/Users/anna/1.jpg and 3 other paths: not on this machine. A file dropped into an SSH window stays on your own"
        " computer; copy it here first."
    )


def test_a_typed_path_is_looked_for_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "it's here").mkdir()
    assert typed("it's here", str(tmp_path), "/").found == (GivenPath(str(tmp_path / "it's here"), True),)
    assert said_of_typed(typed("nope\x1b", str(tmp_path), "/")) == (
        "nope\\x1b does not exist on this machine; check the spelling, and whether the card is mounted."
    )


def test_what_cannot_be_looked_at_is_not_called_missing(tmp_path: Path) -> None:
    name = "x" * 300
    given_path = typed(name, str(tmp_path), "/")
    assert not given_path.found and not given_path.missing
    assert said_of_typed(given_path) == f"…{'x' * 59} cannot be looked at: File name too long."
    assert said_of_drop(given_path) == said_of_typed(given_path)


def test_a_paste_that_was_cut_is_told(tmp_path: Path) -> None:
    sorted_out = dropped(f"{tmp_path}\n" * 100_000, "/")
    assert sorted_out.found == (GivenPath(str(tmp_path), True),)
    assert "The paste was cut at 500,000 characters" in said_of_drop(sorted_out)


@pytest.mark.parametrize(
    ("text", "drop"),
    [("/a /b", True), ("'/a b'", True), ("~/a", True), ("a/b", False), ("North field", False), ("", False)],
)
def test_a_drop_is_told_from_a_piece_of_text(text: str, drop: bool) -> None:
    assert is_drop(text) is drop


def test_a_file_counts_once_however_it_was_chosen() -> None:
    folder, inner = GivenPath("/m/a", True), GivenPath("/m/a/b", True)
    photo, like_named = GivenPath("/m/a/1.jpg", False), GivenPath("/m/ab", True)
    assert topmost([inner, folder, photo, like_named]) == [folder, like_named]
    counts = {"/m/a": FolderCount(7), "/m/a/b": FolderCount(2)}
    assert total([inner, folder, photo], counts) == FolderCount(7)
    assert total([inner, photo], counts) == FolderCount(3)
    assert total([folder, like_named], counts) == FolderCount(7, complete=False)
    assert topmost([GivenPath("/", True), folder]) == [GivenPath("/", True)]


# ---------------------------------------------------------------------------------------------- where it goes


@pytest.mark.parametrize(
    ("text", "name", "trouble", "note"),
    [
        ("North field", "North field", None, ""),
        ("  North ", "North", None, ""),
        ("a/b\\c", "a-b-c", None, "Will be called a-b-c"),
        ("", "", "A project needs a name.", ""),
        ("  ", "", "A project needs a name.", "A project needs a name."),
        ("x" * 100, "x" * 100, None, ""),
        ("x" * 101, "x" * 101, *["A name has at most 100 characters; this one has 101."] * 2),
    ],
)
def test_a_name_is_checked(text: str, name: str, trouble: str | None, note: str) -> None:
    assert (checked_name(text).name, checked_name(text).trouble, name_note(text)) == (name, trouble, note)


def test_projects_are_found_by_their_names() -> None:
    projects = [NORTH, SOUTH, TO_BE_MADE]
    assert matching(projects, "FIELD") == [NORTH, SOUTH]
    assert named(projects, " South field ") == SOUTH
    assert named(projects, "South") is None
    assert [stepped(projects, NORTH, 1), stepped(projects, NORTH, -1)] == [SOUTH, TO_BE_MADE]
    assert [stepped(projects, None, 1), stepped(projects, None, -1)] == [NORTH, TO_BE_MADE]
    assert stepped([], None, 1) is None


@pytest.mark.parametrize(
    ("project", "text", "note", "kind"),
    [
        (None, "", "", None),
        (None, "x", "new project", None),
        (None, "x/y", "Will be called x-y", None),
        (NORTH, "", "existing project 11, 1,711 images", IMAGES),
        (SOUTH, "", "existing project 12", None),
        (TO_BE_MADE, "", "existing project", IMAGES),
    ],
)
def test_the_target_says_what_it_is(project: Project | None, text: str, note: str, kind: ProjectKind | None) -> None:
    assert (target_note(project, text), settled_kind(project)) == (note, kind)


@pytest.mark.parametrize(
    ("project", "text", "words"),
    [
        (Project("1", "North", ProjectKind.IMAGES, "me"), "", " to North"),
        (None, "a/b", " to a new project, a-b"),
        (None, " ", ""),
    ],
)
def test_where_an_upload_goes_in_words(project: Project | None, text: str, words: str) -> None:
    assert destination_words(project, text) == words


@pytest.mark.parametrize(
    ("project", "kind", "auto", "request_"),
    [
        (None, IMAGES, True, AddRequest(("/a",), NewProject("x-y"), kind=IMAGES, auto_process=True)),
        (None, RESULTS, True, AddRequest(("/a",), NewProject("x-y"), kind=RESULTS, auto_process=False)),
        (
            NORTH,
            IMAGES,
            False,
            AddRequest(("/a",), ExistingProject("11"), auto_process=False, account="me@cloud"),
        ),
        (TO_BE_MADE, IMAGES, True, AddRequest(("/a",), NewProject("Offline"), account="me@cloud")),
    ],
)
def test_the_request_names_the_project_in_one_way(
    project: Project | None, kind: ProjectKind, auto: bool, request_: AddRequest
) -> None:
    assert add_request(["/a"], project, "x/y", kind, auto) == request_


@pytest.mark.parametrize(
    ("text", "line"), [("a\nb", "a"), (" \n a\x1b[31mb\u202e ", "a[31mb"), ("", ""), ("x" * 5000, "x" * 4096)]
)
def test_a_field_takes_one_harmless_line_of_a_paste(text: str, line: str) -> None:
    assert first_line(text) == line


@pytest.mark.parametrize(
    ("path", "width", "shown_path"),
    [("/a/b", 4, "/a/b"), ("/aa/b", 4, "~a/b"), ("/a/日本", 5, "~日本"), ("/ab", 0, "")],
)
def test_a_path_keeps_its_end(path: str, width: int, shown_path: str) -> None:
    assert clipped_start(path, width, "~") == shown_path
