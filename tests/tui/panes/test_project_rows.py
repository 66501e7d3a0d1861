"""Rows of the projects pane."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.tui.values import engine_status, project, text_of, upload_status
from tui_uploader.model.projects import Processing, ProcessingState, ProjectKind
from tui_uploader.model.results import ProjectResult, ResultType
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts
from tui_uploader.tui.lines.columns import layout
from tui_uploader.tui.lines.glyphs import ASCII, UNICODE
from tui_uploader.tui.panes.project_rows import (
    COLUMNS,
    ProjectRow,
    files_words,
    matching,
    project_cells,
    project_rows,
    state_choices,
)

ACTIVE = upload_status(counts=Counts(uploaded=3, waiting=7), volume=ByteCounts(total=100, sent=30, stored=30))


@pytest.mark.parametrize(
    ("row", "files", "state"),
    [
        (ProjectRow(project(uploads=(1,)), (ACTIVE,)), "3/10", "30 %"),
        (ProjectRow(project(uploads=(1,), images=1711)), "1,711", "uploaded, not processed"),
        (ProjectRow(project(uploads=(1,)), (upload_status(state=UploadState.PAUSED),)), "", "paused"),
        (ProjectRow(project(uploads=(1,)), (upload_status(counts=Counts(failed=2)),)), "0/2", "0 %  2 ✗"),
        (
            ProjectRow(project(uploads=(1,)), (upload_status(state=UploadState.COMPLETE, counts=Counts(uploaded=4)),)),
            "4",
            "uploaded, not processed",
        ),
        (ProjectRow(project(uploads=(1,)), (upload_status(state=UploadState.COMPLETE),)), "", "empty"),
        (ProjectRow(project(processing=Processing(word="CREATED"))), "", "empty"),
        (ProjectRow(project(processing=Processing(ProcessingState.DONE, "PROCESSED"))), "", "processed"),
    ],
)
def test_the_state_of_a_project_in_words(row: ProjectRow, files: str, state: str) -> None:
    assert (files_words(row), state_choices(row, UNICODE)[0]) == (files, state)


def test_a_narrow_pane_shows_the_first_words_of_a_state() -> None:
    row = ProjectRow(project(uploads=(1,), images=1711))
    narrow, wide = (project_cells(row, layout(COLUMNS, width), UNICODE)[-1] for width in (30, 90))
    assert (text_of(narrow), text_of(wide)) == ("uploaded", "uploaded, not processed")


RESULTS = project(
    "Ortho",
    kind=ProjectKind.RESULTS,
    results=(ProjectResult(ResultType.ORTHOMOSAIC, "o.tif"), ProjectResult(ResultType.MESH, "m.obj")),
)


@pytest.mark.parametrize(
    ("row", "width", "name", "state"),
    [
        (ProjectRow(RESULTS), 90, "⊞ Ortho", "results: orthomosaic, mesh"),
        (ProjectRow(RESULTS), 30, "⊞ Ortho", "2 results"),
        (ProjectRow(replace(RESULTS, uploads=(1,)), (ACTIVE,)), 90, "⊞ Ortho", "results 30 %"),
        (ProjectRow(replace(RESULTS, uploads=(1,)), (ACTIVE,)), 24, "⊞ Ortho", "30 %"),
        (ProjectRow(replace(RESULTS, results=(), images=3)), 90, "⊞ Ortho", "results"),
        (ProjectRow(project(images=3)), 90, "North field", "uploaded, not processed"),
    ],
)
def test_projects_of_results_have_a_mark_and_say_what_they_have(
    row: ProjectRow, width: int, name: str, state: str
) -> None:
    shown = [text_of(cell) for cell in project_cells(row, layout(COLUMNS, width), UNICODE)]
    assert (shown[1], shown[-1]) == (name, state)
    in_ascii = [text_of(cell) for cell in project_cells(row, layout(COLUMNS, width), ASCII)]
    assert in_ascii[1] == name.replace("⊞", "#")


def test_an_upload_of_results_stands_for_a_project_of_results() -> None:
    (row,) = project_rows([], engine_status(replace(upload_status(1), kind=ProjectKind.RESULTS)))
    assert row.project.kind is ProjectKind.RESULTS


def test_projects_of_one_name_are_told_apart() -> None:
    twins = [project("Quarry", id="1"), project("Quarry", id="2"), project("Bridge", id="3")]
    assert [row.name for row in project_rows(twins, None)] == ["Quarry (1)", "Quarry (2)", "Bridge"]
    elsewhere = [project("Quarry", id="1"), replace(project("Quarry", id="1"), account="other@cloud")]
    assert [row.name for row in project_rows(elsewhere, None)] == ["Quarry (me@cloud)", "Quarry (other@cloud)"]


def test_projects_of_this_machine_come_first_the_newest_on_top() -> None:
    projects = [project("old", id="1", uploads=(1,)), project("new", id="2", uploads=(4,)), project("other", id="3")]
    rows = project_rows(projects, engine_status(upload_status(1, project="1"), upload_status(4, project="2")))
    assert [row.project.name for row in rows] == ["new", "old", "other"]
    assert [row.upload for row in rows] == [4, 1, None]


def test_an_upload_stands_for_a_project_that_is_not_listed_yet() -> None:
    (row,) = project_rows([], engine_status(upload_status(1), upload_status(2)))
    assert row.project.name == "North field" and row.upload == 2


def test_a_row_keeps_its_identity_when_its_project_gets_an_id() -> None:
    before, after = project(id=None, uploads=(3,)), project(id="77", uploads=(3, 5))
    assert ProjectRow(before).key == ProjectRow(after).key


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "abr"),
        ("A", "a"),
        ("!a", "br"),
        ("!", "abr"),
        ("z", ""),
        (":results", "r"),
        (":RES", "r"),
        (":images", "ab"),
        ("!:results", "ab"),
        (":images b", "b"),
        ("!b :images", "a"),
        (":images :results", ""),
        (":unknown", ""),
        (":", ""),
    ],
)
def test_a_filter_matches_part_of_the_name_or_a_kind_or_the_opposite(text: str, names: str) -> None:
    rows = [
        ProjectRow(project("a", id="1")),
        ProjectRow(project("b", id="2")),
        ProjectRow(project("r", id="3", kind=ProjectKind.RESULTS)),
    ]
    assert "".join(row.project.name for row in matching(rows, text)) == names
