"""Names of projects from a template such as `{site} {date}`: pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from string import Formatter

from tui_uploader.errors import UsageError
from tui_uploader.text import printable

FIELDS = ("site", "date", "camera", "card")

_LONGEST_VALUE = 60
_LONGEST_TEMPLATE = 200
_EMPTY = "\0"
"""Stands for an empty value until the text around it is tidied."""
_IN_BRACKETS = re.compile(r"[(\[]\s*\0\s*[)\]]")
_BETWEEN = re.compile(r"([\s\-_,.;:+]*)\0([\s\-_,.;:+]*)")
_ENDS = " -_,.;:+"
_FALLBACK = "Card"
# Folders that cameras make themselves (DCF, JEITA CP-3461), and those in which they keep parts of a panorama.
_OF_CAMERA = re.compile(r"dcim|\d{3}[a-z0-9_]{5}|panorama|hyperlapse|media|misc", re.I)
_OF_FLIGHT = re.compile(r"dji_\d{12}_\d{3}(?:_(?P<site>.+))?", re.I)
"""`DJI_202611301430_003_North-field`: the last part is the name of the mission."""


@dataclass(frozen=True, slots=True)
class NameFacts:
    """The values of the fields; empty ones are left out of the name."""

    site: str = ""
    date: str = ""
    """YYYY-MM-DD."""
    camera: str = ""
    card: str = ""


def check_template(template: str) -> None:
    """Raises UsageError for a template with unknown fields, and for one that is empty or too long."""
    known = ", ".join(f"{{{field}}}" for field in FIELDS)
    if not template.strip():
        raise UsageError(f"The template for project names is empty. It can have the fields {known}.")
    if len(template) > _LONGEST_TEMPLATE or printable(template) != template:
        raise UsageError(
            f"The template for project names has more than {_LONGEST_TEMPLATE} characters, or some that are not "
            "printable."
        )
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"'{template}' is no template for project names: {error}. The fields are {known}.") from None
    for _, field, form, conversion in parts:
        if field is not None and (field not in FIELDS or form or conversion):
            raise UsageError(f"'{{{field}}}' is no field of the template for project names. These are: {known}.")


def project_name(template: str, facts: NameFacts, longest: int, is_taken: Callable[[str], bool]) -> str:
    """The name of a new project: at most `longest` characters, and not taken. `Quarry 2026-11-30 (2)`.

    `template` is one that `check_template` accepts.
    """
    name = _filled(template, facts)[:longest].rstrip(_ENDS) or _cleaned(facts.card) or _FALLBACK
    if not is_taken(name):
        return name
    number = 2
    while True:
        suffix = f" ({number})"
        numbered = name[: longest - len(suffix)].rstrip(_ENDS) + suffix
        if not is_taken(numbered):
            return numbered
        number += 1


def _filled(template: str, facts: NameFacts) -> str:
    values = {field: _cleaned(getattr(facts, field)) or _EMPTY for field in FIELDS}
    name = _IN_BRACKETS.sub(_EMPTY, template.format(**values))
    while _EMPTY in name:
        name = _BETWEEN.sub(lambda around: _one_separator(around[1], around[2]), name, count=1)
    return " ".join(name.split()).strip(_ENDS)


def _one_separator(before: str, after: str) -> str:
    """Of those around a value that is missing."""
    return before if before.strip() or not after.strip() else after


def _cleaned(value: str) -> str:
    return " ".join(printable(re.sub(r"[/\\]", "-", value)).split())[:_LONGEST_VALUE].strip(_ENDS)


def site_of(image: str, watched: str) -> str:
    """The folder that names the place: the nearest one above the image that no camera has made.

    Both absolute. Empty if there is none below the watched folder, which itself is named by `{card}`.
    """
    for folder in PurePosixPath(image).parents:
        if str(folder) == watched or not str(folder).startswith(watched.rstrip("/") + "/"):
            return ""
        if (flight := _OF_FLIGHT.fullmatch(folder.name)) is not None:
            if flight["site"]:
                return flight["site"]
        elif not _OF_CAMERA.fullmatch(folder.name):
            return folder.name
    return ""


def card_of(watched: str, label: str) -> str:
    """The label of the card, or else the name of the watched folder."""
    if label.strip():
        return label
    path = PurePosixPath(watched)
    named = next((folder for folder in (path, *path.parents) if not _OF_CAMERA.fullmatch(folder.name)), path)
    return named.name or path.name
