"""Everything that the parts of the screen tell each other across panes, on one page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from textual import events
from textual.message import Message

from tui_uploader.model import Account, EngineStatus, Project

Severity = Literal["information", "warning", "error"]


class Attachment(StrEnum):
    """How this program stands to the engine."""

    ATTACHING = "attaching"
    ATTACHED = "attached"
    GONE = "gone"
    """It ended, was stopped, or will not start."""
    OTHER_VERSION = "other_version"


class HastyKey(events.Key):
    """A key that arrived together with others, faster than a person presses them: it answers no question."""


class UnbracketedPaste(events.Paste):
    """A text that arrived like keys, from a terminal that does not tell pastes from typing."""


HastyKey.handler_name = events.Key.handler_name
UnbracketedPaste.handler_name = events.Paste.handler_name


@dataclass
class StatusArrived(Message):
    """What the engine does now. A newer one takes the place of one that nobody has looked at yet."""

    status: EngineStatus

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StatusArrived)


@dataclass
class AttachmentChanged(Message):
    attachment: Attachment
    reason: str = ""
    """Why the engine is not there, as a sentence; not yet fit for a terminal (see `text.printable`)."""


@dataclass
class ProjectsArrived(Message):
    """The projects of this machine and of its accounts, and who is signed in."""

    projects: tuple[Project, ...]
    accounts: tuple[Account, ...]


@dataclass
class Noticed(Message):
    """Something to tell the user in passing. It takes the place of the one before: notices never pile up."""

    text: str
    """A sentence; not yet fit for a terminal."""
    severity: Severity = "information"
    seconds: float = 6.0
    """How long it stays; 0: until another one comes."""
    attention: bool = False
    """Somebody may have to look up: the terminal rings."""
