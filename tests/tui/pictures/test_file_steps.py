"""From problem to problem: ids in runs, as values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_uploader.model.files import FileProperty, FileQuery, IdRun, runs_of
from tui_uploader.model.states import FileStatus
from tui_uploader.tui.pictures.file_steps import length, merged, problem_queries, rank, stepped

IDS = st.sets(st.integers(1, 60))


@given(one=IDS, other=IDS)
def test_runs_of_several_answers_become_one(one: set[int], other: set[int]) -> None:
    together = merged([*runs_of(sorted(one)), *runs_of(sorted(other))])
    assert tuple(together) == runs_of(sorted(one | other))
    assert length(together) == len(one | other)


@given(ids=IDS, here=st.integers(0, 61), steps=st.integers(-9, 9).filter(bool))
def test_steps_go_around_the_ends(ids: set[int], here: int, steps: int) -> None:
    """As if every id but these were passed over, one by one."""
    runs = list(runs_of(sorted(ids)))
    at: int | None = here
    for _ in range(abs(steps)):
        ordered = sorted(ids) if steps > 0 else sorted(ids, reverse=True)
        beyond = [each for each in ordered if (each > at if steps > 0 else each < at)] if at is not None else []
        at = next(iter(beyond or ordered), None)
    assert stepped(runs, here, steps) == at
    if at is not None:
        assert sorted(ids)[rank(runs, at) - 1] == at


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        (FileQuery(), ["failed", "duplicate", "nogps"]),
        (FileQuery(text="a"), ["failed", "duplicate", "nogps"]),
        (FileQuery(status=FileStatus.FAILED), ["failed", "failed nogps"]),
        (FileQuery(status=FileStatus.WAITING), ["waiting nogps"]),
        (FileQuery(except_status=FileStatus.FAILED), ["duplicate", "nogps"]),
        (FileQuery(property=FileProperty.MOVING), ["failed moving", "duplicate moving"]),
        (FileQuery(property=FileProperty.NO_GPS), ["failed nogps", "duplicate nogps", "nogps"]),
    ],
)
def test_problems_are_looked_for_within_the_filter(query: FileQuery, asked: list[str]) -> None:
    found = list(problem_queries(query))
    assert [" ".join(str(part) for part in (each.status, each.property) if part) for each in found] == asked
    assert all(each.text == query.text for each in found)


def test_no_problem_is_no_step() -> None:
    nothing: list[IdRun] = []
    assert stepped(nothing, 5, 1) is None and rank(nothing, 5) == 0
