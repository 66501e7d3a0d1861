"""Choose the name of a file in the project.

Names must be unique in a project, even across folders: a second object of the same name silently replaces the first.
Cards of two flights both contain a `DJI_0001.JPG`. So where a name is taken by other content, the file gets a name that
is derived from its own content, the same in every run and on every machine.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator

LONGEST_NAME = 255
"""Bytes of UTF-8: the limit of common file systems, so that a project can be downloaded anywhere."""

_TAG_LENGTHS = (6, 12, 32)
_LONGEST_EXTENSION = 16
_UNCLEAN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SEPARATORS = frozenset("/\\")


def folded(name: str) -> str:
    """A key that is equal for names which a file system, a service or a person could confuse.

    The canonical caseless match of the Unicode Standard (chapter 3.13, D145), written composed.
    """
    apart = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFC", apart)


def name_choices(name: str, identity: str) -> Iterator[str]:
    """Object names for the file `name` whose content has `identity` (32 hex digits), in order of preference.

    First `name` itself (composed to NFC) if it is clean; then with more and more digits of `identity`, such as
    `DJI_0001-1f3a9c.JPG`. All are distinct, clean, and the same in every run.
    """
    composed = unicodedata.normalize("NFC", name)
    given: set[str] = set()
    if is_clean(composed):
        given.add(composed)
        yield composed
    stem, extension = _split(_cleaned(composed))
    for length in _TAG_LENGTHS:
        ending = f"-{identity[:length]}{extension}"
        choice = _cut(stem, LONGEST_NAME - len(ending.encode())) + ending
        if choice not in given:  # a name of maximal length can already end in its own tag
            given.add(choice)
            yield choice


def holds_identity(name: str, identity: str) -> bool:
    """Whether `name` is the last of the choices for this content, which no other content can have."""
    return _split(name)[0].endswith(f"-{identity}")


def is_clean(name: str) -> bool:
    """Whether an object can have the name as it is."""
    return bool(name.strip(".")) and not any(map(_is_unclean, name)) and len(name.encode()) <= LONGEST_NAME


def _is_unclean(character: str) -> bool:
    return character in _SEPARATORS or unicodedata.category(character) in _UNCLEAN_CATEGORIES


def _cleaned(name: str) -> str:
    replaced = "".join("_" if _is_unclean(character) else character for character in name)
    return unicodedata.normalize("NFC", replaced)


def _split(name: str) -> tuple[str, str]:
    stem, extension = os.path.splitext(name)  # noqa: PTH122 - not a path of this machine
    if len(extension.encode()) > _LONGEST_EXTENSION:
        return name, ""
    return stem, extension


def _cut(text: str, max_bytes: int) -> str:
    """The longest prefix of `text` with at most `max_bytes` bytes of UTF-8."""
    return text.encode()[:max_bytes].decode(errors="ignore")
