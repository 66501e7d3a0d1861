"""Object names: unchanged if possible, unique, and the same in every run."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.intake.naming import LONGEST_NAME, folded, holds_identity, name_choices

IDENTITY = "1f3a9c0d4b7e8f2233445566778899aa"

ANY_NAME = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=300)
BYTES_NAME = st.binary(min_size=1, max_size=255).map(os.fsdecode)
IDENTITIES = st.text("0123456789abcdef", min_size=32, max_size=32)


@pytest.mark.parametrize(
    "name",
    [
        "DJI_0001.JPG",
        "with space.jpg",
        "50%+#1.tif",
        "Fläche é.jpg",
        "航拍.jpg",
        "🚁.jpg",
        "no-extension",
        ".hidden",
        "a" * 251 + ".jpg",
        "é" * 125 + ".jpeg",
    ],
)
def test_a_clean_name_is_kept(name: str) -> None:
    assert next(name_choices(name, IDENTITY)) == name


def test_a_taken_name_gets_more_and_more_of_the_identity() -> None:
    assert list(name_choices("DJI_0001.JPG", IDENTITY)) == [
        "DJI_0001.JPG",
        "DJI_0001-1f3a9c.JPG",
        "DJI_0001-1f3a9c0d4b7e.JPG",
        "DJI_0001-1f3a9c0d4b7e8f2233445566778899aa.JPG",
    ]


def test_a_decomposed_name_is_composed_and_counts_as_clean() -> None:
    assert next(name_choices(unicodedata.normalize("NFD", "é.jpg"), IDENTITY)) == "é.jpg"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("line\nbreak.jpg", "line_break-1f3a9c.jpg"),
        ("\x1b[31mred.jpg", "_[31mred-1f3a9c.jpg"),
        ("left\u202eright.jpg", "left_right-1f3a9c.jpg"),
        ("bad\udcffbyte.jpg", "bad_byte-1f3a9c.jpg"),
        ("back\\slash.jpg", "back_slash-1f3a9c.jpg"),
        ("fore/slash.jpg", "fore_slash-1f3a9c.jpg"),
        ("", "-1f3a9c"),
        ("..", "..-1f3a9c"),
        ("a" * 252 + ".jpg", "a" * 244 + "-1f3a9c.jpg"),
        ("€" * 84 + ".jpg", "€" * 81 + "-1f3a9c.jpg"),
        ("x." + "y" * 254, "x." + "y" * 246 + "-1f3a9c"),
    ],
)
def test_an_unclean_name_is_never_used_as_it_is(name: str, first: str) -> None:
    assert next(name_choices(name, IDENTITY)) == first


def test_a_name_that_ends_in_its_own_tag_is_offered_once() -> None:
    name = "a" * (255 - len("-1f3a9c.jpg")) + "-1f3a9c.jpg"
    assert list(name_choices(name, IDENTITY)).count(name) == 1


@given(st.one_of(ANY_NAME, BYTES_NAME), IDENTITIES)
def test_every_choice_is_a_clean_name(name: str, identity: str) -> None:
    choices = list(name_choices(name, identity))
    assert len(choices) == len(set(choices)) >= 3
    for choice in choices:
        assert 0 < len(choice.encode("utf-8")) <= LONGEST_NAME
        assert choice.strip(".")
        assert unicodedata.is_normalized("NFC", choice)
        assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in choice)
        assert not set(choice) & {"/", "\\"}
    assert choices == list(name_choices(name, identity))
    assert [holds_identity(choice, identity) for choice in choices[-2:]] == [False, True]


@given(st.one_of(ANY_NAME, BYTES_NAME), IDENTITIES)
def test_a_chosen_name_would_be_kept(name: str, identity: str) -> None:
    for choice in name_choices(name, identity):
        assert next(name_choices(choice, identity)) == choice


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DJI_0001.JPG", "dji_0001.jpg"),
        ("é.jpg", "e\u0301.jpg"),
        ("É.jpg", "e\u0301.JPG"),
        ("straße.tif", "STRASSE.TIF"),
        ("\u212b.jpg", "å.jpg"),
    ],
)
def test_names_that_could_be_confused_have_one_key(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("DJI_1.jpg", "DJI_01.jpg"), ("a b.jpg", "ab.jpg"), ("e.jpg", "é.jpg")])
def test_names_that_differ_have_different_keys(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(ANY_NAME)
def test_folding_again_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)


@given(ANY_NAME)
def test_the_form_of_composition_does_not_matter(name: str) -> None:
    assert folded(unicodedata.normalize("NFD", name)) == folded(unicodedata.normalize("NFC", name))
