from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.rows import PROJECT, summary
from tui_uploader.cloud.contract import RemoteProject
from tui_uploader.engine.journal.records import ProjectRecord
from tui_uploader.engine.journal.summary import Summary
from tui_uploader.engine.pipeline.process import objection, polling_interval, seen, start_is_due, with_standing_reason
from tui_uploader.errors import AlreadyProcessed, NotPossibleNow, TooFewImages
from tui_uploader.model.projects import ProcessingState, ProjectKind
from tui_uploader.model.states import FileStage, UploadState

COMPLETE, ACTIVE, PAUSED, CANCELLED = (
    UploadState.COMPLETE,
    UploadState.ACTIVE,
    UploadState.PAUSED,
    UploadState.CANCELLED,
)
SIX = {FileStage.REGISTERED: 6}


@pytest.mark.parametrize(
    ("state", "project", "due"),
    [
        (summary((COMPLETE, SIX)), PROJECT, True),
        (summary((COMPLETE, {FileStage.REGISTERED: 5})), PROJECT, False),
        (summary((COMPLETE, {FileStage.REGISTERED: 6, FileStage.DUPLICATE: 9})), PROJECT, True),
        (summary((ACTIVE, SIX)), PROJECT, False),
        (summary((PAUSED, SIX)), PROJECT, False),
        (summary((CANCELLED, SIX)), PROJECT, False),
        (summary((CANCELLED, {}), (COMPLETE, SIX)), PROJECT, True),
        (summary((COMPLETE, SIX), (ACTIVE, {FileStage.READY: 1})), PROJECT, False),
        (summary((COMPLETE, SIX), auto_process=False), PROJECT, False),
        (summary((COMPLETE, SIX)), replace(PROJECT, kind=ProjectKind.RESULTS), False),
        (summary((COMPLETE, SIX)), replace(PROJECT, remote_id=None), False),
        (summary((COMPLETE, SIX)), replace(PROJECT, start_asked_at=1.0), False),
        (summary((COMPLETE, SIX)), replace(PROJECT, processing=ProcessingState.WAITING), False),
        (summary((COMPLETE, SIX)), replace(PROJECT, processing=ProcessingState.DONE, start_images=6), False),
        (summary((COMPLETE, SIX)), replace(PROJECT, processing=ProcessingState.DONE, start_images=5), True),
        (summary(), PROJECT, False),
    ],
)
def test_start_is_due(state: Summary, project: ProjectRecord, due: bool) -> None:
    assert start_is_due(state, project) is due


@pytest.mark.parametrize(
    ("state", "project", "partial", "again", "kind"),
    [
        (summary((COMPLETE, SIX)), PROJECT, False, False, None),
        (summary((COMPLETE, {FileStage.REGISTERED: 5})), PROJECT, True, False, TooFewImages),
        (summary((ACTIVE, SIX | {FileStage.FAILED: 1})), PROJECT, False, False, NotPossibleNow),
        (summary((ACTIVE, SIX | {FileStage.FAILED: 1})), PROJECT, True, False, None),
        (
            summary((COMPLETE, SIX)),
            replace(PROJECT, processing=ProcessingState.PROCESSING),
            True,
            False,
            NotPossibleNow,
        ),
        (summary((COMPLETE, SIX)), replace(PROJECT, processing=ProcessingState.DONE), False, False, AlreadyProcessed),
        (summary((COMPLETE, SIX)), replace(PROJECT, processing=ProcessingState.DONE), False, True, None),
        (summary((COMPLETE, SIX)), replace(PROJECT, processing=ProcessingState.FAILED), False, False, None),
        (summary((COMPLETE, SIX)), replace(PROJECT, start_asked_at=1.0), False, False, NotPossibleNow),
        (summary((COMPLETE, SIX)), replace(PROJECT, kind=ProjectKind.RESULTS), False, False, NotPossibleNow),
    ],
)
def test_objections_to_the_users_request(
    state: Summary, project: ProjectRecord, partial: bool, again: bool, kind: type[Exception] | None
) -> None:
    found = objection(state, project, partial=partial, again=again)
    assert (type(found) if found else None) is kind


@pytest.mark.parametrize(
    ("word", "state", "age", "expected"),
    [
        ("CREATED", None, 5.0, ProcessingState.SUBMITTED),
        ("WAITING", ProcessingState.WAITING, 5.0, ProcessingState.WAITING),
        ("SOMETHING NEW", ProcessingState.PROCESSING, 5.0, ProcessingState.PROCESSING),
        ("ERROR", ProcessingState.FAILED, 5.0, ProcessingState.FAILED),
        ("DONE", ProcessingState.DONE, 5.0, ProcessingState.SUBMITTED),
        ("DONE", ProcessingState.DONE, 601.0, ProcessingState.DONE),
    ],
)
def test_the_word_of_the_previous_run_does_not_count_for_this_run(
    word: str, state: ProcessingState | None, age: float, expected: ProcessingState
) -> None:
    project = replace(PROJECT, processing=ProcessingState.SUBMITTED, start_word="DONE")
    assert seen(project, RemoteProject(id="77", name="Quarry", word=word, state=state), age) is expected


@pytest.mark.parametrize(
    ("age", "estimates", "expected"),
    [
        (0.0, (None, None), 2.0),
        (100.0, (None, None), 25.0),
        (3599.0, (None, None), 60.0),
        (7200.0, (None, None), 300.0),
        (0.0, (1.0, 2.0), 1.0),
        (200.0, (0.0, 300.0), 30.0),
        (500.0, (600.0, 36000.0), 60.0),
        (10.0, (1.0, 2.0), 2.5),
    ],
)
def test_polling_interval(age: float, estimates: tuple[float | None, float | None], expected: float) -> None:
    assert polling_interval(age, estimates) == expected


def test_a_complete_upload_of_few_images_has_a_reason_for_not_being_processed() -> None:
    few = summary((COMPLETE, {FileStage.REGISTERED: 3}))
    assert with_standing_reason(PROJECT, few).reason == "3 images: processing needs at least 6."
    assert with_standing_reason(PROJECT, summary((ACTIVE, {FileStage.REGISTERED: 3}))).reason is None
