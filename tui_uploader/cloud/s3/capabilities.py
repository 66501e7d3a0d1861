"""What a store can do of the things that not every store that speaks S3 knows, as its answers taught."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Set
from enum import Enum

from tui_uploader.cloud.s3.proofs import AnswersToBodies
from tui_uploader.text import printable

_log = logging.getLogger(__name__)

_VAIN_SECONDS = 60.0


class Option(Enum):
    """Something that a request may carry and does without where the store refuses it.

    In the order in which they are left out when a refusal names none: what costs least first. The value is how
    refusals name it, in lower case.
    """

    CHECKSUM_MODE = "x-amz-checksum-mode"
    """HEAD tells the checksum only to those who ask."""
    CHECKSUM_ALGORITHM = "x-amz-checksum-algorithm"
    """Which checksum the parts of a new multipart upload will have."""
    PART_CHECKSUMS = "checksumcrc32"
    """The parts' checksums in the list that completes a multipart upload."""
    ACL = "x-amz-acl"
    """The owner of the bucket may read the object."""
    CONTENT_MD5 = "content-md5"
    CHECKSUM = "x-amz-checksum-crc32"
    """The CRC32 of a body, which the store compares with what arrived."""
    IF_NONE_MATCH = "if-none-match"
    """The write fails where an object has the name already."""


ORDER = tuple(Option)

_MEANING = {
    Option.CHECKSUM_MODE: "it tells no checksums of objects that are there",
    Option.CHECKSUM_ALGORITHM: "it keeps no checksums of parts",
    Option.PART_CHECKSUMS: "it does not compare the checksums of parts when it joins them",
    Option.ACL: "the access rights of new objects are those that the bucket gives them",
    Option.CONTENT_MD5: "damaged bytes are noticed only after they were stored",
    Option.CHECKSUM: "it does not compare checksums; its ETags are compared instead, where they can be",
    Option.IF_NONE_MATCH: "it cannot be kept from overwriting objects",
}


class StoreCapabilities:
    """Of one bucket at one address, shared by all projects whose files go there. In memory only."""

    def __init__(self, name: str) -> None:
        self._name = printable(name, 200)
        self.missing_features: set[str] = set()
        """Calls that the store does not implement."""
        self._answers: dict[str, AnswersToBodies] = {}
        self._refused: set[Option] = set()
        self._proven: set[tuple[str, Option]] = set()
        self._vain: dict[tuple[str, str], float] = {}

    def wanted(self, kind: str, options: Set[Option]) -> frozenset[Option]:
        """Those of `options` that a request of this kind should carry.

        What was refused to one kind is left out of the others too, unless they carried it with success.
        """
        return frozenset(option for option in options if option not in self._refused or (kind, option) in self._proven)

    def is_proven(self, option: Option, kind: str | None = None) -> bool:
        """Whether a request, or one of this kind, succeeded with the option."""
        return any(proven is option and kind in (None, where) for where, proven in self._proven)

    def answers_to(self, kind: str) -> AnswersToBodies:
        return self._answers.setdefault(kind, AnswersToBodies())

    def learn(self, kind: str, carried: Set[Option], dropped: Set[Option]) -> None:
        """A request succeeded with the first options, after it was refused with the others as well."""
        self._proven |= {(kind, option) for option in carried}
        self._proven -= {(kind, option) for option in dropped}
        for option in sorted(dropped - self._refused, key=ORDER.index):
            log = _log.warning if option in (Option.CHECKSUM, Option.IF_NONE_MATCH) else _log.info
            log("The store %s refuses %s: %s.", self._name, option.value, _MEANING[option])
        self._refused |= dropped

    def note_vain(self, kind: str, code: str, now: float) -> None:
        """Leaving things out did not help against a refusal with this code."""
        self._vain[kind, code] = now + _VAIN_SECONDS

    def is_vain(self, kind: str, code: str, now: float) -> bool:
        return now < self._vain.get((kind, code), 0.0)


class KnownStores:
    """The capabilities of every store that an account used."""

    def __init__(self) -> None:
        self._stores: dict[Hashable, StoreCapabilities] = {}

    def at(self, endpoint: Hashable, name: str) -> StoreCapabilities:
        """`name` is what the log calls the store."""
        return self._stores.setdefault(endpoint, StoreCapabilities(name))
