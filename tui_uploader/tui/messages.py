"""The messages that cross the borders of panes and screens, on one page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from textual import events
from textual.message import Message

from tui_uploader.model.accounts import Account
from tui_uploader.model.engine import EngineStatus
from tui_uploader.model.projects import Project

Severity = Literal["information", "warning", "error"]


class Attachment(StrEnum):
    """The state of the connection to the engine."""

    ATTACHING = "attaching"
    ATTACHED = "attached"
    GONE = "gone"
    """It ended, was stopped, or does not start."""
    OTHER_VERSION = "other_version"


class HastyKey(events.Key):
    """A key that arrived together with others, faster than a person types: it must not answer a question."""


class UnbracketedPaste(events.Paste):
    """Pasted text that arrived like keys, from a terminal without bracketed paste."""


HastyKey.handler_name = events.Key.handler_name
UnbracketedPaste.handler_name = events.Paste.handler_name


@dataclass
class StatusArrived(Message):
    """The engine's state now. A newer one replaces one that was not handled yet."""

    status: EngineStatus

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StatusArrived)


@dataclass
class AttachmentChanged(Message):
    attachment: Attachment
    reason: str = ""
    """Why there is no engine, as a sentence; not yet safe for a terminal (see `text.printable`)."""


@dataclass
class ProjectsArrived(Message):
    """The projects of this machine and of its accounts, and the accounts that are signed in."""

    projects: tuple[Project, ...]
    accounts: tuple[Account, ...]


@dataclass
class Noticed(Message):
    """A short notice for the user. It replaces the one before: notices never pile up."""

    text: str
    """A sentence; not yet safe for a terminal."""
    severity: Severity = "information"
    seconds: float = 6.0
    """How long it stays; 0: until the next one."""
    attention: bool = False
    """Also alert a user who looks elsewhere: bell and desktop notice."""


@runtime_checkable
class ShowsNotices(Protocol):
    """A screen that covers the line of notices, and has one of its own."""

    def show_notice(self, notice: Noticed) -> None: ...
