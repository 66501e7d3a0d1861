"""What both front ends say about processing, as tables."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.values import COMPLETE, upload
from tui_uploader.model.projects import Processing, ProcessingState, Project, ProjectKind
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import Counts, UploadStatus
from tui_uploader.wording.clock import on_day, time_of_day
from tui_uploader.wording.processing import (
    again_question,
    estimates,
    not_again,
    processing_sentence,
    processing_word,
    project_word,
    start_note,
    start_words,
)

NOW = datetime(2026, 5, 12, 14, 30).timestamp()
BEGAN = datetime(2026, 5, 12, 14, 20).timestamp()
ENDED = datetime(2026, 5, 12, 14, 24).timestamp()
DONE = Processing(ProcessingState.DONE, "DONE", submitted_at=BEGAN, ended_at=ENDED, images=12)


@pytest.mark.parametrize(
    ("processing", "word", "sentence"),
    [
        (Processing(), "not processed", "Not processed."),
        (
            Processing(reason="There are only 3 images."),
            "not processed",
            "Not processed: There are only 3 images.",
        ),
        (
            Processing(ProcessingState.SUBMITTED, "CREATED", 300, 4200),
            "submitted",
            "Processing requested, estimated waiting time 5 min 00 s, processing time 1 h 10 min.",
        ),
        (
            Processing(ProcessingState.SUBMITTED, "CREATED", 300, 4200, submitted_at=BEGAN),
            "submitted",
            "Processing requested at 14:20, ready about 15:35.",
        ),
        (
            Processing(ProcessingState.PROCESSING, "PROCESSING", 300, 600, submitted_at=BEGAN),
            "processing",
            "Processing since 14:20, ready about 14:35.",
        ),
        (
            Processing(ProcessingState.PROCESSING, "PROCESSING", 300, 60, submitted_at=BEGAN),
            "processing",
            "Processing since 14:20.",
        ),
        (Processing(ProcessingState.PROCESSING, "CALIBRATING"), "CALIBRATING", "Processing (CALIBRATING)."),
        (Processing(ProcessingState.WAITING, "\x1bNEW"), "\\x1bNEW", "Waiting for processing (\\x1bNEW)."),
        (DONE, "processed", "Processed today at 14:24 with 12 images."),
        (Processing(ProcessingState.DONE, "PROCESSED"), "processed", "Processed."),
        (
            Processing(ProcessingState.FAILED, "CANCELLED", reason="No \x1boverlap.", ended_at=ENDED),
            "processing failed",
            "Processing failed today at 14:24 (CANCELLED). No \\x1boverlap.",
        ),
    ],
)
def test_processing_in_a_word_and_in_a_sentence(processing: Processing, word: str, sentence: str) -> None:
    assert (processing_word(processing), processing_sentence(processing, NOW)) == (word, sentence)


def test_estimates_are_those_of_the_service() -> None:
    assert estimates(Processing(ProcessingState.SUBMITTED, waiting_seconds=240)) == (("waiting time", "4 min 00 s"),)
    assert estimates(Processing(ProcessingState.SUBMITTED)) == ()


@pytest.mark.parametrize(
    ("project", "word"),
    [
        (Project("1", "Quarry", ProjectKind.IMAGES, "a"), ""),
        (Project("1", "Quarry", ProjectKind.IMAGES, "a", images_in_cloud=0), "empty"),
        (Project("1", "Quarry", ProjectKind.IMAGES, "a", Processing(word="CREATED")), "empty"),
        (Project("1", "Quarry", ProjectKind.IMAGES, "a", Processing(word="UPLOADED")), "uploaded, not processed"),
        (
            Project("1", "Quarry", ProjectKind.IMAGES, "a", Processing(word="CREATED"), images=7),
            "uploaded, not processed",
        ),
        (Project("1", "Quarry", ProjectKind.IMAGES, "a", images_in_cloud=456), "uploaded, not processed"),
        (Project("1", "Quarry", ProjectKind.IMAGES, "a", Processing(word="ON_\x1bHOLD")), "on_\\x1bhold"),
        (Project("1", "Quarry", ProjectKind.RESULTS, "a", images=4), "results uploaded"),
        (Project("1", "Quarry", ProjectKind.IMAGES, "a", DONE, images=12), "processed"),
    ],
)
def test_a_project_in_a_word(project: Project, word: str) -> None:
    assert project_word(project) == word


def test_what_is_asked_before_processing_again() -> None:
    assert again_question("North field", DONE, NOW) == (
        "North field was processed today at 14:24 with 12 images. Process again? This may use credits."
    )
    assert again_question("N\x1b", Processing(ProcessingState.DONE), NOW) == (
        "N\\x1b was processed. Process again? This may use credits."
    )
    assert not_again("North field", DONE, NOW + 86_400) == (
        "North field was processed yesterday at 14:24 with 12 images; it is not processed again automatically."
    )


FAILED = Counts(uploaded=9, failed=1)


@pytest.mark.parametrize(
    ("status", "words", "note"),
    [
        (
            upload(),
            "automatic, when all is uploaded",
            "Processing of Quarry starts automatically when all is uploaded.",
        ),
        (upload(auto_process=False), "manual", "Processing of Quarry does not start automatically."),
        (
            upload(process_at=BEGAN + 31),
            "starts at 14:20:31",
            "Processing of Quarry starts at 14:20:31.",
        ),
        (
            upload(auto_process=False, processing=DONE),
            "manual; processed today at 14:24 with 12 images",
            "Quarry was processed today at 14:24 with 12 images; it is not processed again automatically.",
        ),
        (
            upload(processing=DONE),
            "automatic, again, when all is uploaded",
            "Processing of Quarry starts automatically when all is uploaded.",
        ),
        (
            upload(counts=FAILED),
            "automatic, when all is uploaded",
            "Processing of Quarry starts when the failed file is uploaded or removed.",
        ),
        (
            upload(state=UploadState.CANCELLED),
            "automatic, when all is uploaded",
            "Processing of Quarry does not start: the upload is cancelled.",
        ),
        (
            upload(
                state=UploadState.COMPLETE, counts=COMPLETE.counts, processing=Processing(reason="3 images: too few.")
            ),
            "automatic, when all is uploaded",
            "Quarry: not processed: 3 images: too few.",
        ),
        (upload(kind=ProjectKind.RESULTS, auto_process=False), "manual", "Results are not processed."),
        (
            upload(processing=Processing(ProcessingState.PROCESSING, submitted_at=BEGAN), auto_process=False),
            "manual",
            "Quarry: processing since 14:20.",
        ),
    ],
)
def test_when_processing_starts(status: UploadStatus, words: str, note: str) -> None:
    assert (start_words(status, NOW), start_note(status, NOW)) == (words, note)


@pytest.mark.parametrize(
    ("at", "clock", "day"),
    [
        (datetime(2026, 5, 12, 9, 5, 7), "09:05", "today at 09:05"),
        (datetime(2026, 5, 11, 23, 59), "Mon 23:59", "yesterday at 23:59"),
        (datetime(2026, 5, 3, 9, 5), "3 May 09:05", "on 3 May at 09:05"),
        (datetime(2025, 5, 3, 9, 5), "3 May 2025 09:05", "on 3 May 2025 at 09:05"),
    ],
)
def test_times_are_as_short_as_they_are_clear(at: datetime, clock: str, day: str) -> None:
    assert (time_of_day(at.timestamp(), NOW), on_day(at.timestamp(), NOW)) == (clock, day)
    assert time_of_day(BEGAN + 7, NOW, seconds=True) == "14:20:07"
