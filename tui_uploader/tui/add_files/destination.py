"""Where an upload goes: an existing project, or a new one whose name the service will take. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tui_uploader.model import AddRequest, ExistingProject, NewProject, Project, ProjectKind
from tui_uploader.text import counted
from tui_uploader.tui.lines.columns import cell_text

LONGEST_NAME = 100
"""Characters; what other clients of the service keep to."""


@dataclass(frozen=True, slots=True)
class CheckedName:
    """A name for a new project."""

    name: str
    """As the service will get it."""
    trouble: str | None = None
    """Why it cannot be used, as a sentence."""


def checked_name(text: str) -> CheckedName:
    """`text` as a name of a project: slashes become `-`, blanks at the ends go."""
    name = re.sub(r"[/\\]", "-", text).strip()
    if not name:
        return CheckedName(name, "A project needs a name.")
    if len(name) > LONGEST_NAME:
        return CheckedName(name, f"A name has at most {LONGEST_NAME} characters; this one has {len(name):,}.")
    return CheckedName(name)


def name_note(text: str) -> str:
    """What to say below a name while it is typed; empty when it will be used as it stands."""
    checked = checked_name(text)
    if checked.trouble is not None:
        return checked.trouble if text else ""
    return f"Will be called {cell_text(checked.name)}" if checked.name != text.strip() else ""


def matching(projects: Sequence[Project], text: str) -> list[Project]:
    """Projects whose name holds `text`, in any case."""
    wanted = text.strip().casefold()
    return [project for project in projects if wanted in cell_text(project.name).casefold()]


def named(projects: Sequence[Project], text: str) -> Project | None:
    """The project that is called `text`, the first of several."""
    return next((project for project in projects if cell_text(project.name) == text.strip()), None)


def stepped(projects: Sequence[Project], current: Project | None, step: int) -> Project | None:
    """The project before or after `current`, round and round."""
    if not projects:
        return None
    if current not in projects:
        return projects[0 if step > 0 else -1]
    return projects[(projects.index(current) + step) % len(projects)]


def settled_kind(project: Project | None) -> ProjectKind | None:
    """What a project takes, where that is decided; None where the user may choose."""
    return project.kind if project is not None and project.uploads else None


def target_note(project: Project | None, text: str) -> str:
    """What the field for the project means now."""
    if project is None:
        return name_note(text) or ("new project" if text.strip() else "")
    images = f", {counted(project.images, 'image')}" if project.images else ""
    number = f" {cell_text(project.id)}" if project.id else ""
    return f"existing project{number}{images}"


def destination_words(project: Project | None, text: str) -> str:
    """`to North field`, as the end of a sentence; empty while it is not settled."""
    if project is not None:
        return f" to {project.name}"
    new = checked_name(text)
    return f" to a new project, {new.name}" if new.trouble is None else ""


def add_request(
    paths: Sequence[str], project: Project | None, name: str, kind: ProjectKind, auto_process: bool
) -> AddRequest:
    """A project without an id is named: for the engine that is the one it is still to make."""
    auto_process = auto_process and kind is ProjectKind.IMAGES
    if project is None:
        return AddRequest(tuple(paths), NewProject(checked_name(name).name), kind, auto_process)
    target = NewProject(project.name) if project.id is None else ExistingProject(project.id)
    return AddRequest(tuple(paths), target, kind, auto_process, project.account)
