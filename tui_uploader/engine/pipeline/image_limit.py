"""The number of images that one project accepts. The first ones may be sent before the last ones are found."""

from __future__ import annotations

import sqlite3

from tui_uploader.engine.journal.tables import deduplication, projects, uploads
from tui_uploader.errors import NoSuchPath, SourceUnreadable, TooManyImages
from tui_uploader.model.projects import MAX_IMAGES, ProjectKind
from tui_uploader.model.states import UploadEvent
from tui_uploader.text import counted

_NOTICES_OF_WALKS = (NoSuchPath.__name__, SourceUnreadable.__name__, TooManyImages.__name__)
"""The first two were written by versions that stored failures of walks in the notice."""


def check_image_limit(connection: sqlite3.Connection, upload_id: int) -> None:
    """Raises TooManyImages; otherwise removes notices of earlier walks."""
    upload = uploads.upload(connection, upload_id)
    project = projects.project(connection, upload.project)
    images = deduplication.distinct_images(connection, project.id)
    if project.kind is ProjectKind.IMAGES and images > MAX_IMAGES:
        raise TooManyImages(
            f"{counted(images, 'image')} are more than the {MAX_IMAGES:,} that one project accepts. The upload is "
            "paused: nothing more is sent. Remove some and resume, or split them into several projects."
        )
    if upload.notice_kind in _NOTICES_OF_WALKS:
        uploads.set_notice(connection, upload_id, None, None)


def hold_if_too_many(connection: sqlite3.Connection, upload_id: int) -> None:
    """Pause the upload, with a notice, if the project would get too many images."""
    try:
        check_image_limit(connection, upload_id)
    except TooManyImages as error:
        uploads.move_upload(connection, upload_id, UploadEvent.PAUSE, unless_impossible=True)
        uploads.set_notice(connection, upload_id, error.kind, str(error))


def correct_image_limits(connection: sqlite3.Connection, upload_id: int) -> None:
    """Update or remove the notices about too many images in the upload's project, after files were removed or restored.

    The images of all uploads of a project count.
    """
    rows = connection.execute(
        "SELECT id FROM uploads WHERE project = (SELECT project FROM uploads WHERE id = ?) AND notice_kind = ?",
        (upload_id, TooManyImages.__name__),
    ).fetchall()
    for row in rows:
        try:
            check_image_limit(connection, row["id"])
        except TooManyImages as error:
            uploads.set_notice(connection, row["id"], error.kind, str(error))
