"""Parse projects from replies of the REST API. The set of status words is open: PIX4D adds some without notice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from tui_uploader.cloud.contract import RemoteProject
from tui_uploader.model.projects import ProcessingState
from tui_uploader.redaction import holds_secret, without_secrets
from tui_uploader.text import whole_number

MAX_NAME = 100
_MOST_COUNTED = 2**31
_MOST_ID = 10**100
"""Far beyond any id; Python converts no text of thousands of digits."""

_STATE_OF_WORD = {
    "new": None,
    "created": None,
    "uploaded": None,
    "processing": ProcessingState.PROCESSING,
    "done": ProcessingState.DONE,
    "processed": ProcessingState.DONE,
    "error": ProcessingState.FAILED,
    "failed": ProcessingState.FAILED,
}


def parsed_project(
    fields: dict[str, object], web: str, *, id: str | None = None, name: str = ""
) -> RemoteProject | None:
    """The project in a reply; None for one without an id. `web`: the address of the service's web page.

    `id` and `name` are used if the reply has none.
    """
    found = project_id(fields.get("id")) or id
    if found is None:
        return None
    word = fields.get("public_status")
    word = without_secrets(word) if isinstance(word, str) and word else None
    reason = fields.get("error_reason")
    return RemoteProject(
        id=found,
        name=without_secrets(str(fields.get("name") or name)),
        word=word,
        state=state_of_word(word),
        known_word=is_known(word),
        images=_count(fields.get("image_count")),
        results=_count(fields.get("result_count")),
        error_reason=without_secrets(reason) if isinstance(reason, str) and reason else None,
        web_address=f"{web}/dataset/{quote(found, safe='')}/map",
    )


def merged(
    first_page: Sequence[RemoteProject], count: object, known: Sequence[RemoteProject]
) -> list[RemoteProject] | None:
    """Return `known` with the newer values of a list's first page; None if that or the count tell of other projects."""
    fresh = {project.id: project for project in first_page}
    ids = {project.id for project in known}
    if not known or _count(count) != len(known) or not fresh.keys() <= ids:
        return None
    return [fresh.get(project.id, project) for project in known]


def _count(value: object) -> int | None:
    """A number of things, as it came; not documented, so anything else is no number."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_COUNTED else None


def project_id(value: object) -> str | None:
    """`value` as an id, or None if it cannot be one. Ids are stored and shown, so they must not contain a secret."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return None if holds_secret(str(value)) else str(value) or None


def state_of_word(word: str | None) -> ProcessingState | None:
    """The meaning of a project's status word; None for no word, and for projects that were not started.

    The API sends words in capitals, the web page prose ("Waiting for credits"). An unknown word counts as PROCESSING.
    """
    plain = _plain(word)
    if not plain:
        return None
    if plain.startswith("waiting"):
        return ProcessingState.WAITING
    if plain.startswith("cancel"):
        return ProcessingState.FAILED
    return _STATE_OF_WORD.get(plain, ProcessingState.PROCESSING)


def is_known(word: str | None) -> bool:
    """Whether `state_of_word` knows the word; also True for no word."""
    plain = _plain(word)
    return not plain or plain in _STATE_OF_WORD or plain.startswith(("waiting", "cancel"))


def _plain(word: str | None) -> str:
    return re.sub(r"[\s_-]+", " ", word or "").strip().casefold()


def newest_first(projects: Sequence[RemoteProject]) -> list[RemoteProject]:
    """Sorted by id if all ids are numbers, which the service counts up; else unchanged."""
    numbered = [(number, project) for project in projects if (number := whole_number(project.id, _MOST_ID)) is not None]
    if len(numbered) < len(projects):
        return list(projects)
    return [project for _, project in sorted(numbered, key=lambda each: each[0], reverse=True)]


def kept_name(name: str) -> str:
    """The name as other clients of the service store it: no slashes, no blanks at the ends, 100 characters."""
    return re.sub(r"[/\\]", "-", name).strip()[:MAX_NAME].rstrip()
