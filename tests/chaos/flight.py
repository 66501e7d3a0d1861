"""The photos on the card, and all contents that each had while it was sent."""

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
    """Files to write to a card."""

    photos: int = 60
    size: int = 30_000
    """Average size of a photo in bytes."""
    large: tuple[int, ...] = ()
    """Sizes of files that are sent in parts."""


@dataclass
class Flight:
    """The files on a card; `wanted` has the accepted contents of each, by path."""

    folder: Path
    load: Load
    wanted: dict[str, set[Digest]] = field(default_factory=dict)
    delivered: dict[str, set[Digest]] = field(default_factory=dict)
    """Contents that had arrived before other files replaced them on the card."""
    sizes: dict[Digest, int] = field(default_factory=dict)

    def write(self, chance: random.Random) -> None:
        """Write the files to the card. The large ones are first in the queue."""
        for number, size in enumerate(self.load.large, 1):
            self._keep(write_photo(self.folder / f"DJI_{number:04}.JPG", size))
        for number in range(len(self.load.large) + 1, len(self.load.large) + self.load.photos + 1):
            size = int(self.load.size * chance.uniform(0.2, 1.8))
            self._keep(write_photo(self.folder / f"DJI_{number:04}.JPG", size))

    @property
    def paths(self) -> list[Path]:
        """Paths in the order of the queue."""
        return sorted(Path(path) for path in self.wanted)

    def change(self, path: Path, chance: random.Random, *, perhaps_too_late: bool = False) -> None:
        """Replace a file by one of another size.

        `perhaps_too_late`: the earlier content may have arrived already.
        """
        before = self.wanted.pop(str(path))
        self._keep(write_photo(path, int(self.load.size * chance.uniform(2.0, 3.0))))
        if perhaps_too_late:
            self.wanted[str(path)] |= before

    def swap(self) -> None:
        """Replace all photos by others with the same names, sizes and times."""
        for path in self.paths:
            before = path.stat()
            self.delivered[str(path)] = self.wanted.pop(str(path))
            path.write_bytes(another_of_equal_size(path.read_bytes()))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            self._keep(path)

    def begin_copy(self, name: str) -> Callable[[], None]:
        """Begin to copy an image: allocate its space, write a third. Return a function that writes the rest."""
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
        """Remove a file, which then need not arrive."""
        path.unlink()
        del self.wanted[str(path)]

    def _keep(self, path: Path) -> None:
        content = digest(path)
        self.wanted[str(path)] = {content}
        self.sizes[content] = path.stat().st_size
