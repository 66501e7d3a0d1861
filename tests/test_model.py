"""The tables of states: every pair of state and event is walked, and what has to be true of any path is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import product
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.model.accounts import Login, SignInRequest
from tui_uploader.model.projects import MAX_IMAGES, MIN_IMAGES, Processing, ProcessingState
from tui_uploader.model.states import (
    FILE_TRANSITIONS,
    UPLOAD_TRANSITIONS,
    FileEvent,
    FileStage,
    FileStatus,
    ImpossibleTransition,
    UploadEvent,
    UploadState,
    next_stage,
    next_state,
)
from tui_uploader.model.uploads import ByteCounts, Counts, UploadStatus

State = TypeVar("State", bound=Hashable)
Event = TypeVar("Event", bound=Hashable)


def reachable(start: State, transitions: Mapping[tuple[State, Event], State]) -> set[State]:
    found, pending = {start}, [start]
    while pending:
        here = pending.pop()
        onward = {to for (before, _), to in transitions.items() if before == here} - found
        found |= onward
        pending.extend(onward)
    return found


def into(stage: FileStage) -> set[tuple[FileStage, FileEvent]]:
    return {pair for pair, to in FILE_TRANSITIONS.items() if to is stage}


# --------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(("stage", "event"), list(product(FileStage, FileEvent)))
def test_every_pair_of_stage_and_event(stage: FileStage, event: FileEvent) -> None:
    if (stage, event) in FILE_TRANSITIONS:
        assert next_stage(stage, event) is FILE_TRANSITIONS[stage, event]
    else:
        with pytest.raises(ImpossibleTransition, match=f"a {stage} file cannot be {event}"):
            next_stage(stage, event)


def test_every_stage_and_every_event_can_occur() -> None:
    assert reachable(FileStage.FOUND, FILE_TRANSITIONS) == set(FileStage)
    assert {event for _, event in FILE_TRANSITIONS} == set(FileEvent)


def test_a_registered_file_never_changes() -> None:
    """Once uploaded, an image cannot be removed from its project."""
    assert not [pair for pair in FILE_TRANSITIONS if pair[0] is FileStage.REGISTERED]


def test_no_other_stage_is_a_dead_end() -> None:
    for stage in set(FileStage) - {FileStage.REGISTERED}:
        assert FileStage.REGISTERED in reachable(stage, FILE_TRANSITIONS)


def test_registered_comes_only_after_stored_and_stored_only_after_sending() -> None:
    assert into(FileStage.REGISTERED) == {(FileStage.STORED, FileEvent.REGISTERED)}
    assert into(FileStage.STORED) == {
        (FileStage.SENDING, FileEvent.STORED),
        (FileStage.FOUND, FileEvent.STORED),  # stored before, and checked again
        (FileStage.FAILED, FileEvent.RETRY_REGISTRATION),
    }
    assert into(FileStage.SENDING) == {(FileStage.READY, FileEvent.PICKED)}


def test_a_file_is_sent_only_after_it_was_checked() -> None:
    """Whatever makes its content doubtful leads back to the check."""
    assert into(FileStage.READY) == {(FileStage.FOUND, FileEvent.CHECKED), (FileStage.SENDING, FileEvent.HELD)}
    for event in (FileEvent.CHANGED, FileEvent.FREED, FileEvent.RETRY, FileEvent.RESTORE):
        assert {to for (_, happened), to in FILE_TRANSITIONS.items() if happened is event} == {FileStage.FOUND}


def test_only_waiting_duplicate_and_failed_files_can_be_removed() -> None:
    removable = {stage for stage, event in FILE_TRANSITIONS if event is FileEvent.REMOVE}
    wanted = {FileStatus.WAITING, FileStatus.DUPLICATE, FileStatus.FAILED}
    assert removable == {stage for stage in FileStage if stage.status in wanted}


def test_a_removal_can_be_undone() -> None:
    assert next_stage(next_stage(FileStage.READY, FileEvent.REMOVE), FileEvent.RESTORE) is FileStage.FOUND


def test_every_failure_can_be_retried() -> None:
    for stage in {stage for stage, event in FILE_TRANSITIONS if event is FileEvent.FAILED}:
        assert next_stage(next_stage(stage, FileEvent.FAILED), FileEvent.RETRY) is FileStage.FOUND


@pytest.mark.parametrize("stage", FileStage)
def test_only_a_removed_file_is_hidden_from_the_user(stage: FileStage) -> None:
    assert (stage.status is None) == (stage is FileStage.REMOVED)


def test_only_registered_is_called_uploaded() -> None:
    assert [stage for stage in FileStage if stage.status is FileStatus.UPLOADED] == [FileStage.REGISTERED]
    assert {stage.status for stage in FileStage} == {None, *FileStatus}


@given(st.lists(st.sampled_from(FileEvent), max_size=30))
def test_no_path_leaves_registered_or_skips_the_storage(events: list[FileEvent]) -> None:
    stage, passed = FileStage.FOUND, [FileStage.FOUND]
    for event in events:
        try:
            stage = next_stage(stage, event)
        except ImpossibleTransition:
            continue
        passed.append(stage)
    assert FileStage.REGISTERED not in passed[:-1]
    if stage is FileStage.REGISTERED:
        assert passed[-2] is FileStage.STORED


# -------------------------------------------------------------------------------------------------- uploads


@pytest.mark.parametrize(("state", "event"), list(product(UploadState, UploadEvent)))
def test_every_pair_of_state_and_event(state: UploadState, event: UploadEvent) -> None:
    if (state, event) in UPLOAD_TRANSITIONS:
        assert next_state(state, event) is UPLOAD_TRANSITIONS[state, event]
    else:
        with pytest.raises(ImpossibleTransition, match=f"a {state} upload takes no {event}"):
            next_state(state, event)


def test_every_state_and_every_event_can_occur() -> None:
    assert reachable(UploadState.PREPARING, UPLOAD_TRANSITIONS) == set(UploadState)
    assert {event for _, event in UPLOAD_TRANSITIONS} == set(UploadEvent)


def test_files_can_be_added_in_every_state() -> None:
    assert {state for state, event in UPLOAD_TRANSITIONS if event is UploadEvent.ADDED} == set(UploadState)


def test_a_removal_can_be_undone_in_every_state() -> None:
    assert {state for state, event in UPLOAD_TRANSITIONS if event is UploadEvent.REOPENED} == set(UploadState)


def test_only_an_active_upload_finishes() -> None:
    assert {pair for pair, to in UPLOAD_TRANSITIONS.items() if to is UploadState.COMPLETE} == {
        (UploadState.ACTIVE, UploadEvent.FINISHED)
    }


def test_unfinished_uploads_can_be_cancelled_and_cancelled_ones_resumed() -> None:
    for state in (UploadState.PREPARING, UploadState.ACTIVE, UploadState.PAUSED):
        assert next_state(next_state(state, UploadEvent.CANCEL), UploadEvent.RESUME) is UploadState.ACTIVE


def test_a_walk_that_ends_late_resumes_nothing() -> None:
    """The folders are still being walked when the user pauses or cancels."""
    for command in (UploadEvent.PAUSE, UploadEvent.CANCEL):
        stopped = next_state(UploadState.PREPARING, command)
        assert next_state(stopped, UploadEvent.SCANNED) is stopped


def test_more_files_do_not_resume_a_paused_upload() -> None:
    assert next_state(UploadState.PAUSED, UploadEvent.ADDED) is UploadState.PAUSED


# --------------------------------------------------------------------------------------------------- values


def upload(state: UploadState, counts: Counts) -> UploadStatus:
    return UploadStatus(1, "p", "P", state, counts, ByteCounts(), 0, 0.0, None, 0.0, True, Processing())


@pytest.mark.parametrize(
    ("state", "counts", "settled"),
    [
        (UploadState.COMPLETE, Counts(uploaded=3), True),
        (UploadState.CANCELLED, Counts(uploaded=3, waiting=2), True),
        (UploadState.ACTIVE, Counts(uploaded=3, failed=1), True),
        (UploadState.ACTIVE, Counts(duplicate=1), False),
        (UploadState.ACTIVE, Counts(waiting=1), False),
        (UploadState.ACTIVE, Counts(uploading=1, failed=1), False),
        (UploadState.PREPARING, Counts(), False),
        (UploadState.PREPARING, Counts(failed=1), False),
        (UploadState.PAUSED, Counts(waiting=1), False),
        (UploadState.PAUSED, Counts(failed=1), False),
    ],
)
def test_settled_uploads_need_the_user_to_continue(state: UploadState, counts: Counts, settled: bool) -> None:
    assert upload(state, counts).settled is settled


def test_counts_add_up() -> None:
    assert Counts(1, 20, 300, 4000, 50000).total == 54321
    assert Counts().total == 0


def test_processing_ends_done_or_failed() -> None:
    assert [state for state in ProcessingState if state.ended] == [ProcessingState.DONE, ProcessingState.FAILED]


def test_the_limits_of_a_project_are_those_of_the_service() -> None:
    assert (MIN_IMAGES, MAX_IMAGES) == (6, 4000)


def test_a_login_names_its_account_and_hides_its_secret() -> None:
    login = Login("https://cloud.example", "me", "s3cret")
    assert login.account == "me@https://cloud.example"
    assert "s3cret" not in f"{login!r} {login} {SignInRequest(login)!r}"
