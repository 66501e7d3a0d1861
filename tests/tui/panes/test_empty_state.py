"""Text instead of files."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.tui.values import project, upload_status
from tui_uploader.model.accounts import Account
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.results import ProjectResult, ResultType
from tui_uploader.model.states import UploadState
from tui_uploader.tui.messages import Attachment
from tui_uploader.tui.panes.empty_state import empty_lines
from tui_uploader.tui.panes.project_rows import (
    ProjectRow,
)

OF_OTHERS = ProjectRow(replace(project(), images_in_cloud=456))
OF_RESULTS = ProjectRow(
    project(
        kind=ProjectKind.RESULTS,
        results=tuple(ProjectResult(ResultType.MESH, f"quarry_{number}.obj", 1_000_000) for number in range(8)),
    )
)
EMPTY = ProjectRow(replace(project(), images_in_cloud=0))
ME = (Account("a", "b", "c", "file"),)


@pytest.mark.parametrize(
    ("attachment", "accounts", "row", "wanted"),
    [
        (Attachment.ATTACHING, None, None, "Connecting to the engine"),
        (Attachment.GONE, ME, None, "E starts it"),
        (Attachment.OTHER_VERSION, ME, None, "is running and its uploads continue"),
        (Attachment.OTHER_VERSION, ME, None, "E restarts the engine"),
        (Attachment.ATTACHED, (), None, "tui-uploader login"),
        (Attachment.ATTACHED, ME, None, "u uploads files"),
        (Attachment.ATTACHED, None, None, "u uploads files"),
        (Attachment.ATTACHED, ME, ProjectRow(project()), "No uploads to North field from this machine."),
        (Attachment.ATTACHED, ME, OF_OTHERS, "456 images in the cloud, none from this machine."),
        (Attachment.ATTACHED, ME, OF_RESULTS, "Results in the cloud, none from this machine: 8"),
        (Attachment.ATTACHED, ME, OF_RESULTS, "\nmesh  quarry_0.obj  1.00 MB\n"),
        (Attachment.ATTACHED, ME, OF_RESULTS, "\nand 2 more; 1 and v list them\n"),
        (Attachment.ATTACHED, ME, EMPTY, "North field is empty."),
    ],
)
def test_an_empty_screen_says_what_to_do(
    attachment: Attachment, accounts: tuple[Account, ...] | None, row: ProjectRow | None, wanted: str
) -> None:
    assert wanted in "\n".join(empty_lines(attachment, accounts, row, None))


@pytest.mark.parametrize(
    ("state", "wanted"), [(UploadState.PREPARING, "No files found yet."), (UploadState.COMPLETE, "has no files")]
)
def test_an_upload_without_files_says_whether_more_may_come(state: UploadState, wanted: str) -> None:
    assert wanted in "\n".join(empty_lines(Attachment.ATTACHED, ME, ProjectRow(project()), upload_status(state=state)))
