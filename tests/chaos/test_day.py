"""The whole day, with a small card; `python -m tests.chaos.day` lives the long one, over an emulated link."""

from __future__ import annotations

import pytest

from tests.chaos.day import run_day


def test_a_card_comes_and_may_be_wiped_although_the_engine_is_killed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.chaos.day._PATIENCE", 60.0)
    told: list[str] = []
    run_day(short=True, seed=1, say=told.append)
    assert any("it may be wiped" in line for line in told)
