"""What happened: the events that a user who was away wants to know."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from tui_uploader.model.projects import Processing


class EventKind(StrEnum):
    """Something that happened, worth telling a user who was away."""

    ENGINE_STARTED = "engine_started"
    """`detail` is `interrupted` if the engine before it was killed, or the machine was switched off."""
    ENGINE_STOPPED = "engine_stopped"
    ADDED = "added"
    """Files were added to an upload."""
    UPLOADED = "uploaded"
    """Files were registered; written once for many, when the upload pauses or ends, or every few minutes."""
    FAILED = "failed"
    """Files failed; written once for many, like UPLOADED."""
    COMPLETE = "complete"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    DISMISSED = "dismissed"
    REMOVED = "removed"
    RESTORED = "restored"
    RETRIED = "retried"
    OFFLINE = "offline"
    """When the link is up again, the event is written anew, with `until` and another `id`."""
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_FAILED = "sign_in_failed"
    PROJECT_CREATED = "project_created"
    PROCESSING_REQUESTED = "processing_requested"
    PROCESSING_STOPPED = "processing_stopped"
    """The user stopped the automatic start."""
    PROCESSING_DONE = "processing_done"
    PROCESSING_FAILED = "processing_failed"
    LIMIT_CHANGED = "limit_changed"
    SENDING_STOPPED = "sending_stopped"
    """By the limit, the timetable or the budget; written anew with `until`, like OFFLINE."""
    CARD_SAFE = "card_safe"
    """A verification ended well; `detail` is its paths, line by line, and `error` is `images` if only the images are
    safe."""
    CARD_NOT_SAFE = "card_not_safe"
    """`files` are those that are not in the cloud, `detail` is its paths, line by line."""
    RECEIPT_WRITTEN = "receipt_written"
    """`detail` is its path."""
    RECEIPT_FAILED = "receipt_failed"
    RESULT_REPLACED = "result_replaced"
    """`detail`: the name of the old one, a line break, the name of the new one."""
    WATCH_ADDED = "watch_added"
    """`detail` is the watched path."""
    WATCH_REMOVED = "watch_removed"
    CARD_FOUND = "card_found"
    """A card came to a watched path; `detail` is the path."""
    HOOK_FAILED = "hook_failed"
    PROBLEM = "problem"
    """A notice that needs a person."""


class PastEvent(msgspec.Struct, frozen=True):
    """One event of the history: facts only, for which `wording` has the sentences."""

    id: int
    at: float
    kind: EventKind
    upload: int | None = None
    project: str = ""
    """Name of the project."""
    account: str = ""
    files: int = 0
    bytes: int = 0
    until: float | None = None
    detail: str = ""
    """Paths that were added, the service's reason, the new limit: from outside, not safe for a terminal."""
    processing: Processing | None = None
    """For processing events: the estimates, or how it ended."""
    error: str = ""
    """For FAILED: the kind of error (see `errors`) that all of the files have; there is one event for each kind."""
