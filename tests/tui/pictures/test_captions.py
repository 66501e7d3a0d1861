"""The facts of a photo in words."""

from __future__ import annotations

import pytest

from tui_uploader.model.files import PhotoFacts
from tui_uploader.tui.pictures.captions import exposure_words, photo_lines, position_words


def test_every_fact_has_a_line_and_a_missing_one_has_none() -> None:
    facts = PhotoFacts(4000, 3000, "2026-05-12T09:41:07", 46.5, 6.25, 612.4, "DJI FC6310S", 1 / 800, 5.6, 100, 8.8)
    assert photo_lines(facts) == [
        ("Pixels", "4,000 x 3,000"),
        ("Camera", "DJI FC6310S"),
        ("Taken", "2026-05-12 09:41:07"),
        ("Exposure", "1/800 s, f/5.6, ISO 100, 8.8 mm"),
        ("Position", "46.500000 N 6.250000 E, 612 m"),
    ]
    assert photo_lines(PhotoFacts(width=64, height=48)) == [("Pixels", "64 x 48")]
    assert photo_lines(PhotoFacts()) == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (PhotoFacts(exposure=2.5), "2.5 s"),
        (PhotoFacts(exposure=30.0, aperture=8.0), "30 s, f/8"),
        (PhotoFacts(exposure=0.000125), "1/8000 s"),
        (PhotoFacts(aperture=2.8, focal_length=24.0), "f/2.8, 24 mm"),
        (PhotoFacts(iso=25_600), "ISO 25600"),
    ],
)
def test_exposures_in_words(facts: PhotoFacts, words: str) -> None:
    assert exposure_words(facts) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (PhotoFacts(latitude=-46.6021, longitude=-6.5514), "46.602100 S 6.551400 W"),
        (PhotoFacts(latitude=46.0, longitude=6.0, altitude=-3.6), "46.000000 N 6.000000 E, -4 m"),
        (PhotoFacts(altitude=612.4), ""),
    ],
)
def test_positions_in_words(facts: PhotoFacts, words: str) -> None:
    assert position_words(facts) == words
