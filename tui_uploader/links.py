"""Where symbolic links may lead: only into what the user named for an upload.

Pure, and one rule for all: what is counted in a folder before an upload is what its walk follows.
"""

from __future__ import annotations

from collections.abc import Iterable

LEADS_OUT = "a link that leads out of the folders you named; name its target to upload it"
"""Why such a link is skipped."""


def lies_within(path: str, folders: Iterable[str]) -> bool:
    """Whether `path` is one of `folders` or lies below one; all of them absolute, and without symbolic links."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
