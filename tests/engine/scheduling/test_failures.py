"""Tables of what failures cost a file, and how long it rests."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tui_uploader.engine.scheduling.failures import Setbacks
from tui_uploader.engine.scheduling.retry import MOST_ATTEMPTS, Verdict
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


class Clock:
    """Monotonic time that passes on a word."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def setbacks(clock: Clock) -> Setbacks:
    return Setbacks(clock, lambda: 0.5)


def rests(setbacks: Setbacks, clock: Clock) -> dict[int, float]:
    """For how long (seconds)."""
    return {file: until - clock.now for file, (until, _) in setbacks.resting.items()}


def verdicts(setbacks: Setbacks, error: UploaderError, times: int, *, others_get_through: bool) -> list[Verdict]:
    found = []
    for _ in range(times):
        found.append(setbacks.met(FILE, error).verdict)
        if others_get_through:
            setbacks.got_through(OTHER)
    return found


def test_a_file_that_fails_alone_is_given_up(setbacks: Setbacks) -> None:
    found = verdicts(setbacks, CloudFault("500"), MOST_ATTEMPTS, others_get_through=True)
    assert found == [Verdict.AGAIN] * (MOST_ATTEMPTS - 1) + [Verdict.GIVE_UP]


def test_an_outage_is_no_files_fault(setbacks: Setbacks) -> None:
    found = verdicts(setbacks, CloudFault("500"), 10 * MOST_ATTEMPTS, others_get_through=False)
    assert set(found) == {Verdict.AGAIN}


def test_in_an_outage_the_waits_grow_all_the_same(setbacks: Setbacks) -> None:
    waits = [setbacks.met(FILE, CloudFault("500")).after for _ in range(10)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]


@pytest.mark.parametrize("error", [SourceChanged("written to"), MultipartGone("404"), ChecksumRefused("other bytes")])
def test_what_a_file_itself_brings_about_counts_in_an_outage_too(setbacks: Setbacks, error: UploaderError) -> None:
    """Else a single file would be sent from its beginning again and again, for ever."""
    assert verdicts(setbacks, error, 3, others_get_through=False)[-1] is Verdict.GIVE_UP


def test_after_an_outage_the_attempts_count_again(setbacks: Setbacks) -> None:
    verdicts(setbacks, CloudFault("500"), 10 * MOST_ATTEMPTS, others_get_through=False)
    found = verdicts(setbacks, CloudFault("500"), MOST_ATTEMPTS, others_get_through=True)
    assert found.count(Verdict.GIVE_UP) == 1


@pytest.mark.parametrize("error", [LinkDown("reset"), SignInRefused("no")])
def test_what_is_not_about_the_file_is_never_charged(setbacks: Setbacks, error: UploaderError) -> None:
    found = verdicts(setbacks, error, 10 * MOST_ATTEMPTS, others_get_through=True)
    assert Verdict.GIVE_UP not in found
    assert setbacks.met(FILE, CloudFault("500")).after == 0.5, "as after a first failure"


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
def test_how_long_a_file_rests(
    setbacks: Setbacks, clock: Clock, errors: Sequence[UploaderError], rest: float | None
) -> None:
    for error in errors:
        setbacks.met(FILE, error)
    assert rests(setbacks, clock).get(FILE) == rest


def test_a_broken_connection_rests_though_chance_says_not_at_all(clock: Clock) -> None:
    lucky = Setbacks(clock, lambda: 0.0)
    lucky.met(FILE, LinkDown("reset"))
    assert rests(lucky, clock)[FILE] == pytest.approx(0.2)


def test_a_rest_ends_by_itself_or_on_a_word(setbacks: Setbacks, clock: Clock) -> None:
    setbacks.rest(FILE, 2.0, "why")
    setbacks.rest(OTHER, 9.0, "why not")
    clock.now += 1.9
    assert setbacks.resting == {FILE: (102.0, "why"), OTHER: (109.0, "why not")}
    clock.now += 0.1
    assert setbacks.resting.keys() == {OTHER}
    setbacks.wake()
    assert setbacks.resting == {}


def test_waking_up_forgives_nothing(setbacks: Setbacks) -> None:
    verdicts(setbacks, CloudFault("500"), MOST_ATTEMPTS - 1, others_get_through=True)
    setbacks.wake()
    assert setbacks.met(FILE, CloudFault("500")).verdict is Verdict.GIVE_UP


@pytest.mark.parametrize("how", ["got_through", "given_up", "forget"])
def test_a_file_is_forgotten_with_its_success_or_its_end(setbacks: Setbacks, clock: Clock, how: str) -> None:
    verdicts(setbacks, CloudFault("500"), MOST_ATTEMPTS - 1, others_get_through=True)
    setbacks.met(FILE, LinkDown("reset"))
    match how:
        case "got_through":
            setbacks.got_through(FILE)
        case "given_up":
            setbacks.met(FILE, SourceVanished("gone"))
        case _:
            setbacks.forget(FILE)
    assert setbacks.resting == {}
    assert setbacks.met(FILE, CloudFault("500")).after == 0.5
    setbacks.met(FILE, LinkDown("reset"))
    assert rests(setbacks, clock)[FILE] == 0.5, "the first broken connection again"
