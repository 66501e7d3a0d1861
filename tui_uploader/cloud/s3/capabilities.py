"""Learn from replies which optional features of S3 a store supports."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Set
from enum import Enum

from tui_uploader.cloud.s3.proofs import ReplyHistory
from tui_uploader.text import printable

_log = logging.getLogger(__name__)

_FALLBACK_SECONDS = 60.0


class Option(Enum):
    """An optional part of a request, which is left out if the store refuses it.

    In the order in which options are dropped if a refusal names none: the cheapest loss first. The value is the name
    that refusals use, in lower case.
    """

    CHECKSUM_MODE = "x-amz-checksum-mode"
    """Makes HEAD return the checksum."""
    CHECKSUM_ALGORITHM = "x-amz-checksum-algorithm"
    """The checksum that the parts of a new multipart upload will have."""
    PART_CHECKSUMS = "checksumcrc32"
    """The checksums of the parts in the list that completes a multipart upload."""
    ACL = "x-amz-acl"
    """Lets the owner of the bucket read the object."""
    CONTENT_MD5 = "content-md5"
    CHECKSUM = "x-amz-checksum-crc32"
    """The CRC32 of a body, which the store compares with the data that arrived."""
    IF_NONE_MATCH = "if-none-match"
    """Makes the write fail if an object has the name already."""


ORDER = tuple(Option)

_MEANING = {
    Option.CHECKSUM_MODE: "it does not return checksums of existing objects",
    Option.CHECKSUM_ALGORITHM: "it keeps no checksums of parts",
    Option.PART_CHECKSUMS: "it does not compare the checksums of parts when joining them",
    Option.ACL: "new objects get the bucket's own access rights",
    Option.CONTENT_MD5: "damaged data is noticed only after it was stored",
    Option.CHECKSUM: "it does not compare checksums; ETags are compared instead if possible",
    Option.IF_NONE_MATCH: "it may overwrite existing objects",
}


class StoreCapabilities:
    """The capabilities of one bucket at one address, shared by its projects. In memory only."""

    def __init__(self, name: str) -> None:
        self._name = printable(name, 200)
        self.missing_features: set[str] = set()
        """Calls that the store does not implement, by name."""
        self._answers: dict[str, ReplyHistory] = {}
        self._refused: set[Option] = set()
        self._proven: set[tuple[str, Option]] = set()
        self._failed_fallbacks: dict[tuple[str, str], float] = {}

    def usable(self, kind: str, options: Set[Option]) -> frozenset[Option]:
        """The subset of `options` that a request of this kind should carry.

        An option refused for one kind is left out of the others too, unless they succeeded with it.
        """
        return frozenset(option for option in options if option not in self._refused or (kind, option) in self._proven)

    def is_proven(self, option: Option, kind: str | None = None) -> bool:
        """Whether any request, or one of this kind, succeeded with the option."""
        return any(proven is option and kind in (None, where) for where, proven in self._proven)

    def replies_to(self, kind: str) -> ReplyHistory:
        return self._answers.setdefault(kind, ReplyHistory())

    def learn(self, kind: str, carried: Set[Option], dropped: Set[Option]) -> None:
        """Note that a request succeeded with the options `carried`, after it was refused with `dropped` as well."""
        self._proven |= {(kind, option) for option in carried}
        self._proven -= {(kind, option) for option in dropped}
        for option in sorted(dropped - self._refused, key=ORDER.index):
            log = _log.warning if option in (Option.CHECKSUM, Option.IF_NONE_MATCH) else _log.info
            log("The storage %s refuses %s: %s.", self._name, option.value, _MEANING[option])
        self._refused |= dropped

    def note_failed_fallback(self, kind: str, code: str, now: float) -> None:
        """Note that dropping options did not help against a refusal with this code."""
        self._failed_fallbacks[kind, code] = now + _FALLBACK_SECONDS

    def fallback_failed(self, kind: str, code: str, now: float) -> bool:
        return now < self._failed_fallbacks.get((kind, code), 0.0)


class KnownStores:
    """The capabilities of all stores that an account uses."""

    def __init__(self) -> None:
        self._stores: dict[Hashable, StoreCapabilities] = {}

    def at(self, endpoint: Hashable, name: str) -> StoreCapabilities:
        """The capabilities of the store at `endpoint`; `name` is its name in the log."""
        return self._stores.setdefault(endpoint, StoreCapabilities(name))
