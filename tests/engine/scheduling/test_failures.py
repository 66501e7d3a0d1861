"""Attempts that failures cost, and the delays after them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tui_uploader.engine.scheduling.failures import FileFailures
from tui_uploader.engine.scheduling.retry import MOST_ATTEMPTS, RetryAction
from tui_uploader.errors import (
    ChecksumRefused,
    CloudBusy,
    CloudFault,
    LinkDown,
    MultipartGone,
    SignInRefused,
    SourceChanged,
    SourceVanished,
    UploaderError,
)

FILE, OTHER = 1, 2
ACCOUNT = "id@cloud"


class Clock:
    """A monotonic clock that tests advance."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failures(clock: Clock) -> FileFailures:
    return FileFailures(clock, lambda: 0.5)


def rests(failures: FileFailures, clock: Clock) -> dict[int, float]:
    """Return the seconds for which each file is postponed."""
    return {file: until - clock.now for file, (until, _) in failures.postponed.items()}


def actions(failures: FileFailures, error: UploaderError, times: int, *, others_get_through: bool) -> list[RetryAction]:
    found = []
    for _ in range(times):
        found.append(failures.record_failure(FILE, ACCOUNT, error).action)
        if others_get_through:
            failures.record_success(OTHER, ACCOUNT)
    return found


def test_a_file_that_fails_alone_is_given_up(failures: FileFailures) -> None:
    found = actions(failures, CloudFault("500"), MOST_ATTEMPTS, others_get_through=True)
    assert found == [RetryAction.AGAIN] * (MOST_ATTEMPTS - 1) + [RetryAction.GIVE_UP]


def test_files_that_get_through_to_another_cloud_do_not_end_an_outage(failures: FileFailures) -> None:
    for _ in range(10 * MOST_ATTEMPTS):
        assert failures.record_failure(FILE, ACCOUNT, CloudFault("500")).action is RetryAction.AGAIN
        failures.record_success(OTHER, "id@other-cloud")


def test_an_outage_costs_no_attempts(failures: FileFailures) -> None:
    found = actions(failures, CloudFault("500"), 10 * MOST_ATTEMPTS, others_get_through=False)
    assert set(found) == {RetryAction.AGAIN}


def test_delays_grow_in_an_outage(failures: FileFailures) -> None:
    waits = [failures.record_failure(FILE, ACCOUNT, CloudFault("500")).after for _ in range(10)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]


@pytest.mark.parametrize("error", [SourceChanged("written to"), MultipartGone("404"), ChecksumRefused("other bytes")])
def test_failures_of_the_file_itself_count_even_in_an_outage(failures: FileFailures, error: UploaderError) -> None:
    """Otherwise a single file could be sent from its beginning again and again."""
    assert actions(failures, error, 3, others_get_through=False)[-1] is RetryAction.GIVE_UP


def test_after_an_outage_the_attempts_count_again(failures: FileFailures) -> None:
    actions(failures, CloudFault("500"), 10 * MOST_ATTEMPTS, others_get_through=False)
    found = actions(failures, CloudFault("500"), MOST_ATTEMPTS, others_get_through=True)
    assert found.count(RetryAction.GIVE_UP) == 1


@pytest.mark.parametrize("error", [LinkDown("reset"), SignInRefused("no")])
def test_failures_of_link_and_account_cost_no_attempts(failures: FileFailures, error: UploaderError) -> None:
    found = actions(failures, error, 10 * MOST_ATTEMPTS, others_get_through=True)
    assert RetryAction.GIVE_UP not in found
    assert failures.record_failure(FILE, ACCOUNT, CloudFault("500")).after == 0.5, "as after a first failure"


@pytest.mark.parametrize(
    ("errors", "rest"),
    [
        ([CloudFault("500")], 0.5),
        ([CloudBusy("slow down", retry_after=7.0)], 7.5),
        ([LinkDown("reset")], 0.5),
        ([LinkDown("reset")] * 3, 2.0),
        ([LinkDown("reset")] * 30, 30.0),
        ([SignInRefused("no")], None),
        ([SourceVanished("gone")], None),
    ],
)
def test_how_long_a_file_is_postponed(
    failures: FileFailures, clock: Clock, errors: Sequence[UploaderError], rest: float | None
) -> None:
    for error in errors:
        failures.record_failure(FILE, ACCOUNT, error)
    assert rests(failures, clock).get(FILE) == rest


def test_a_broken_connection_has_a_minimum_delay(clock: Clock) -> None:
    lucky = FileFailures(clock, lambda: 0.0)
    lucky.record_failure(FILE, ACCOUNT, LinkDown("reset"))
    assert rests(lucky, clock)[FILE] == pytest.approx(0.2)


def test_a_pause_ends_in_time_or_on_request(failures: FileFailures, clock: Clock) -> None:
    failures.postpone(FILE, 2.0, "why")
    failures.postpone(OTHER, 9.0, "why not")
    clock.now += 1.9
    assert failures.postponed == {FILE: (102.0, "why"), OTHER: (109.0, "why not")}
    clock.now += 0.1
    assert failures.postponed.keys() == {OTHER}
    failures.end_pauses()
    assert failures.postponed == {}


def test_ending_pauses_keeps_the_counts(failures: FileFailures) -> None:
    actions(failures, CloudFault("500"), MOST_ATTEMPTS - 1, others_get_through=True)
    failures.end_pauses()
    assert failures.record_failure(FILE, ACCOUNT, CloudFault("500")).action is RetryAction.GIVE_UP


@pytest.mark.parametrize("how", ["got_through", "given_up", "forget"])
def test_success_or_giving_up_resets_a_file(failures: FileFailures, clock: Clock, how: str) -> None:
    actions(failures, CloudFault("500"), MOST_ATTEMPTS - 1, others_get_through=True)
    failures.record_failure(FILE, ACCOUNT, LinkDown("reset"))
    match how:
        case "got_through":
            failures.record_success(FILE, ACCOUNT)
        case "given_up":
            failures.record_failure(FILE, ACCOUNT, SourceVanished("gone"))
        case _:
            failures.forget(FILE)
    assert failures.postponed == {}
    assert failures.record_failure(FILE, ACCOUNT, CloudFault("500")).after == 0.5
    failures.record_failure(FILE, ACCOUNT, LinkDown("reset"))
    assert rests(failures, clock)[FILE] == 0.5, "the first broken connection again"
