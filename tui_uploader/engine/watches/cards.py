"""Is this a card that was here before? Pure.

A file system's own identity says no for certain: cards that differ in it are two. It does not say yes for certain,
because cameras format cards with a fixed number, and a card that was wiped is filled with another flight. Names, times
and inode numbers prove nothing: cameras begin anew with `DJI_0001.JPG`, FAT numbers its files at every mount and moves
their times with the time zone. So a card is recognised by the samples of files that it had (see `intake.samples`).

In doubt two cards are two: an image that is uploaded to a second project is a smaller fault than one that is mixed
into the project of another flight.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

SIGNS = 16
"""Files that a card is recognised by."""

_SHARE_OF_SAME_VOLUME = 4
"""A quarter of the files are still there: others were deleted from the card."""
_SHARE_OF_UNKNOWN_VOLUME = 2
"""Half of them: a few files, such as a picture for calibration, may be on several cards."""


class CardSign(msgspec.Struct, frozen=True):
    """A file that a card had."""

    path: str
    """Relative to the watched folder."""
    size: int
    samples: str


@dataclass(frozen=True, slots=True)
class KnownCard:
    card: int
    """Its number in the journal."""
    volume: str
    """What its file system is recognised by; empty: unknown."""
    signs: tuple[CardSign, ...]
    """Empty: none of its files was read."""
    mount: str = ""
    """Its mount when it last came, see `intake.mounts`; empty: unknown."""
    found_at: float = 0.0
    """When it last came."""


def recognised(volume: str, mount: str, there: Collection[CardSign], known: Sequence[KnownCard]) -> int | None:
    """The number of the known card that is there now; None: it is another one.

    `volume` and `mount`: as in `KnownCard`, of the file system that is there. `there`: those of the known signs that
    are there.
    """
    fitting = [card for card in known if _is_same(volume, mount, there, card)]
    if not fitting:
        return None

    def likeness(card: KnownCard) -> tuple[bool, int, float]:
        return bool(volume) and card.volume == volume, _present(there, card), card.found_at

    return max(fitting, key=likeness).card


def _is_same(volume: str, mount: str, there: Collection[CardSign], card: KnownCard) -> bool:
    if volume and card.volume and volume != card.volume:
        return False
    same_volume = bool(volume) and volume == card.volume
    if not card.signs:
        return same_volume or (bool(mount) and mount == card.mount)
    share = _SHARE_OF_SAME_VOLUME if same_volume else _SHARE_OF_UNKNOWN_VOLUME
    return _present(there, card) * share >= len(card.signs)


def _present(there: Collection[CardSign], card: KnownCard) -> int:
    return sum(sign in there for sign in card.signs)
