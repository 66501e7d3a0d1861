"""The photos on the card, and what each of them has been while it was on its way."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.truth import Digest, digest
from tests.photos import another_of_equal_size, tiff, write_photo


@dataclass(frozen=True, slots=True)
class Load:
    """What is on a card."""

    photos: int = 60
    size: int = 30_000
    """Bytes of a photo, more or less."""
    large: tuple[int, ...] = ()
    """Sizes of files that go in parts."""


@dataclass
class Flight:
    """`wanted` says of each path which content had to arrive."""

    folder: Path
    load: Load
    wanted: dict[str, set[Digest]] = field(default_factory=dict)
    delivered: dict[str, set[Digest]] = field(default_factory=dict)
    """Contents that had arrived before others took their places on the card."""
    sizes: dict[Digest, int] = field(default_factory=dict)

    def write(self, chance: random.Random) -> None:
        """Onto the card. The large files come first in the queue."""
        for number, size in enumerate(self.load.large, 1):
            self._keep(write_photo(self.folder / f"DJI_{number:04}.JPG", size))
        for number in range(len(self.load.large) + 1, len(self.load.large) + self.load.photos + 1):
            size = int(self.load.size * chance.uniform(0.2, 1.8))
            self._keep(write_photo(self.folder / f"DJI_{number:04}.JPG", size))

    @property
    def paths(self) -> list[Path]:
        """In the order of the queue."""
        return sorted(Path(path) for path in self.wanted)

    def change(self, path: Path, chance: random.Random, *, perhaps_too_late: bool = False) -> None:
        """Another content in place of the first, of another size.

        `perhaps_too_late`: the one before may have arrived already.
        """
        before = self.wanted.pop(str(path))
        self._keep(write_photo(path, int(self.load.size * chance.uniform(2.0, 3.0))))
        if perhaps_too_late:
            self.wanted[str(path)] |= before

    def swap(self) -> None:
        """Another card, whose photos have the names, sizes and times of those that arrived from the first."""
        for path in self.paths:
            before = path.stat()
            self.delivered[str(path)] = self.wanted.pop(str(path))
            path.write_bytes(another_of_equal_size(path.read_bytes()))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            self._keep(path)

    def begin_copy(self, name: str) -> Callable[[], None]:
        """An image whose space is allocated and of which a third is written. Returns what writes the rest."""
        path = self.folder / name
        content = tiff()
        path.write_bytes(content[: len(content) // 3].ljust(len(content), b"\0"))
        self.sizes[digest(path)] = len(content)

        def finish() -> None:
            with path.open("r+b") as file:
                file.write(content)
            self._keep(path)

        return finish

    def remove(self, path: Path) -> None:
        """It need not arrive any more."""
        path.unlink()
        del self.wanted[str(path)]

    def _keep(self, path: Path) -> None:
        content = digest(path)
        self.wanted[str(path)] = {content}
        self.sizes[content] = path.stat().st_size
