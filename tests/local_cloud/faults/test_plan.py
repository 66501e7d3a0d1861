"""Which request gets which fault: a pure decision, the same in every run."""

from __future__ import annotations

import pytest

from tui_uploader.errors import UsageError
from tui_uploader.local_cloud.faults.plan import Fault, FaultName, FaultPlan, can_hit, parse_fault
from tui_uploader.local_cloud.routes import Route, route_of

DROP, BUSY = FaultName.DROP, FaultName.BUSY_429


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop", Fault(DROP, times=1)),
        ("drop:route=any", Fault(DROP, times=1)),
        ("drop:route=part,bytes=1000,times=3", Fault(DROP, Route.PART, times=3, bytes=1000)),
        ("busy429:route=put,seconds=2.5,every=4", Fault(BUSY, Route.PUT, every=4, seconds=2.5)),
        ("drop:probability=0.5,seed=7,after=2", Fault(DROP, probability=0.5, seed=7, after=2)),
        ("complete200error:times=2", Fault(FaultName.COMPLETE_200_ERROR, Route.COMPLETE, times=2)),
        ("stall: route = token , seconds = 1", Fault(FaultName.STALL, Route.TOKEN, times=1, seconds=1)),
    ],
)
def test_parsing(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("flood", "Unknown fault 'flood'"),
        ("", "Unknown fault"),
        ("drop:route=nowhere", "nowhere"),
        ("drop:bytes=many", "many"),
        ("drop:colour=red", "Unknown setting 'colour'"),
        ("drop:probability=2", "out of range"),
        ("drop:probability=nan", "out of range"),
        ("drop:every=0", "out of range"),
        ("stall:seconds=-1", "out of range"),
    ],
)
def test_invalid_faults_are_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_fault(text)


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        (Fault(DROP), [0, 1, 2, 3, 4, 5, 6, 7]),
        (Fault(DROP, after=3), [3, 4, 5, 6, 7]),
        (Fault(DROP, every=3), [0, 3, 6]),
        (Fault(DROP, after=1, every=3), [1, 4, 7]),
        (Fault(DROP, probability=0), []),
    ],
)
def test_which_requests_can_be_hit(fault: Fault, hit: list[int]) -> None:
    assert [number for number in range(8) if can_hit(fault, number)] == hit


def test_chance_depends_only_on_the_seed() -> None:
    def hits(seed: int) -> list[int]:
        return [number for number in range(1000) if can_hit(Fault(DROP, probability=0.3, seed=seed), number)]

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert 250 < len(hits(1)) < 350


def test_a_plan_counts_by_route() -> None:
    plan = FaultPlan([Fault(DROP, Route.PUT, after=1, times=1)])
    seen = [plan.next_for(route) for route in (Route.PUT, Route.PART, Route.OTHER, Route.PUT, Route.PUT)]
    assert [fault is not None for fault in seen] == [False, False, False, True, False]


def test_the_first_fault_wins_and_the_others_still_count() -> None:
    plan = FaultPlan([Fault(DROP, times=1), Fault(BUSY, after=1, times=1)])
    names = [fault.name if fault else None for fault in (plan.next_for(Route.PUT) for _ in range(3))]
    assert names == [DROP, BUSY, None]


def test_a_fault_that_another_one_preceded_keeps_its_hit() -> None:
    plan = FaultPlan([Fault(DROP, times=1), Fault(BUSY, times=1)])
    names = [fault.name if fault else None for fault in (plan.next_for(Route.PUT) for _ in range(3))]
    assert names == [DROP, BUSY, None]


@pytest.mark.parametrize(
    ("method", "path", "parameters", "route"),
    [
        ("PUT", "/b/u/p/a.jpg", [], Route.PUT),
        ("PUT", "/b/u/p/a.jpg", ["x-id"], Route.PUT),
        ("PUT", "/b/u/p/a.jpg", ["partNumber", "uploadId"], Route.PART),
        ("POST", "/b/u/p/a.jpg", ["uploadId"], Route.COMPLETE),
        ("POST", "/b/u/p/a.jpg", ["uploads"], Route.OTHER),
        ("HEAD", "/b/u/p/a.jpg", [], Route.OTHER),
        ("GET", "/b", ["list-type"], Route.OTHER),
        ("GET", "/b", ["uploads", "prefix"], Route.OTHER),
        ("PUT", "/b", [], Route.OTHER),
        ("POST", "/oauth2/token/", [], Route.TOKEN),
        ("GET", "/project/api/v3/projects/7/s3_credentials/", [], Route.CREDENTIALS),
        ("POST", "/project/api/v3/projects/7/inputs/bulk_register/", [], Route.REGISTER),
        ("POST", "/project/api/v3/projects/7/results/", [], Route.REGISTER),
        ("POST", "/project/api/v3/projects/7/start_processing/", [], Route.START),
        ("GET", "/project/api/v3/projects/7/", [], Route.OTHER),
    ],
)
def test_routes(method: str, path: str, parameters: list[str], route: Route) -> None:
    assert route_of(method, path, parameters) is route
