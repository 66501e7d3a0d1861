"""Bytes on their way, bytes in parts, and the moment in which they become the journal's."""

from __future__ import annotations

import pytest

from tui_uploader.engine.status.progress import TransferProgress

UPLOAD, FILE, OTHER = 1, 10, 11


def test_bytes_of_a_flight_count_while_it_goes_on_and_not_after_it_failed() -> None:
    progress = TransferProgress({})
    with pytest.raises(ConnectionError), progress.transferring(UPLOAD, FILE, 100) as transfer:
        transfer.note_sent(40)
        assert (progress.running, progress.sent_of_files(), progress.sent_of_uploads()) == (1, {FILE: 40}, {UPLOAD: 40})
        transfer.note_sent(0)  # the body has to be sent once more
        assert progress.sent_of_uploads() == {UPLOAD: 0}
        transfer.note_sent(90)
        raise ConnectionError
    assert (progress.running, progress.sent_of_files(), progress.sent_of_uploads(), progress.sent_since_start) == (
        0,
        {},
        {},
        0,
    )


def test_a_flight_that_lands_is_the_journals_from_that_moment_and_no_longer_counted_here() -> None:
    """The journal calls `land` together with the summary in which the file is stored."""
    progress = TransferProgress({})
    with progress.transferring(UPLOAD, FILE, 100) as transfer:
        transfer.note_sent(100)
        transfer.stored()
        assert (progress.running, progress.sent_of_uploads()) == (0, {})
        assert progress.sent_since_start == 100
    assert progress.sent_since_start == 100


def test_a_part_that_lands_still_belongs_to_an_unfinished_file() -> None:
    progress = TransferProgress({FILE: (UPLOAD, 60)})
    with progress.transferring(UPLOAD, FILE, 40) as transfer:
        transfer.note_sent(25)
        assert progress.sent_of_files() == {FILE: 85}
        transfer.stored_as_part()
        assert progress.sent_of_files() == {FILE: 100}
    assert (progress.sent_of_files(), progress.sent_of_uploads()) == ({FILE: 100}, {UPLOAD: 100})
    progress.forget_parts(FILE)
    assert (progress.sent_of_files(), progress.sent_of_uploads(), progress.sent_since_start) == ({}, {}, 40)


def test_parts_from_before_the_start_are_sent_and_no_rate_of_today() -> None:
    progress = TransferProgress({FILE: (UPLOAD, 60), OTHER: (2, 7)})
    progress.set_parts(UPLOAD, FILE, 50)
    assert progress.sent_of_uploads() == {UPLOAD: 50, 2: 7}
    progress.measure(0.0)
    progress.measure(1.0)
    assert (progress.sent_since_start, progress.goodput(1.0)) == (0, None)


def test_a_recount_replaces_what_was_thought_of_all_files() -> None:
    progress = TransferProgress({FILE: (UPLOAD, 60), OTHER: (UPLOAD, 7)})
    with progress.transferring(UPLOAD, OTHER, 100) as transfer:
        transfer.note_sent(3)
        progress.set_all_parts({OTHER: (UPLOAD, 9)})
        assert progress.sent_of_files() == {OTHER: 12}
        assert progress.sent_of_uploads() == {UPLOAD: 12}


def test_goodput_counts_stored_and_running_bytes() -> None:
    progress = TransferProgress({})
    progress.measure(0.0)
    with progress.transferring(UPLOAD, FILE, 1000) as landing, progress.transferring(2, OTHER, 1000) as flying:
        landing.note_sent(1000)
        landing.stored()
        flying.note_sent(500)
        progress.measure(1.0)
        assert progress.goodput(1.0) == pytest.approx(1500, rel=0.01)
        flying.note_sent(700)
        progress.measure(2.0)
        assert (progress.meters[UPLOAD].rate(2.0), progress.meters[2].rate(2.0)) == pytest.approx((0, 200), rel=0.01)
