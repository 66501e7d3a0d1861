"""Bad networks and wrong clocks under a real engine: files wait, and none fails or is called uploaded."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.servers import Call, Handler, Server, serving
from tests.engine.world import SETTINGS, World, add, files_by_name, settled, when
from tests.photos import write_flight, write_photo
from tests.until import until
from tui_uploader.cloud.pix4d.client import Pix4dCloud
from tui_uploader.local_cloud.options import LocalCloudOptions, Profile
from tui_uploader.model.engine import LinkState
from tui_uploader.model.states import FileStatus
from tui_uploader.model.uploads import ByteCounts, Counts, UploadStatus

HOUR, YEAR = 3600.0, 365.25 * 86400


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LocalCloudOptions(root=tmp_path / "cloud"))


def says(status: int, text: str = "", **headers: str) -> Handler:
    def handle(call: Call) -> None:
        call.read_body()
        call.reply(status, text, **headers)

    return handle


# ------------------------------------------------------------------------------------------------ who answers there


def instead_of_the_cloud(world: World, handler: Handler) -> AbstractContextManager[Server]:
    """Another server at the cloud's address."""
    assert world.cloud is not None
    return serving(handler, port=int(world.cloud.url.rpartition(":")[2]))


@pytest.mark.parametrize(
    ("handler", "sentence"),
    [
        (says(200, "<html>Welcome to the hotel</html>"), "login page"),
        (says(302, location="http://portal.example/"), "login page"),
        (says(511), "login page"),
        (says(407), "requires a valid user name"),
    ],
)
async def test_behind_a_portal_all_files_wait_and_name_the_reason(
    world: World, handler: Handler, sentence: str
) -> None:
    photos = write_flight(world.card, 8)
    async with world.cloud_running():
        pass
    async with world.engine(verify=False) as manager:
        with instead_of_the_cloud(world, handler):
            upload = await add(manager, world.card, auto_process=False)
            await until(lambda: manager.queries.status().link.state is LinkState.DOWN)
            assert sentence in (manager.queries.status().link.reason or "")
            status = await when(manager, upload.upload, lambda status: status.counts == Counts(waiting=8))
            assert (status.bytes.stored, status.counts.failed) == (0, 0)
        async with world.cloud_running():
            manager.try_now()
            assert (await settled(manager, upload.upload)).counts == Counts(uploaded=8)
            assert world.objects() == {photo.name: photo.read_bytes() for photo in photos}


async def test_an_hour_without_name_resolution_fails_no_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One notice is shown for all files; when names resolve again, the upload continues."""
    real = socket.getaddrinfo
    asked = 0
    works = False

    def resolve(host: Any, *args: Any, **options: Any) -> Any:
        nonlocal asked
        if host in ("localhost", b"localhost"):
            asked += 1
            if not works:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    write_flight(world.card, 8)
    async with world.cloud_running() as address:
        world.cloud = replace(address, url=address.url.replace("127.0.0.1", "localhost"))
        async with world.engine(verify=False) as manager:
            upload = await add(manager, world.card, auto_process=False)
            for probe in range(1, 13):
                manager.try_now()
                await until(lambda probe=probe: asked >= 2 * probe)  # type: ignore[misc]
                world.time.passed += HOUR / 12
            link = manager.queries.status().link
            assert link.state is LinkState.DOWN and "Cannot resolve the name localhost" in (link.reason or "")
            items = (await files_by_name(manager, upload.upload)).values()
            assert {item.status for item in items} == {FileStatus.WAITING}
            assert len({item.reason for item in items if item.reason != "to be checked"}) <= 1
            works = True
            manager.try_now()
            assert (await settled(manager, upload.upload)).counts == Counts(uploaded=8)


# ----------------------------------------------------------------------------------------------------- wrong clocks


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("error", [2 * HOUR, -2 * HOUR, 10 * YEAR, -10 * YEAR])
async def test_a_wrong_clock_stops_no_upload(world: World, profile: Profile, error: float) -> None:
    world.options = replace(world.options, profile=profile)
    world.time.wall_error = error
    world.make_cloud = lambda login: Pix4dCloud(login, SETTINGS, clock=world.time.wall)
    write_flight(world.card, 6)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        assert (await settled(manager, upload.upload)).counts == Counts(uploaded=6)
        assert len(world.objects()) == 6


async def test_a_clock_that_is_set_while_files_are_sent(world: World) -> None:
    world.make_cloud = lambda login: Pix4dCloud(login, SETTINGS, clock=world.time.wall)
    async with world.cloud_running(), world.engine() as manager:
        for error in (10 * YEAR, -10 * YEAR, 0.0):
            world.time.wall_error = error
            write_flight(world.card / str(error), 3)
            upload = await add(manager, world.card, auto_process=False)
            assert (await settled(manager, upload.upload)).counts.failed == 0
        assert len(world.objects()) == 9


# ----------------------------------------------------------------------------------------------------- truthful bytes


def ordered(volume: ByteCounts) -> bool:
    return 0 <= volume.registered <= volume.stored <= volume.sent <= volume.total


@pytest.fixture
def watched(world: World) -> Callable[[Callable[[], UploadStatus]], list[ByteCounts]]:
    """Collects the byte counts of the status at every change that the engine announces."""

    def gather(status: Callable[[], UploadStatus]) -> list[ByteCounts]:
        seen: list[ByteCounts] = []
        world.observers.append(lambda: seen.append(status().bytes))
        return seen

    return gather


async def test_sent_bytes_never_fall_while_nothing_goes_wrong(
    world: World, watched: Callable[[Callable[[], UploadStatus]], list[ByteCounts]]
) -> None:
    for number, size in enumerate([20_000_000, 3_000, 400_000, 18_000_000, 2_000_000] * 2):
        write_photo(world.card / f"{number}.JPG", size)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        seen = watched(lambda: manager.queries.status().uploads[0])
        done = await settled(manager, upload.upload)
        assert all(map(ordered, seen))
        sent = [volume.sent for volume in seen]
        assert sent == sorted(sent)
        assert done.bytes.sent == done.bytes.total


async def test_with_every_fault_the_byte_counts_stay_in_order_and_stored_bytes_never_fall(
    world: World, watched: Callable[[Callable[[], UploadStatus]], list[ByteCounts]]
) -> None:
    """Only bytes of bodies that have to be sent again are subtracted."""
    faults = [
        f"{name}:route={route},probability=0.15,seed={seed},bytes=200000,seconds=0"
        for seed, (name, route) in enumerate(
            (name, route)
            for name in ("drop", "error500", "slowdown503", "lost_reply", "expired_token", "busy429")
            for route in ("put", "part", "complete", "register")
        )
    ]
    world.options = replace(world.options, faults=tuple(faults))
    for number, size in enumerate([20_000_000, 300_000, 3_000, 17_000_000, *[400_000] * 8]):
        write_photo(world.card / f"{number}.JPG", size)
    async with world.cloud_running(), world.engine() as manager:
        upload = await add(manager, world.card, auto_process=False)
        seen = watched(lambda: manager.queries.status().uploads[0])
        await world.in_the_long_run(lambda: manager.queries.status().uploads[0].counts.uploaded == 12, 60)
        assert all(map(ordered, seen))
        for truth in ([volume.stored for volume in seen], [volume.registered for volume in seen]):
            assert truth == sorted(truth)
        assert (await manager.queries.upload(upload.upload)).counts == Counts(uploaded=12)
