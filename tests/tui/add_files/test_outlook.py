from __future__ import annotations

import time

import pytest

from tui_uploader.model.engine import Bandwidth
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.tui.add_files.destination import Destination
from tui_uploader.tui.add_files.outlook import (
    Outlook,
    Sending,
    added_words,
    facts_sentence,
    processed_sentence,
    time_sentence,
    too_few,
    too_many,
)
from tui_uploader.tui.add_files.survey import PathFacts

IMAGES, RESULTS = ProjectKind.IMAGES, ProjectKind.RESULTS
NOON = time.mktime((2026, 5, 12, 12, 0, 0, 0, 0, -1))


@pytest.mark.parametrize(
    ("facts", "kind", "sentence"),
    [
        (PathFacts(466, 119_000_000, complete=True), IMAGES, "466 images, 119 MB."),
        (PathFacts(1, 7, complete=True), RESULTS, "1 file, 7 B."),
        (
            PathFacts(12, 7_000, 18, complete=True),
            IMAGES,
            "12 images, 7.00 KB. 18 other files skipped (i lists them).",
        ),
        (PathFacts(0, 0, 18, complete=True), IMAGES, "No images in ~/bin. 18 other files skipped (i lists them)."),
        (PathFacts(0, 0, complete=True), RESULTS, "No files in ~/bin."),
        (PathFacts(3_000, 1_100_000_000, 2), IMAGES, "3,000+ images, 1.10 GB so far; still reading ~/bin."),
    ],
)
def test_how_much_it_is(facts: PathFacts, kind: ProjectKind, sentence: str) -> None:
    assert facts_sentence(facts, kind, "~/bin", "i") == sentence


@pytest.mark.parametrize(
    ("size", "sending", "sentence"),
    [
        (0, Sending(), ""),
        (1, Sending(), "How long it takes is known once sending has begun."),
        (
            116_000_000,
            Sending(bandwidth=Bandwidth(rate=250_000)),
            "At 250 KB/s (the limit): about 8 min, done ~12:07.",
        ),
        (
            116_000_000,
            Sending(240_000, 4_000_000, Bandwidth(rate=250_000)),
            "At 250 KB/s (the limit): about 8 min, with the 4.00 MB of other uploads, done ~12:08.",
        ),
        (
            116_000_000,
            Sending(50_000, bandwidth=Bandwidth(rate=250_000)),
            "At 50.0 KB/s (the present rate): about 39 min, done ~12:38.",
        ),
        (1, Sending(1e6), "At 1.00 MB/s (the present rate): about 1 min, done ~12:00."),
        (10**10, Sending(1e5), "At 100 KB/s (the present rate): about 27 h 50 min, done ~Wed 15:46."),
        (10**11, Sending(1e5), "At 100 KB/s (the present rate): about 12 d, done ~24 May 01:46."),
        (
            1,
            Sending(1e6, bandwidth=Bandwidth(rate=0, holds="paused by the timetable until 18:00")),
            "Nothing is sent now: paused by the timetable until 18:00.",
        ),
    ],
)
def test_how_long_it_takes(size: int, sending: Sending, sentence: str) -> None:
    assert time_sentence(size, sending, NOON) == sentence


def test_a_data_budget_that_is_too_small_for_all_is_named() -> None:
    sending = Sending(left=1_000, bandwidth=Bandwidth(budget=10_000, used=4_000))

    def sentences(size: int) -> str:
        outlook = Outlook(PathFacts(9, size, complete=True), IMAGES, Destination("x"), False, sending)
        return " ".join(text for text, _ in outlook.lines("~/bin", "i", NOON))

    assert "budget" not in sentences(5_000)
    assert "The data budget has 6.00 KB left" in sentences(5_001)


def test_too_many_and_too_few_images() -> None:
    full = Project("1", "Quarry", IMAGES, "me", images=12, images_in_cloud=456)
    facts = PathFacts(4_000, 1, complete=True)
    assert too_many(facts, IMAGES, None) == ""
    assert too_many(facts, IMAGES, full) == "4,456 images are more than the 4,000 that a project takes (456 are there)."
    assert too_many(facts, RESULTS, full) == ""
    assert too_many(PathFacts(4_001), IMAGES, None).startswith("4,001 images are more")
    assert too_few(PathFacts(5, complete=True), None) == "Processing needs at least 6 images."
    assert too_few(PathFacts(5), None) == too_few(PathFacts(5, complete=True), full) == ""


def test_a_project_that_was_processed_says_so() -> None:
    state = Processing(ProcessingState.DONE, ended_at=NOON - 60, images=12)
    north = Destination("North", Project("1", "North", IMAGES, "me", state))
    known = "North was processed today at 11:59 with 12 images."
    assert processed_sentence(north, False, NOON) == (
        f"{known} Adding images does not process it again unless you tick it."
    )
    again = processed_sentence(north, True, NOON)
    assert again == f"{known} It will be PROCESSED AGAIN when all is uploaded, which may use credits."
    assert processed_sentence(Destination("x"), True, NOON) == ""
    assert processed_sentence(Destination("x", Project("1", "x", IMAGES, "me")), True, NOON) == ""


def test_what_was_added() -> None:
    assert added_words(PathFacts(4_000, 1, complete=True), IMAGES, "/card") == "4,000 images of /card"
    assert added_words(PathFacts(3_000, 1), IMAGES, "2 chosen paths") == "The images of 2 chosen paths"
