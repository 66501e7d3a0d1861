"""The three panes together: which one leads, what is under its cursor, and the files that it makes the others show.

The pane used last of projects and uploads leads: its row decides whose files are shown, and the cursor of the other one
follows. Nothing is remembered but which pane leads: what a command applies to is read from the rows when it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.files import FileItem
from tui_uploader.model.projects import Project
from tui_uploader.model.uploads import Counts, UploadStatus
from tui_uploader.tui.lines.table import LineTable
from tui_uploader.tui.messages import Attachment
from tui_uploader.tui.panes.empty_state import empty_lines
from tui_uploader.tui.panes.pane import Pane
from tui_uploader.tui.panes.projects import ProjectsPane
from tui_uploader.tui.panes.subject import Subject, first_to_show, scope_of, upload_to_show
from tui_uploader.tui.panes.uploads import UploadsPane
from tui_uploader.tui.subject.scope import CommandScope, ShownFiles


class FilesView(Protocol):
    """The files pane, as the other panes see it."""

    table: LineTable[Any]

    @property
    def shown(self) -> ShownFiles: ...

    @property
    def current_file(self) -> FileItem | None: ...

    @property
    def folded(self) -> int: ...

    def show(self, shown: ShownFiles, project: str, counts: Counts | None, size: int, empty: Sequence[str]) -> None: ...

    def selected_ids(self) -> tuple[int, ...]: ...

    def set_class(self, add: bool, *class_names: str) -> object: ...


class PaneFocus:
    """Keeps the panes on one subject."""

    def __init__(
        self,
        projects: ProjectsPane,
        files: FilesView,
        uploads: UploadsPane,
        focused: Callable[[], str],
        aligned: Callable[[], None],
    ) -> None:
        """`focused` is the pane with the focus; `aligned` is called whenever the panes may show something else."""
        self.projects = projects
        self.files = files
        self.uploads = uploads
        self.named: dict[str, Pane[Any] | FilesView] = {"projects": projects, "files": files, "uploads": uploads}
        self.status: EngineStatus | None = None
        self._focused = focused
        self._aligned = aligned
        self._accounts: tuple[Account, ...] | None = None
        self._attachment = Attachment.ATTACHING
        self._leading = "projects"
        self._awaited_upload: int | None = None
        """A new upload, to be shown as soon as the engine reports it."""

    # --------------------------------------------------------------------------------------------- content

    def show_status(self, status: EngineStatus) -> None:
        first = self.status is None
        self.status = status
        self.projects.show_status(status)
        self.uploads.show_status(status)
        wanted = first_to_show(status) if first else self._awaited_upload
        if wanted is not None and any(upload.upload == wanted for upload in status.uploads):
            self.show_upload(wanted)
        else:
            self.align()

    def show_projects(self, projects: tuple[Project, ...], accounts: tuple[Account, ...]) -> None:
        self._accounts = accounts
        self.projects.show_projects(projects)
        self.uploads.show_projects(projects)
        self.align()

    def show_attachment(self, attachment: Attachment) -> None:
        self._attachment = attachment
        self.align()

    def show_upload(self, upload: int) -> None:
        """Put the cursors on this upload and its project, as soon as the engine reports it."""
        known = self.status.uploads if self.status else ()
        self._awaited_upload = upload if all(each.upload != upload for each in known) else None
        self.projects.select_upload(upload)
        self.uploads.select(upload)
        self.align()

    def show_project(self, project: Project) -> None:
        """Put the cursor on this project, which may be too new to be listed."""
        if all(known.id != project.id for known in self.projects.listed):
            self.projects.show_projects((*self.projects.listed, project))
        self.projects.select_project(project)
        self._leading = "projects"
        self.align()

    # -------------------------------------------------------------------------------------------- the subject

    def forget_awaited(self) -> None:
        """The user has moved on: a new upload that is reported only now takes the cursor no more."""
        self._awaited_upload = None

    def subject(self, pane: str) -> Subject:
        """What is under the cursor of the pane; for the files pane, what its files belong to."""
        if pane == "projects":
            return Subject(self.projects.current)
        upload = self.uploads.current
        if pane == "uploads":
            return Subject(self.projects.row_of(upload.upload), upload) if upload is not None else Subject()
        leading = self.subject(self._leading)
        return leading if leading.name or self._leading == "projects" else self.subject("projects")

    def upload_of(self, item: FileItem) -> UploadStatus | None:
        """The upload of a file of the files pane; None if the engine no longer reports it."""
        number = item.upload or self.files.shown.upload
        uploads = self.status.uploads if self.status else ()
        return next((upload for upload in uploads if upload.upload == number), None)

    def align(self) -> None:
        """Let the files, and the cursor of the pane that does not lead, follow the row under the cursor."""
        focused = self._focused()
        self._leading = self._leading if focused == "files" else focused
        subject = self.subject("files")
        row = subject.row
        if subject.upload is not None:
            self.projects.select_upload(subject.upload.upload)
        elif row is not None and (self.uploads.current is None or not row.takes(self.uploads.current.upload)):
            upload = upload_to_show(row)
            if upload is not None:
                self.uploads.select(upload)
        newest = subject.upload or (row.newest if row is not None else None)
        empty: Sequence[str] = empty_lines(self._attachment, self._accounts, row, newest)
        self.files.show(subject.files, subject.name, subject.counts, subject.size, empty)
        self._aligned()

    def scope(self, pane: str) -> CommandScope:
        """What a command given now in this pane applies to."""
        files = self.files
        return scope_of(
            pane,
            self.subject(pane),
            self.status,
            shown=files.shown,
            item=files.current_file,
            folded=files.folded,
            selected=files.selected_ids(),
        )
