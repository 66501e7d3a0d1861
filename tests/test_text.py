"""Control characters are escaped, and numbers have readable units."""

from __future__ import annotations

import os
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.text import byte_count, counted, duration, exact_bytes, printable, whole_number

ANYTHING = st.one_of(
    st.text(),
    st.binary().map(os.fsdecode),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Ll"])),
)
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("DJI_0001.JPG", "DJI_0001.JPG"),
        ("50 % + #1 é ü 航拍 🚁", "50 % + #1 é ü 航拍 🚁"),
        ("👩\u200d🌾", "👩\u200d🌾"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("bell\x07 back\x08 delete\x7f", r"bell\x07 back\x08 delete\x7f"),
        ("one\nline\r\n", r"one\x0aline\x0d\x0a"),
        ("tab\there", r"tab\x09here"),
        ("next\u0085line", r"next\x85line"),
        ("csi\u009b31m", r"csi\x9b31m"),
        ("left\u202eright", r"left\u202eright"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("bom\ufeff", r"bom\ufeff"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("private\ue000", r"private\ue000"),
        ("byte" + os.fsdecode(b"\xff\x80"), r"byte\xff\x80"),
        ("lone\ud800", r"lone\ud800"),
    ],
)
def test_control_characters_are_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected


@given(ANYTHING)
def test_nothing_invisible_is_left(text: str) -> None:
    shown = printable(text)
    assert not [each for each in shown if unicodedata.category(each) in INVISIBLE and each != "\u200d"]
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")


@given(ANYTHING)
def test_escaping_twice_changes_nothing(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "M"])))
def test_visible_text_is_unchanged(text: str) -> None:
    assert printable(text) == text


@given(ANYTHING, st.integers(1, 30))
def test_a_limit_is_kept(text: str, limit: int) -> None:
    cut = printable(text, limit)
    whole = printable(text)
    assert len(cut) <= limit
    assert cut == whole if len(whole) <= limit else cut.endswith("…") and whole.startswith(cut[:-1])


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1711, "1,711 files"), (1_000_000, "1,000,000 files")],
)
def test_counted(number: int, expected: str) -> None:
    assert counted(number, "file") == expected


def test_counted_takes_irregular_plurals() -> None:
    assert counted(1, "entry", "entries") == "1 entry"
    assert counted(3, "entry", "entries") == "3 entries"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (-5, "0 B"),
        (0, "0 B"),
        (1, "1 B"),
        (812, "812 B"),
        (999, "999 B"),
        (1000, "1.00 KB"),
        (1994, "1.99 KB"),
        (9_994, "9.99 KB"),
        (9_996, "10.0 KB"),
        (99_940, "99.9 KB"),
        (99_960, "100 KB"),
        (999_499, "999 KB"),
        (999_500, "1.00 MB"),
        (4_030_000, "4.03 MB"),
        (41_200_000, "41.2 MB"),
        (412_000_000, "412 MB"),
        (5_000_000_000, "5.00 GB"),
        (5e12, "5.00 TB"),
        (5e15, "5.00 PB"),
        (5e21, "5000000 PB"),
    ],
)
def test_byte_count_has_three_digits(number: float, expected: str) -> None:
    assert byte_count(number) == expected


@given(st.integers(0, 999_499_999_999_999_999))
def test_byte_count_is_never_wider_than_seven_cells(number: int) -> None:
    assert len(byte_count(number)) <= 7
    assert re.fullmatch(r"\d+(\.\d+)? [KMGTP]?B", byte_count(number))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (0.4, "0 s"),
        (42, "42 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.7, "1 h 00 min"),
        (7800, "2 h 10 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d 0 h"),
        (3 * 86400 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_duration_has_two_units(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 KB"),
        (524_288, "524.288 KB"),
        (1_500_000, "1.5 MB"),
        (1_000_001, "1.000001 MB"),
        (20 * 10**9, "20 GB"),
        (10**18, "1000 PB"),
    ],
)
def test_exact_bytes_keep_all_digits(number: int, expected: str) -> None:
    assert exact_bytes(number) == expected


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("100", 100), ("101", None), ("1000", None), ("", None), ("-1", None), ("1.5", None), ("²", None)],
)
def test_whole_numbers(text: str, number: int | None) -> None:
    assert whole_number(text, 100) == number
