from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from tests.tui.values import engine_status, upload_status
from tests.tui.watches.values import watch
from tests.values import READING_CARD, SAFE_CARD
from tui_uploader.model.hooks import HookEvent, HookFailure
from tui_uploader.model.projects import Processing, ProcessingState
from tui_uploader.model.states import UploadState
from tui_uploader.model.uploads import ByteCounts, Counts, Notice, UploadStatus
from tui_uploader.model.verification import Verdict, VerificationState, VerificationStatus
from tui_uploader.model.watches import WatchState
from tui_uploader.tui.engine.notifications import News, news, without_notices
from tui_uploader.tui.widgets.news_band import Submission

MOVING = upload_status(counts=Counts(uploaded=1, uploading=1))
DONE = replace(
    MOVING, state=UploadState.COMPLETE, counts=Counts(uploaded=2), bytes=ByteCounts(2_000, 2_000, 2_000, 2_000)
)
SUBMITTED = Processing(ProcessingState.SUBMITTED, waiting_seconds=240, processing_seconds=3600)
TOO_FEW = Processing(reason="2 images: processing needs at least 6.")
FAULT = Notice("NotSignedIn", "Not signed in.", needs_person=True)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (MOVING, MOVING, News()),
        (MOVING, DONE, News(successes=("North field: upload complete, 2 files uploaded (2.00 KB).",), seconds=1.0)),
        (
            MOVING,
            replace(DONE, seconds=90.0, processing=TOO_FEW),
            News(
                successes=(
                    f"North field: upload complete, 2 files uploaded (2.00 KB). Not processed: {TOO_FEW.reason}",
                ),
                seconds=90.0,
            ),
        ),
        (MOVING, replace(DONE, counts=Counts()), News()),  # its files were removed
        (replace(MOVING, counts=Counts()), replace(DONE, counts=Counts()), News()),  # they were, a moment ago
        (
            replace(MOVING, state=UploadState.PREPARING, counts=Counts()),
            replace(DONE, counts=Counts(), skipped=2),
            News(successes=("North field: no files to upload; 2 files skipped.",), seconds=1.0),
        ),
        (
            MOVING,
            replace(DONE, counts=Counts(duplicate=3)),
            News(
                successes=("North field: nothing to send; the project already has the content of 3 files.",),
                seconds=1.0,
            ),
        ),
        (DONE, DONE, News()),
        (DONE, replace(DONE, processing=SUBMITTED), News(submitted=(Submission("North field", SUBMITTED),))),
        (MOVING, replace(DONE, processing=SUBMITTED), News(submitted=(Submission("North field", SUBMITTED),))),
        (
            replace(DONE, processing=SUBMITTED),
            replace(DONE, processing=Processing(ProcessingState.PROCESSING)),
            News(),
        ),
        (
            replace(DONE, processing=SUBMITTED),
            replace(DONE, processing=Processing(ProcessingState.DONE)),
            News(successes=("North field: processing done.",), seconds=math.inf),
        ),
        (
            replace(DONE, processing=SUBMITTED),
            replace(DONE, processing=Processing(ProcessingState.FAILED, reason="No overlap.")),
            News(problems=("Processing of North field failed. No overlap.",)),
        ),
        (
            MOVING,
            replace(MOVING, counts=Counts(uploaded=1, failed=1)),
            News(problems=("North field: 1 file failed; r retries, x removes. Processing does not start until then.",)),
        ),
        (
            replace(MOVING, auto_process=False),
            replace(MOVING, counts=Counts(uploaded=1, failed=1), auto_process=False),
            News(problems=("North field: 1 file failed; r retries, x removes.",)),
        ),
        (MOVING, replace(MOVING, notice=FAULT), News(problems=("North field: Not signed in.",))),
        (replace(MOVING, notice=FAULT), replace(MOVING, notice=FAULT), News()),
        (MOVING, replace(MOVING, notice=replace(FAULT, needs_person=False)), News()),
        (None, replace(MOVING, notice=FAULT), News(problems=("North field: Not signed in.",))),
        (None, replace(DONE, processing=SUBMITTED), News()),
    ],
)
def test_changes_that_are_reported(before: UploadStatus | None, after: UploadStatus, found: News) -> None:
    assert news(engine_status(before) if before else None, engine_status(after)) == found


def test_an_upload_that_ended_before_it_was_seen_is_reported() -> None:
    finished = replace(DONE, processing=replace(SUBMITTED, submitted_at=1.0))
    assert news(engine_status(), engine_status(finished)).submitted
    assert news(engine_status(), engine_status(replace(MOVING, counts=Counts(failed=1)))).problems
    assert news(engine_status(), engine_status(MOVING)) == News()


def test_files_added_to_a_processed_project_are_no_news_of_its_processing() -> None:
    earlier = Processing(ProcessingState.DONE, submitted_at=10.0, ended_at=20.0)
    added = replace(MOVING, upload=2, processing=earlier, added_at=30.0)
    assert news(engine_status(), engine_status(added)) == News()
    assert news(engine_status(), engine_status(replace(added, processing=Processing(ProcessingState.DONE)))) == News()
    quick = replace(DONE, processing=replace(earlier, submitted_at=40.0, ended_at=50.0), added_at=30.0)
    assert news(engine_status(), engine_status(quick)).successes == ("North field: processing done.",)


def test_an_upload_whose_dismissal_was_undone_is_no_news() -> None:
    others = replace(MOVING, upload=2)
    assert news(engine_status(others), engine_status(DONE, others)) == News()


def test_several_uploads_of_a_project_are_one_submission() -> None:
    before = engine_status(DONE, replace(DONE, upload=2))
    after = engine_status(replace(DONE, processing=SUBMITTED), replace(DONE, upload=2, processing=SUBMITTED))
    assert news(before, after).submitted == (Submission("North field", SUBMITTED),)


def test_a_notice_of_several_projects_is_reported_once() -> None:
    names = ("East", "West", "South", "North")
    held = [replace(MOVING, upload=number, project_name=name, notice=FAULT) for number, name in enumerate(names)]
    assert news(None, engine_status(*held[:2])).problems == ("East, West: Not signed in.",)
    assert news(None, engine_status(*held)).problems == ("East, West and 2 more: Not signed in.",)
    assert news(engine_status(*held[:3]), engine_status(*held)).problems == ("North: Not signed in.",)


def test_a_notice_about_settings_says_how_the_engine_gets_new_ones() -> None:
    refused = replace(MOVING, notice=Notice("ProxyRefused", "The proxy wants a password.", needs_person=True))
    (problem,) = news(None, engine_status(refused)).problems
    assert problem.startswith("North field: The proxy wants a password. ") and "tui-uploader engine stop" in problem


def test_removed_notices_are_reported_later() -> None:
    held = engine_status(replace(MOVING, notice=FAULT))
    assert news(without_notices(held), held).problems == ("North field: Not signed in.",)


def test_names_are_made_printable() -> None:
    hostile = replace(DONE, project_name="\x1b[2J" + "x" * 300)
    (sentence,) = news(
        engine_status(replace(MOVING, project_name=hostile.project_name)), engine_status(hostile)
    ).successes
    assert "\x1b" not in sentence and len(sentence) < 120


AN_HOUR_AGO, NOW = 1000.0, 4600.0
PROCESSED = Processing(ProcessingState.DONE, submitted_at=AN_HOUR_AGO, ended_at=AN_HOUR_AGO + 60)


@pytest.mark.parametrize("others", [(), (replace(DONE, upload=7, processing=PROCESSED),)])
def test_processing_that_ended_before_files_were_added_is_no_news(others: tuple[UploadStatus, ...]) -> None:
    """Whether or not an earlier upload of the project is still listed."""
    added = replace(MOVING, upload=8, processing=PROCESSED, added_at=NOW)
    assert news(engine_status(*others), engine_status(*others, added)) == News()
    elsewhere = replace(added, processing=Processing(ProcessingState.DONE))
    assert news(engine_status(), engine_status(elsewhere)) == News()
    quick = replace(added, processing=Processing(ProcessingState.DONE, submitted_at=NOW + 1, ended_at=NOW + 2))
    assert "North field: processing done." in news(engine_status(), engine_status(quick)).successes


def test_failed_files_hold_up_only_processing_that_is_to_start() -> None:
    failed = replace(MOVING, counts=Counts(uploaded=1, failed=1))
    (problem,) = news(engine_status(MOVING), engine_status(failed)).problems
    assert "Processing does not start until then." in problem
    running = Processing(ProcessingState.PROCESSING)
    before, after = replace(MOVING, processing=running), replace(failed, processing=running)
    (problem,) = news(engine_status(before), engine_status(after)).problems
    assert "Processing does not start" not in problem


def test_watched_folders_and_hooks_have_news_of_their_own() -> None:
    before = replace(engine_status(MOVING), watches=(watch(1, WatchState.ABSENT), watch(2)))
    failure = HookFailure(0.0, "notify.sh", HookEvent.COMPLETE, "it does not exist")
    after = replace(
        engine_status(MOVING),
        watches=(watch(1, WatchState.ADDING), watch(2, WatchState.BLOCKED, reason="It is full.")),
        hook_failures=(failure,),
    )
    found = news(before, after)
    assert found.successes == ("A card was found at /media/card1: its new images are uploaded to Quarry.",)
    assert found.problems == ("/media/card2 is no longer uploaded automatically: It is full.",)
    assert len(found.remarks) == 1 and found.remarks[0].startswith("The hook notify.sh could not be told")
    assert news(after, after) == News()


@pytest.mark.parametrize(
    ("before", "after", "successes", "problems"),
    [
        ((READING_CARD,), (SAFE_CARD,), 1, 0),
        ((READING_CARD,), (replace(SAFE_CARD, verdict=Verdict.SAFE_FOR_IMAGES),), 1, 0),
        ((READING_CARD,), (replace(SAFE_CARD, verdict=Verdict.NOT_SAFE),), 0, 1),
        ((READING_CARD,), (READING_CARD,), 0, 0),
        ((READING_CARD,), (replace(SAFE_CARD, state=VerificationState.CANCELLED, verdict=None),), 0, 0),
        ((SAFE_CARD,), (SAFE_CARD,), 0, 0),
        ((), (SAFE_CARD,), 1, 0),  # it began and ended in between
        ((replace(SAFE_CARD, verification=6),), (SAFE_CARD,), 0, 0),  # it is listed again
    ],
)
def test_the_end_of_a_verification_is_told(
    before: tuple[VerificationStatus, ...], after: tuple[VerificationStatus, ...], successes: int, problems: int
) -> None:
    old, new = (replace(engine_status(), verifications=each) for each in (before, after))
    found = news(old, new)
    assert (len(found.successes), len(found.problems)) == (successes, problems)
    assert found.seconds == (60.0 if successes else 0.0)
    if problems:
        assert found.problems[0].startswith("NOT SAFE: ")
    assert news(None, new) == News()
