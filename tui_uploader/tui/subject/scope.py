"""What a command applies to: the row under the cursor of the focused pane, at the moment of the command. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.files import FileItem
from tui_uploader.model.projects import Processing, Project
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted, printable
from tui_uploader.wording.commands import unfinished

_LONGEST_NAME = 60
RUNNING = (UploadState.PREPARING, UploadState.ACTIVE)
"""States in which an upload can be paused."""
STOPPED = (UploadState.PAUSED, UploadState.CANCELLED)
"""States in which it can be resumed."""


class CommandScope(msgspec.Struct, frozen=True):
    """The project, uploads and files that a command given now applies to."""

    pane: str = "files"
    """The focused pane: `projects`, `files` or `uploads`."""
    project: Project | None = None
    uploads: tuple[UploadStatus, ...] = ()
    """All of the project under the cursor, or the one under the cursor, or that of the file under the cursor."""
    of_project: tuple[UploadStatus, ...] = ()
    """All uploads of the project in the engine's status."""
    files: tuple[int, ...] = ()
    """Ids of the selected files, or of the one under the cursor."""
    selected: bool = False
    """`files` are selected, and not only under the cursor."""
    item: FileItem | None = None
    """The file under the cursor."""
    folded: int = 0
    """Files for which the line under the cursor stands; 0: it is a file."""
    files_of: int | None = None
    """The upload to name in commands on `files`."""
    whole_project: bool = False
    """`files` belong to several uploads of the project."""
    offline: bool = False
    engine_runs: bool = True
    read_only: bool = False
    undoable: str = ""
    """What `U` would undo now, as in `the removal of 3 files`; empty: nothing."""
    files_changed: Callable[[], None] = lambda: None
    """To be called after a command on `files`: forgets the selection and fetches the rows again."""

    @property
    def upload(self) -> UploadStatus | None:
        """The newest of the uploads."""
        return self.uploads[-1] if self.uploads else None

    @property
    def processing(self) -> Processing:
        """That of the project: of its newest upload, which is live, or else as the project was listed."""
        if self.of_project:
            return self.of_project[-1].processing
        return self.project.processing if self.project is not None else Processing()

    @property
    def name(self) -> str:
        """Name of the project that the command is about, safe for a terminal; empty without one."""
        if self.pane == "uploads" and self.uploads:
            return short_name(self.uploads[-1].project_name)
        if self.project is not None:
            return short_name(self.project.name)
        return short_name(self.uploads[-1].project_name) if self.uploads else ""

    @property
    def files_name(self) -> str:
        """`DJI_0007.JPG`, or `3 files`."""
        if self.selected:
            return counted(len(self.files), "file")
        return short_name(self.item.name) if self.item is not None else ""


def as_it_is_now(opened: CommandScope, now: CommandScope, status: EngineStatus | None) -> CommandScope:
    """The rows of an earlier scope with the present state of their uploads and of the engine."""
    known = {upload.upload: upload for upload in status.uploads} if status is not None else {}

    def present(uploads: tuple[UploadStatus, ...]) -> tuple[UploadStatus, ...]:
        return tuple(known.get(upload.upload, upload) for upload in uploads)

    return msgspec.structs.replace(
        opened,
        uploads=present(opened.uploads),
        of_project=present(opened.of_project),
        offline=now.offline,
        engine_runs=now.engine_runs,
        undoable=now.undoable,
    )


def is_about_same_row(before: CommandScope, now: CommandScope) -> bool:
    def row(scope: CommandScope) -> tuple[object, ...]:
        uploads = tuple(upload.upload for upload in scope.uploads)
        item = scope.item.id if scope.item is not None else None
        project = scope.project.id if scope.project is not None else None
        if scope.pane != "files":
            return (scope.pane, project, uploads)
        return (scope.pane, project, uploads, item, bool(scope.folded), scope.files)

    return row(before) == row(now)


class ShownFiles(msgspec.Struct, frozen=True):
    """Which files the files pane shows: those of one upload, or of all uploads of a project."""

    upload: int | None = None
    """Any upload of them, which names them in a query; None: there are no files."""
    uploads: frozenset[int] = frozenset()
    project: str | None = None
    """Id of the project, if it has one."""
    of_project: bool = False

    @property
    def whole_project(self) -> bool:
        """Whether the files of several uploads are shown."""
        return self.of_project and len(self.uploads) > 1

    def continues(self, before: ShownFiles) -> bool:
        """Whether it shows what `before` did, or more of it: then cursor and selection stay."""
        if before.of_project and self.of_project:
            same_project = self.project is not None and self.project == before.project
            return same_project or not self.uploads.isdisjoint(before.uploads)
        return bool(before.uploads) and before.uploads <= self.uploads


def images_in(project: Project, uploads: Sequence[UploadStatus]) -> int:
    """Images that are known to be in the project: `uploads` are those of this machine, which are live."""
    return max(project.images, project.images_in_cloud or 0, sum(upload.counts.uploaded for upload in uploads))


def is_cancellable(upload: UploadStatus) -> bool:
    return upload.state is not UploadState.CANCELLED and unfinished(upload) > 0


def short_name(name: str) -> str:
    """`name` of a project or file in a sentence, safe for a terminal."""
    return printable(name, _LONGEST_NAME)
