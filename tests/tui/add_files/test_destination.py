from __future__ import annotations

import pytest

from tui_uploader.model.projects import ExistingProject, NewProject, Project, ProjectKind
from tui_uploader.model.uploads import AddRequest
from tui_uploader.tui.add_files.destination import (
    add_request,
    check_name,
    destination_note,
    destination_phrase,
    fixed_kind,
    name_note,
    next_project,
    project_named,
    projects_matching,
)

IMAGES, RESULTS = ProjectKind.IMAGES, ProjectKind.RESULTS
NORTH = Project("11", "North field", IMAGES, "me@cloud", uploads=(1,), images=1711)
SOUTH = Project("12", "South field", RESULTS, "me@cloud")
TO_BE_MADE = Project(None, "Offline", IMAGES, "me@cloud", uploads=(2,))


@pytest.mark.parametrize(
    ("text", "name", "problem", "note"),
    [
        ("North field", "North field", None, ""),
        ("  North ", "North", None, ""),
        ("a/b\\c", "a-b-c", None, "Will be named a-b-c"),
        ("", "", "Type a name for the new project.", ""),
        ("  ", "", "Type a name for the new project.", "Type a name for the new project."),
        ("x" * 100, "x" * 100, None, ""),
        ("x" * 101, "x" * 101, *["The name is too long: 101 characters of at most 100."] * 2),
    ],
)
def test_a_name_is_checked(text: str, name: str, problem: str | None, note: str) -> None:
    assert (check_name(text).name, check_name(text).problem, name_note(text)) == (name, problem, note)


def test_projects_are_found_by_their_names() -> None:
    projects = [NORTH, SOUTH, TO_BE_MADE]
    assert projects_matching(projects, "FIELD") == [NORTH, SOUTH]
    assert project_named(projects, " South field ") == SOUTH
    assert project_named(projects, "South") is None
    assert [next_project(projects, NORTH, 1), next_project(projects, NORTH, -1)] == [SOUTH, TO_BE_MADE]
    assert [next_project(projects, None, 1), next_project(projects, None, -1)] == [NORTH, TO_BE_MADE]
    assert next_project([], None, 1) is None


@pytest.mark.parametrize(
    ("project", "text", "note", "kind"),
    [
        (None, "", "", None),
        (None, "x", "new project", None),
        (None, "x/y", "Will be named x-y", None),
        (NORTH, "", "existing project 11, 1,711 images", IMAGES),
        (SOUTH, "", "existing project 12", None),
        (TO_BE_MADE, "", "existing project", IMAGES),
    ],
)
def test_the_note_beside_the_project(project: Project | None, text: str, note: str, kind: ProjectKind | None) -> None:
    assert (destination_note(project, text), fixed_kind(project)) == (note, kind)


@pytest.mark.parametrize(
    ("project", "text", "words"),
    [
        (Project("1", "North", ProjectKind.IMAGES, "me"), "", " to North"),
        (None, "a/b", " to the new project a-b"),
        (None, " ", ""),
    ],
)
def test_the_destination_as_the_end_of_a_sentence(project: Project | None, text: str, words: str) -> None:
    assert destination_phrase(project, text) == words


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
        (TO_BE_MADE, IMAGES, True, AddRequest(("/a",), NewProject("Offline"), auto_process=True, account="me@cloud")),
    ],
)
def test_the_request_has_an_existing_or_a_new_project(
    project: Project | None, kind: ProjectKind, auto: bool, request_: AddRequest
) -> None:
    assert add_request(["/a"], project, "x/y", kind, auto) == request_
