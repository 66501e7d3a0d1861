"""Comparison of every stored object with its file, byte for byte."""

from __future__ import annotations

import filecmp
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_uploader.model.files import FileItem
from tui_uploader.text import byte_count, counted, printable

_NAMED = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    equal: int
    """Number of objects that equal their files."""
    size: int
    """Their bytes."""
    missing: tuple[str, ...]
    """Uploaded files without an object."""
    differing: tuple[str, ...]
    """Objects that differ from their files."""
    extra: tuple[str, ...]
    """Objects without an uploaded file."""

    @property
    def holds(self) -> bool:
        return self.equal > 0 and not (self.missing or self.differing or self.extra)

    def lines(self) -> list[str]:
        """For people."""
        compared = f"{counted(self.equal, 'object')} ({byte_count(self.size)})"
        if self.holds:
            return [f"Proof: {compared} compared byte for byte with their files: all equal, none missing, none extra."]
        lines = [f"Proof failed: only {compared} equal their files."]
        for word, names in (("missing", self.missing), ("differs", self.differing), ("extra", self.extra)):
            lines += [f"  {word}: {printable(name)}" for name in names[:_NAMED]]
        return lines


def prove(root: Path, uploaded: Sequence[FileItem]) -> Comparison:
    """Compare `root/objects/BUCKET/KEY` of the local cloud with the uploaded files.

    The last part of a key is the file's name in the project. Raises OSError.
    """
    objects = {path.name: path for path in (root / "objects").rglob("*") if path.is_file()}
    size, missing, differing, equal = 0, [], [], 0
    for item in uploaded:
        stored = objects.pop(item.object or item.name, None)
        if stored is None:
            missing.append(item.path)
        elif not filecmp.cmp(stored, item.path, shallow=False):
            differing.append(str(stored))
        else:
            equal += 1
            size += item.size
    return Comparison(equal, size, tuple(missing), tuple(differing), tuple(str(path) for path in objects.values()))
