"""Bytes on their way, bytes in parts, and the moment in which they become the journal's."""

from __future__ import annotations

import pytest

from tui_uploader.engine.status.progress import Live

UPLOAD, FILE, OTHER = 1, 10, 11


def test_bytes_of_a_flight_count_while_it_goes_on_and_not_after_it_failed() -> None:
    live = Live({})
    with pytest.raises(ConnectionError), live.flight(UPLOAD, FILE, 100) as flight:
        flight.note_sent(40)
        assert (live.flights, live.sent_of_files(), live.sent_of_uploads()) == (1, {FILE: 40}, {UPLOAD: 40})
        flight.note_sent(0)  # the body has to be sent once more
        assert live.sent_of_uploads() == {UPLOAD: 0}
        flight.note_sent(90)
        raise ConnectionError
    assert (live.flights, live.sent_of_files(), live.sent_of_uploads(), live.sent_since_start) == (0, {}, {}, 0)


def test_a_flight_that_lands_is_the_journals_from_that_moment_and_no_longer_counted_here() -> None:
    """The journal calls `land` together with the summary in which the file is stored."""
    live = Live({})
    with live.flight(UPLOAD, FILE, 100) as flight:
        flight.note_sent(100)
        flight.land()
        assert (live.flights, live.sent_of_uploads()) == (0, {})
        assert live.sent_since_start == 100
    assert live.sent_since_start == 100


def test_a_part_that_lands_still_belongs_to_an_unfinished_file() -> None:
    live = Live({FILE: (UPLOAD, 60)})
    with live.flight(UPLOAD, FILE, 40) as flight:
        flight.note_sent(25)
        assert live.sent_of_files() == {FILE: 85}
        flight.land_as_part()
        assert live.sent_of_files() == {FILE: 100}
    assert (live.sent_of_files(), live.sent_of_uploads()) == ({FILE: 100}, {UPLOAD: 100})
    live.forget_parts(FILE)
    assert (live.sent_of_files(), live.sent_of_uploads(), live.sent_since_start) == ({}, {}, 40)


def test_parts_from_before_the_start_are_sent_and_no_rate_of_today() -> None:
    live = Live({FILE: (UPLOAD, 60), OTHER: (2, 7)})
    live.set_parts(UPLOAD, FILE, 50)
    assert live.sent_of_uploads() == {UPLOAD: 50, 2: 7}
    live.measure(0.0)
    live.measure(1.0)
    assert (live.sent_since_start, live.goodput(1.0)) == (0, None)


def test_a_recount_replaces_what_was_thought_of_all_files() -> None:
    live = Live({FILE: (UPLOAD, 60), OTHER: (UPLOAD, 7)})
    with live.flight(UPLOAD, OTHER, 100) as flight:
        flight.note_sent(3)
        live.set_all_parts({OTHER: (UPLOAD, 9)})
        assert live.sent_of_files() == {OTHER: 12}
        assert live.sent_of_uploads() == {UPLOAD: 12}


def test_goodput_is_that_of_what_landed_and_what_is_on_its_way() -> None:
    live = Live({})
    live.measure(0.0)
    with live.flight(UPLOAD, FILE, 1000) as landing, live.flight(2, OTHER, 1000) as flying:
        landing.note_sent(1000)
        landing.land()
        flying.note_sent(500)
        live.measure(1.0)
        assert live.goodput(1.0) == pytest.approx(1500, rel=0.01)
        flying.note_sent(700)
        live.measure(2.0)
        assert (live.meters[UPLOAD].rate(2.0), live.meters[2].rate(2.0)) == pytest.approx((0, 200), rel=0.01)
