"""Which card is it? A table of what can be known about two of them."""

from __future__ import annotations

import pytest

from tui_uploader.engine.watches.cards import CardSign, KnownCard, recognised

SIGNS = tuple(CardSign(f"DCIM/100MEDIA/DJI_{number:04}.JPG", 1000 + number, f"{number:032x}") for number in range(16))
OTHERS = tuple(CardSign(sign.path, sign.size, "f" * 32) for sign in SIGNS)
"""The same names and sizes, other pixels: a camera that begins anew with every card."""


def known(volume: str = "", signs: tuple[CardSign, ...] = SIGNS, mount: str = "", card: int = 1) -> KnownCard:
    return KnownCard(card, volume, signs, mount, float(card))


@pytest.mark.parametrize(
    ("volume", "mount", "there", "card", "is_same"),
    [
        ("1A2B-3C4D", "", SIGNS, known("1A2B-3C4D"), True),
        ("1A2B-3C4D", "", SIGNS, known("9999-0000"), False),  # a copy of the first card
        ("1A2B-3C4D", "", (), known("1A2B-3C4D"), False),  # wiped and filled again, or cameras that give fixed numbers
        ("1A2B-3C4D", "", OTHERS, known("1A2B-3C4D"), False),
        ("1A2B-3C4D", "", SIGNS[:4], known("1A2B-3C4D"), True),  # most of the old images were deleted
        ("1A2B-3C4D", "", SIGNS[:3], known("1A2B-3C4D"), False),
        ("1A2B-3C4D", "", (), known("1A2B-3C4D", ()), True),  # taken out before anything was read
        ("1A2B-3C4D", "", (), known("9999-0000", ()), False),
        ("", "", SIGNS, known(), True),
        ("", "", OTHERS, known(), False),
        ("", "", SIGNS[:1], known(), False),  # one picture for calibration is on all cards
        ("", "", SIGNS[:7], known(), False),
        ("", "", SIGNS[:8], known(), True),
        ("1A2B-3C4D", "", SIGNS, known(""), True),  # the system knows its disks only since an update
        ("", "", SIGNS, known("1A2B-3C4D"), True),
        ("", "", (), known("", ()), False),  # in doubt
        ("", "m", (), known("", (), "m"), True),  # the engine was killed; the card stayed
        ("", "m", (), known("", (), "n"), False),
        ("", "m", (), known("", SIGNS, "m"), False),  # all of the old files are gone
        ("", "", SIGNS[:1], known("", SIGNS[:1]), True),  # a card with one image
    ],
)
def test_one_known_card(volume: str, mount: str, there: tuple[CardSign, ...], card: KnownCard, is_same: bool) -> None:
    assert recognised(volume, mount, frozenset(there), [card]) == (1 if is_same else None)


def test_of_several_that_fit_the_likeliest() -> None:
    by_number, by_files = known("1A2B-3C4D", SIGNS[:4], card=1), known("", SIGNS, card=2)
    assert recognised("1A2B-3C4D", "", frozenset(SIGNS), [by_files, by_number]) == 1
    assert recognised("", "", frozenset(SIGNS), [by_files, known("", SIGNS[:4], card=3)]) == 2
    assert recognised("", "", frozenset(SIGNS), [known("", card=4), known("", card=5)]) == 5, "the last one that came"
    assert recognised("", "", frozenset(SIGNS), []) is None


def test_times_and_order_do_not_count() -> None:
    assert recognised("", "", frozenset(reversed(SIGNS)), [known()]) == 1
