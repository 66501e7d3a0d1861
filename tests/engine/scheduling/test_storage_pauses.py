"""A storage that refuses new credentials: one file is retried, less and less often, and the user is notified."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.world import World, add, files_by_name, settled, when
from tests.local_cloud.root_reader import traffic_counts
from tests.photos import write_flight
from tui_uploader.cli.waiting import Ending, blocked_ending
from tui_uploader.engine.scheduling.storage_pauses import QUIET_REFUSALS, StoragePauses, notice_of, pause_after
from tui_uploader.errors import ClockSkewed, StorageKeyExpired, UploaderError
from tui_uploader.local_cloud.options import LocalCloudOptions
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import Counts

PROJECT, OTHER = 1, 2
REFUSED = StorageKeyExpired("The store s3.example refused (HTTP 403): InvalidToken.")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pauses(clock: Clock) -> StoragePauses:
    return StoragePauses(clock, lambda: 0.0)


@pytest.mark.parametrize(
    ("refusals", "chance", "seconds"),
    [
        (1, 0.0, 2.5),
        (1, 1.0, 5.0),
        (2, 1.0, 10.0),
        (5, 1.0, 80.0),
        (8, 1.0, 640.0),
        (9, 0.0, 450.0),
        (10**6, 1.0, 900.0),
    ],
)
def test_pauses_double_up_to_a_quarter_of_an_hour(refusals: int, chance: float, seconds: float) -> None:
    assert pause_after(refusals, lambda: chance) == seconds


@pytest.mark.parametrize(
    ("error", "refusals", "words", "person"),
    [
        (REFUSED, 1, "credentials that the service has just issued", False),
        (REFUSED, QUIET_REFUSALS, "InvalidToken", False),
        (REFUSED, QUIET_REFUSALS + 1, "retries one of them from time to time", True),
        (ClockSkewed("RequestTimeTooSkewed."), 9, "rejects the time of requests", True),
    ],
)
def test_the_notice_asks_for_action_after_several_refusals(
    error: UploaderError, refusals: int, words: str, person: bool
) -> None:
    notice = notice_of(error, refusals)
    assert words in notice.message and (notice.kind, notice.needs_person) == (error.kind, person)


def test_a_project_pauses_and_then_tries_one_file(pauses: StoragePauses, clock: Clock) -> None:
    for _ in range(20):  # all files being sent are refused
        pauses.refused(PROJECT, REFUSED)
    assert pauses.rest(PROJECT) == (102.5, str(REFUSED)) and pauses.ends == [102.5]
    assert pauses.rest(OTHER) is None and not pauses.on_trial(OTHER) and pauses.notice(OTHER) is None
    clock.now = 102.5
    assert pauses.rest(PROJECT) is None and pauses.on_trial(PROJECT) and pauses.ends == []
    pauses.refused(PROJECT, REFUSED)
    assert pauses.rest(PROJECT) == (107.5, str(REFUSED)), "the second pause is twice the first"
    pauses.accepted(PROJECT)
    assert pauses.rest(PROJECT) is None and not pauses.on_trial(PROJECT) and pauses.notice(PROJECT) is None


def test_retrying_now_ends_the_pause_and_keeps_the_count(pauses: StoragePauses, clock: Clock) -> None:
    pauses.refused(PROJECT, REFUSED)
    pauses.end_pauses()
    assert pauses.rest(PROJECT) is None and pauses.on_trial(PROJECT)
    pauses.refused(PROJECT, REFUSED)
    assert pauses.rest(PROJECT) == (105.0, str(REFUSED))


@pytest.mark.parametrize("fault", ["expired_token", "time_skewed"])
async def test_an_hour_of_refusals_costs_few_requests_and_is_reported(tmp_path: Path, fault: str) -> None:
    refusing = f"{fault}:route=put,probability=1"
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", faults=(refusing,)))
    write_flight(world.card, 60)
    async with world.cloud_running():
        async with world.engine() as manager:
            upload = await add(manager, world.card, auto_process=False)
            await when(manager, upload.upload, lambda status: status.notice is not None)
            at_first = traffic_counts(tmp_path / "cloud").faults
            await world.in_the_long_run(lambda: world.time.passed >= 3600)
            in_an_hour = traffic_counts(tmp_path / "cloud").faults - at_first
            stuck = await when(manager, upload.upload, lambda status: status.counts.waiting == 60)
            assert stuck.notice is not None and stuck.notice.needs_person
            assert blocked_ending(stuck) == Ending(3 if fault == "expired_token" else 5)
            items = (await files_by_name(manager, upload.upload)).values()
            assert {item.status for item in items} == {FileStatus.WAITING}
        assert 5 <= in_an_hour <= 40
        assert at_first <= 60, "not each file, several times"
    world.options = LocalCloudOptions(root=tmp_path / "cloud")
    async with world.cloud_running(), world.engine() as manager:
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=60)


async def test_all_files_follow_once_one_is_accepted(tmp_path: Path) -> None:
    faults = ("expired_token:route=put,times=12",)
    world = World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud", faults=faults))
    write_flight(world.card, 30)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        await when(manager, upload.upload, lambda status: status.notice is not None)
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].settled, leap=60.0)
        done = await settled(manager, upload.upload)
        assert (done.counts, done.notice) == (Counts(uploaded=30), None)
