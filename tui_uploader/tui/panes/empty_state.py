"""What stands where there are no files to show: what to do next. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tui_uploader.model import Account, UploadState, UploadStatus
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.tui.messages import Attachment
from tui_uploader.tui.panes.project_rows import ProjectRow


def empty_lines(
    attachment: Attachment, accounts: Sequence[Account] | None, row: ProjectRow | None, upload: UploadStatus | None
) -> tuple[str, ...]:
    """`accounts`: who is signed in; None while that is not known."""
    if attachment is Attachment.ATTACHING:
        return ("Looking for the engine.",)
    if attachment is Attachment.OTHER_VERSION:
        return (
            "The engine is running, and its uploads go on.",
            "It is of another version than this app, which therefore cannot show them.",
            "",
            "E restarts the engine; uploads then go on where they were.",
        )
    if attachment is not Attachment.ATTACHED:
        return ("The engine does not run.", "", "E starts it; uploads then go on where they were.")
    if upload is not None:
        looking = upload.state is UploadState.PREPARING
        return ("No file was found yet.",) if looking else ("The upload has no files.", "", "u adds files or folders.")
    if accounts is not None and not accounts:
        return (
            "Nobody is signed in.",
            "",
            "Leave with q, and run: tui-uploader login",
            "It asks for an API credential of your organization at account.pix4d.com.",
            "This screen goes on by itself as soon as somebody is signed in.",
        )
    if row is not None:
        name = cell_text(row.project.name)
        return (f"Nothing is on its way to {name}.", "", "u uploads files or folders into it.")
    return (
        "Nothing was uploaded yet.",
        "",
        "u uploads files or folders, into a new project too.",
        "Files that are dropped on the terminal arrive as well: their paths are pasted.",
        "? shows all keys.",
    )
