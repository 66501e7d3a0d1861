"""How many images the service takes for one project: told before anything is sent, and as long as it is so."""

from __future__ import annotations

import sqlite3

from tui_uploader.engine.journal.tables import deduplication, projects, uploads
from tui_uploader.errors import NoSuchPath, SourceUnreadable, TooManyImages
from tui_uploader.model import MAX_IMAGES, ProjectKind, UploadEvent
from tui_uploader.text import counted

_NOTICES_OF_WALKS = (NoSuchPath.__name__, SourceUnreadable.__name__, TooManyImages.__name__)
"""The first two were written by versions that kept the failures of walks there."""


def check_image_limit(connection: sqlite3.Connection, upload_id: int) -> None:
    """Raises TooManyImages; otherwise notices of walks that went wrong before are done with."""
    upload = uploads.upload(connection, upload_id)
    project = projects.project(connection, upload.project)
    images = deduplication.distinct_images(connection, project.id)
    if project.kind is ProjectKind.IMAGES and images > MAX_IMAGES:
        raise TooManyImages(
            f"{counted(images, 'image')} are more than the {MAX_IMAGES:,} that one project takes. Nothing is being "
            "sent. Remove some and resume, or split them over several projects."
        )
    if upload.notice_kind in _NOTICES_OF_WALKS:
        uploads.set_notice(connection, upload_id, None, None)


def hold_if_too_many(connection: sqlite3.Connection, upload_id: int) -> None:
    """Pause the upload, and tell why, when the project would get more images than it takes."""
    try:
        check_image_limit(connection, upload_id)
    except TooManyImages as error:
        uploads.move_upload(connection, upload_id, UploadEvent.PAUSE, unless_impossible=True)
        uploads.set_notice(connection, upload_id, error.kind, str(error))


def correct_image_limit(connection: sqlite3.Connection, upload_id: int) -> None:
    """Files left or came back: what was said of too many images tells the number of now, or nothing any more."""
    if uploads.upload(connection, upload_id).notice_kind != TooManyImages.__name__:
        return
    try:
        check_image_limit(connection, upload_id)
    except TooManyImages as error:
        uploads.set_notice(connection, upload_id, error.kind, str(error))
