"""The project of an upload: an existing one, or a new one with a valid name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader.model.projects import ExistingProject, NewProject, Project, ProjectKind
from tui_uploader.model.uploads import AddRequest
from tui_uploader.text import counted
from tui_uploader.tui.lines.columns import cell_text

LONGEST_NAME = 100
"""Characters; the limit of other clients of the service."""


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


def project_named(projects: Sequence[Project], text: str) -> Project | None:
    """The project named `text`, the first of several."""
    return next((project for project in projects if cell_text(project.name) == text.strip()), None)


def next_project(projects: Sequence[Project], current: Project | None, step: int) -> Project | None:
    """The project after `current` (before it with a negative `step`), wrapping around."""
    if not projects:
        return None
    if current not in projects:
        return projects[0 if step > 0 else -1]
    return projects[(projects.index(current) + step) % len(projects)]


def fixed_kind(project: Project | None) -> ProjectKind | None:
    """The kind of files of a project that already has uploads; None if the user may choose."""
    return project.kind if project is not None and project.uploads else None


def destination_note(project: Project | None, text: str) -> str:
    """The note beside the project field: an existing or a new project."""
    if project is None:
        return name_note(text) or ("new project" if text.strip() else "")
    images = f", {counted(project.images, 'image')}" if project.images else ""
    number = f" {cell_text(project.id)}" if project.id else ""
    return f"existing project{number}{images}"


def destination_phrase(project: Project | None, text: str) -> str:
    """` to North field`, as the end of a sentence; empty while there is no valid name."""
    if project is not None:
        return f" to {project.name}"
    new = check_name(text)
    return f" to the new project {new.name}" if new.problem is None else ""


def add_request(
    paths: Sequence[str], project: Project | None, name: str, kind: ProjectKind, auto_process: bool
) -> AddRequest:
    """Build the request. A project without an id is one that the engine has still to create: it goes by its name."""
    auto_process = auto_process and kind is ProjectKind.IMAGES
    if project is None:
        return AddRequest(tuple(paths), NewProject(check_name(name).name), kind, auto_process)
    target = NewProject(project.name) if project.id is None else ExistingProject(project.id)
    return AddRequest(tuple(paths), target, kind, auto_process, project.account)
