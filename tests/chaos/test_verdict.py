"""The verdict itself: each problem is found where it exists, and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.matrix import matrix
from tests.chaos.rig import kind_of, mixed
from tests.chaos.runner import Run, RunResult
from tests.chaos.scenarios import named
from tests.chaos.verdict import Facts, Outcome, Shown, faults_of, outcome_of, total

A, B, C, OLD = b"a", b"b", b"c", b"old"

ALL_IS_WELL = Facts(
    wanted={"/card/a": {A}, "/card/b": {B}},
    card={A: 100, B: 10, C: 1, OLD: 5},
    objects={"p1/a.jpg": A, "p1/b.jpg": B},
    images={"p1/a.jpg": A, "p1/b.jpg": B},
    shown=(Shown("/card/a", "a.jpg", "uploaded"), Shown("/card/b", "b.jpg", "uploaded")),
    received=110,
)


def with_objects(unseen: Mapping[str, bytes], images: Mapping[str, bytes] = ALL_IS_WELL.images) -> Facts:
    return replace(ALL_IS_WELL, objects={**images, **unseen}, images=images, received=1000)


def test_no_problem_when_both_sides_agree() -> None:
    outcome = outcome_of(ALL_IS_WELL)
    assert outcome == Outcome(runs=1, files=2, bytes=110, starts=1)
    assert not faults_of(outcome, strict=False, bounded=True)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (with_objects({}, {"p1/a.jpg": A}), {"lost": 1, "false": 1}),
        (with_objects({"p1/b.jpg": B}, {"p1/a.jpg": A}), {"lost": 1, "false": 1, "leftovers": 1}),
        (replace(with_objects({}, {"p1/a.jpg": A}), shown=()), {"lost": 1}),
        (with_objects({}, {"p1/a.jpg": A, "p1/b.jpg": C}), {"lost": 1, "false": 1}),
        (with_objects({}, {**ALL_IS_WELL.images, "p1/b-1f3a9c.jpg": B}), {"doubled": 1}),
        (with_objects({"p1/b-1f3a9c.jpg": B}), {"copies": 1}),
        (with_objects({"p2/b.jpg": B}), {"copies": 1}),
        (with_objects({}, {"p1/a.jpg": A, "p2/b.jpg": B}), {"scattered": 1}),
        (with_objects({}, {**ALL_IS_WELL.images, "p2/b.jpg": B}), {"doubled": 1, "scattered": 1}),
        (with_objects({"p1/a-1.jpg": C, "p1/a-2.jpg": C}), {"leftovers": 1, "copies": 1}),
        (with_objects({"p1/x.jpg": b"unknown"}), {"strangers": 1, "leftovers": 1}),
        (replace(with_objects({"p1/x.jpg": b"damaged"}), keeps_damage=True), {"leftovers": 1}),
        (
            replace(with_objects({}, {**ALL_IS_WELL.images, "p1/x.jpg": b"damaged"}), keeps_damage=True),
            {"strangers": 1},
        ),
        (replace(ALL_IS_WELL, dangling=("p1/z.jpg",)), {"strangers": 1}),
        (replace(ALL_IS_WELL, starts=0), {"wrong_starts": 1}),
        (replace(ALL_IS_WELL, starts=2), {"wrong_starts": 1}),
        (replace(ALL_IS_WELL, false_at_kills=3), {"false": 3}),
        (replace(ALL_IS_WELL, wanted={"/card/a": {A, OLD}, "/card/b": {B}}), {}),
        (replace(ALL_IS_WELL, delivered={"/card/a": {C}}), {"lost": 1}),
        (replace(ALL_IS_WELL, wanted={"/card/a": {B}, "/card/b": {B}}, delivered={"/card/a": {A}}), {}),
        (replace(ALL_IS_WELL, received=117, kills=1, allowed_waste=7), {"resent": 7}),
    ],
)
def test_problems_are_counted(facts: Facts, found: Mapping[str, int]) -> None:
    outcome = outcome_of(facts)
    counted = ("lost", "doubled", "false", "strangers", "copies", "leftovers", "scattered", "wrong_starts")
    assert {name: number for name in counted if (number := getattr(outcome, name))} == {
        name: number for name, number in found.items() if name != "resent"
    }
    if "resent" in found:
        assert outcome.resent == found["resent"]


@pytest.mark.parametrize(
    ("outcome", "strict", "bounded", "wrong"),
    [
        (Outcome(lost=1), True, False, ["1 lost"]),
        (Outcome(copies=1), False, False, ["1 stored twice"]),
        (Outcome(copies=1), True, False, []),
        (Outcome(resent=8, allowed_waste=7), False, True, ["8 bytes sent again, 7 allowed"]),
        (Outcome(resent=8, allowed_waste=7), False, False, []),
        (Outcome(troubles=("stuck",)), True, True, ["stuck"]),
        (Outcome(leftovers=1, extra_projects=2), False, True, []),
    ],
)
def test_problems_are_described(outcome: Outcome, strict: bool, bounded: bool, wrong: Collection[str]) -> None:
    assert faults_of(outcome, strict=strict, bounded=bounded) == wrong


def test_runs_are_summed() -> None:
    assert total([]) == Outcome()
    both = total([Outcome(runs=1, lost=2, troubles=("a",)), Outcome(runs=1, kills=3, troubles=("b",))])
    assert both == Outcome(runs=2, lost=2, kills=3, troubles=("a", "b"))


def test_the_matrix_lists_what_did_not_hold_and_how_to_repeat_it() -> None:
    well = RunResult(Run(named("kill"), "default", 7), outcome_of(ALL_IS_WELL), None)
    copied = RunResult(Run(named("kill"), "strict", 7), replace(outcome_of(ALL_IS_WELL), copies=2), None)
    lost = RunResult(Run(named("cut"), "default", 7, 2), replace(outcome_of(ALL_IS_WELL), lost=1), Path("/tmp/x"))
    held, copies, not_held = [line for line in matrix(7, [well, copied, lost]).splitlines() if line.endswith(" |")][1:]
    assert held.endswith("| 1 / 1 | 0 | 0 | 0 | 0.0 | 0.0 | held |")
    assert copies.endswith("| held; second copies in the store |")
    assert not_held.endswith("| – | **not held** |")
    assert "Repeat: `python -m tests.chaos --seed 7 --only 'cut/default#2'`" in matrix(7, [well, copied, lost])
    assert "Not held" not in matrix(7, [well, copied])


def test_a_torn_write_consists_of_whole_old_and_new_sectors() -> None:
    before, after = b"o" * 1000, b"o" * 512 + b"n" * 1512
    keep = iter([True, False, True])
    torn = mixed(before, after, lambda: next(keep))
    assert torn == b"o" * 512 + b"n" * 512 + b"\0" * 512 + b"n" * 488
    assert mixed(before, after, lambda: True) == after
    assert mixed(before, after, lambda: False).rstrip(b"\0") == before


@pytest.mark.parametrize(
    ("sql", "parameters", "kind"),
    [
        ("SELECT 1 FROM files", (), None),
        ("PRAGMA journal_mode = WAL", (), None),
        ("INSERT INTO known (path, size) VALUES (?, ?)", (b"/x", 7), "INSERT INTO known"),
        (
            "UPDATE files\n SET stage = ?, etag = ? WHERE id = ?",
            ("stored", "0" * 32, 4),
            "UPDATE files SET stage = ?, etag = ? stored",
        ),
        ("DELETE FROM parts WHERE file = ?", [7], "DELETE FROM parts"),
    ],
)
def test_kinds_of_writes(sql: str, parameters: object, kind: str | None) -> None:
    assert kind_of(sql, parameters) == kind
