"""What all calls of a project share: their paths, and what the statuses of replies are about."""

from __future__ import annotations

from urllib.parse import quote

from tui_uploader.cloud.http.error_mapping import quoted, rest_text
from tui_uploader.cloud.http.messages import Reply

PROJECTS = "/project/api/v3/projects/"

ABOUT_ITEMS = (400, 409, 422)
"""Statuses that may be about single items of a request; other refusals concern the account or the project."""
NO_SUCH_CALL = (404, 405, 501)
NOT_OFFERED = (403, *NO_SUCH_CALL)


def path_of_project(project_id: str, rest: str) -> str:
    return f"{PROJECTS}{quote(project_id, safe='')}/{rest}"


def reason_of(host: str, reply: Reply, text: str | None = None) -> str:
    """Why one key was refused: in the words of `reply`, or in `text`, which is a part of them."""
    says = rest_text(reply) if text is None else f": {quoted(text).rstrip('.')}"
    return f"{host} (HTTP {reply.status}) refused to register this file{says}."
