"""Names of files that a result states: where they may be, below the folder of the result and nowhere else. Pure.

A mesh comes from another machine, or from another person: what it names must not choose which files of this machine are
uploaded.
"""

from __future__ import annotations

import os
import re

_DRIVE_OR_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def relative_paths(name: str) -> tuple[str, ...]:
    """The paths, relative to the folder of the result, that a name may mean; empty if it leads out of the folder.

    On Windows a backslash separates folders; elsewhere it is a part of a name, which is tried first. Programs there
    write names in the code page of Windows.
    """
    meant = [name]
    if not name.isascii() and (raw := os.fsencode(name)) != name.encode("utf-8", "replace"):
        meant.append(raw.decode("cp1252", "replace"))
    meant += [each.replace("\\", "/") for each in meant if "\\" in each]
    if any(_leads_out(each) for each in meant):
        return ()
    return tuple(dict.fromkeys("/".join(_parts(each)) for each in meant))


def _leads_out(name: str) -> bool:
    if not name or "\0" in name or name.startswith("/") or _DRIVE_OR_SCHEME.match(name):
        return True
    depth = 0
    for part in name.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return depth == 0


def _parts(name: str) -> list[str]:
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return parts
