from __future__ import annotations

from collections import Counter

import pytest

from tui_uploader.engine.pipeline.ready_files import allowance
from tui_uploader.engine.scheduling.fairness import next_upload, served_after


def serve(sizes: dict[int, int], turns: int, served: dict[int, int]) -> tuple[Counter[int], dict[int, int]]:
    """Return the bytes served by upload; `sizes`: the bytes that each sends at a time."""
    got: Counter[int] = Counter()
    for _ in range(turns):
        upload = next_upload(sizes, served)
        assert upload is not None
        got[upload] += sizes[upload]
        served = served_after(served, sizes, upload, sizes[upload])
    return got, served


def test_no_upload_wants_to_send() -> None:
    assert next_upload((), {1: 5}) is None


def test_projects_share_bytes_not_turns() -> None:
    got, _ = serve({1: 10, 2: 1}, 1100, {})
    assert abs(got[1] - got[2]) <= 10


def test_a_newcomer_starts_level_and_does_not_catch_up() -> None:
    _, served = serve({1: 10}, 100, {})
    got, _ = serve({1: 10, 2: 10}, 100, served)
    assert abs(got[1] - got[2]) <= 10


def test_a_paused_upload_accumulates_no_claim() -> None:
    _, served = serve({1: 1, 2: 1}, 10, {})
    _, served = serve({1: 1}, 1000, served)
    got, _ = serve({1: 1, 2: 1}, 100, served)
    assert abs(got[1] - got[2]) <= 1


@pytest.mark.parametrize(
    ("streams", "uploads", "files"),
    [(4, 1, 8), (4, 2, 6), (4, 3, 6), (4, 4, 5), (4, 100, 5), (64, 1, 68), (64, 3, 26), (2, 0, 6)],
)
def test_an_upload_may_send_its_share_of_streams_and_a_few_files_more(streams: int, uploads: int, files: int) -> None:
    assert allowance(streams, uploads) == files
