from __future__ import annotations

import pytest

from tui_uploader.model.projects import (
    ExistingProject,
    NewProject,
    Processing,
    ProcessingState,
    Project,
    ProjectKind,
)
from tui_uploader.model.uploads import AddRequest
from tui_uploader.tui.add_files.destination import (
    add_request,
    check_name,
    find_destination,
    fixed_kind,
    is_same,
    name_note,
    next_project,
    processed,
    projects_matching,
    projects_named,
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
        (
            "  ",
            "",
            "Type a name for the new project.",
            "Type a name for the new project.",
        ),
        ("x" * 100, "x" * 100, None, ""),
        ("x" * 101, "x" * 101, *["The name is too long: 101 characters of at most 100."] * 2),
    ],
)
def test_a_name_is_checked(text: str, name: str, problem: str | None, note: str) -> None:
    assert (check_name(text).name, check_name(text).problem, name_note(text)) == (name, problem, note)


def test_projects_are_found_by_their_names() -> None:
    projects = [NORTH, SOUTH, TO_BE_MADE]
    assert projects_matching(projects, "FIELD") == [NORTH, SOUTH]
    assert projects_named(projects, " South field ") == [SOUTH]
    assert projects_named(projects, "South") == []
    assert [next_project(projects, NORTH, 1), next_project(projects, NORTH, -1)] == [SOUTH, TO_BE_MADE]
    assert [next_project(projects, None, 1), next_project(projects, None, -1)] == [NORTH, TO_BE_MADE]
    assert next_project([], None, 1) is None


def test_a_project_stays_the_same_while_its_numbers_change() -> None:
    later = Project("11", "North field, renamed", IMAGES, "me@cloud", images=1712)
    assert is_same(NORTH, later) and next_project([SOUTH, later, TO_BE_MADE], NORTH, 1) == TO_BE_MADE
    assert not is_same(NORTH, Project("11", "North field", IMAGES, "other@cloud"))
    assert not is_same(TO_BE_MADE, Project(None, "Another", IMAGES, "me@cloud"))


DONE = Project("13", "Quarry", IMAGES, "me@cloud", processing=Processing(ProcessingState.DONE), images_in_cloud=12)
NAMESAKE = Project("14", "Quarry", IMAGES, "me@cloud")
ALL = [NORTH, SOUTH, TO_BE_MADE, DONE, NAMESAKE]
NEW = "a new project"


@pytest.mark.parametrize(
    ("text", "picked", "note", "goes_to"),
    [
        ("", None, "", None),
        ("x", None, "", NEW),
        ("x/y", None, "Will be named x-y", NEW),
        ("north FIELD", None, "another one is called North field", NEW),
        ("North field", None, "11, 1,711 images", NORTH),
        ("North field", NORTH, "11, 1,711 images", NORTH),
        ("North", NORTH, "", NEW),
        ("Offline", None, "not created yet", TO_BE_MADE),
        ("Quarry", None, "2 of this name: choose with Down", None),
        ("Quarry", DONE, "13, 12 images, one of 2 of this name", DONE),
        ("Quarry", NAMESAKE, "14, one of 2 of this name", NAMESAKE),
    ],
)
def test_a_name_means_a_new_project_or_one_that_exists(
    text: str, picked: Project | None, note: str, goes_to: Project | str | None
) -> None:
    found = find_destination(text, picked, ALL)
    assert found.note == note
    assert (NEW if found.is_new else found.project) == goes_to
    assert (found.problem is None) == (goes_to is not None)


def test_of_two_projects_of_one_name_one_must_be_chosen() -> None:
    typed = find_destination("Quarry", None, ALL)
    assert typed.project is None
    assert typed.problem == "2 projects have this name. Choose one with Down, or type another name."
    assert find_destination("Quarry", NAMESAKE, ALL).project == NAMESAKE


def test_a_typed_name_of_an_existing_project_is_asked_about_and_a_picked_one_is_not() -> None:
    question = find_destination("North field", None, ALL).question
    assert question is not None and question.startswith("North field exists already (11, 1,711 images). Enter again")
    assert find_destination("North field", NORTH, ALL).question is None
    assert find_destination("North", None, ALL).question is None


def test_what_is_known_about_a_project() -> None:
    assert [fixed_kind(project) for project in (None, NORTH, SOUTH, TO_BE_MADE)] == [None, IMAGES, None, IMAGES]
    assert [processed(project) for project in (None, NORTH, DONE)] == [False, False, True]


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
