"""From the rows under the cursors of the panes to what is shown, and what commands apply to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tui_uploader.model.engine import EngineStatus, LinkState
from tui_uploader.model.files import FileItem
from tui_uploader.model.uploads import Counts, UploadStatus
from tui_uploader.tui.panes.project_rows import ProjectRow
from tui_uploader.tui.subject.scope import CommandScope, ShownFiles
from tui_uploader.wording.uploads import carried_counts


class Subject(msgspec.Struct, frozen=True):
    """What a row of the projects or of the uploads stands for."""

    row: ProjectRow | None = None
    """The project, or that of the upload."""
    upload: UploadStatus | None = None
    """The upload, where the row is one."""

    @property
    def uploads(self) -> tuple[UploadStatus, ...]:
        if self.upload is not None:
            return (self.upload,)
        return self.row.uploads if self.row is not None else ()

    @property
    def name(self) -> str:
        """Not safe for a terminal yet."""
        if self.upload is not None:
            return self.upload.project_name
        return self.row.project.name if self.row is not None else ""

    @property
    def files(self) -> ShownFiles:
        """The files to show while this row is under the cursor."""
        if self.upload is not None:
            return ShownFiles(self.upload.upload, frozenset((self.upload.upload,)), self.upload.project)
        if self.row is None:
            return ShownFiles()
        project = self.row.project
        uploads = frozenset((*project.uploads, *(upload.upload for upload in self.row.uploads)))
        return ShownFiles(self.row.upload, uploads, project.id, of_project=True)

    @property
    def counts(self) -> Counts | None:
        """Of these files; None if some of them are not in the engine's status."""
        known = self.uploads
        if not known or {upload.upload for upload in known} != self.files.uploads:
            return None
        counts = [carried_counts(upload) for upload in known]
        return Counts(**{name: sum(getattr(each, name) for each in counts) for name in Counts.__struct_fields__})

    @property
    def size(self) -> int:
        """Bytes of the files that are to be uploaded, as far as they are in the engine's status."""
        return sum(upload.bytes.total for upload in self.uploads)


def upload_to_show(row: ProjectRow) -> int | None:
    """The upload of a project that the uploads pane puts its cursor on: the newest that is not at its end."""
    return _newest_at_work(row.uploads)


def first_to_show(status: EngineStatus) -> int | None:
    """The upload to begin with: the newest at work, else the newest."""
    return _newest_at_work(status.uploads)


def _newest_at_work(uploads: Sequence[UploadStatus]) -> int | None:
    at_work = [upload for upload in uploads if not upload.settled] or uploads
    return at_work[-1].upload if at_work else None


def scope_of(
    pane: str,
    subject: Subject,
    status: EngineStatus | None,
    *,
    shown: ShownFiles,
    item: FileItem | None = None,
    folded: int = 0,
    selected: tuple[int, ...] = (),
) -> CommandScope:
    """The scope of a command on `subject`. `shown`, `item`, `selected`: of the files pane, as it is drawn.

    In the files pane, `subject` is the row whose files are shown.
    """
    uploads = subject.uploads
    if pane == "files" and item is not None:
        uploads = tuple(upload for upload in uploads if upload.upload == item.upload) or uploads
    row = subject.row
    return CommandScope(
        pane=pane,
        project=row.project if row is not None else None,
        uploads=uploads,
        of_project=row.uploads if row is not None else uploads,
        files=selected or ((item.id,) if item is not None else ()),
        selected=bool(selected),
        item=item,
        folded=folded,
        files_of=shown.upload,
        whole_project=shown.whole_project,
        offline=status is not None and status.link.state is LinkState.DOWN,
    )
