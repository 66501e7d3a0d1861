"""Text shown instead of files: why there are none, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tui_uploader.model.accounts import Account
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.results import ProjectResult
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.messages import Attachment
from tui_uploader.tui.panes.project_rows import ProjectRow

_MOST_RESULTS = 6


def empty_lines(
    attachment: Attachment, accounts: Sequence[Account] | None, row: ProjectRow | None, upload: UploadStatus | None
) -> tuple[str, ...]:
    """`accounts`: the accounts that are signed in; None while unknown."""
    if attachment is Attachment.ATTACHING:
        return ("Connecting to the engine.",)
    if attachment is Attachment.OTHER_VERSION:
        return (
            "The engine is running and its uploads continue,",
            "but it is another version than this app, which cannot show them.",
            "",
            "E restarts the engine; uploads then resume.",
        )
    if attachment is not Attachment.ATTACHED:
        return ("The engine is not running.", "", "E starts it; uploads then resume.")
    if upload is not None:
        preparing = upload.state is UploadState.PREPARING
        return ("No files found yet.",) if preparing else ("This upload has no files.", "", "u adds files or folders.")
    if accounts is not None and not accounts:
        return (
            "Not signed in.",
            "",
            "Quit with q, then run: tui-uploader login",
            "It asks for an API credential of your organization (account.pix4d.com).",
            "This screen updates as soon as you sign in.",
        )
    if row is not None:
        return _without_uploads(row)
    return (
        "No uploads yet.",
        "",
        "u uploads files or folders to a new or existing project.",
        "You can also drop files on the terminal: it pastes their paths.",
        "? shows all keys.",
    )


def _without_uploads(row: ProjectRow) -> tuple[str, ...]:
    """A project that no upload of this machine goes to: it is empty, or has images of other machines."""
    name, in_cloud = cell_text(row.project.name), row.project.images_in_cloud
    if row.project.results and row.project.kind is ProjectKind.RESULTS:
        return _with_results(row.project.results, name)
    if in_cloud:
        return (f"{counted(in_cloud, 'image')} in the cloud, none from this machine.", "", f"u adds files to {name}.")
    if in_cloud == 0:
        return (f"{name} is empty.", "", "u adds files or folders.")
    return (f"No uploads to {name} from this machine.", "", "u adds files or folders.")


def _with_results(results: Sequence[ProjectResult], name: str) -> tuple[str, ...]:
    """What another machine, or processing, has put there."""
    from tui_uploader.wording.results import result_facts  # not needed for the first frame

    known = [result_facts(result, 0.0)[:3] for result in results[:_MOST_RESULTS]]
    more = [f"and {len(results) - len(known):,} more; 1 and v list them"] if len(results) > len(known) else []
    lines = ["  ".join(cell_text(part) for part in facts if part) for facts in known]
    return (
        f"Results in the cloud, none from this machine: {len(results):,}",
        *lines,
        *more,
        "",
        f"u adds files to {name}.",
    )
