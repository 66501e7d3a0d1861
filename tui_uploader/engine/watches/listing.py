"""What is in a watched folder now. Everything here blocks: for threads of its card."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

from tui_uploader.engine.watches.cards import CardSign
from tui_uploader.errors import SourceError
from tui_uploader.file_kinds import is_hidden, system_content
from tui_uploader.intake.inspect import photo_facts
from tui_uploader.intake.mounts import mount_at
from tui_uploader.intake.samples import read_samples
from tui_uploader.intake.scan import Candidate, scan
from tui_uploader.intake.source import open_source, source_error
from tui_uploader.model.files import PhotoFacts
from tui_uploader.model.projects import ProjectKind
from tui_uploader.model.uploads import Skipped

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Place:
    """The folder at a path: another one after every mount."""

    device: int
    inode: int
    mount: str = ""
    """See `intake.mounts`: numbers of devices and inodes are those of the card before, too."""


def place_at(path: str) -> Place | None:
    """The folder that is there; None if there is none, or no folder. Raises SourceUnreadable."""
    try:
        found = os.stat(path)  # noqa: PTH116 -- any bytes are a path
        if stat.S_ISDIR(found.st_mode):
            os.scandir(path).close()
            return Place(found.st_dev, found.st_ino, mount_at(path).identity)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise source_error(path, error) from error
    return None


def facts_key(candidate: Candidate) -> int:
    """Stands for a file in its present state, in few bytes, while its card stays mounted."""
    facts = f"{candidate.size} {candidate.mtime_ns} {candidate.path}"
    return xxhash.xxh3_64_intdigest(facts.encode("utf-8", "surrogateescape"))


@dataclass(frozen=True, slots=True)
class ListedFiles:
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...]


class FolderListing:
    """The images below a folder, batch by batch, without those that are `seen`, so that its memory stays small."""

    def __init__(self, path: str, seen: Collection[int] = frozenset(), batch: int = _BATCH) -> None:
        self._seen = seen
        self._scan = scan([path], ProjectKind.IMAGES, batch_size=batch)

    def next_batch(self) -> ListedFiles | None:
        """None at the end. Raises NoSuchPath, SourceUnreadable; SourceVanished where the card was taken out."""
        for batch in self._scan:
            new = tuple(found for found in batch.candidates if facts_key(found) not in self._seen)
            if new or batch.skipped:
                return ListedFiles(new, batch.skipped)
        return None


def folders_below(path: str, most: int) -> list[str] | None:
    """The folder and all visible ones below it, without those behind symbolic links; None if there are more than
    `most`, or one cannot be listed."""
    found, pending = [path], [path]
    while pending:
        try:
            with os.scandir(pending.pop()) as listing:
                inner = [entry.path for entry in listing if _is_listed(entry)]
        except OSError:
            return None
        found += inner
        pending += inner
        if len(found) > most:
            return None
    return found


def _is_listed(entry: os.DirEntry[str]) -> bool:
    plain = not is_hidden(entry.name) and system_content(entry.name) is None
    return plain and entry.is_dir(follow_symlinks=False)


def signs_there(path: str, signs: Iterable[CardSign]) -> frozenset[CardSign]:
    """Those of the signs of cards that the folder has. Raises nothing: what cannot be read is not there."""
    there: set[CardSign] = set()
    root = os.path.realpath(path).rstrip("/")
    read: dict[tuple[str, int], str | None] = {}
    for sign in signs:
        key = (sign.path, sign.size)
        if key not in read:
            read[key] = _samples(f"{root}/{sign.path}", sign.size)
        if read[key] == sign.samples:
            there.add(sign)
    return frozenset(there)


def _samples(path: str, size: int) -> str | None:
    """None for a file that is missing, or has another size."""
    try:
        with open_source(path) as (descriptor, found):
            return read_samples(descriptor, size) if found.st_size == size else None
    except SourceError:
        return None


def first_facts(candidates: Iterable[Candidate]) -> Iterator[PhotoFacts]:
    """What the images state about themselves, as far as they can be read."""
    for candidate in candidates:
        try:
            with open_source(candidate.path, real=candidate.real) as (descriptor, _):
                yield photo_facts(candidate.path, descriptor)
        except SourceError:
            continue


def resolved(path: str) -> str:
    """The path without symbolic links, as far as it exists."""
    return str(Path(path).resolve())
