"""Projects of the cloud and their processing."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tui_uploader.model.results import ProjectResult

MIN_IMAGES, MAX_IMAGES = 6, 4000
"""Number of images that one project accepts (PIX4D, support article 203694199)."""


class ProjectKind(StrEnum):
    IMAGES = "images"
    RESULTS = "results"


class ProcessingState(StrEnum):
    NOT_STARTED = "not_started"
    SUBMITTED = "submitted"
    """Requested; the service has not reported more yet."""
    WAITING = "waiting"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"

    @property
    def running(self) -> bool:
        """Requested, and not at its end."""
        return self not in (ProcessingState.NOT_STARTED, ProcessingState.DONE, ProcessingState.FAILED)

    @property
    def ended(self) -> bool:
        return self in (ProcessingState.DONE, ProcessingState.FAILED)


class Processing(msgspec.Struct, frozen=True):
    state: ProcessingState = ProcessingState.NOT_STARTED
    word: str | None = None
    """The service's own word for the state."""
    waiting_seconds: float | None = None
    """The service's estimate of the time before processing starts."""
    processing_seconds: float | None = None
    """The service's estimate of the time that processing takes."""
    submitted_at: float | None = None
    reason: str | None = None
    """Why it failed, or was not started."""
    ended_at: float | None = None
    """When this machine learned that it was done or had failed; None: never, or by an older version."""
    images: int | None = None
    """Images of this machine in the project when processing was last started; None: it was not started from here."""


class Project(msgspec.Struct, frozen=True):
    """A project of the cloud (the web page says dataset)."""

    id: str | None
    """The service's id; None until a new project has been created there."""
    name: str
    kind: ProjectKind
    account: str
    """The owner, as `client id@cloud address`."""
    processing: Processing = Processing()
    uploads: tuple[int, ...] = ()
    """Uploads of this machine to the project."""
    images: int = 0
    """Images uploaded by this machine and registered; of a project of results: its files."""
    web_address: str | None = None
    images_in_cloud: int | None = None
    """Images that the service counts in the project, of any machine; None: it does not tell."""
    results: tuple[ProjectResult, ...] = ()
    """Processed results that the project has, as far as the service or this machine tells."""


class ExistingProject(msgspec.Struct, frozen=True, tag="existing"):
    """A project that the service or the engine's journal already has."""

    id_or_name: str
    """Its id, or its name where that is unique."""


class NewProject(msgspec.Struct, frozen=True, tag="new"):
    """A project to create.

    If this machine has already created a project of that name, kind and account, it means that one: repeating a
    command continues the same upload.
    """

    name: str


Target = ExistingProject | NewProject
"""The project that an upload goes to."""
