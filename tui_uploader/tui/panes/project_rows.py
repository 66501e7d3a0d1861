"""Rows of the projects pane: which projects, in which order, and their cells. Pure."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence

import msgspec
from msgspec.structs import replace
from rich.cells import cell_len

from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import UploadStatus
from tui_uploader.text import counted
from tui_uploader.tui.lines.columns import Column, cell_text, clipped_name
from tui_uploader.tui.lines.glyphs import Glyphs, Span
from tui_uploader.wording.processing import processing_word, project_word
from tui_uploader.wording.uploads import percent_sent

COLUMNS = (
    Column("", 1),
    Column("Project", 10, share=3),
    Column("Kind", 7, from_width=60),
    Column("Files", len("12,345/35,945"), right=True, from_width=48),
    Column("State", 10, share=2),
)
_STATE_STYLES = {ProcessingState.DONE: "uploaded", ProcessingState.FAILED: "failed"}


class ProjectRow(msgspec.Struct, frozen=True):
    """A project and its uploads."""

    project: Project
    uploads: tuple[UploadStatus, ...] = ()
    """Those in the engine's status, the oldest first."""
    apart: str = ""
    """What tells it from another project of the same name: its account or its id."""

    @property
    def name(self) -> str:
        """Not safe for a terminal yet."""
        return f"{self.project.name} {self.apart}" if self.apart else self.project.name

    @property
    def key(self) -> Hashable:
        """Stays the same for a project of this machine, also when the service gives it an id."""
        return (self.project.account, self.project.uploads[0] if self.project.uploads else self.project.id)

    def takes(self, upload: int) -> bool:
        """Whether `upload` belongs to this project."""
        return upload in self.project.uploads or any(shown.upload == upload for shown in self.uploads)

    def is_same_project(self, other: ProjectRow) -> bool:
        """Whether both rows are one project at two times: it may have got its id or its first upload in between."""
        mine, others = self.project, other.project
        if mine.id is not None and mine.id == others.id:
            return not mine.account or not others.account or mine.account == others.account
        return any(other.takes(upload) for upload in (*mine.uploads, *(shown.upload for shown in self.uploads)))

    @property
    def upload(self) -> int | None:
        """The newest upload."""
        if self.uploads:
            return self.uploads[-1].upload
        return self.project.uploads[-1] if self.project.uploads else None

    @property
    def newest(self) -> UploadStatus | None:
        """The newest upload in the engine's status."""
        return self.uploads[-1] if self.uploads else None

    @property
    def processing(self) -> Processing:
        """That of the newest upload, which is live; the list of projects is fetched only now and then."""
        return self.uploads[-1].processing if self.uploads else self.project.processing


def project_rows(projects: Sequence[Project], status: EngineStatus | None) -> tuple[ProjectRow, ...]:
    """Projects of this machine first, the newest at the top, then the account's others.

    The list of projects may be older than the uploads: an upload that it does not name belongs to the project with its
    id, or stands for a project that is not listed yet.
    """
    uploads = status.uploads if status else ()
    rows = [_row(project, tuple(upload for upload in uploads if goes_to(upload, project))) for project in projects]
    shown = {upload.upload for row in rows for upload in row.uploads}
    missing: dict[Hashable, list[UploadStatus]] = {}
    for upload in uploads:
        if upload.upload not in shown:
            missing.setdefault(upload.project or upload.upload, []).append(upload)
    rows += [_unlisted(found) for found in missing.values()]
    mine = sorted((row for row in rows if row.upload is not None), key=lambda row: row.upload or 0, reverse=True)
    return _told_apart((*mine, *(row for row in rows if row.upload is None)))


def _told_apart(rows: tuple[ProjectRow, ...]) -> tuple[ProjectRow, ...]:
    """Add their accounts to projects of one name, or their ids where the account is the same too."""
    alike: dict[str, list[ProjectRow]] = {}
    for row in rows:
        alike.setdefault(row.project.name, []).append(row)
    if len(alike) == len(rows):
        return rows

    def apart(row: ProjectRow) -> str:
        others = alike[row.project.name]
        if len(others) == 1:
            return ""
        accounts = {other.project.account for other in others}
        return f"({row.project.account if len(accounts) == len(others) else row.project.id or 'new'})"

    return tuple(replace(row, apart=apart(row)) for row in rows)


def _row(project: Project, uploads: tuple[UploadStatus, ...]) -> ProjectRow:
    """The uploads know of a project that was created in the cloud before the list of projects does."""
    if project.id is None and (id := next((upload.project for upload in uploads if upload.project), None)):
        project = replace(project, id=id)
    return ProjectRow(project, uploads)


def goes_to(upload: UploadStatus, project: Project) -> bool:
    return upload.upload in project.uploads or (upload.project is not None and upload.project == project.id)


def _unlisted(uploads: Sequence[UploadStatus]) -> ProjectRow:
    newest = uploads[-1]
    project = Project(
        id=newest.project,
        name=newest.project_name,
        kind=newest.kind,
        account="",
        processing=newest.processing,
        uploads=tuple(upload.upload for upload in uploads),
        images=sum(upload.counts.uploaded for upload in uploads),
    )
    return ProjectRow(project, tuple(uploads))


_KIND = re.compile(r"(?:^|(?<=\s))(!?):([a-z]+)(?=\s|$)", re.IGNORECASE)


def matching(rows: Iterable[ProjectRow], text: str) -> tuple[ProjectRow, ...]:
    """Rows with `text` in their name, ignoring case; a leading `!` means: without it.

    Words such as `:results` or `!:images`, or their beginnings, stand for kinds of projects.
    """
    kinds = set(ProjectKind)

    def take_kind(word: re.Match[str]) -> str:
        named = {kind for kind in ProjectKind if kind.startswith(word[2].lower())}
        if not named:
            return word[0]
        kinds.intersection_update(set(ProjectKind) - named if word[1] else named)
        return ""

    rest = _KIND.sub(take_kind, text)
    name = rest if rest == text else rest.strip()
    wanted, inverse = name.removeprefix("!").casefold(), name.startswith("!")
    return tuple(
        row
        for row in rows
        if row.project.kind in kinds and (not wanted or (wanted in row.project.name.casefold()) is not inverse)
    )


def project_cells(row: ProjectRow, columns: Sequence[tuple[Column, int]], glyphs: Glyphs) -> list[Sequence[Span]]:
    """One cell for each visible column."""
    return [[_cell(row, column.title, width, glyphs)] for column, width in columns]


def _cell(row: ProjectRow, title: str, width: int, glyphs: Glyphs) -> Span:
    match title:
        case "":
            return _glyph(row, glyphs)
        case "Project":
            mark = f"{glyphs.results} " if row.project.kind is ProjectKind.RESULTS else ""
            return Span(mark + clipped_name(cell_text(row.name), width - len(mark), glyphs.cut))
        case "Kind":
            return Span(row.project.kind, "muted")
        case "Files":
            return Span(files_words(row), "muted")
        case _:
            choices = state_choices(row, glyphs)
            shown = next((words for words in choices if cell_len(words) <= width), choices[-1])
            return Span(shown, _STATE_STYLES.get(row.processing.state, ""))


def _glyph(row: ProjectRow, glyphs: Glyphs) -> Span:
    processing = row.processing.state
    if processing is not ProcessingState.NOT_STARTED:
        return Span(glyphs.processing[processing], _STATE_STYLES.get(processing, "uploading"))
    if row.uploads:
        state = row.uploads[-1].state
        if state is UploadState.ACTIVE and row.uploads[-1].settled:
            return Span(glyphs.statuses[FileStatus.FAILED], "failed")
        return Span(glyphs.states[state], "uploaded" if state is UploadState.COMPLETE else "uploading")
    return Span(" ")


def files_words(row: ProjectRow) -> str:
    """`717/1,711` while files are being uploaded, else the number of this machine's images in the project."""
    wanted = sum(upload.counts.total - upload.counts.duplicate for upload in row.uploads)
    done = sum(upload.counts.uploaded for upload in row.uploads)
    if wanted > done:
        return f"{done:,}/{wanted:,}"
    images = max(row.project.images, done)
    return f"{images:,}" if images else ""


def state_choices(row: ProjectRow, glyphs: Glyphs) -> tuple[str, ...]:
    """`47 %  5 ✗` while files are uploaded; else the state of its processing, or what it contains.

    From the longest words to the shortest. Projects of results say so.
    """
    project, processing = row.project, row.processing.state
    of_results = project.kind is ProjectKind.RESULTS
    failed = sum(upload.counts.failed for upload in row.uploads)
    problems = f"  {failed:,} {glyphs.statuses[FileStatus.FAILED]}" if failed else ""
    upload = row.newest
    if upload is not None and upload.state in (UploadState.ACTIVE, UploadState.PREPARING):
        sent = f"{percent_sent(upload)} %"
        return (*([f"results {sent}{problems}"] if of_results else []), f"{sent}{problems}", sent)
    if processing is not ProcessingState.NOT_STARTED:
        return (cell_text(processing_word(row.processing)),)
    if upload is not None and upload.state is not UploadState.COMPLETE:
        return (f"{upload.state}{problems}", str(upload.state))
    if project.results and of_results:
        from tui_uploader.wording.results import type_words  # not needed for the first frame

        types = type_words(result.type for result in project.results)
        return (f"results: {types}", counted(len(project.results), "result"), "results")
    if project.images or project.images_in_cloud or (upload is not None and upload.counts.total):
        return ("results",) if of_results else ("uploaded, not processed", "uploaded")
    if project.images_in_cloud == 0 or upload is not None:
        return ("empty",)
    return (cell_text(project_word(project)),)
