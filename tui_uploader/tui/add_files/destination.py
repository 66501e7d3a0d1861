"""The project of an upload: an existing one, or a new one with a valid name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader.model.projects import ExistingProject, NewProject, ProcessingState, Project, ProjectKind
from tui_uploader.model.uploads import AddRequest
from tui_uploader.text import counted
from tui_uploader.tui.lines.columns import cell_text
from tui_uploader.wording.processing import processing_word

LONGEST_NAME = 100
"""Characters; the limit of other clients of the service."""
_NO_NAME = "Type a name for the new project, or choose one with Down."


@dataclass(frozen=True, slots=True)
class CheckedName:
    """The name of a new project."""

    name: str
    """As it is sent to the service."""
    problem: str | None = None
    """Why it cannot be used, as a sentence."""


def check_name(text: str) -> CheckedName:
    """Make `text` a project name: replace slashes by `-` and strip blanks."""
    name = re.sub(r"[/\\]", "-", text).strip()
    if not name:
        return CheckedName(name, "Type a name for the new project.")
    if len(name) > LONGEST_NAME:
        return CheckedName(name, f"The name is too long: {len(name):,} characters of at most {LONGEST_NAME}.")
    return CheckedName(name)


def name_note(text: str) -> str:
    """The note below a name while it is typed; empty if the name is used unchanged."""
    checked = check_name(text)
    if checked.problem is not None:
        return checked.problem if text else ""
    return f"Will be named {cell_text(checked.name)}" if checked.name != text.strip() else ""


def projects_matching(projects: Sequence[Project], text: str) -> list[Project]:
    """Projects whose name contains `text`, in any case."""
    wanted = text.strip().casefold()
    return [project for project in projects if wanted in cell_text(project.name).casefold()]


def projects_named(projects: Sequence[Project], text: str) -> list[Project]:
    """The projects with exactly this name."""
    return [project for project in projects if cell_text(project.name) == text.strip()]


def is_same(project: Project, other: Project) -> bool:
    """Whether two values describe one project, at different times. One that is not created yet goes by its name."""
    return (project.account, project.id, project.id or project.name) == (
        other.account,
        other.id,
        other.id or other.name,
    )


def next_project(projects: Sequence[Project], current: Project | None, step: int) -> Project | None:
    """The project after `current` (before it with a negative `step`), wrapping around."""
    if not projects:
        return None
    at = next((at for at, known in enumerate(projects) if current is not None and is_same(known, current)), None)
    return projects[(0 if step > 0 else -1) if at is None else (at + step) % len(projects)]


def fixed_kind(project: Project | None) -> ProjectKind | None:
    """The kind of files of a project that already has uploads; None if the user may choose."""
    return project.kind if project is not None and project.uploads else None


def processed(project: Project | None) -> bool:
    """Whether processing was started before: adding images does not start it again unless the user says so."""
    return project is not None and project.processing.state is not ProcessingState.NOT_STARTED


@dataclass(frozen=True, slots=True)
class Destination:
    """The project that the files go to, as far as it is known."""

    text: str
    """The name in the field."""
    project: Project | None = None
    """The existing project; None: a new one, or undecided."""
    was_picked: bool = False
    """Chosen from the list, not typed."""
    namesakes: tuple[Project, ...] = ()
    """Existing projects with exactly this name."""
    similar: str = ""
    """Name of an existing project that differs only in upper and lower case."""

    @property
    def problem(self) -> str | None:
        """Why nothing can be uploaded there, as a sentence."""
        if self.project is not None:
            return None
        if self.namesakes:
            return f"{len(self.namesakes)} projects have this name. Choose one with Down, or type another name."
        return check_name(self.text).problem if self.text.strip() else _NO_NAME

    @property
    def question(self) -> str | None:
        """What the user should be asked once: a typed name happens to be that of an existing project."""
        if self.project is None or self.was_picked:
            return None
        return (
            f"{cell_text(self.project.name)} exists already ({known_facts(self.project)}). Enter again adds the files"
            " to it; for a new project, type another name."
        )

    @property
    def is_new(self) -> bool:
        return self.project is None and not self.namesakes and bool(self.text.strip())

    @property
    def note(self) -> str:
        """What stands beside a new or an existing project, after that word."""
        if self.project is not None:
            number = len(self.namesakes)
            several = f", one of {number} of this name" if number > 1 else ""
            return f"{_number_and_images(self.project)}{several}"
        if self.namesakes:
            return f"{len(self.namesakes)} of this name: choose with Down"
        similar = f"another one is called {self.similar}" if self.similar else ""
        return name_note(self.text) or similar


def known_facts(project: Project) -> str:
    """`11, 1,711 images, processed`: what tells projects of one name apart."""
    state = f", {processing_word(project.processing)}" if processed(project) else ""
    return f"{_number_and_images(project)}{state}"


def _number_and_images(project: Project) -> str:
    if project.kind is ProjectKind.RESULTS:
        return _number_and_results(project)
    images = images_in(project)
    number = cell_text(project.id) if project.id else "not created yet"
    return f"{number}, {counted(images, 'image')}" if images else number


def _number_and_results(project: Project) -> str:
    number = cell_text(project.id) if project.id else "not created yet"
    known = counted(len(project.results), "result") if project.results else ""
    return ", ".join(
        part for part in (number, known or (counted(project.images, "file") if project.images else "")) if part
    )


def images_in(project: Project | None) -> int:
    """Images that the project has, as far as is known."""
    return max(project.images, project.images_in_cloud or 0) if project is not None else 0


def find_destination(text: str, picked: Project | None, projects: Sequence[Project]) -> Destination:
    """Which of `projects` `text` means; `picked` was chosen with Up or Down, or given, and counts while it is named."""
    named = projects_named(projects, text)
    if picked is not None and cell_text(picked.name) == text:
        latest = next((project for project in projects if is_same(project, picked)), picked)
        return Destination(text, latest, was_picked=True, namesakes=tuple(named))
    if len(named) == 1:
        return Destination(text, named[0], namesakes=tuple(named))
    folded = text.strip().casefold()
    similar = next((cell_text(each.name) for each in projects if cell_text(each.name).casefold() == folded), "")
    return Destination(text, namesakes=tuple(named), similar="" if named else similar)


def add_request(
    paths: Sequence[str], project: Project | None, name: str, kind: ProjectKind, auto_process: bool
) -> AddRequest:
    """Build the request. A project without an id is one that the engine has still to create: it goes by its name."""
    auto_process = auto_process and kind is ProjectKind.IMAGES
    if project is None:
        return AddRequest(tuple(paths), NewProject(check_name(name).name), kind, auto_process)
    target = NewProject(project.name) if project.id is None else ExistingProject(project.id)
    return AddRequest(tuple(paths), target, kind, auto_process, project.account)
