"""Looks into a first registration of which the service says that it registered fewer images than it was asked to.

The count does not tell which are missing. The project's own list of images does, where the service shows it; and what
the storage does not have, the service cannot have registered. What neither explains is not called uploaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from tui_uploader.cloud.contract import Cloud, ObjectStore
from tui_uploader.errors import CloudUnintelligible, Unsupported
from tui_uploader.text import counted, printable

_LOOKS_AT_ONCE = 8


class NotConfirmed(CloudUnintelligible):
    """Stored images of which the service does not say that they belong to the project."""

    @property
    def kind(self) -> str:
        return CloudUnintelligible.__name__


@dataclass(frozen=True, slots=True)
class Findings:
    """Every key is in one of the three."""

    confirmed: frozenset[str]
    lost: frozenset[str]
    """The storage does not have them."""
    unexplained: frozenset[str]


def findings(keys: Sequence[str], number: int, listed: Set[str] | None, missing: Set[str]) -> Findings:
    """`number`: how many the service says it registered. `listed`: the project's images; None where the service does
    not list them. `missing`: keys that the storage does not have, as far as it lets us look."""
    wanted = frozenset(keys)
    if listed is not None:
        confirmed = wanted & listed
    else:
        there = wanted - missing
        confirmed = there if len(there) <= number else frozenset()
    lost = (wanted - confirmed) & missing
    return Findings(confirmed, lost, wanted - confirmed - lost)


async def look_into(
    cloud: Cloud, store: ObjectStore, project_id: str, objects: Mapping[str, str], number: int
) -> Findings:
    """`objects`: the name of each key's object. Raises what the cloud answers."""
    try:
        listed: Set[str] | None = await cloud.registered_images(project_id)
    except (Unsupported, CloudUnintelligible):
        listed = None
    in_doubt = [key for key in objects if listed is None or key not in listed]
    turns = asyncio.Semaphore(_LOOKS_AT_ONCE)

    async def is_missing(key: str) -> bool:
        async with turns:
            try:
                return await store.head(objects[key]) is None
            except Unsupported:
                return False

    gone = await asyncio.gather(*(is_missing(key) for key in in_doubt))
    missing = {key for key, is_gone in zip(in_doubt, gone, strict=True) if is_gone}
    return findings(list(objects), number, listed, missing)


def not_confirmed(project: str, asked: int, number: int, unexplained: int) -> NotConfirmed:
    return NotConfirmed(
        f"The service says that it registered {number:,} of {counted(asked, 'image')} in {printable(project)}, not why"
        f": {counted(unexplained, 'image')} are stored and not confirmed as part of the project. They are registered "
        "again from time to time; if this stays, compare with the project's web page and ask the service."
    )
